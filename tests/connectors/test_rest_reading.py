"""Whole reads against the simulator: every style, bookmarks, resumption, parameters."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import msgspec
import pytest
from rest_parts import START, TOKEN, Script, Time, connector, keys, orders, read
from rest_shop import BASE, CHANGES, STYLES, shop, spec

from connectors.base import ReadRequest
from connectors.changes import read_bookmark
from connectors.errors import ConfigError, ConnectorError
from connectors.rest.simulator import Collection, RestSimulator


@pytest.mark.parametrize("style", STYLES)
def test_every_style_reads_all_then_the_lookback_then_all_again(style):
    sim = shop(style)
    one = connector(sim, spec(style))
    first = read(one, "orders")
    assert keys(first) == [f"o{n}" for n in range(1, 96)]
    assert [page.complete for page in first] == [False] * (len(first) - 1) + [True]
    assert first[-1].total == 95

    before = len(sim.sent())
    again = read(one, "orders", first[-1].bookmark)
    assert keys(again) == [f"o{n}" for n in range(85, 96)]
    assert not any(page.complete for page in again)
    assert again[-1].bookmark == first[-1].bookmark
    assert all(line.params["updated_since"] == "2026-01-30T13:25:00Z"
               for line in sim.sent()[before:] if style not in ("next", "link"))  # fmt: skip

    full = read(one, "orders", first[-1].bookmark, "full")
    assert keys(full) == keys(first)
    assert full[-1].complete
    sweep = read(one, "orders", first[-1].bookmark, "sweep")
    assert keys(sweep) == keys(first)
    assert {page.kind for page in sweep} == {"keys"}
    assert all(len(page.records) == 0 for page in sweep)
    assert sweep[-1].complete
    assert sweep[-1].bookmark == first[-1].bookmark


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 10, 11])
def test_edges_of_pages(style, count):
    pages = read(connector(shop(style, count), spec(style)), "orders")
    assert keys(pages) == [f"o{n}" for n in range(1, count + 1)]
    assert pages[-1].complete


@pytest.mark.parametrize("style", ["page", "offset"])
def test_a_clamped_page_size_skips_nothing(style):
    sim = shop(style, max_page_size=7)
    assert len(set(keys(read(connector(sim, spec(style)), "orders")))) == 95


def test_a_thousand_equal_stamps_across_pages_are_all_read():
    records = [{**record, "updated_at": START.isoformat()} for record in orders(1000)]
    sim = RestSimulator({"orders": Collection(records)})
    time = Time(START + timedelta(hours=1))
    one = connector(sim, spec(), time)
    first = read(one, "orders")
    assert len(keys(first)) == 1000
    sim.put("orders", {"id": "late", "updated_at": START.isoformat()})
    assert "late" in keys(read(one, "orders", first[-1].bookmark))


def test_numbers_arrive_as_they_were_written():
    exact = {"id": 9007199254740993, "updated_at": "2026-02-01T00:00:00Z",
             "total": Decimal("12345678901234.5678")}  # fmt: skip
    sim = RestSimulator({"orders": Collection([exact])})
    (page,) = read(connector(sim, spec()), "orders")
    assert page.keys == ["9007199254740993"]
    assert msgspec.json.decode(page.records[0])["total"] == "12345678901234.5678"


# --- the bookmark ----------------------------------------------------------------------------
def test_the_stamp_moves_only_at_the_end():
    one = connector(shop(), spec())
    pages = read(one, "orders")
    assert all("stamp" not in page.bookmark for page in pages[:-1])
    assert pages[-1].bookmark == {"stamp": "2026-01-30T13:35:00+00:00"}


def test_a_record_of_2999_does_not_hide_what_comes_after_it():
    sim = shop()
    sim.put("orders", {"id": "future", "updated_at": "2999-01-01T00:00:00Z"})
    time = Time()
    one = connector(sim, spec(), time)
    first = read(one, "orders")
    assert any("2999" in w for w in first[-1].warnings)
    sim.put("orders", {"id": "new", "updated_at": "2026-02-01T00:00:00Z"})
    assert "new" in keys(read(one, "orders", first[-1].bookmark))


def test_a_restored_source_is_told_and_a_full_read_follows_it():
    sim = shop()
    one = connector(sim, spec())
    mark = read(one, "orders")[-1].bookmark
    for n in range(50, 96):
        sim.delete("orders", f"o{n}")
    changed = read(one, "orders", mark)
    assert any("restored" in w for w in changed[-1].warnings)
    assert changed[-1].bookmark == mark
    full = read(one, "orders", mark, "full")
    assert any("restored" in w for w in full[-1].warnings)
    assert read_bookmark(full[-1].bookmark)[0] == datetime(2026, 1, 30, 12, 49, tzinfo=UTC)


def test_a_late_commit_within_the_lookback_is_found():
    sim = shop()
    one = connector(sim, spec())
    mark = read(one, "orders")[-1].bookmark
    sim.put("orders", {"id": "late", "updated_at": "2026-01-30T13:26:00Z"})
    assert "late" in keys(read(one, "orders", mark))


def test_windows_split_by_span_read_everything_and_go_on_at_an_edge():
    sim = shop(count=400)
    changes = {**CHANGES, "until": "updated_until", "span": "1h", "start": "2026-01-30"}
    one = connector(sim, spec(changes=changes))
    first = read(one, "orders")
    assert keys(first) == [f"o{n}" for n in range(1, 401)] or set(keys(first)) == {
        f"o{n}" for n in range(1, 401)
    }
    assert not first[-1].complete
    edge = next(i for i, page in enumerate(first) if "o200" in page.keys)
    rest = read(one, "orders", first[edge].bookmark)
    assert set(keys(first[: edge + 1])) | set(keys(rest)) == set(keys(first))
    assert len(rest) < len(first)
    assert rest[-1].bookmark == first[-1].bookmark


# --- going on --------------------------------------------------------------------------------
@pytest.mark.parametrize("style", ["cursor", "next", "link", "last"])
@pytest.mark.parametrize("mode", ["changed", "full"])
def test_an_interrupted_read_goes_on(style, mode):
    sim = shop(style)
    one = connector(sim, spec(style))
    whole = read(one, "orders", None, mode)
    for at, page in enumerate(whole[:-1]):
        rest = read(one, "orders", page.bookmark, mode)
        assert keys(whole[: at + 1]) + keys(rest) == keys(whole)
        assert rest[-1].bookmark == whole[-1].bookmark
        assert rest[-1].complete is (style == "last")


@pytest.mark.parametrize("style", ["page", "offset"])
def test_numbered_pages_begin_again(style):
    one = connector(shop(style), spec(style))
    whole = read(one, "orders")
    assert all("resume" not in page.bookmark for page in whole)
    assert keys(read(one, "orders", whole[3].bookmark)) == keys(whole)


def test_going_on_keeps_the_stamp_of_the_first_part():
    """The greatest stamp may stand on a page of the first part; the clock is the first part's."""
    records = list(reversed(orders(30)))
    sim = RestSimulator({"orders": Collection(records)})
    time = Time()
    one = connector(sim, spec(), time)
    first = read(one, "orders")
    time.pause(86400)
    rest = read(one, "orders", first[0].bookmark)
    assert rest[-1].bookmark == first[-1].bookmark


