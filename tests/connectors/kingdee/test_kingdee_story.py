"""Nothing is lost and nothing stands twice: the account against what was landed, run after run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kingdee_world import World, connector

from connectors.asgi import Reply
from connectors.errors import ConfigError, ContractBroken, PaginationLoop


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, rows=10, lookback="1s")  # the usual one would hide what finds changes
    yield made
    made.close()


def fill(world: World, count: int = 25) -> None:
    """Make orders of one to five lines; some share a stamp."""
    for key in range(1, count + 1):
        world.order(key, *((f"A-{n}", str(n), "1.13") for n in range(1, key % 5 + 2)))
        if key % 7 == 0:
            world.time.wait(seconds=2)
    world.time.wait(hours=1)


def asked(world: World) -> list[str]:
    return [line.asked for line in world.erp.journal if line.service == "executebillquery"]


def test_check_tells_a_secret_that_is_not_set_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    one = connector(world.erp, world.time, app_secret="env:KD_NOT_SET")
    (found,) = one.check()
    assert (found.subject, found.ok) == ("credentials", False)
    assert "env:KD_NOT_SET" in found.what
    world.close()


def test_a_first_load_and_quiet_runs(world: World) -> None:
    fill(world)
    first = world.read("orders")
    assert first.landed == 25
    assert world.judge("orders") == []
    assert first.bookmark_after is not None
    assert first.bookmark_after["stamp"]
    for _ in range(2):
        world.time.wait(minutes=30)
        quiet = world.read("orders")
        assert (quiet.landed, quiet.read) == (0, 4)  # the newest stamp's
        assert quiet.requests <= 6  # the last asks whether the form may still be read
    # A page of ten rows ends inside an order nearly always; each came whole, and once.
    counts = [line.rows for line in world.erp.journal if line.service == "executebillquery"]
    assert counts.count(10) >= 6


def test_only_what_changed_comes_and_the_deleted_go(world: World) -> None:
    fill(world)
    world.read("orders")
    world.time.wait(days=2)
    world.erp.change("SAL_SaleOrder", 3, FNote="new")
    world.order(4, ("B-1", "7", "2"))  # lines were replaced
    world.order(26, ("B-1", "1", "2"))
    world.erp.delete("SAL_SaleOrder", 7)
    world.time.wait(minutes=1)
    again = world.read("orders")
    assert again.landed == 3
    assert world.judge("orders") == ["ghost: orders 7"]
    assert world.read("orders", "sweep").held == 0
    assert world.judge("orders") == []


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
@pytest.mark.parametrize("query", ["execute", "bill"])
def test_documents_are_whole_however_small_a_page_is(tmp_path: Path, rows: int, query: str) -> None:
    """Also one that has more lines than a page has rows, and a server that gives fewer."""
    world = World(tmp_path, rows=rows, query=query)
    world.order(1, *(("A-1", str(n), "1") for n in range(1, 9)))
    world.order(2)  # a draft without lines
    world.order(3, ("A-1", "1", "1"))
    world.order(4, *(("A-1", str(n), "1") for n in range(1, 5)))
    for most in (2000, 2):
        world.erp.most = most
        world.read("orders", "full")
        assert world.judge("orders") == []
    assert [len(one["lines"]) for one in world.landed("orders").values()] == [8, 0, 1, 4]
    world.close()


def test_what_changes_while_it_is_read_neither_goes_nor_comes_twice(world: World) -> None:
    fill(world)

    def meanwhile(number: int) -> None:
        if number == 5:
            world.erp.delete("SAL_SaleOrder", 2)  # read already
            world.erp.delete("SAL_SaleOrder", 20)  # not read yet
            world.erp.change("SAL_SaleOrder", 1, FNote="later")
            world.order(12, *(("Z", str(n), "1") for n in range(1, 20)))
            world.order(99, ("Z", "1", "1"))

    world.erp.before = meanwhile
    done = world.read("orders")
    assert done.read == len(world.landed("orders"))
    world.time.wait(minutes=1)
    world.read("orders")
    world.read("orders", "sweep")
    assert world.judge("orders") == []


def test_a_commit_that_shows_late_is_found_within_the_lookback(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world)
    world.read("orders")
    world.time.wait(minutes=20)
    world.order(40, ("A-1", "1", "1"))
    late = world.erp.living("SAL_SaleOrder")[5] | {"FNote": "late"}
    world.erp.put("SAL_SaleOrder", late, late=300)
    world.time.wait(seconds=30)
    world.read("orders")
    world.time.wait(minutes=6)
    assert world.read("orders").landed == 1
    assert world.judge("orders") == []
    world.close()


def test_what_is_written_without_a_stamp_is_found_while_a_document_is_open(world: World) -> None:
    """A delivery writes its quantity back, then the order closes; FModifyDate stays."""
    fill(world)
    world.erp.change("SAL_SaleOrder", 9, FCloseStatus="B")
    world.read("orders")
    world.time.wait(hours=3)
    for key in (3, 4):
        old = world.erp.living("SAL_SaleOrder")[key]
        lines = [{**line, "FStockOutQty": line["FQty"]} for line in old["lines"]]
        world.erp.put("SAL_SaleOrder", {**old, "lines": lines}, moves=False)
    world.erp.change("SAL_SaleOrder", 4, FCloseStatus="B", moves=False)
    assert world.read("orders").landed == 0  # not due yet
    world.time.wait(hours=22)
    done = world.read("orders")
    assert world.judge("orders") == []
    assert (done.landed, done.read) == (2, 1 + 23 + 1)  # the newest, the open ones, the closed one
    assert any("FID in (4)" in text for text in asked(world))
    world.time.wait(hours=1)
    assert world.read("orders").read == 1  # looked again: no more today


def test_a_run_by_a_clock_ahead_does_not_put_open_documents_off(tmp_path: Path) -> None:
    """Without metadata nothing has told the server's time when a read begins."""
    world = World(tmp_path, metadata="false", lookback="1s")
    fill(world, 8)
    true = world.time.at
    world.erp.now = lambda: true
    world.time.wait(days=365)
    world.read("orders")
    world.time.at = true = true + timedelta(hours=1)
    world.erp.change("SAL_SaleOrder", 2, FCloseStatus="B", moves=False)
    world.read("orders")
    assert world.judge("orders") == []
    world.close()


