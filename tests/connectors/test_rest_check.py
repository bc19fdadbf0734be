"""`check` says what can be read, what does not fit, and what was meant."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest
from rest_parts import START, TOKEN, Time, connector, orders

from connectors.rest.simulator import Collection, RestSimulator

GOOD = {
    "path": "/orders",
    "records": "data",
    "key": "id",
    "paging": {"cursor": "next_cursor", "param": "cursor"},
    "changes": {"since": "updated_at", "param": "updated_since"},
    "total": "total",
}


def findings(stream=None, sim=None, streams=None, **more):
    sim = sim or RestSimulator({"orders": Collection(orders(300))})
    one = connector(sim, streams or {"orders": {**GOOD, **(stream or {})}}, **more)
    return list(one.check())


def test_a_good_stream_is_said_to_be_readable():
    (line,) = findings()
    assert line.ok is True
    assert "100 records" in line.what


@pytest.mark.parametrize(
    ("stream", "ok", "words"),
    [
        ({"records": "dat"}, False, "Did you mean data?"),
        ({"records": "items"}, False, "Did you mean data?"),
        ({"total": "totl"}, False, "Did you mean total?"),
        ({"key": "order_id"}, False, "100 of 100 records have no order_id"),
        ({"key": ["id", "updated"]}, False, "Did you mean updated_at?"),
        (
            {"changes": {"since": "update_at", "param": "updated_since"}},
            False,
            "Did you mean updated_at?",
        ),
        ({"changes": {"since": "id", "param": "updated_since"}}, False, "reads as no time"),
        ({"paging": {"cursor": "nextcursor", "param": "c"}}, None, "Did you mean next_cursor?"),
        ({"path": "/order"}, False, "HTTP 404"),
    ],
)
def test_what_does_not_fit_is_found_by_one_request(stream, ok, words):
    found = [line for line in findings(stream) if line.ok is ok]
    assert len(found) == 1
    assert words in found[0].what
    assert found[0].do


def test_a_filter_that_the_system_ignores_is_found():
    """Otherwise every run reads everything again and nobody notices."""
    (line,) = [f for f in findings({"changes": {"since": "updated_at", "param": "modified"}})
               if f.ok is False]  # fmt: skip
    assert "modified does not filter: 100 older records" in line.what


def test_a_stream_that_wants_windows_is_asked_for_one():
    sim = RestSimulator({"orders": Collection(orders(300))})
    changes = {**GOOD["changes"], "until": "updated_until", "span": "60d"}
    assert [f.ok for f in findings({"changes": changes}, sim)] == [True]
    assert all(line.params["updated_until"] for line in sim.sent())


def test_one_stream_that_fails_does_not_stop_the_others():
    sim = RestSimulator({"orders": Collection(orders(3)), "refunds": Collection([])}, token=TOKEN)
    sim.fault("status", request=1, status=403)
    found = findings(
        sim=sim,
        streams={"orders": GOOD, "refunds": {**GOOD, "path": "/refunds"}},
        auth={"bearer": "env:SHOP_TOKEN"},
    )
    assert [(line.subject, line.ok) for line in found] == [
        ("orders", False),
        ("refunds", True),
        ("refunds", None),
    ]
    assert "right" in found[0].what
    assert "empty" in found[2].what


def test_refused_credentials_are_said():
    sim = RestSimulator({"orders": Collection(orders(3))}, token="another")
    (line,) = findings(sim=sim, auth={"bearer": "env:SHOP_TOKEN"})
    assert line.ok is False
    assert "credentials were refused" in line.what


def test_a_secret_that_is_not_there_is_said():
    (line,) = findings(auth={"bearer": "env:NOT_SET"})
    assert "env:NOT_SET" in line.what


@pytest.mark.parametrize(("skew", "ok"), [(0, True), (600, None), (-7200, None)])
def test_the_clocks_are_compared(skew, ok):
    from connectors.rest.faults import Reply

    sim = RestSimulator({"orders": Collection(orders(3))})
    date = format_datetime(START + timedelta(seconds=skew), usegmt=True)
    answer = sim.answer

    def dated(*args):
        reply = answer(*args)
        return Reply(reply.status, reply.body, {**reply.headers, "date": date}, reply.records)

    sim.answer = dated
    one = connector(sim, {"orders": GOOD}, Time())
    (clock,) = [line for line in one.check() if line.subject == "clock"]
    assert clock.ok is ok
    assert f"{skew:+}" in clock.what.replace("+0 s", "+0")
