"""What the client makes of answers: retries, throttling, pins, tokens, charsets, messages."""

from __future__ import annotations

import gzip
import logging
import threading
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
from rest_parts import START, TOKEN, Time, client

from connectors.auth import OAuth2, Token, bearer
from connectors.condition import parse_condition
from connectors.decode import Caps
from connectors.errors import (
    AuthError,
    ConfigError,
    ContractBroken,
    Refused,
    Throttled,
    TooLarge,
    Unavailable,
)
from connectors.http import Limits, Request
from connectors.outcome import Rule
from connectors.redact import Redactor
from connectors.shared import OwnShelf

ORDERS = Request(path="/orders", params={"limit": "2"})


def answer(status=200, body=b"[]", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, content=body, headers=named)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504])
@pytest.mark.parametrize("burst", [1, 5])
def test_a_burst_of_trouble_is_waited_out(status, burst):
    time = Time()
    one, script = client(*[status] * burst, [], time=time)
    assert one.send(ORDERS).outcome == "ok"
    assert len(script.requests) == burst + 1
    assert len(time.pauses) == burst
    assert all(a < b for a, b in zip(time.pauses, time.pauses[1:], strict=False))


def test_endless_trouble_ends():
    time = Time()
    one, script = client(503, time=time)
    with pytest.raises(Unavailable, match="HTTP 503: status 503") as caught:
        one.send(ORDERS)
    assert len(script.requests) == 6
    assert 31 <= sum(time.pauses) <= 36
    assert caught.value.retriable
    assert one._stats.retries == 5


@pytest.mark.parametrize("status", [400, 404, 405, 422])
def test_a_wrong_request_is_not_repeated(status):
    one, script = client(status)
    with pytest.raises(ConfigError, match=f"HTTP {status}"):
        one.send(ORDERS)
    assert len(script.requests) == 1


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ReadError("x")])
def test_connection_errors_are_repeated(error):
    one, script = client(error, error, [])
    assert one.send(ORDERS).outcome == "ok"
    assert len(script.requests) == 3


# --- throttling ------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_honoured(status):
    time = Time()
    one, _ = client(answer(status, retry_after="7"), [], time=time)
    one.send(ORDERS)
    assert 7 <= sum(time.pauses) <= 8.5


def test_retry_after_as_a_date_counts_from_the_servers_clock():
    time = Time()
    skewed = START + timedelta(hours=3)
    late = answer(
        429,
        retry_after=format_datetime(skewed + timedelta(seconds=9), usegmt=True),
        date=format_datetime(skewed, usegmt=True),
    )
    one, _ = client(late, [], time=time)
    one.send(ORDERS)
    assert 9 <= sum(time.pauses) <= 11


@pytest.mark.parametrize("after", [None, "soon", "-3", ""])
def test_without_a_usable_retry_after_the_pauses_grow(after):
    time = Time()
    one, _ = client(*[answer(429, **({"retry_after": after} if after else {}))] * 3, [], time=time)
    one.send(ORDERS)
    assert 7 <= sum(time.pauses) <= 10


@pytest.mark.parametrize("after", ["86400", "Wed, 01 Mar 2028 12:00:00 GMT"])
def test_an_absurd_retry_after_is_said_not_slept(after):
    time = Time()
    one, script = client(answer(429, retry_after=after), time=time)
    with pytest.raises(Throttled, match="asks to wait"):
        one.send(ORDERS)
    assert time.pauses == []
    assert len(script.requests) == 1


def test_what_one_process_is_told_holds_the_others_of_the_connection():
    shelf = OwnShelf()
    time = Time()
    one, _ = client(answer(429, retry_after="40"), time=time, shelf=shelf,
                    limits=Limits(attempts=1))  # fmt: skip
    with pytest.raises(Throttled):
        one.send(ORDERS)
    other, _ = client([], time=time, shelf=shelf)
    other.send(ORDERS)
    assert time.pauses == [40]


def test_throttling_inside_a_200_is_known_by_the_table():
    time = Time()
    rules = (Rule("throttled", (200,), parse_condition("code = 429")),)
    one, script = client({"code": 429, "msg": "slow"}, {"code": 0}, time=time, rules=rules)
    assert one.send(ORDERS).body.text(("code",)) == "0"
    assert len(script.requests) == 2
    assert one._stats.throttled_seconds > 0


def test_the_table_makes_not_found_an_empty_list():
    one, _ = client(404, rules=(Rule("empty", (404,)),))
    assert one.send(ORDERS).outcome == "empty"


