"""Ordered faults: each ends in the whole list or in a typed error, and never moves the bookmark."""

from __future__ import annotations

import time

import psutil
import pytest
from rest_parts import TOKEN, Time, connector, keys, orders, raw_server, read

from connectors.base import ReadRequest
from connectors.errors import (
    AuthError,
    ConnectorError,
    ContractBroken,
    PaginationLoop,
    Refused,
    Throttled,
    TooLarge,
    Unavailable,
)
from connectors.rest.serve import serve
from connectors.rest.simulator import Collection, RestSimulator

BASE = {"path": "/orders", "records": "data", "key": "id", "params": {"limit": "10"}}
CHANGES = {"since": "updated_at", "param": "updated_since"}
PAGING = {
    "cursor": {"cursor": "next_cursor", "param": "cursor"},
    "page": {"page": "page"},
    "next": {"next": "next"},
}
ALL = [f"o{n}" for n in range(1, 46)]
REQUESTS = 5


def shop(style: str = "cursor") -> RestSimulator:
    return RestSimulator({"orders": Collection(orders(45), paging=style)})


def spec(style: str = "cursor") -> dict:
    return {"orders": {**BASE, "paging": PAGING[style], "changes": CHANGES, "total": "total"}}


PASSING = {
    "reset": {},
    "truncated": {},
    "status 500": {"status": 500},
    "status 502": {"status": 502},
    "status 503": {"status": 503},
    "status 504": {"status": 504},
    "status 408": {"status": 408},
    "throttle": {},
    "throttle 3": {"retry_after": "3"},
}


@pytest.mark.parametrize("style", PAGING)
@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_at_every_request_costs_nothing(style, fault):
    """Swept over every request of the read: nothing lost, nothing twice."""
    for request in range(1, REQUESTS + 1):
        sim = shop(style)
        sim.fault(fault.split()[0], request=request, times=2, **PASSING[fault])
        pages = read(connector(sim, spec(style)), "orders")
        assert keys(pages) == ALL, request
        assert pages[-1].complete
        assert [line.fault for line in sim.sent()].count(fault.split()[0]) == 2


LASTING = {
    "html": ({}, ContractBroken, "web page"),
    "malformed": ({}, ContractBroken, "not JSON"),
    "status 503": ({"status": 503}, Unavailable, "503"),
    "status 403": ({"status": 403}, AuthError, "right"),
    "throttle": ({"retry_after": "86400"}, Throttled, "86400"),
    "reset": ({}, Unavailable, "did not answer|cut off"),
    "foreign_next": ({"url": "https://evil.example/x"}, Refused, "pinned"),
    "body": ({"body": b'{"data":{"0":{"id":1}}}'}, ContractBroken, "not at the list|an object"),
    "body 2": ({"body": b'{"error":"no"}'}, ContractBroken, "There is no data"),
    "repeat": ({}, PaginationLoop, "circle"),
    "cursor_back": ({}, PaginationLoop, "circle"),
}


@pytest.mark.parametrize("fault", LASTING)
def test_a_lasting_fault_is_a_typed_error_and_the_bookmark_stays(fault):
    detail, kind, words = LASTING[fault]
    style = "next" if fault == "foreign_next" else "page" if fault == "repeat" else "cursor"
    sim = shop(style)
    sim.fault(fault.split()[0], request=2, times=1000, **detail)
    got = []
    with pytest.raises(kind, match=words) as caught:
        got.extend(connector(sim, spec(style)).read(ReadRequest("orders")))
    assert all("stamp" not in page.bookmark for page in got)
    assert caught.value.do
    assert caught.value.place.startswith("http://shop.example/orders")
    assert len(sim.sent()) <= 10
    later = connector(shop(style), spec(style))
    mark = got[-1].bookmark if got else None
    assert set(keys(got) + keys(read(later, "orders", mark))) >= set(ALL)


def test_throttling_in_the_body_is_known_by_the_answers_table():
    sim = shop()
    sim.fault("throttle_body", request=3, times=2)
    clock = Time()
    answers = [{"when": "code = 429", "is": "throttled"}]
    one = connector(sim, spec(), clock, answers=answers)
    assert keys(read(one, "orders")) == ALL
    assert len(clock.pauses) == 2
    assert one.context.stats.throttled_seconds == pytest.approx(sum(clock.pauses))


