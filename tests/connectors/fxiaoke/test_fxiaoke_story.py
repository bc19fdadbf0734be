"""Nothing is lost and nothing stands twice: the tenant against what was landed, run after run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fxiaoke_world import World, calls, connector

from connectors.asgi import Asked, Reply
from connectors.base import ReadRequest
from connectors.errors import ConfigError, ContractBroken, PaginationLoop
from connectors.fxiaoke.sample import line, oid
from connectors.fxiaoke.simulator_door import TOKEN

ORDER, LINE = "SalesOrderObj", "SalesOrderProductObj"
PRODUCT = oid("ProductObj", 1)


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, rows=5, lookback="1s")  # the usual one would hide what finds changes
    yield made
    made.close()


def fill(world: World, count: int = 17) -> None:
    """Make orders of no to four lines; some share a stamp."""
    for number in range(1, count + 1):
        world.order(number, *((PRODUCT, str(n), "1.13") for n in range(1, number % 5 + 1)))
        if number % 7 == 0:
            world.time.wait(seconds=2)
    world.time.wait(hours=1)


def queries(world: World, api: str) -> list[dict[str, Any]]:
    """Return what was asked of an object."""
    asked = [one for one in world.crm.journal if one.path.endswith("/data/query")]
    return [json.loads(one.asked) for one in asked if one.api == api]


def test_a_first_load_and_a_quiet_run(world: World) -> None:
    fill(world)
    assert world.read("orders").landed == 17
    assert world.judge("orders") == []
    asked = queries(world, ORDER)
    assert {one["offset"] for one in asked} == {0}
    assert all(one["orders"] == [{"fieldName": "_id", "isAsc": True}] for one in asked)
    assert len(asked) == 5  # four pages, and the empty one that proves the end
    world.time.wait(minutes=30)
    asked.clear()
    quiet = world.read("orders")
    assert (quiet.landed, quiet.read) == (0, 3)  # the newest stamp's
    assert quiet.requests <= 6


def test_a_page_shorter_than_the_system_gives_is_the_end_of_what_changed(world: World) -> None:
    fill(world)
    world.read("orders")
    before = len(queries(world, ORDER))
    world.time.wait(minutes=5)
    world.read("orders")
    asked = queries(world, ORDER)[before:]
    assert len(asked) == 1
    low, high = (one for one in asked[0]["filters"] if one["field_name"] != "_id")
    assert (low["operator"], high["operator"]) == ("GTE", "LTE")
    assert int(high["field_values"][0]) <= world.time.now().timestamp() * 1000
    assert calls(world.crm, TOKEN) == 1  # kept from the first run


def test_a_changed_line_alone_brings_its_order_whole(world: World) -> None:
    fill(world)
    world.read("orders")
    world.time.wait(hours=3)
    key = oid(LINE, 803)
    world.crm.change(LINE, key, quantity="99", subtotal="111.87")  # the order's stamp stays
    extra = line(LINE, world.crm.living(ORDER)[oid(ORDER, 2)], "order_id", 9, quantity="1")
    world.crm.put(LINE, extra)
    world.time.wait(minutes=1)
    assert world.read("orders").landed == 2
    assert world.judge("orders") == []
    assert world.landed("orders")[oid(ORDER, 8)]["lines"][2]["quantity"] == "99"


def test_more_changed_lines_than_a_page_and_an_order_that_changed_too(world: World) -> None:
    fill(world)
    world.read("orders")
    world.time.wait(hours=3)
    for key in world.crm.living(LINE):
        world.crm.change(LINE, key, remark="moved")
    world.crm.change(ORDER, oid(ORDER, 4), remark="moved")
    world.time.wait(minutes=1)
    done = world.read("orders")
    assert world.judge("orders") == []
    assert done.landed == 14  # the three without lines did not change
    assert done.read == 15  # the newest once more; nobody came twice


def test_a_run_that_is_killed_behind_each_page_gets_on(world: World) -> None:
    """Though orders come on shorter pages than the lines that named them."""
    fill(world)
    (*_, last) = connector(world.crm, world.time, rows=5).read(ReadRequest("orders"))
    world.time.wait(hours=1)
    changed = (1, 2, 3, 4, 6, 7, 8)
    for number in changed:
        world.crm.change(LINE, oid(LINE, number * 100 + 1), remark="moved")
    world.time.wait(minutes=1)
    answer = world.crm.answer

    def short(asked: Asked) -> Reply:
        is_by_key = b'"SalesOrderObj"' in asked.content and b'"IN"' in asked.content
        world.crm.most = 2 if is_by_key else 5
        return answer(asked)

    world.crm.answer = short  # type: ignore[method-assign]
    mark, came = last.bookmark, set[str | None]()
    for _ in range(4):
        one = connector(world.crm, world.time, rows=5, lookback="1s")
        page = next(iter(one.read(ReadRequest("orders", "changed", mark))))
        mark = page.bookmark
        came.update(page.keys)
    assert came >= {oid(ORDER, number) for number in changed}


def test_what_changes_while_it_is_read_is_the_next_run_s(world: World) -> None:
    fill(world)
    begun = world.crm.requests

    def meanwhile(number: int) -> None:
        if number == begun + 9:
            world.time.wait(seconds=1)
            world.crm.delete(ORDER, oid(ORDER, 2))  # read already
            world.crm.delete(ORDER, oid(ORDER, 16))  # not read yet
            world.crm.change(ORDER, oid(ORDER, 1), remark="later")
            world.order(99, (PRODUCT, "1", "1"))

    world.crm.before = meanwhile
    done = world.read("orders")
    assert done.read == len(world.landed("orders"))
    world.crm.before = lambda number: None
    world.time.wait(minutes=1)
    world.read("orders")
    assert world.judge("orders") == [f"ghost: orders {oid(ORDER, 2)}"]
    world.read("orders", "sweep")
    assert world.judge("orders") == []


@pytest.mark.parametrize("mode", ["changed", "full"])
def test_a_read_killed_anywhere_goes_on(tmp_path: Path, mode: Any) -> None:
    world = World(tmp_path, rows=5, lookback="1s")
    fill(world, 12)
    world.read("orders")
    place = 0
    while True:
        place += 4
        world.time.wait(hours=1)
        for number in (1, 5, 9, 12):
            world.crm.change(ORDER, oid(ORDER, number), remark=str(place))
        for number in (301, 701, 801):
            world.crm.change(LINE, oid(LINE, number), remark=str(place))
        world.time.wait(minutes=1)
        came_so_far = world.killed_at(place, "orders", mode)
        world.time.wait(minutes=1)
        world.read("orders", mode)
        world.read("orders")
        assert world.judge("orders") == [], place
        if not came_so_far:
            break
    assert place > 4
    world.close()


def test_what_the_user_may_not_see_is_not_taken_for_deleted(world: World) -> None:
    """The acting user's rights shrink the answers without a word."""
    for number in range(1, 71):
        world.put("LeadsObj", number, name=str(number))
    world.time.wait(minutes=1)
    world.read("leads")
    world.crm.sees = lambda api, record: False
    for mode in ("sweep", "full"):
        done = world.read("leads", mode)  # type: ignore[arg-type]
        assert any("nothing is deleted" in text for text in done.warnings)
    world.crm.sees = lambda api, record: int(record["name"]) < 15
    assert world.read("leads", "sweep").held == 56  # the breaker
    assert len(world.landed("leads")) == 70