@pytest.mark.parametrize(("mode", "goes_on"), [("changed", True), ("full", False)])
def test_a_read_says_whether_it_goes_on(mode, goes_on):
    one = connector(shop("last"), spec("last"))
    left = read(one, "orders")
    assert not any(page.resumed for page in left)
    rest = read(one, "orders", left[2].bookmark, mode)
    assert {page.resumed for page in rest} == {goes_on}
    assert len(keys(rest)) == (65 if goes_on else 95)


def test_a_cursor_that_expired_begins_again_and_says_so():
    sim = shop()
    one = connector(sim, spec())
    mark = dict(read(one, "orders")[0].bookmark)
    mark["resume"] = {**mark["resume"], "state": "!!!"}
    pages = read(one, "orders", mark)
    assert len(keys(pages)) == 95
    assert any("began again" in w for page in pages for w in page.warnings)
    assert not any(page.resumed for page in pages)


def test_an_incremental_read_ignores_what_a_full_one_left():
    one = connector(shop(), spec())
    mark = read(one, "orders")[-1].bookmark
    left = read(one, "orders", mark, "full")[2].bookmark
    assert left["stamp"] == mark["stamp"]
    assert len(keys(read(one, "orders", left))) == 11


# --- proof -----------------------------------------------------------------------------------


def test_a_limit_ends_early_and_keeps_the_bookmark():
    mark = {"stamp": "2026-01-01T00:00:00+00:00"}
    pages = read(connector(shop(), spec()), "orders", mark, "full", limit=13)
    assert len(keys(pages)) == 13
    assert len(pages[-1].records) == 3
    assert not pages[-1].complete
    assert pages[-1].bookmark == mark