def test_an_error_envelope_is_never_an_empty_page():
    sim = shop()
    sim.fault("body", times=99, body=b'{"code":40001,"msg":"bad sign","data":[]}')
    one = connector(sim, spec(), ok="code = 0", message="msg")
    with pytest.raises(ContractBroken, match="bad sign"):
        read(one, "orders")


def test_the_rate_holds_at_the_server_too():
    clock = Time()
    sim = RestSimulator({"orders": Collection(orders(200))}, now=clock.now)
    read(connector(sim, spec(), clock, rate="5/s"), "orders")
    times = [line.at.timestamp() for line in sim.sent()]
    assert len(times) == 20
    for at in times:
        assert sum(at <= other < at + 1 for other in times) <= 5


# --- over a real socket ----------------------------------------------------------------------
def test_a_page_of_500_mb_is_refused_in_bounded_memory():
    sim = shop()
    sim.fault("huge", size=500_000_000, times=9)
    process = psutil.Process()
    with serve(sim) as base:
        one = connector(base, spec())
        before = process.memory_info().rss
        begun = time.monotonic()
        with pytest.raises(TooLarge, match="64 MB"):
            read(one, "orders")
        risen = process.memory_info().rss - before
        one.close()
    assert risen < 150_000_000
    assert time.monotonic() - begun < 20
    assert len(sim.sent()) == 1


def test_a_gzip_bomb_is_refused_over_the_wire():
    sim = shop()
    sim.fault("bomb", size=100_000_000, times=9)
    with serve(sim) as base:
        one = connector(base, spec(), max_bytes="50MB")
        with pytest.raises(TooLarge):
            read(one, "orders")
        one.close()


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_silence_and_drips_end_at_the_deadline(fault):
    sim = shop()
    sim.fault(fault, times=99, seconds=0.05 if fault == "drip" else 30)
    with serve(sim) as base:
        one = connector(base, spec(), timeout="0.2s", attempts="2")
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            read(one, "orders")
        assert time.monotonic() - begun < 5
        one.close()
    assert len(sim.sent()) == 2


@pytest.mark.parametrize("fault", ["reset", "truncated"])
def test_cut_connections_are_taken_up_again_over_the_wire(fault):
    sim = shop()
    sim.fault(fault, request=3, times=2)
    with serve(sim) as base:
        one = connector(base, spec())
        assert keys(read(one, "orders")) == ALL
        one.close()


def test_no_request_and_no_token_reaches_the_foreign_host_of_a_next_link():
    sim = RestSimulator({"orders": Collection(orders(45), paging="next")}, token=TOKEN)
    with raw_server(lambda con: None) as (foreign, arrived), serve(sim) as base:
        sim.fault("foreign_next", url=f"{foreign}/orders", times=99)
        one = connector(base, spec("next"), auth={"bearer": "env:SHOP_TOKEN"})
        with pytest.raises(Refused, match="pinned"):
            read(one, "orders")
        one.close()
    assert arrived == []


@pytest.mark.parametrize(
    "fault",
    ["html", "malformed", "status", "throttle", "reset", "foreign_next", "repeat", "cursor_back"],
)
def test_no_message_of_any_fault_holds_the_token_or_a_query(fault):
    sim = RestSimulator({"orders": Collection(orders(45), paging="next")}, token=TOKEN)
    detail = {"status": 500, "url": f"https://evil.example/?token={TOKEN}", "retry_after": "99999"}
    sim.fault(fault, times=99, **detail)
    stream = spec("next")
    stream["orders"]["params"] = {"limit": "10", "access_token": "env:OTHER"}
    one = connector(sim, stream, auth={"bearer": "env:SHOP_TOKEN"})
    with pytest.raises(ConnectorError) as caught:
        read(one, "orders")
    text = str(caught.value) + repr(caught.value) + repr(caught.value.__dict__)
    assert TOKEN not in text
    assert "other-secret-9876" not in text
    assert "?" not in caught.value.place