@pytest.mark.parametrize("mode", ["changed", "full"])
def test_lines_whose_object_vanishes_stay_as_they_stand(world: World, mode: Any) -> None:
    """Read without, every document would lose its lines, and nobody had deleted one."""
    fill(world, 8)
    world.sync_all("orders")
    world.crm.lacking = {LINE}
    world.crm.change(ORDER, oid(ORDER, 4), remark="moved")
    world.time.wait(hours=1)
    done = world.sync("orders", full=mode == "full")
    assert (done.status, done.landed) == ("failed", 0)
    assert done.error is not None
    assert f"lists no {LINE} any more" in done.error.what
    assert "no_lines: [orders]" in done.error.do
    world.publish()
    counted = "select count(*) from unified.order_lines"
    assert world.ask(counted) == [(16,)]
    world.crm.lacking = set()
    world.sync_all("orders")
    assert world.judge("orders") == []


def test_lines_that_a_tenant_never_had_are_a_remark(world: World) -> None:
    fill(world, 3)
    world.crm.lacking = {LINE}
    done = world.read("orders")
    assert (done.error, done.landed) == (None, 3)
    assert any(f"has no {LINE}: lines are left out" in text for text in done.warnings)
    world.time.wait(hours=1)
    assert world.read("orders").error is None


