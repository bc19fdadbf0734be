"""Tokens, limits, codes and odd answers; what `check` says; objects of one's own; the settings."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fxiaoke_world import World, calls, connector, read, ways
from still_clock import StillClock

from connectors.asgi import Reply
from connectors.base import ReadRequest
from connectors.errors import (
    AuthError,
    ConfigError,
    ConnectorError,
    ContractBroken,
    QuotaUsed,
    Refused,
    Unavailable,
)
from connectors.fxiaoke.sample import oid, record
from connectors.fxiaoke.simulator import BEIJING, FxiaokeSimulator
from connectors.fxiaoke.simulator_door import LEGACY as LEGACY_TOKEN
from connectors.fxiaoke.simulator_door import MOBILE as LOOK_UP
from connectors.fxiaoke.simulator_door import TOKEN

ALL = [oid("LeadsObj", number) for number in range(1, 8)]


# --- who asks ----------------------------------------------------------------------------------
@ways
def test_each_convention_signs_in_once(
    crm: FxiaokeSimulator, clock: StillClock, how: dict[str, Any]
) -> None:
    one = connector(crm, clock, rows=3, **how)
    assert read(one) == ALL
    assert calls(crm, LEGACY_TOKEN if how else TOKEN) == 1
    assert calls(crm, LOOK_UP) == (1 if "mobile" in how else 0)
    assert {line.code for line in crm.journal} == {0}
    assert len(crm.traces) == crm.requests  # each call one of its own


@ways
def test_the_token_is_kept_for_6600_seconds(
    crm: FxiaokeSimulator, clock: StillClock, how: dict[str, Any]
) -> None:
    one = connector(crm, clock, **how)
    path = LEGACY_TOKEN if how else TOKEN
    for seconds, asked in ((0, 1), (6590, 1), (20, 2), (6000, 2)):
        clock.wait(seconds=seconds)
        list(one.read(ReadRequest("leads")))
        assert calls(crm, path) == asked
    assert crm.door.given == 2
    one.close()


@ways
def test_a_token_that_was_taken_back_is_asked_for_once(
    crm: FxiaokeSimulator, clock: StillClock, how: dict[str, Any]
) -> None:
    begun = crm.requests
    crm.before = lambda number: crm.door.expire() if number == begun + 5 else None
    assert read(connector(crm, clock, rows=3, **how)) == ALL
    refused = [one.code for one in crm.journal if one.code]
    assert refused == [20016]


def test_a_token_that_is_refused_for_good_ends_the_read(
    crm: FxiaokeSimulator, clock: StillClock
) -> None:
    """The system gives the same token for 6600 s, so a second refusal is no reason for a third."""
    body = b'{"traceId":"E-O.null.-1000-0002","errorMessage":"is error","errorCode":20016}'
    crm.faults = [Reply(200, body)] * 9
    with pytest.raises(AuthError) as raised:
        read(connector(crm, clock))
    assert raised.value.request_id == "E-O.null.-1000-0002"
    assert "permanent_code" in raised.value.do
    assert calls(crm, TOKEN) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"app_id": "FSAID_other"}, {"app_secret": "env:FX_CODE"}, {"permanent_code": "env:FX_SECRET"}],
)
@pytest.mark.parametrize("style", ["new", "legacy"])
def test_wrong_credentials_are_told_and_tried_once(
    crm: FxiaokeSimulator, clock: StillClock, wrong: dict[str, str], style: str
) -> None:
    with pytest.raises(AuthError) as raised:
        read(connector(crm, clock, auth_style=style, **wrong))
    assert crm.requests == 1
    assert not raised.value.retriable
    assert "traceId E-O.demo" in raised.value.what
    assert "IP" in raised.value.do


def test_a_mobile_number_that_nobody_has(crm: FxiaokeSimulator, clock: StillClock) -> None:
    one = connector(crm, clock, auth_style="legacy", user=None, mobile="env:FX_CODE")
    with pytest.raises(AuthError, match="Nobody has this mobile number"):
        read(one)


def test_ten_tokens_a_minute_at_the_most(crm: FxiaokeSimulator, clock: StillClock) -> None:
    """A connection whose tokens die at once waits, and never asks faster than the vendor takes."""
    one = connector(crm, clock, rows=1)
    crm.before = lambda number: crm.door.expire()
    for _ in range(12):
        with pytest.raises(ConnectorError):
            list(one.read(ReadRequest("leads")))
    assert calls(crm, TOKEN) > 12
    assert crm.throttled == 0
    assert sum(clock.pauses) > 60


# --- limits ------------------------------------------------------------------------------------
def test_a_hundred_calls_in_twenty_seconds_of_each_path(
    crm: FxiaokeSimulator, clock: StillClock
) -> None:
    """Each path is counted by itself: 200 queries wait, the describes between them do not."""
    one = connector(crm, clock, rows=1)
    for number in range(8, 131):
        crm.put("LeadsObj", record("LeadsObj", number))
    assert len(read(one)) == 130
    assert crm.throttled == 0
    waited = sum(clock.pauses)
    assert 20 <= waited <= 25
    clock.pauses.clear()
    one = connector(crm, clock)
    before = crm.requests
    for _ in range(2):  # the describes once
        for name in one.streams():
            list(one.read(ReadRequest(name)))
    assert crm.requests - before > 100  # of both paths together
    assert sum(clock.pauses) < 5
    assert crm.throttled == 0


@pytest.mark.parametrize(("code", "least"), [(30004, 1), (14001, 20)])
def test_limits_are_waited_out(
    crm: FxiaokeSimulator, clock: StillClock, code: int, least: int
) -> None:
    crm.faults = [Reply(200, json.dumps({"errorCode": code}).encode())]
    assert read(connector(crm, clock)) == ALL
    assert least <= sum(clock.pauses) <= least + 5


def test_a_used_quota_ends_the_run_until_midnight_in_beijing(tmp_path: Path) -> None:
    world = World(tmp_path, rows=5)
    for number in range(1, 31):
        world.put("LeadsObj", number)
    world.time.wait(hours=1)
    world.crm.quota = 4
    done = world.sync("leads")
    assert done.error is None
    assert done.landed == 15  # describe and three pages
    assert done.exit_code == 3
    until = datetime.fromisoformat(str(done.quota_until)).astimezone(BEIJING)
    assert (until.hour, until.minute) == (0, 0)
    assert timedelta(0) < until - world.time.now() <= timedelta(days=1)
    asked = world.crm.requests
    assert world.sync("leads").quota is not None  # nobody asks before that
    assert world.crm.requests == asked
    world.time.wait(days=1)
    assert world.sync("leads").landed == 15
    assert len(world.landed("leads")) == 30
    world.close()


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_the_quota_is_beijing_s_in_whatever_zone(
    crm: FxiaokeSimulator, clock: StillClock, zone: str
) -> None:
    one = connector(crm, clock)
    one.context.timezone = zone
    crm.quota = 1
    with pytest.raises(QuotaUsed) as raised:
        list(one.read(ReadRequest("leads")))
    assert raised.value.until is not None
    assert raised.value.until.astimezone(BEIJING).hour == 0


# --- answers -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "message", "kind", "says"),
    [
        (30003, "no quota", ConfigError, "接口调用包"),
        (20017, "missing", AuthError, "proxy"),
        (10006, "apiName=[LeadsObj] is not exists", ConfigError, "skip:"),
        (10013, "offset out of range 10000", ConfigError, "names:"),
        (10006, "something else", ContractBroken, "traceId"),
        (20014, "会话", ContractBroken, "traceId"),
        (32000, "", ContractBroken, "traceId"),
    ],
)
def test_codes_are_told_with_what_to_do(
    crm: FxiaokeSimulator, clock: StillClock, code: int, message: str, kind: type, says: str
) -> None:
    one = connector(crm, clock)
    body = {"traceId": "E-O.x.1-9", "errorCode": code, "errorMessage": message}
    list(one.read(ReadRequest("leads")))
    crm.faults = [Reply(200, json.dumps(body).encode())]
    asked = crm.requests
    with pytest.raises(ConnectorError) as raised:
        list(one.read(ReadRequest("leads")))
    assert type(raised.value) is kind
    assert says in raised.value.do
    assert f"errorCode {code}" in raised.value.what
    assert raised.value.request_id == "E-O.x.1-9"
    assert crm.requests == asked + 1  # not tried again


@pytest.mark.parametrize("code", [-1, -2, 50009])
def test_what_may_pass_is_tried_again(crm: FxiaokeSimulator, clock: StillClock, code: int) -> None:
    body = json.dumps({"errorCode": code, "errorMessage": "busy"}).encode()
    crm.faults = [Reply(200, body)] * 2
    assert read(connector(crm, clock)) == ALL
    crm.faults = [Reply(200, body)] * 99
    with pytest.raises(Unavailable):
        read(connector(crm, clock))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(302, b"", {"location": "https://www.fxiaoke.com/login"}), Refused),
        (Reply(200, b"<html>login</html>", {"content-type": "text/html"}), ContractBroken),
        (Reply(200, b"hello"), ContractBroken),
        (Reply(200, b'{"code":0,"data":{"dataList":[]}}'), ContractBroken),
    ],
)
def test_another_program_s_answer_means_the_wrong_host(
    crm: FxiaokeSimulator, clock: StillClock, reply: Reply, kind: type
) -> None:
    crm.faults = [reply] * 9
    with pytest.raises(kind) as raised:
        read(connector(crm, clock))
    assert "base_url" in raised.value.do
    assert "open-ksc.sharecrm.com" in raised.value.do
