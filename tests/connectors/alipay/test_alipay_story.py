"""Days come, are late, are corrected: what was landed is what the account says, run after run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest
from alipay_world import DOWNLOADS, World, connector

from connectors.alipay.sample import text
from connectors.alipay.simulator import HERE
from connectors.base import ReadRequest
from connectors.errors import ConfigError, ContractBroken, Refused, Unavailable


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def fill(world: World, days: int = 6) -> None:
    """Put some movements on each of the days before today."""
    for ago in range(days, 0, -1):
        for n in range(ago % 3 + 1):
            world.move(ago, f"{ago}.{n}0")


def asked(world: World) -> list[str]:
    """Return the days that links were asked for, since the journal was emptied."""
    return [line.asked["bill_date"] for line in world.system.journal if line.kind == "request"]


def now_text(world: World) -> str:
    return text(world.time.now().astimezone(HERE))


def downloads(world: World) -> list[str]:
    return [line.key for line in world.system.journal if line.kind == "download"]


def test_first_load_then_nothing_then_a_new_day(world: World) -> None:
    fill(world)
    first = world.sync("account_bill")
    assert (first.error, first.status, first.quarantined) == (None, "ok", 0)
    assert (first.read, first.landed) == (12, 12)
    assert world.judge("account_bill") == []
    world.system.journal.clear()
    world.time.wait(hours=1)
    again = world.sync("account_bill")
    assert (again.read, again.landed, asked(world)) == (0, 0, [])  # a day's bills do not move
    world.move(0, "7.00")
    world.time.wait(hours=10)  # 07:00 in Beijing: not promised yet, so not asked for
    assert world.sync("account_bill").requests == 0
    world.time.wait(hours=3)  # 10:00
    done = world.sync("account_bill")
    assert (done.read, done.landed) == (1, 1)
    world.time.wait(hours=10)  # the last days are downloaded again, for what was corrected
    done = world.sync("account_bill")
    assert (done.read, done.landed, done.unchanged) == (7, 0, 7)
    assert world.judge("account_bill") == []
    world.publish()
    total = sum(Decimal(row["收入金额（+元）"]) for row in world.system.living("account").values())
    assert world.ask("select sum(amount), count(*) from source.payments") == [(total, 13)]


def test_a_bill_is_fetched_without_credentials_from_the_pinned_host(world: World) -> None:
    world.move(1, "1.00")
    assert world.sync("account_bill").error is None
    sent = [one for one in world.network.requests if one.url.path != "/gateway.do"]
    assert [f"{one.url.scheme}://{one.url.netloc.decode()}" for one in sent] == [DOWNLOADS]
    assert sent[0].method == "GET"
    assert not {"sign", "app_id", "method", "timestamp"} & set(sent[0].url.params)
    assert not {"authorization", "cookie"} & set(sent[0].headers)
    world.system.downloads = "http://elsewhere.example"
    world.move(2, "1.00")
    world.time.wait(days=1)
    done = world.sync("account_bill", full=True)
    assert done.error is not None
    assert done.error.kind == Refused.__name__
    assert "download_url" in done.error.do
    assert all(one.url.host != "elsewhere.example" for one in world.network.requests)


def test_a_spent_link_is_asked_for_anew(world: World) -> None:
    world.move(1, "1.00")

    def dawdle(number: int) -> None:
        if number == len_before + 2:  # the download, half a minute later
            world.time.wait(seconds=31)

    len_before = world.system.requests
    world.read("trade_bill")
    len_before = world.system.requests
    days = (world.today - date(2026, 2, 20)).days
    len_before += days - 1  # links of the days before, none of which has a bill
    world.system.before = dawdle
    done = world.read("account_bill")
    assert downloads(world) == [str(world.at(1).date())] * 2
    assert done.landed == 1

    def always(number: int) -> None:
        if world.network.requests[-1].url.path != "/gateway.do":
            world.time.wait(seconds=31)

    world.system.before = always
    with pytest.raises(Unavailable, match="links in turn"):
        world.read("account_bill", "full")
    assert len(downloads(world)) == 5


def test_a_late_bill_waits_and_a_day_without_one_is_given_up(world: World) -> None:
    fill(world, 3)
    late = world.at(2).date()
    world.system.delayed["account", late] = world.time.now() + timedelta(days=1)
    done = world.sync("account_bill")
    assert done.error is None
    assert (done.bookmark_after or {})["waiting"] == [str(late)]
    assert any(f"no bill yet of {late}" in text for text in done.warnings)
    assert world.judge("account_bill") == []  # the judge knows what is there
    world.time.wait(days=1)
    done = world.sync("account_bill")
    assert world.judge("account_bill") == []
    # Yesterday had no movements: it waits for three days, then it is a day without.
    assert (done.bookmark_after or {})["waiting"] == [str(world.at(1).date())]
    world.time.wait(days=4)
    for _ in range(2):
        done = world.sync("account_bill")
        world.time.wait(days=1)
    assert str(world.at(6).date()) not in (done.bookmark_after or {})["waiting"]
    assert (done.bookmark_after or {})["day"] == str(world.at(2).date())


def test_days_before_the_account_was_opened_have_no_bill(tmp_path: Path) -> None:
    world = World(tmp_path, since="2026-01-01")
    world.system.registered = world.at(3).date()
    fill(world, 3)
    done = world.sync("account_bill")
    assert (done.error, done.landed) == (None, 6)
    assert "waiting" not in (done.bookmark_after or {})
    world.close()


def test_a_corrected_bill_takes_the_place_of_the_first(world: World) -> None:
    fill(world)
    world.move(2, "50.00", number="9000000001")
    for stream in ("account_bill", "trade_bill"):
        assert world.sync(stream).error is None
    world.time.wait(days=1)
    world.move(3, "51.00", number="9000000001")  # the same movement, of another amount
    gone = world.move(2, "4.00")
    world.sync("account_bill")
    assert world.judge("account_bill") == []
    world.time.wait(days=1)
    world.system.delete("account", gone["账务流水号"])
    done = world.sync("account_bill")
    assert (done.error, done.deleted) == (None, 1)
    assert world.judge("account_bill") == []
    world.publish()
    sql = "select amount from unified.payments where number = '9000000001'"
    assert world.ask(sql) == [(51,)]


def test_months_later_a_correction_is_found_by_a_full_read(world: World) -> None:
    fill(world)
    world.read("account_bill")
    world.time.wait(days=60)
    world.system.put(
        "account", next(iter(world.system.living("account").values())) | {"备注": "更正"}
    )
    world.read("account_bill")
    assert len(world.judge("account_bill")) == 1
    world.read("account_bill", "full")
    assert world.judge("account_bill") == []


def test_one_torn_bill_does_not_stop_the_others(world: World) -> None:
    fill(world, 4)
    torn = world.at(3).date()
    world.system.spoil = lambda kind, day, data: data[:200] if day == torn else data
    with pytest.raises(ContractBroken, match=str(torn)):
        world.read("account_bill")
    kept = world.landed("account_bill")
    assert len(kept) == 7  # of 8: the torn day has one
    assert not [row for row in kept.values() if row["发生时间"].startswith(str(torn))]
    world.system.spoil = lambda kind, day, data: data
    world.time.wait(hours=1)
    done = world.read("account_bill")
    assert (done.landed, world.judge("account_bill")) == (1, [])
    assert "waiting" not in (done.bookmark_after or {})


def test_the_download_host_in_trouble(world: World) -> None:
    """A web page, an empty file, a cut-off one: nothing of the day is landed; it comes later."""
    fill(world, 1)
    for data in (b"<html>login</html>", b"", b"PK\x03\x04torn"):
        world.system.spoil = lambda kind, day, true, data=data: data  # type: ignore[misc]
        with pytest.raises((Unavailable, ContractBroken)):
            world.read("account_bill")
        assert world.landed("account_bill") == {}
    world.system.spoil = lambda kind, day, data: data
    world.time.wait(minutes=1)
    world.read("account_bill")
    assert world.judge("account_bill") == []


def test_bills_of_another_account_are_not_laid_beside_the_first(world: World) -> None:
    fill(world)
    world.read("account_bill")
    world.system.account = "20889999999999990156"
    world.time.wait(days=1)
    with pytest.raises(ConfigError, match="another account"):
        world.read("account_bill")
    world.read("account_bill", "full")
    world.read("account_bill")


def test_a_first_load_yields_at_a_days_edge_and_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, since="2026-02-01")
    fill(world, 12)
    world.system.before = lambda number: world.time.wait(seconds=29)  # a link lives 30
    first = world.sync("account_bill")
    assert (first.error, first.status) == (None, "partial")
    assert first.bookmark_after is not None
    assert 0 < first.landed < 24
    assert world.sync("account_bill").error is None
    world.system.before = lambda number: None
    assert world.judge("account_bill") == []
    assert sorted(set(downloads(world))) == sorted(downloads(world))  # each bill once
    world.close()


@pytest.mark.parametrize("mode", ["changed", "full"])
@pytest.mark.parametrize("place", [1, 3, 6, 9])
def test_killed_anywhere_it_goes_on_whole(tmp_path: Path, mode: str, place: int) -> None:
    world = World(tmp_path)
    fill(world)
    if mode == "full":
        world.read("account_bill")
        world.time.wait(days=1)
    assert world.killed_at(place, "account_bill", mode)
    world.read("account_bill", mode)  # type: ignore[arg-type]
    assert world.judge("account_bill") == []
    world.close()


def test_the_log_is_read_in_stretches_and_pages(tmp_path: Path) -> None:
    world = World(tmp_path, movements="log", window="2d", rows=3)
    fill(world, 8)
    done = world.sync("account_log")
    assert (done.error, done.landed) == (None, 17)
    assert world.judge("account_log") == []
    lists = [line for line in world.system.journal if line.kind == "request"]
    assert max(line.rows for line in lists) == 3
    spans = {(line.asked["start_time"], line.asked["end_time"]) for line in lists}
    assert len(spans) == 5
    world.time.wait(minutes=30)
    world.system.journal.clear()
    world.move(0, "8.00")
    done = world.sync("account_log")
    assert done.landed == 1
    assert world.judge("account_log") == []
    world.close()


def test_what_comes_while_the_log_is_read_is_found_by_the_next_read(tmp_path: Path) -> None:
    world = World(tmp_path, movements="log", window="2d", lookback="1s")
    fill(world, 8)

    def slow(number: int) -> None:
        world.time.wait(minutes=5)
        world.move(0, "8.00", number=f"90000000{number:02d}", 发生时间=now_text(world))

    world.system.before = slow
    world.read("account_log")
    asked_for = len([line for line in world.system.journal if line.kind == "request"])
    assert asked_for == 5  # the moment of the read is fixed: it does not run after the clock
    world.system.before = lambda number: None
    world.time.wait(minutes=1)
    world.read("account_log")
    assert world.judge("account_log") == []
    world.close()


def test_a_list_that_moves_while_it_is_paged_is_begun_anew(tmp_path: Path) -> None:
    world = World(tmp_path, movements="log", rows=2)
    fill(world, 4)

    def meanwhile(number: int) -> None:
        if number == 3:  # one of the first page comes late: all behind it moves by one
            world.move(4, "9.90", number="0000000001")

    world.system.before = meanwhile
    world.read("account_log")
    assert world.judge("account_log") == []
    world.close()


def test_a_list_that_grows_at_its_end_is_begun_anew_too(tmp_path: Path) -> None:
    """Its first page comes once more as it was, and is no loop."""
    world = World(tmp_path, movements="log", rows=2)
    fill(world, 4)

    def meanwhile(number: int) -> None:
        if number == 2:
            world.move(0, "9.90", number="9999999999")

    world.system.before = meanwhile
    done = world.read("account_log")
    assert done.error is None
    assert world.judge("account_log") == []
    world.close()


def test_pages_of_another_size_do_not_go_on_where_a_read_was_cut_off(tmp_path: Path) -> None:
    world = World(tmp_path, movements="log")
    for _ in range(12):
        world.move(3, "1.00")
    bookmark, keys = None, list[str | None]()
    for rows, pages in ((6, 1), (2, 99)):
        one = connector(world.system, world.time, movements="log", rows=rows)
        for page in islice(one.read(ReadRequest("account_log", bookmark=bookmark)), pages):
            bookmark = page.bookmark
            keys += page.keys
        one.close()
    assert set(keys) == set(world.there("account_log"))
    world.close()


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_what_is_booked_late_behind_a_read_that_was_cut_off_is_found(
    tmp_path: Path, cut: int
) -> None:
    world = World(tmp_path)
    fill(world, 4)
    bookmark, keys = None, list[str | None]()

    def read(pages: int) -> None:
        nonlocal bookmark
        one = connector(world.system, world.time, movements="log", window="7d")
        for page in islice(one.read(ReadRequest("account_log", bookmark=bookmark)), pages):
            bookmark = page.bookmark
            keys.extend(page.keys)
        one.close()

    read(cut)
    world.time.wait(days=1)
    world.move(2, "9.90", number="0000000001")
    world.time.wait(days=9)
    read(99)
    read(99)
    assert set(keys) == set(world.there("account_log"))
    world.close()


def test_trades_and_refunds_are_asked_for_by_their_numbers(tmp_path: Path) -> None:
    from connectors.alipay.sample import refund_check, trade

    world = World(tmp_path)
    world.system.put("trades", trade("T1", "9.00"))
    world.system.put("refund_checks", refund_check("T1", "R1", "1.00"))
    one = connector(world.system, world.time)
    wanted = [{"trade_no": "T1"}, {"out_trade_no": "SO-none"}, {"trade_no": None}]
    pages = list(one.read(ReadRequest("trades", wanted=wanted)))
    assert [key for page in pages for key in page.keys] == ["T1"]
    assert b'"trade_status": "TRADE_SUCCESS"' in bytes(pages[0].records[0])
    assert [page.warnings for page in pages] == [
        (
            "交易查询: 1 of those asked for are not known there.",
            "交易查询: 1 rows name neither trade_no nor out_trade_no.",
        )
    ]
    asks = [{"trade_no": "T1", "out_request_no": n} for n in ("R1", "R2")]
    pages = list(one.read(ReadRequest("refund_checks", wanted=asks)))
    assert [key for page in pages for key in page.keys] == ["T1/R1"]
    one.close()
    world.close()