def test_an_open_document_without_a_close_status_is_read_again_each_time(world: World) -> None:
    """A filter by `<>` holds for no null: it is asked for by its key."""
    world.order(1, ("A-1", "1", "1.13"), FCloseStatus=None)
    world.time.wait(hours=1)
    world.order(2, ("A-1", "1", "1.13"))  # the newest is read again at every run anyway
    world.read("orders")
    for number in range(3):
        world.time.wait(days=2)
        world.erp.change("SAL_SaleOrder", 1, FNote=f"note {number}", moves=False)
        assert world.read("orders").landed == 1
        assert not world.judge("orders")


def test_masters_that_several_organisations_use_are_one_record(tmp_path: Path) -> None:
    world = World(tmp_path, rows=3, lookback="1s")
    for key in range(1, 6):
        for org in ("100", "200", "300"):
            row = key * 10 + int(org[0])
            world.put("BD_Customer", row, FMasterId=key * 10 + 1, FNumber=f"C{key}", FName="N",
                      FUseOrgId__FNumber=org)  # fmt: skip
    world.time.wait(hours=1)
    assert world.read("customers").landed == 5
    assert world.judge("customers") == []
    for row, read in ((51, 5), (23, 2)):  # the second read is asked for what the first changed on
        world.erp.change("BD_Customer", row, FForbidStatus="B")
        world.time.wait(hours=1)
        done = world.read("customers")
        assert (done.landed, done.read) == (1, read)
        assert world.judge("customers") == []
    uses = world.landed("customers")["21"]["uses"]
    assert [(one["FUseOrgId.FNumber"], one["FForbidStatus"]) for one in uses] == [
        ("100", "A"), ("200", "A"), ("300", "B"),
    ]  # fmt: skip
    for row in (31, 32, 33):
        world.erp.delete("BD_Customer", row)
    world.read("customers", "sweep")
    assert world.judge("customers") == []
    world.close()


def test_organisations_that_are_named_are_read_alone(tmp_path: Path) -> None:
    world = World(tmp_path, organisations=["100", "O'1"])
    for key, org in enumerate(("100", "200", "O'1", "300"), 1):
        world.order(key, ("A", "1", "1"), FSaleOrgId__FNumber=org)
    assert world.read("orders").landed == 2
    assert list(world.landed("orders")) == ["1", "3"]
    world.close()


