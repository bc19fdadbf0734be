"""Nothing is lost however lists change while they are walked: ties, windows, whole lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest
from jushuitan_world import Memory, connector

from connectors.asgi import Asked, Reply
from connectors.base import ReadRequest
from connectors.errors import ConfigError, Unavailable
from connectors.jushuitan import sample as make
from connectors.jushuitan.simulator import KINDS

HOUR = timedelta(hours=1)


def order(one: Memory, key: int, said: str = "", **how: Any) -> None:
    one.oms.put("orders", make.order(key, [make.item(key, "A-1", 1, "1.13")], remark=said), **how)


def product(one: Memory, key: int, said: str = "", **how: Any) -> None:
    one.oms.put("products", make.product(f"A-{key:03d}", said), **how)


def fill(one: Memory, put: Callable[..., None], count: int = 23) -> None:
    for key in range(1, count + 1):
        put(one, key)
        if key % 3 == 0:
            one.time.wait(minutes=2)
    one.time.wait(hours=1)


def at_page(one: Memory, number: int, do: Callable[[], None]) -> None:
    """Do something once, before the n-th page of the stream from now is answered."""
    path, answer, asked = KINDS[one.stream].path, one.oms.answer, [0]

    def counting(request: Asked) -> Reply:
        asked[0] += request.path == path
        if asked[0] == number and request.path == path:
            one.oms.answer = answer  # type: ignore[method-assign]
            do()
        return answer(request)

    one.oms.answer = counting  # type: ignore[method-assign]


def asked(one: Memory) -> list[dict[str, Any]]:
    found = [ln for ln in one.oms.journal if (ln.kind, ln.name) == ("request", one.stream)]
    assert {line.code for line in found} == {0}
    return [line.asked for line in found]


# --- by the row number -------------------------------------------------------------------------
@pytest.mark.parametrize("inclusive", [True, False])
def test_a_first_load_and_quiet_runs(inclusive: bool) -> None:
    one = Memory("orders", page_size=5, lookback="1s")
    one.oms.inclusive = inclusive
    fill(one, order)
    assert (one.read(), one.landed, one.judge()) == (23, 23, [])
    for _ in range(2):
        one.time.wait(minutes=30)
        before = len(asked(one))
        assert (one.read(), one.landed, len(asked(one)) - before) == (2, 0, 2)  # the newest two
    order(one, 7, "new")
    order(one, 24)
    assert (one.read(), one.landed, one.judge()) == (4, 2, [])
    assert {call["page_index"] for call in asked(one)} == {1}


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("tie", [2, 6, 17])
@pytest.mark.parametrize("size", [1, 5])
def test_ties_are_whole_wherever_a_page_ends(inclusive: bool, tie: int, size: int) -> None:
    one = Memory("orders", page_size=size)
    one.oms.inclusive = inclusive
    for key in range(1, 12):
        order(one, key, ts=100 + key)
    for key in range(20, 20 + tie):
        order(one, key, ts=105)
    for key in range(50, 53):
        order(one, key, ts=106)  # right behind the tie
    one.time.wait(hours=1)
    assert (one.read(), one.judge()) == (14 + tie, [])


@pytest.mark.parametrize("place", range(2, 9))
def test_what_leaves_a_tie_while_it_is_walked_takes_nobody_with_it(place: int) -> None:
    """The tie is walked by page numbers: a record that goes moves the others over an edge."""
    one = Memory("orders", page_size=5)
    for key in range(1, 22):
        order(one, key, ts=100)
    one.time.wait(hours=1)
    at_page(one, place, lambda: order(one, 1, "left"))
    one.read()
    assert one.judge() == []


def test_a_tie_that_never_stands_still_is_told() -> None:
    one = Memory("orders", page_size=5)
    for key in range(1, 200):
        order(one, key, ts=100)
    left = iter(range(1, 200))
    one.oms.before = lambda number: order(one, next(left), "left")
    with pytest.raises(Unavailable, match="the ts 100"):
        one.read()
    one.oms.before = lambda number: None
    one.read()
    assert one.judge() == []


@pytest.mark.parametrize("inclusive", [True, False])
def test_what_is_committed_late_is_found_below_the_last_number(inclusive: bool) -> None:
    one = Memory("orders", page_size=5)
    one.oms.inclusive = inclusive
    fill(one, order)
    late = one.oms.ts = one.oms.ts + 10
    for key in range(30, 36):
        order(one, key)
    one.read()
    order(one, 40, ts=late - 5)
    order(one, 41, ts=late, late=240)
    one.time.wait(seconds=30)
    one.read()
    assert (one.landed, one.judge()) == (1, [])
    one.time.wait(minutes=5)
    one.read()
    assert (one.landed, one.judge()) == (1, [])


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_what_is_committed_late_behind_a_read_that_was_cut_off_is_found(cut: int) -> None:
    """The read that goes on is much later than its first pages: they are not old by its stamps."""
    one = Memory("orders", page_size=2)
    order(one, 1)
    order(one, 2, late=300)
    for key in range(3, 9):
        order(one, key)
    one.time.wait(seconds=20)
    pages = connector(one.oms, one.time, **one.more).read(ReadRequest("orders"))
    for page in islice(pages, cut):
        assert "2" not in page.keys
        one.bookmark = page.bookmark
    one.time.wait(hours=2)
    order(one, 9)
    one.time.wait(minutes=1)
    one.read()
    one.read()
    assert "2" in one.rows


def test_a_source_whose_numbers_fell_back_is_told() -> None:
    one = Memory("orders")
    order(one, 1, ts=500, at=one.time.now() - HOUR)
    order(one, 2, ts=501)
    one.time.wait(hours=1)
    one.read()
    for key in (1, 2):
        one.oms.delete("orders", key)
    one.read()
    assert "restored" in str(one.warnings)
    order(one, 3, ts=20)
    one.read("full")
    assert "3" in one.rows


def test_a_record_without_a_stamp_lets_nothing_behind_it_be_passed_over() -> None:
    one = Memory("orders", page_size=1)
    for key in range(1, 5):
        order(one, key)
        one.time.wait(hours=1)
    del one.oms.living("orders")["2"]["modified"]
    one.read()
    assert "does not say when it was modified" in str(one.warnings)
    assert one.read() == 3  # from it on
    assert one.judge() == []


def test_orders_from_a_number_on() -> None:
    one = Memory("orders", start_ts=103)
    for key in range(1, 6):
        order(one, key, ts=100 + key)
    one.read()
    assert list(one.rows) == ["4", "5"]


# --- stock -------------------------------------------------------------------------------------
def test_stock_of_warehouses_is_a_row_each_and_of_all_their_sum() -> None:
    one = Memory("stock", warehouses=["11", "12"], page_size=2)
    for sku in range(1, 6):
        one.oms.put("stock", make.stock(f"A-{sku}", sku * 10), wms=11)
        one.oms.put("stock", make.stock(f"A-{sku}", -sku), wms=12)
    one.time.wait(hours=1)
    assert (one.read(), one.judge()) == (10, [])
    one.oms.put("stock", make.stock("A-3", 7), wms=12)
    one.read()
    assert (one.landed, one.judge()) == (1, [])
    whole = connector(one.oms, one.time, rate="1000/s").read(ReadRequest("stock"))
    first = bytes(next(whole).records[0])
    assert first.startswith(b'{"_wms_co_id":"0","sku_id":"A-1"')
    assert b'"qty":9,' in first
    one.more["warehouses"] = ["11"]
    for mode in ("changed", "full"):
        with pytest.raises(ConfigError, match="warehouses 12 was read until now"):
            one.read(mode)  # type: ignore[arg-type]
    one.more["warehouses"] = ["11", "12", "13"]
    one.read()
    assert (one.landed, one.judge()) == (0, [])


# --- by windows --------------------------------------------------------------------------------
def test_windows_are_of_7_days_at_most_and_meet() -> None:
    one = Memory("products", since="2026-01-01")
    begin = datetime.fromisoformat("2026-01-01T00:00:00+08:00")
    for key in range(59 * 4):
        product(one, key, at=begin + key * 6 * HOUR)
    assert (one.read(), one.judge()) == (59 * 4, [])
    spans = {
        tuple(datetime.fromisoformat(call[f"modified_{end}"]) for end in ("begin", "end"))
        for call in asked(one)
    }
    assert max(end - start for start, end in spans) <= timedelta(days=7)
    assert len(spans) == 10  # nine, and the last stretch
    assert all(following[0] < edge[1] for edge, following in pairwise(sorted(spans)))


@pytest.mark.parametrize("by", ["modified", "sku_id"])
@pytest.mark.parametrize("milliseconds", [True, False])
@pytest.mark.parametrize("place", range(1, 7))
def test_what_leaves_a_window_takes_nobody_with_it(by: str, milliseconds: bool, place: int) -> None:
    """Page 1 tells how many there are; then they come from the last: changes meet us once more."""
    one = Memory("products", page_size=5, since="2026-02-27")
    one.oms.order, one.oms.milliseconds = by, milliseconds
    fill(one, product)
    moved = (1, 2, 3, 12, 22)
    at_page(one, place, lambda: [product(one, key, "changed") for key in moved])  # type: ignore[arg-type,return-value]
    one.read()
    late = {f"products A-{key:03d}" for key in moved}  # the next run reads these
    assert [text for text in one.judge() if text.partition(": ")[2] not in late] == []
    one.time.wait(hours=1)
    one.read()
    assert one.judge() == []


def test_what_comes_late_into_the_last_stretch_is_read_by_the_next_run() -> None:
    """It pushes another record over an edge that was read already: the next run reads all again."""
    one = Memory("products", page_size=5, since="2026-02-27")
    fill(one, product, 12)
    young = one.time.now()
    for key in range(30, 42):
        product(one, key, at=young + timedelta(seconds=key - 30))
    one.time.wait(minutes=2)
    at_page(one, 7, lambda: product(one, 50, at=young))
    one.read()
    assert one.judge() == ["lost: products A-039"]
    one.time.wait(minutes=1)
    one.read()
    assert one.judge() == []


def test_a_stream_in_which_nothing_changes_costs_a_window() -> None:
    one = Memory("products", since="2026-01-01")
    one.read()
    one.time.wait(days=40)
    one.read()
    one.time.wait(hours=1)
    before = len(asked(one))
    one.read()
    assert len(asked(one)) - before == 2  # a past one, and the last stretch


@pytest.mark.parametrize("mode", ["full", "sweep"])
@pytest.mark.parametrize("place", range(1, 8))
def test_a_scan_deletes_what_is_gone_and_nothing_that_moved(mode: Any, place: int) -> None:
    one = Memory("products", page_size=5, since="2026-02-27")
    fill(one, product)
    one.read()
    one.time.wait(days=2)
    one.oms.delete("products", "A-004")
    at_page(one, place, lambda: [product(one, k, "moved") for k in (1, 2, 3, 5, 6, 20, 21, 22)])  # type: ignore[arg-type,return-value]
    one.read(mode)
    assert one.rows.keys() == one.oms.living("products").keys()
    one.time.wait(hours=1)
    one.read()
    assert one.judge() == []


def test_a_scan_of_what_never_stands_still_deletes_nothing() -> None:
    one = Memory("products", page_size=5, since="2026-02-27")
    fill(one, product)
    one.read()
    one.oms.delete("products", "A-004")

    def change(number: int) -> None:
        one.time.wait(seconds=1)
        for key in range(10, 20):
            product(one, key, "moved")

    one.oms.before = change
    one.read("sweep")
    assert "nothing is deleted" in str(one.warnings)
    assert "A-004" in one.rows


def test_a_scan_goes_back_to_the_first_day_that_was_read() -> None:
    """A later `since` must not make what lies before it look deleted."""
    one = Memory("products", since="2026-01-05")
    product(one, 1, at=one.time.now() - timedelta(days=50))
    product(one, 2)
    one.time.wait(hours=1)
    one.read()
    one.more["since"] = "2026-02-20"
    for mode in ("sweep", "full"):
        one.read(mode)  # type: ignore[arg-type]
        assert one.judge() == []


@pytest.mark.parametrize("days", [0, 1, 8, 30])
@pytest.mark.parametrize("lookback", ["10m", "6d"])
def test_a_scan_that_was_cut_off_goes_on_however_much_later(days: int, lookback: str) -> None:
    one = Memory("products", page_size=5, since="2026-02-01", lookback=lookback)
    fill(one, product)
    one.read()
    scan = connector(one.oms, one.time, **one.more)
    pages = scan.read(ReadRequest("products", "full", one.bookmark))
    one.bookmark = next(pages).bookmark
    scan.close()
    for _ in range(days):
        product(one, 7, "moved")
        one.time.wait(days=1)
    request = ReadRequest("products", "full", one.bookmark)
    read = list(connector(one.oms, one.time, **one.more).read(request))
    assert read[-1].complete
    assert {key for page in read for key in page.keys} == one.oms.living("products").keys()


def test_our_clock_may_be_ahead() -> None:
    """By less than 15 minutes; more is refused. What is past, and cannot grow, is so by theirs."""
    one = Memory("products", page_size=5, since="2026-02-27")
    ours = one.time.now
    one.oms.now = lambda: ours() - timedelta(minutes=14)
    one.oms.order = "sku_id"
    fill(one, product)
    young = one.oms.now() - timedelta(minutes=1)
    product(one, 24, at=young)
    at_page(one, 4, lambda: product(one, 0, at=young))  # before all others in the list
    one.read()
    one.time.wait(minutes=1)
    one.read()
    assert one.judge() == []


# --- whole lists -------------------------------------------------------------------------------
@pytest.mark.parametrize("place", range(1, 7))
def test_a_list_is_walked_until_two_walks_are_alike(place: int) -> None:
    one = Memory("suppliers", page_size=5)
    for key in range(1, 14):
        one.oms.put("suppliers", make.supplier(key, f"商{key}"))
    one.read()
    at_page(one, place, lambda: one.oms.delete("suppliers", 2))
    one.read()
    assert one.judge() in ([], ["ghost: suppliers 2"])  # it went while the last walk was under way
    one.read()
    assert one.judge() == []


def test_a_list_that_never_stands_still_deletes_nothing() -> None:
    one = Memory("suppliers", page_size=5)
    for key in range(1, 60):
        one.oms.put("suppliers", make.supplier(key, f"商{key}"))
    one.read()
    gone = iter(range(1, 60))
    one.oms.before = lambda number: one.oms.delete("suppliers", next(gone))
    one.read()
    assert "nothing is deleted" in str(one.warnings)
    assert len(one.rows) == 59
    one.oms.before = lambda number: None
    one.read()
    assert one.judge() == []