def test_an_unknown_stream_is_guessed():
    with pytest.raises(ConfigError, match="Did you mean orders"):
        read(connector(shop(), spec()), "order")


# --- what is sent ----------------------------------------------------------------------------
def test_parameters_and_constants_can_stand_in_the_body():
    sim = shop()
    stream = {**BASE, "method": "POST", "params": {}, "json": {"limit": "10", "kind": "sale"},
              "in": "body", "paging": STYLES["cursor"], "changes": CHANGES}  # fmt: skip
    one = connector(sim, {"orders": stream})
    first = read(one, "orders")
    assert len(keys(first)) == 95
    assert sim.sent()[1].params["kind"] == "sale"
    assert "cursor" in sim.sent()[1].params
    assert len(keys(read(one, "orders", first[-1].bookmark))) == 11


def test_epoch_parameters():
    records = [{"id": n, "at": 1_700_000_000 + n} for n in range(100)]
    sim = RestSimulator({"orders": Collection(records, stamp="at", stamp_format="epoch")})
    changes = {**CHANGES, "since": "at", "format": "epoch", "lookback": "10s"}
    one = connector(sim, spec(changes=changes))
    mark = read(one, "orders")[-1].bookmark
    assert mark == {"stamp": "2023-11-14T22:14:59+00:00"}
    assert len(keys(read(one, "orders", mark))) == 11


def test_the_token_goes_along_and_is_refreshed_in_mid_read():
    sim = RestSimulator({"orders": Collection(orders(95))}, token="none yet", token_requests=3)
    oauth2 = {"token_url": "http://shop.example/oauth/token", "client_id": "me",
              "client_secret": "env:SHOP_TOKEN"}  # fmt: skip
    one = connector(sim, spec(), auth={"oauth2": oauth2})
    assert len(keys(read(one, "orders"))) == 95
    assert sim.tokens_issued == 4
    assert [line.status for line in sim.sent()].count(401) == 3


def test_a_bearer_token_is_sent():
    sim = RestSimulator({"orders": Collection(orders(5))}, token=TOKEN)
    assert len(keys(read(connector(sim, spec(), auth={"bearer": "env:SHOP_TOKEN"}), "orders"))) == 5


def test_a_next_link_that_holds_the_token_is_not_kept():
    sim = RestSimulator({"orders": Collection(orders(95), paging="next")})
    stream = spec("next", params={"limit": "10", "access_token": "env:OTHER"})
    pages = read(connector(sim, stream), "orders")
    assert len(keys(pages)) == 95
    assert "other-secret-9876" in sim.sent()[-1].params["access_token"]
    assert not any("resume" in page.bookmark for page in pages)


@pytest.mark.parametrize("next_link", ["?cursor={}", "orders?cursor={}", "/orders?cursor={}"])
def test_relative_next_links_are_resolved(next_link):
    sim = shop("next")
    mark = base64.urlsafe_b64encode(b"10").decode()
    body = {"data": orders(10), "next": next_link.format(mark), "total": 95}
    sim.fault("body", body=msgspec.json.encode(body))
    assert len(keys(read(connector(sim, spec("next")), "orders"))) == 95


def test_a_token_that_the_system_issued_is_in_no_error_and_no_remark():
    token = "issued-1-and-long-enough-to-be-one"
    oauth2 = {"token_url": "http://shop.example/token", "client_id": "me",
              "client_secret": "env:SHOP_TOKEN"}  # fmt: skip
    issued = {"access_token": token, "expires_in": 3600}
    for body in ({token: 1}, {"data": [], "total": token}, {"data": {token: 1}}):
        one = connector(shop(), spec(total="total"), auth={"oauth2": oauth2})
        one.context.transport = Script(issued, body)
        with pytest.raises(ConnectorError) as caught:
            read(one, "orders")
        assert "issued-1" not in f"{caught.value} {caught.value.args} {vars(caught.value)}"
    one = connector(shop(), spec(), auth={"oauth2": oauth2})
    first = {"data": [{"id": "1"}], "next_cursor": "c"}
    one.context.transport = Script(issued, first, {"message": "no"}, {token: 1}, {"data": []})
    one.context.transport.answers[2] = httpx.Response(400, json={})
    pages = []
    with pytest.raises(ConnectorError):
        pages.extend(one.read(ReadRequest("orders")))
    pages = read(one, "orders", pages[-1].bookmark if pages else None)
    assert "issued-1" not in str([page.warnings for page in pages])