def test_stock_is_read_whole_and_its_rows_go(world: World) -> None:
    for number in range(25):
        world.put("STK_Inventory", f"{number * 7919 % 97:02x}-guid", FBaseQty=number)
    assert world.read("stock").landed == 25
    world.erp.change("STK_Inventory", "00-guid", FBaseQty=77)
    for key in sorted(world.erp.living("STK_Inventory"))[3:5]:
        world.erp.delete("STK_Inventory", key)
    world.time.wait(minutes=5)
    assert world.read("stock").landed == 1
    assert world.judge("stock") == []


def test_a_right_that_is_missing_deletes_nothing(world: World) -> None:
    """The system answers nothing then, without an error."""
    fill(world, 3)
    world.put("STK_Inventory", "a", FBaseQty=1)
    world.read("orders")
    world.read("stock")
    world.erp.denied = {"SAL_SaleOrder", "STK_Inventory"}
    for stream, mode in (("orders", "full"), ("orders", "sweep"), ("stock", "changed")):
        done = world.read(stream, mode)  # type: ignore[arg-type]
        assert "nothing is deleted" in str(done.warnings)
    assert len(world.landed("orders")) == 3
    assert len(world.landed("stock")) == 1


@pytest.mark.parametrize("mode", ["changed", "full"])
def test_a_read_that_is_killed_at_any_request_goes_on(tmp_path: Path, mode: Any) -> None:
    """Every page is landed with its bookmark, so each request is a place to die and resume at."""
    place, killed = 0, True
    while killed:
        place += 3
        world = World(tmp_path / str(place), rows=8)
        fill(world, 12)
        killed = world.killed_at(place, "orders", mode)
        world.erp.delete("SAL_SaleOrder", 3)
        world.erp.change("SAL_SaleOrder", 4, FNote="x")
        world.time.wait(days=2)
        killed |= world.killed_at(place, "orders", "changed")
        for mode_after in ("changed", "changed", "sweep"):  # what changed behind it is owed
            world.read("orders", mode_after)  # type: ignore[arg-type]
        assert world.judge("orders") == [], place
        world.close()
    assert place >= 9


def test_a_read_that_goes_on_counts_as_one(world: World) -> None:
    fill(world)
    assert world.killed_at(6, "orders", "changed")
    before = len(world.landed("orders"))
    assert 0 < before < 25
    world.erp.delete("SAL_SaleOrder", 25)
    done = world.read("orders")
    assert done.read == 24 - before
    assert world.judge("orders") == []


@pytest.mark.parametrize("mode", ["changed", "sweep"])
def test_another_account_does_not_come_beside_the_first(tmp_path: Path, mode: Any) -> None:
    world = World(tmp_path)
    fill(world, 3)
    world.read("orders")
    path = tmp_path / "defs" / "erp" / "defs.yaml"
    path.write_text(path.read_text("utf-8").replace('"rate"', '"organisations": ["200"], "rate"'))
    world.space.control.close()
    world.space = type(world.space).discover(world.environment)
    with pytest.raises(ConfigError, match="would be of account 60a1b2c3d4e5f6, organisations 200"):
        world.read("orders", mode)
    assert len(world.landed("orders")) == 3
    world.order(8, ("A", "1", "1"), FSaleOrgId__FNumber="200")
    world.read("orders", "full")
    assert list(world.landed("orders")) == ["8"]
    world.close()


def test_an_answer_out_of_order_ends_the_read(world: World) -> None:
    fill(world, 3)
    world.erp.most = 2
    world.read("orders")
    row = [1] * 40

    def twice(number: int) -> None:
        world.erp.faults = [Reply(200, [row, row])]

    world.erp.before = twice
    with pytest.raises((ContractBroken, PaginationLoop)):
        world.read("orders", "full")


def test_the_bookmark_stays_behind_the_servers_clock_and_not_ours(tmp_path: Path) -> None:
    """It is 50 minutes late: what is stamped just before a read may show after it."""
    world = World(tmp_path, lookback="0s", lag="1m")
    ours = world.time.now
    world.erp.now = lambda: ours() - timedelta(minutes=50)
    fill(world, 3)
    world.order(8, ("A", "1", "1"))
    world.read("orders")
    made = world.erp.living("SAL_SaleOrder")[2] | {"FNote": "began before, shows after"}
    world.erp.put("SAL_SaleOrder", made, at=world.erp.now() - timedelta(seconds=30))
    world.time.wait(minutes=2)
    world.read("orders")
    assert world.judge("orders") == []
    world.close()
