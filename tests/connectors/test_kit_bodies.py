"""A token in a request's body, an answer that names itself in its body, a reset in its own zone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta, timezone

import httpx
import pytest

from connectors.auth import KeptToken, Token
from connectors.base import Context
from connectors.errors import ContractBroken
from connectors.http import HttpClient, Request
from connectors.outcome import Pause, table

NOW = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)


def said(body: dict[str, object], headers: dict[str, str] | None = None) -> httpx.Response:
    stream = httpx.ByteStream(json.dumps(body).encode())
    return httpx.Response(200, headers=headers, stream=stream)


def test_a_token_stands_in_the_body_of_each_attempt() -> None:
    made: list[str] = []
    bodies: list[dict[str, str]] = []

    def fetch(*_: object) -> Token:
        made.append(f"t{len(made) + 1}")
        return Token(made[-1], 3600)

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        code = 20016 if len(bodies) == 1 else 0
        return said({"code": code})

    auth = KeptToken(
        fetch, lambda: NOW, place=lambda token, headers, params: None,
        within=lambda token, body: {**body, "token": token.value},
    )  # fmt: skip
    context = Context("x", now=lambda: NOW, transport=httpx.MockTransport(answer))
    rules = table("code", {"refresh": [20016]}, good=[0])
    client = HttpClient("https://h.example", context, auth=auth, rules=rules)
    body = {"q": "1"}
    client.send(Request("p", method="POST", json=body))
    assert bodies == [{"q": "1", "token": "t1"}, {"q": "1", "token": "t2"}]
    assert body == {"q": "1"}  # what was asked with is not touched


@pytest.mark.parametrize(("header", "named"), [({}, "T-7"), ({"X-Request-Id": "H-1"}, "H-1")])
def test_an_answer_is_named_by_its_header_or_its_body(header: dict[str, str], named: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return said({"code": 9, "traceId": "T-7"}, header)

    context = Context("x", now=lambda: NOW, transport=httpx.MockTransport(answer))
    rules = table("code", {"fatal": [9]})
    client = HttpClient("https://h.example", context, rules=rules, request_id=("traceId",))
    with pytest.raises(ContractBroken) as raised:
        client.send(Request("p"))
    assert raised.value.request_id == named


def test_a_time_of_day_with_a_zone_is_not_the_connection_s() -> None:
    beijing = timezone(timedelta(hours=8))  # it is 23:30 there
    assert Pause(resets=time(0, tzinfo=beijing)).left(None, NOW, UTC) == 1800
    assert Pause(resets=time(0)).left(None, NOW, UTC) == 8.5 * 3600
