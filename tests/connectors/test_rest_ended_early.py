"""A read must not end, and its bookmark not move, where records are still to come."""

from __future__ import annotations

from datetime import timedelta

import pytest
from rest_parts import START, Time, connector, keys, read
from rest_shop import shop, spec

from connectors.errors import ContractBroken
from connectors.rest.faults import Reply


def answered(simulator, at: int, body: bytes):
    """Answer request `at` (from now, 1) with `body`."""
    simulator.fault("body", request=at, body=body)
    return simulator


@pytest.mark.parametrize(
    "said",
    [
        b'"success":false,"message":"session lost"',
        b'"errcode":40014,"errmsg":"invalid access_token"',
        b'"Result":{"ResponseStatus":{"IsSuccess":false}}',
        b'"error_code":"7"',
    ],
)
@pytest.mark.parametrize("style", ["page", "cursor", "last", "next"])
def test_an_empty_list_in_an_errors_envelope_is_not_the_end(style, said):
    simulator = answered(shop(style), 2, b'{"data":[],"has_more":false,%b}' % said)
    one = connector(simulator, spec(style))
    with pytest.raises(ContractBroken, match="that is an error"):
        read(one, "orders")


@pytest.mark.parametrize(
    "said", [b'"success":true', b'"errcode":0', b'"error_code":"OK"', b'"n":1']
)
def test_an_empty_list_is_the_end_where_nothing_speaks_against_it(said):
    simulator = answered(shop("page"), 3, b'{"data":[],%b}' % said)
    assert len(keys(read(connector(simulator, spec("page")), "orders"))) == 20


def test_an_envelope_may_be_declared_to_be_an_empty_list():
    simulator = answered(shop("page"), 2, b'{"data":[],"success":false,"message":"no data"}')
    rules = [{"when": "success = false", "is": "empty"}]
    assert len(keys(read(connector(simulator, spec("page"), answers=rules), "orders"))) == 10


@pytest.mark.parametrize("style", ["last", "offset"])
def test_a_page_without_records_that_promises_more_is_no_end(style):
    simulator = answered(shop(style), 2, b'{"data":[],"has_more":true}')
    paging = {"last": "id", "param": "starting_after", "more": "has_more"}
    if style == "offset":
        paging = {"offset": "offset", "limit": "limit", "more": "has_more"}
    with pytest.raises(ContractBroken, match="says that there is more"):
        read(connector(simulator, spec(style, paging=paging)), "orders")


class Moving:
    """A shop of 40 orders whose list changes before the third page of a read is answered."""

    def __init__(self, style: str, change: str) -> None:
        self.simulator = shop(style, 40)
        self.change = change
        self.inner, self.simulator.answer = self.simulator.answer, self.answer
        self.number = 0

    def answer(self, method, path, query, headers, body=b"") -> Reply:
        self.number += 1
        if self.number == 3 and self.change == "deleted":
            self.simulator.delete("orders", "o3")
        if self.number == 3 and self.change == "moved to the end":
            record = {"id": "o3", "updated_at": START.isoformat(), "total": "1"}
            self.simulator.delete("orders", "o3")
            self.simulator.put("orders", record)
        if self.number == 3 and self.change == "added":
            record = {"id": "o99", "updated_at": START.isoformat(), "total": "1"}
            self.simulator.put("orders", record)
        return self.inner(method, path, query, headers, body)


@pytest.mark.parametrize("style", ["page", "offset"])
@pytest.mark.parametrize("total", ["total", None])
@pytest.mark.parametrize("change", ["deleted", "moved to the end", "added"])
def test_a_list_that_shifts_under_the_read_is_read_again(style, total, change):
    """Order 21 moves to the page that was read before: it would come with no later read."""
    if (change, total) == ("deleted", None):
        pytest.skip("nothing tells it without total:")
    moving = Moving(style, change)
    time = Time(START + timedelta(hours=1))
    one = connector(moving.simulator, spec(style, total=total), time)
    first = read(one, "orders")
    passed_over = {f"o{n}" for n in range(1, 41)} - set(keys(first)) - {"o3"}
    assert bool(passed_over) == (change != "added")
    then = read(one, "orders", first[-1].bookmark)
    assert passed_over <= set(keys(then))
    assert ("stamp" in first[-1].bookmark) == (change == "added")
    assert "stamp" in then[-1].bookmark
    assert "held" not in then[-1].bookmark


def test_a_list_that_never_rests_is_read_on_after_two_more_tries():
    time = Time(START + timedelta(hours=1))
    bookmark, held = None, []
    for _ in range(5):
        moving = Moving("page", "moved to the end")
        pages = read(connector(moving.simulator, spec("page"), time), "orders", bookmark)
        bookmark = pages[-1].bookmark
        held.append((bookmark.get("held"), "stamp" in bookmark))
        bookmark = {"held": bookmark["held"]} if "held" in bookmark else None
    assert held == [(1, False), (2, False), (2, True), (2, True), (2, True)]