def test_lines_are_left_out_where_one_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, no_lines=["orders"])
    fill(world, 3)
    world.read("orders")
    assert all("lines" not in one for one in world.landed("orders").values())
    assert queries(world, LINE) == []
    world.close()


def test_another_tenant_s_app_is_refused_until_a_full_read(world: World) -> None:
    world.put("LeadsObj", 1)
    one = connector(world.crm, world.time)
    (mark,) = [page.bookmark for page in one.read(ReadRequest("leads"))][-1:]
    other = connector(world.crm, world.time, base_url="http://crm2.example")
    with pytest.raises(ConfigError, match=r"of app FSAID_1318abc at crm\.example"):
        list(other.read(ReadRequest("leads", "changed", mark)))
    assert [len(page.keys) for page in other.read(ReadRequest("leads", "full", mark))] == [1, 0]


def test_ids_that_do_not_rise_and_lines_of_another_head_are_refused(world: World) -> None:
    fill(world, 3)
    one, answer = connector(world.crm, world.time), world.crm.answer
    changes: list[Any] = []

    def turned(asked: Asked) -> Reply:
        reply = answer(asked)
        body = json.loads(reply.data)
        if isinstance(body.get("data"), dict) and "dataList" in body["data"]:
            changes[-1](body["data"]["dataList"])
        return Reply(reply.status, json.dumps(body).encode(), reply.headers)

    def of_another(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["order_id"] = "f" * 24

    world.crm.answer = turned  # type: ignore[method-assign]
    changes.append(list.reverse)
    with pytest.raises(PaginationLoop, match="was not answered in the order"):
        list(one.read(ReadRequest("orders")))
    changes.append(of_another)
    with pytest.raises(ContractBroken, match="another head"):
        list(one.read(ReadRequest("orders")))


def test_the_whole_path_twice(tmp_path: Path) -> None:
    """First sync, change, delete, second sync; rows and sums; a third one loads nothing."""
    world = World(tmp_path)
    fill(world, 6)
    done = world.sync_all("orders")["orders"]
    assert (done.landed, done.inserted) == (6, 6)
    world.time.wait(days=1)
    world.crm.change(LINE, oid(LINE, 202), subtotal="1000.00")
    world.crm.void(ORDER, oid(ORDER, 1))
    world.crm.delete(ORDER, oid(ORDER, 3))
    world.order(7, (PRODUCT, "3", "5.5"))
    world.time.wait(minutes=1)
    done = world.sync_all("orders")["orders"]
    assert done.landed == 3
    world.sync_all("orders", sweep=True)
    world.publish()
    gone = {oid(ORDER, 1), oid(ORDER, 3)}
    rows = [one for one in world.crm.living(LINE).values() if one["order_id"] not in gone]
    total = sum(Decimal(one["subtotal"]) for one in rows)
    sql = (
        "select count(*), sum(total), sum(s) from source.orders join (select parent_key, sum(gross)"
        " as s from source.order_lines group by 1) on parent_key = source_key where not is_deleted"
    )
    heads = [one for key, one in world.crm.living(ORDER).items() if key not in gone]
    assert world.ask(sql) == [
        (4, sum(Decimal(one["order_amount"]) for one in heads if one["order_amount"] != "0.00"),
         total)
    ]  # fmt: skip
    world.time.wait(hours=1)
    again = world.sync_all("orders")["orders"]
    assert (again.landed, again.inserted, again.updated, again.deleted) == (0, 0, 0, 0)
    world.close()


def test_what_many_streams_have_to_say_they_say_in_the_same_words(tmp_path: Path) -> None:
    """`isthmus sync` tells equal remarks once; and no name is proposed that means another thing."""
    world = World(tmp_path)
    world.put("AccountObj", 1)
    world.order(1, (PRODUCT, "1", "2"))
    for api in ("ContactObj", "RefundObj"):
        world.put(api, 1)
    world.time.wait(hours=1)
    said = [world.sync(name).warnings for name in ("customers", "orders", "contacts", "refunds")]
    assert len({text for one in said for text in one if "left empty" in text}) == 1
    assert [text for one in said for text in one if "did you mean" in text] == []
    world.close()