# --- where requests go -----------------------------------------------------------------------
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_refused_and_not_followed(status):
    one, script = client(answer(status, location="https://u:s3cret@evil.example/x?token=s3cret"))
    with pytest.raises(Refused, match="redirects") as caught:
        one.send(ORDERS)
    assert len(script.requests) == 1
    assert "evil.example/x" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_next_link_to_another_host_is_not_asked():
    one, script = client([])
    with pytest.raises(Refused, match="pinned"):
        one.send(Request(link="https://evil.example/orders?cursor=2"))
    assert script.requests == []


def test_a_next_link_keeps_its_query_as_it_was_written():
    one, script = client([], auth=bearer(lambda: TOKEN))
    one.send(Request(link="/api/orders?a=1&a=2&sig=%7e%2B+x"))
    assert script.requests[0].url.query == b"a=1&a=2&sig=%7e%2B+x"
    assert script.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_the_path_stands_below_base_url():
    one, script = client([])
    one.send(Request(path="orders?fields=a", params={"since": "2026-01-01T00:00:00+08:00"}))
    url = script.requests[0].url
    assert url.path == "/api/orders"
    assert url.query == b"fields=a&since=2026-01-01T00%3A00%3A00%2B08%3A00"


# --- bodies ----------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/html; charset=gbk"])
def test_a_web_page_instead_of_json_is_named(kind):
    one, _ = client(answer(200, b"\n<!DOCTYPE html><title>Login</title>", content_type=kind))
    with pytest.raises(ContractBroken, match="web page") as caught:
        one.send(ORDERS)
    assert kind.split(";")[0] in str(caught.value)


@pytest.mark.parametrize(
    "body", [b'{"a":', b'{"a":NaN}', b"{'a':1}", b"[1] x", b"\0", b'["\x01"]', b'{"a":1}{"b":2}']
)
def test_malformed_json_is_a_typed_error_with_its_place(body):
    one, script = client(answer(200, body, x_request_id="req-77"))
    with pytest.raises(ContractBroken, match="not JSON") as caught:
        one.send(ORDERS)
    assert caught.value.request_id == "req-77"
    assert caught.value.place == "http://shop.example/api/orders"
    assert len(script.requests) == 1


def test_json_nested_a_hundred_thousand_deep_is_a_typed_error():
    one, _ = client(answer(200, b"[" * 100_000 + b"]" * 100_000))
    with pytest.raises(TooLarge, match="nested"):
        one.send(ORDERS)


def test_half_an_emoji_does_not_lose_the_page():
    one, _ = client(answer(200, rb'[{"a":"x\ud83d"},{"a":"\ud83d\ude00"},{"a":"\\ud83d"}]'))
    body = one.send(ORDERS).body
    assert body.repaired == 1
    assert body.data == rb'[{"a":"x\ufffd"},{"a":"\ud83d\ude00"},{"a":"\\ud83d"}]'


CHINESE = '["订单", "客户名称"]'


@pytest.mark.parametrize(
    ("body", "kind", "setting"),
    [
        (CHINESE.encode(), "application/json", ""),
        (CHINESE.encode("utf-8-sig"), "application/json", ""),
        (CHINESE.encode("utf-16"), "application/json", ""),
        (CHINESE.encode("gb18030"), "application/json; charset=GBK", ""),
        (CHINESE.encode("gb18030"), 'text/plain; charset="gb2312"', ""),
        (CHINESE.encode("gb18030"), "application/json; charset=utf-8", "gb18030"),
        (CHINESE.encode(), "application/json; charset=GBK", ""),
        (CHINESE.encode("utf-16-be"), "application/json; charset=utf-16-be", ""),
    ],
)
def test_bodies_become_utf_8_by_what_is_known(body, kind, setting):
    one, _ = client(answer(200, body, content_type=kind), encoding=setting)
    assert one.send(ORDERS).body.data.decode() == CHINESE


def test_a_body_of_unknown_encoding_is_not_guessed():
    wrong = answer(200, CHINESE.encode("gb18030"), content_type="application/json; charset=utf-8")
    one, _ = client(wrong)
    with pytest.raises(ContractBroken, match="not UTF-8"):
        one.send(ORDERS)


def test_wrong_gzip_and_unknown_encodings_are_typed_errors():
    for name, body in (("gzip", b"[]"), ("br", b"[]"), ("gzip, gzip", b"[]")):
        raw = httpx.Response(200, headers={"content-encoding": name}, stream=httpx.ByteStream(body))
        one, _ = client(raw)
        with pytest.raises(ContractBroken):
            one.send(ORDERS)


def test_gzip_in_several_members_is_read_whole():
    packed = gzip.compress(b"[1,") + gzip.compress(b"2]")
    raw = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(packed))
    one, _ = client(raw)
    assert one.send(ORDERS).body.data == b"[1,2]"


