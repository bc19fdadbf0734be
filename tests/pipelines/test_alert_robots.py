"""Robots are signed as their vendors say, and what they refuse does not count as told."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from webhook import listening

from pipelines.alerts import robots
from pipelines.alerts.messages import Message
from pipelines.alerts.send import send

NEWS = Message("[Isthmus] erp fails", "Streams: orders\nWhat to do: look")
ROBOTS: dict[str, tuple[type[robots.Robot], Any, Any]] = {
    "dingtalk://SECtest@abc123": (
        robots.DingTalk, {"errcode": 0, "errmsg": "ok"},
        {"errcode": 310000, "errmsg": "sign not match"},
    ),
    "feishu://test-secret@0123-ab": (
        robots.Feishu, {"code": 0, "msg": "success"},
        {"code": 19021, "msg": "sign match fail"},
    ),
    "wecombot://693a-key": (
        robots.WeCom, {"errcode": 0, "errmsg": "ok"},
        {"errcode": 45009, "errmsg": "api freq out of limit"},
    ),
}  # fmt: skip


def test_signs_are_those_of_the_contract_sheets() -> None:
    address, _ = robots.DingTalk("abc", "SECtest0123456789").request("x", 1763654400.0)
    query = parse_qs(urlsplit(address).query)
    assert query["sign"] == ["PAXZ8P0CtULoYhiPmbbidPhQbJK43ItRYxBIhecJllo="]
    assert query["timestamp"] == ["1763654400000"]
    _, body = robots.Feishu("abc", "test-secret").request("x", 1763654400.0)
    assert (body["timestamp"], body["sign"]) == (
        "1763654400", "q1hjULkWzga7Yy70dtF0JyHAT+mrHJAH+OncmTVKyns=",
    )  # fmt: skip


def test_a_robot_without_a_secret_is_not_signed() -> None:
    address, _ = robots.DingTalk("abc").request("x", 1763654400.0)
    assert set(parse_qs(urlsplit(address).query)) == {"access_token"}
    assert "sign" not in robots.Feishu("abc").request("x", 1763654400.0)[1]


@pytest.mark.parametrize("address", ROBOTS)
def test_only_what_a_robot_took_counts_as_told(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot, taken, refused = ROBOTS[address]
    with listening() as hook:
        monkeypatch.setattr(robot, "notify_url", hook.url)
        hook.answer = taken
        assert send(address, NEWS) == ""
        path, body = hook.came[-1]
        text = body.get("text", body.get("content"))
        assert "\n".join((NEWS.title, NEWS.body)) in (text.get("content"), text.get("text"))
        assert address.rpartition("@")[2].rpartition("//")[2] in path
        hook.answer = refused  # with HTTP 200, as they do
        assert str(refused.get("errcode", refused.get("code"))) in send(address, NEWS)
        hook.answer, hook.status = taken, 500
        assert send(address, NEWS) != ""
    assert send(address, NEWS) != ""  # nobody listens


def test_what_wecom_cannot_hold_is_cut_between_letters() -> None:
    _, body = robots.WeCom("k").request("停" * 3000, 0.0)
    text = body["text"]["content"]
    assert text == "停" * (2048 // 3)


def test_neither_reason_nor_log_holds_an_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for address in (
        "json://user:canary-pass@127.0.0.1:1/canary-path",
        "nonsense://canary-host",
        "dingtalk://SECcanary@canarytoken/!!",
        "mailto://canary@127.0.0.1:1?to=nobody@example.com",
    ):
        why = send(address, NEWS)
        assert why
        assert "canary" not in why
    assert "canary" not in caplog.text
