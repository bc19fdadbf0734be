"""Tables of answers as data: codes in several places, pauses told in the body, tokens spent."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from rest_parts import Time, client

from connectors.auth import KeptToken, Token
from connectors.body import Body
from connectors.errors import AuthError, ConfigError, QuotaUsed
from connectors.http import Limits, Request
from connectors.outcome import Pause, Rule, judge, table
from connectors.shared import OwnShelf

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
RULES = table(
    ["code", "Result.Status.ErrorCode", '"error.code"'],
    {
        "throttled": [199, "LIMIT"],
        "refresh": [100, "TOKEN_EXPIRED"],
        "quota": ["QUOTA"],
        "denied": [403001],
        "skip": ["it's gone"],
    },
    good=[0, "0"],
    rest="config",
    pauses={"throttled": Pause(("wait",), 7.0), "quota": Pause(resets=time(8, 30))},
)


def body(value: object) -> Body:
    return Body(msgspec.json.encode(value), "here")


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"code": 0, "data": []}, "ok"),
        ({"code": "0"}, "ok"),
        ({"code": 199}, "throttled"),
        ({"code": "199"}, "throttled"),
        ({"Result": {"Status": {"ErrorCode": "LIMIT"}}}, "throttled"),
        ({"error.code": "TOKEN_EXPIRED"}, "refresh"),
        ({"code": "it's gone"}, "skip"),
        ({"code": 403001}, "denied"),
        ({"code": 31}, "config"),
        ({"Result": {"Status": {"ErrorCode": "else"}}}, "config"),
        ({"data": []}, "ok"),
        ({"code": None}, "ok"),
    ],
)
def test_codes_are_known_in_every_shape(said, outcome):
    assert judge(200, body(said), RULES) == outcome


def test_a_table_with_a_wrong_path_is_refused_at_once():
    with pytest.raises(ConfigError):
        table("a..b", {"retry": [1]})


@pytest.mark.parametrize(
    ("pause", "said", "seconds"),
    [
        (Pause(("wait",)), {"wait": 30}, 30),
        (Pause(("wait",)), {"wait": "1.5"}, 1.5),
        (Pause(("wait",)), {"wait": int((NOW + timedelta(seconds=90)).timestamp())}, 90),
        (Pause(("wait",)), {"wait": int((NOW.timestamp() + 90) * 1000)}, 90),
        (Pause(("wait",)), {"wait": "2026-03-01T20:01:00"}, 60),  # of the connection's zone
        (Pause(("wait",)), {"wait": "2026-03-01T12:01:00Z"}, 60),
        (Pause(("wait",)), {"wait": "2026-03-01T11:00:00Z"}, 0),
        (Pause(("wait",)), {"wait": "soon"}, None),
        (Pause(("wait",), 5.0), {"wait": "soon"}, 5),
        (Pause(("wait",), 5.0), {}, 5),
        (Pause(resets=time(0)), {}, 4 * 3600),
        (Pause(every=60.0), {}, 60),
        (Pause(every=86400.0), {}, 12 * 3600),
        (Pause(resets=time(20, 0)), {}, 24 * 3600),
        (Pause(resets=time(20, 1)), {}, 60),
        (Pause(), {}, None),
    ],
)
def test_when_a_system_may_be_asked_again(pause, said, seconds):
    left = pause.left(body(said), NOW, ZONE)
    assert left == (None if seconds is None else pytest.approx(seconds, abs=0.01))


def test_a_pause_told_in_the_body_is_made():
    time = Time()
    one, script = client({"code": 199, "wait": 40}, {"code": 199}, {"code": 0}, time=time,
                         rules=RULES)  # fmt: skip
    assert one.send(Request("/orders")).outcome == "ok"
    assert len(script.requests) == 3
    assert [int(p) for p in time.pauses if p >= 2] in ([40, 7], [41, 7], [40, 8], [41, 8])


def test_a_used_quota_is_not_asked_again_by_anybody():
    time, shelf = Time(), OwnShelf()
    one, script = client({"code": "QUOTA"}, time=time, rules=RULES, shelf=shelf)
    with pytest.raises(QuotaUsed) as caught:
        one.send(Request("/orders"))
    left = caught.value.until - time.now()
    assert left == timedelta(hours=12, minutes=30)  # 20:00 in China: until 08:30
    other, silent = client([], time=time, shelf=shelf)
    with pytest.raises(QuotaUsed):
        other.send(Request("/orders"))
    assert (len(script.requests), len(silent.requests)) == (1, 0)
    assert time.pauses == []
    time.pause(left.total_seconds() + 1)
    other.send(Request("/orders"))


@pytest.mark.parametrize("again", [False, True])
def test_a_spent_token_in_the_body_is_renewed_once_and_the_request_repeated_once(again):
    fetched: list[int] = []

    def fetch(kept, turn):
        fetched.append(1)
        return Token(f"t{len(fetched)}", 600)

    spent = {"code": "TOKEN_EXPIRED", "msg": "expired"}
    one, script = client(spent, spent if again else {"code": 0}, auth=KeptToken(fetch, Time().now),
                         rules=RULES, limits=Limits(attempts=6))  # fmt: skip
    if again:
        with pytest.raises(AuthError):
            one.send(Request("/orders"))
    else:
        one.send(Request("/orders"))
    assert [r.headers["authorization"] for r in script.requests] == ["Bearer t1", "Bearer t2"]


def test_a_rule_without_a_pause_says_no_time():
    one, _ = client({"code": 5}, rules=(Rule("quota", (200,)),))
    with pytest.raises(QuotaUsed) as caught:
        one.send(Request("/orders"))
    assert caught.value.until is None