def test_the_ratio_cap_holds_below_the_size_cap():
    packed = gzip.compress(b"[" + b" " * 30_000_000 + b"]")
    raw = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(packed))
    one, _ = client(raw, limits=Limits(Caps(max_bytes=64_000_000, max_ratio=200)))
    with pytest.raises(TooLarge, match="200 times"):
        one.send(ORDERS)


def test_an_answer_that_says_it_failed_is_never_an_empty_page():
    ok = parse_condition("code = 0")
    one, _ = client({"code": 40001, "info": "AppKey invalid", "data": []})
    with pytest.raises(ContractBroken, match="AppKey invalid"):
        one.send(Request(path="/orders", ok=ok, message=("info",)))
    one, _ = client({"code": "0", "data": []})
    assert one.send(Request(path="/orders", ok=ok)).outcome == "ok"


def test_no_content_is_empty_and_an_empty_200_is_not():
    one, _ = client(answer(204, b""))
    assert one.send(ORDERS).outcome == "empty"
    one, _ = client(answer(200, b" "))
    with pytest.raises(ContractBroken, match="empty"):
        one.send(ORDERS)


# --- credentials -----------------------------------------------------------------------------
def test_a_refused_token_is_an_auth_error_after_one_try():
    one, script = client(401, auth=bearer(lambda: TOKEN))
    with pytest.raises(AuthError):
        one.send(ORDERS)
    assert len(script.requests) == 1


def test_a_rotated_secret_is_read_again():
    values = iter(["old-token", "new-token"])
    one, script = client(401, [], auth=bearer(lambda: next(values)))
    one.send(ORDERS)
    assert [r.headers["authorization"] for r in script.requests] == [
        "Bearer old-token",
        "Bearer new-token",
    ]


def test_a_token_is_fetched_once_kept_and_renewed_before_it_expires():
    time, fetched = Time(), []

    def fetch():
        fetched.append(1)
        return Token(f"t{len(fetched)}", 600)

    one, script = client([], time=time, auth=OAuth2(fetch, time.now))
    one.send(ORDERS)
    one.send(ORDERS)
    assert len(fetched) == 1
    time.pause(545)
    one.send(ORDERS)
    assert script.requests[-1].headers["authorization"] == "Bearer t2"


@pytest.mark.parametrize("same", [False, True])
def test_a_second_refusal_ends_without_a_loop(same):
    fetched = []

    def fetch():
        fetched.append(1)
        return Token("t" if same else f"t{len(fetched)}", 600)

    one, script = client(401, auth=OAuth2(fetch, Time().now))
    with pytest.raises(AuthError) as raised:
        one.send(ORDERS)
    assert len(fetched) == 2
    assert len(script.requests) == (1 if same else 2)
    assert ("the system issued the very same again" in raised.value.what) == same
    assert ("was the app revoked" in raised.value.do.lower()) == same
    assert raised.value.what.startswith("The credentials were refused (HTTP 401")


def test_two_threads_refused_at_once_refresh_once():
    fetched = []

    def fetch():
        fetched.append(1)
        return Token(f"t{len(fetched)}", 600)

    auth = OAuth2(fetch, Time().now)
    both = threading.Barrier(2)

    def one():
        headers: dict[str, str] = {}
        auth.apply(headers, {})
        both.wait(5)
        assert auth.renew()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(fetched) == 2


def test_forbidden_names_the_missing_right():
    one, _ = client(answer(403, b'{"error":{"message":"no scope read_orders"}}'))
    with pytest.raises(AuthError, match="read_orders"):
        one.send(ORDERS)


# --- discretion ------------------------------------------------------------------------------
def test_nothing_of_a_request_is_logged_and_echoed_secrets_are_masked(caplog):
    caplog.set_level(logging.DEBUG)
    echo = answer(400, f'{{"message":"bad token {TOKEN} \\u001b[31m\\r\\nforged line"}}'.encode())
    one, _ = client(echo, auth=bearer(lambda: TOKEN), redactor=Redactor([TOKEN]))
    with pytest.raises(ConfigError) as caught:
        one.send(Request(path="/orders", params={"token": TOKEN}))
    text = str(caught.value) + repr(caught.value)
    assert "bad token [secret]  forged line" in text.replace("\\", "")
    assert TOKEN not in text + caplog.text
    assert "shop.example" not in caplog.text


def test_a_secret_that_no_header_can_hold_is_a_config_error():
    one, _ = client([], auth=bearer(lambda: "密码"))
    with pytest.raises(ConfigError, match="beyond ASCII"):
        one.send(ORDERS)
