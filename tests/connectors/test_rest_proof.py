"""When a scan is proved complete, and what makes it doubtful: only a proved one deletes."""

from __future__ import annotations

import msgspec
import pytest
from rest_parts import connector, keys, orders, read
from rest_shop import shop, spec

from connectors.base import ReadRequest
from connectors.errors import ContractBroken
from connectors.rest.simulator import RestSimulator


def test_too_few_records_prove_nothing_and_do_not_move_the_bookmark():
    sim = shop()
    envelope = {"data": orders(10), "next_cursor": None, "total": 95}
    sim.fault("body", body=msgspec.json.encode(envelope))
    one = connector(sim, spec())
    pages = read(one, "orders")
    assert not pages[-1].complete
    assert any("10 keys came, the source says 95" in w for w in pages[-1].warnings)
    assert pages[-1].bookmark == {}
    assert len(keys(read(one, "orders", pages[-1].bookmark))) == 95


@pytest.mark.parametrize("style", ["page", "offset"])
def test_numbered_pages_without_total_prove_nothing(style):
    pages = read(connector(shop(style), spec(style, total=None)), "orders")
    assert not pages[-1].complete
    assert "prove nothing without total" in pages[-1].warnings[-1]
    assert pages[-1].bookmark["stamp"]


def test_rows_deleted_while_pages_shift_are_not_proved_gone():
    """Page 2 begins one row late: the row in between was not seen, and it is not gone."""
    sim = shop("offset")
    one = connector(sim, spec("offset"))
    pages = one.read(ReadRequest("orders", "full"))
    got = [next(pages)]
    sim.delete("orders", "o1")
    got += list(pages)
    assert "o11" not in keys(got)
    assert not got[-1].complete


def test_total_is_not_compared_with_since():
    sim = shop(total_at="")
    sim.collections["orders"].envelope = {"total": 1_000_000}
    one = connector(sim, spec())
    mark = {"stamp": "2026-01-30T13:35:00+00:00"}
    assert read(one, "orders", mark)[-1].warnings == ()
    assert not read(one, "orders", mark, "full")[-1].complete


@pytest.mark.parametrize("total", ["many", -1, 1.5, {}])
def test_a_total_that_is_no_number_is_said(total):
    sim = shop(total_at="")
    sim.collections["orders"].envelope = {"total": total}
    one = connector(sim, spec())
    if total == {}:
        assert "no number" in read(one, "orders")[-1].warnings[-1]
    else:
        with pytest.raises(ContractBroken, match="not a number"):
            read(one, "orders")


def test_two_records_with_one_key_and_a_null_key_reach_the_loader():
    sim = shop(count=3)
    sim.put_raw("orders", "twin", b'{"id":"o1","updated_at":"2026-02-01T00:00:00Z"}')
    sim.put_raw("orders", "null", b'{"id":null}')
    sim.put_raw("orders", "odd", b"17")
    pages = read(connector(sim, spec()), "orders")
    assert keys(pages) == ["o1", "o2", "o3", "o1", None, None]
    assert not pages[-1].complete
    assert pages[-1].bookmark["stamp"].startswith("2026-02-01")


def test_a_snapshot_stream_is_complete_every_time_and_keeps_no_stamp():
    one = connector(shop(), spec(changes=None))
    first = read(one, "orders")
    assert first[-1].complete
    assert first[-1].bookmark == {}
    assert keys(read(one, "orders", first[-1].bookmark)) == keys(first)


def test_not_found_declared_empty_deletes_nothing():
    one = connector(RestSimulator({}), spec(answers=[{"status": "404", "is": "empty"}]))
    (page,) = read(one, "orders")
    assert page.keys == []
    assert not page.complete


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"code":40001,"data":null}', "null or {}"),
        (b'{"code":1,"data":{},"total":0}', "null or {}"),
        (b'{"code":40001,"data":[]}', "the list is empty"),
    ],
)
@pytest.mark.parametrize("mode", ["full", "sweep", "changed"])
def test_the_body_of_an_error_is_no_empty_list(body, why, mode):
    sim = shop(count=30)
    sim.fault("body", body=body)
    total = "total" if b"total" in body else None
    (page,) = read(connector(sim, spec(total=total, changes=None)), "orders", None, mode)
    assert not page.complete
    assert why in page.warnings[-1]
    assert "nothing is deleted" in page.warnings[-1]


def test_a_source_that_counts_none_has_none():
    (page,) = read(connector(shop(count=0), spec()), "orders", None, "full")
    assert page.complete


def test_null_behind_the_last_page_ends_a_list_whose_total_is_right():
    sim = shop("page", count=30)
    sim.fault("body", request=4, body=b'{"data":null,"total":30}')
    assert read(connector(sim, spec("page")), "orders", None, "full")[-1].complete
    sim.fault("body", request=2, body=b'{"data":null}')
    broken = read(connector(sim, spec("page")), "orders", None, "full")
    assert len(keys(broken)) == 10
    assert not broken[-1].complete


@pytest.mark.parametrize("is_", ["empty", "skip"])
@pytest.mark.parametrize("total", ["total", None])
@pytest.mark.parametrize("style", ["last", "cursor"])
def test_a_page_in_the_middle_that_was_not_plainly_answered_proves_nothing(is_, total, style):
    sim = shop(style, count=30)
    sim.fault("status", request=2, status=404)
    one = connector(sim, spec(style, total=total, answers=[{"status": "404", "is": is_}]))
    pages = read(one, "orders", None, "full")
    assert len(keys(pages)) == 10
    assert not pages[-1].complete
    assert f"page 2 was answered with HTTP 404, which is: {is_}" in pages[-1].warnings[-1]


def test_a_page_without_a_body_proves_nothing():
    sim = shop("last", count=30)
    sim.fault("status", request=2, status=204)
    pages = read(connector(sim, spec("last", total=None)), "orders", None, "full")
    assert not pages[-1].complete
    assert "page 2 was answered with HTTP 204" in pages[-1].warnings[-1]


def test_records_without_a_key_count_each():
    sim = shop("page", count=13)
    for number in range(12):
        sim.put_raw("orders", f"null{number}", b'{"id":null,"n":%d}' % number)
    pages = read(connector(sim, spec("page")), "orders", None, "full")
    assert keys(pages).count(None) == 12
    assert pages[-1].complete
