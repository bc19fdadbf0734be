"""What the connector makes of refusals, limits and odd answers; what `check` says; the settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import ValidationError
from stripe_world import KEY, World

from connectors.asgi import Asked
from connectors.base import Finding
from connectors.errors import (
    AuthError,
    ConnectorError,
    ContractBroken,
    PaginationLoop,
    Throttled,
    Unavailable,
)
from connectors.stripe import StripeConnector, StripeSettings
from connectors.stripe.simulator import Reply
from connectors.stripe.streams import MAX_TYPES, STREAMS


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, account="acct_1")
    made.customer()
    made.charge()
    yield made
    made.close()


def check(world: World) -> list[Finding]:
    connection = world.space.connection("pay")
    how = {"now": world.now, "transport": world.network, "pause": world.time.pause}
    with closing(connection.connector(**how)) as connector:
        return list(connector.check())


def test_every_request_says_version_and_account(world: World) -> None:
    world.read_all()
    sent = {(line.version, line.account) for line in world.stripe.journal if line.path}
    assert sent == {(StripeSettings.model_fields["version"].default, "acct_1")}
    assert all(r.headers["authorization"] == f"Bearer {KEY}" for r in world.network.requests)


@pytest.mark.parametrize("headers", [{"retry-after": "7"}, {}])
def test_a_throttled_read_waits_and_goes_on(world: World, headers: dict[str, str]) -> None:
    body = b'{"error":{"type":"invalid_request_error","code":"rate_limit","message":"Too many"}}'
    world.stripe.faults = [Reply(429, body, headers)] * 3
    assert world.read("charges").landed == 1
    assert len(world.time.pauses) >= 3
    assert sum(world.time.pauses) > (20 if headers else 1)


def test_a_limit_by_the_second_is_kept_by_waiting(world: World) -> None:
    for _ in range(5):
        world.time.wait(hours=1)
        world.charge()
    world.stripe.per_second = 2
    world.read_all()
    assert world.judge() == []
    assert any(line.status == 429 for line in world.stripe.journal)


@pytest.mark.parametrize(
    ("status", "header", "error", "requests"),
    [
        (409, "", None, 2),
        (409, "true", None, 2),
        (503, "true", None, 2),
        (500, "false", Unavailable, 1),
        (409, "false", Unavailable, 1),
        (429, "false", Throttled, 1),
    ],
)
def test_stripe_says_whether_to_try_again(
    world: World, status: int, header: str, error: type[ConnectorError] | None, requests: int
) -> None:
    body = b'{"error":{"type":"api_error","code":"lock_timeout","message":"in use"}}'
    headers = {"stripe-should-retry": header, "request-id": "req_fault"} if header else {}
    world.stripe.faults = [Reply(status, body, headers)]
    if error is None:
        assert world.read("charges").landed == 1
    else:
        with pytest.raises(error, match="in use") as raised:
            world.read("charges")
        assert raised.value.request_id == "req_fault"
        assert raised.value.retriable
    assert len(world.network.requests) == requests


def test_a_wrong_key_is_told_without_the_key(world: World) -> None:
    world.stripe.key = "rk_test_another"
    with pytest.raises(AuthError, match="Invalid API Key provided") as raised:
        world.read("charges")
    assert "make a new restricted key" in raised.value.do
    assert raised.value.request_id.startswith("req_")
    assert KEY not in str(raised.value)


def test_a_missing_right_stops_its_stream_only(world: World) -> None:
    world.stripe.denied.add("refunds")
    with pytest.raises(AuthError, match="'rak_refund_read' permission") as raised:
        world.read("refunds")
    assert "give the restricted key the read right" in raised.value.do
    assert world.read("charges").landed == 1


@pytest.mark.parametrize(
    ("body", "error", "text"),
    [
        ({"object": "charge"}, ContractBroken, "it is no list"),
        ({"object": "list", "data": []}, ContractBroken, "whether it goes on"),
        ({"object": "list", "data": [], "has_more": True}, ContractBroken, "without id or time"),
        (
            {"object": "list", "data": [{"id": "ch_1", "created": 5}], "has_more": True},
            PaginationLoop,
            "in a circle",
        ),
    ],
)
def test_an_answer_that_is_no_list_is_told(
    world: World, body: object, error: type[ConnectorError], text: str
) -> None:
    world.stripe.faults = [Reply(200, json.dumps(body).encode())] * 3
    with pytest.raises(error, match=text):
        world.read("charges")


def test_an_event_that_names_no_id_goes_nowhere(world: World) -> None:
    world.read("customers")
    world.time.wait(hours=1)
    world.stripe.tell("customer.updated", {"object": "customer", "id": "../v1/balance"})
    with pytest.raises(ContractBroken, match="which is no id"):
        world.read("customers")


def test_check_says_what_may_be_read_and_that_the_data_are_test_data(world: World) -> None:
    found = {one.subject: one for one in check(world)}
    assert {name for name, one in found.items() if one.ok is True} == {*STREAMS, "clock"}
    assert found["livemode"].ok is None
    assert "rk_live_" in found["livemode"].do
    assert "it is empty" in found["payouts"].what


def test_check_tells_each_missing_right_and_goes_on(world: World) -> None:
    world.stripe.denied |= {"payouts", "events"}
    found = {one.subject: one for one in check(world)}
    assert found["payouts"].ok is False
    assert "rak_payout_read" in found["payouts"].what
    assert found["events"].ok is None
    assert "changes: windows" in found["events"].do
    assert found["charges"].ok is True


def test_what_is_left_out_is_neither_read_nor_checked(tmp_path: Path) -> None:
    world = World(tmp_path, skip=["payouts", "events"], changes="windows")
    world.stripe.denied |= {"payouts", "events"}
    assert [one.subject for one in check(world) if one.ok is False] == []
    assert [spec.name for spec in world.space.connection("pay").streams] == [
        name for name in STREAMS if name not in ("payouts", "events")
    ]
    world.close()


def test_a_server_that_does_not_filter_is_told_to_be_read_in_full(world: World) -> None:
    unknown = b'{"error":{"type":"invalid_request_error","message":"Unexpected created"}}'
    plain = world.stripe.answer

    def answer(asked: Asked) -> Reply:
        is_it = "created" in asked.query and "refunds" in asked.path
        return Reply(400, unknown) if is_it else plain(asked)

    world.stripe.answer = answer  # type: ignore[method-assign]
    found = [one for one in check(world) if one.ok is False]
    assert [one.subject for one in found] == ["refunds"]
    assert "Unexpected created" in found[0].what
    assert "changes: full" in found[0].do


def test_live_data_need_no_remark(world: World) -> None:
    for name in ("customers", "charges", "events"):
        for key in world.stripe.living(name):
            world.stripe.change(name, key, livemode=True)
    assert "livemode" not in {one.subject for one in check(world)}


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"key": "rk_live_51abcdefghijklmnop"}, "write env:NAME or file:PATH"),
        ({"account": "1"}, "String should match pattern"),
        ({"version": "newest"}, "String should match pattern"),
        ({"lookback": "5s"}, "a minute or longer"),
        ({"changes": "push"}, "'events', 'windows' or 'full'"),
        ({"base_url": "http://127.0.0.1:1"}, "allow_private"),
        ({"rate": "fast"}, "cannot be read"),
        ({"skip": "payout"}, "Did you mean payouts"),
        ({"webhook": "x"}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, str], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        StripeSettings.model_validate({"key": "env:STRIPE_KEY"} | settings)


def test_the_table_of_streams_holds_together() -> None:
    assert StripeConnector.name == "stripe"
    for listed in STREAMS.values():
        assert len(listed.events) <= MAX_TYPES
        assert listed.events or listed.settles or listed.kept
