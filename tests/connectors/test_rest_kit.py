"""What the kit has for systems that sign each request and write errors as text or JSON in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import MutableMapping
from datetime import UTC, datetime

import httpx
import pytest

from connectors.auth import Auth
from connectors.base import Context, ReadRequest
from connectors.body import Body
from connectors.condition import parse_condition
from connectors.errors import AuthError, ConfigError, ContractBroken, Unavailable
from connectors.http import HttpClient, Limits, Request
from connectors.outcome import Rule, judge
from connectors.redact import Redactor
from connectors.site import secret_reader
from connectors.whose import keep_to


class Signs(Auth):
    """Signs with a counter, so that an attempt that is sent again is seen to be signed again."""

    def __init__(self) -> None:
        self.count = 0

    def sign(
        self, method: str, path: str, headers: MutableMapping[str, str], content: bytes | None
    ) -> None:
        self.count += 1
        headers["X-Sign"] = f"{method} {path} {content!r} {self.count}"


def client(*replies: httpx.Response, **how: object) -> tuple[HttpClient, list[httpx.Request]]:
    sent: list[httpx.Request] = []
    left = list(replies)

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        reply = left.pop(0)
        return httpx.Response(
            reply.status_code, headers=reply.headers, stream=httpx.ByteStream(reply.content)
        )

    context = Context(
        "c", transport=httpx.MockTransport(answer), pause=lambda seconds: None,
        now=lambda: datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip
    return HttpClient("https://erp.example/k3", context, **how), sent  # type: ignore[arg-type]


def test_each_attempt_is_signed_with_its_body() -> None:
    one, sent = client(httpx.Response(503), httpx.Response(200, json={}), auth=Signs())
    one.send(Request("a", method="POST", json={"x": 1}))
    signs = [request.headers["x-sign"] for request in sent]
    assert signs == [f"POST /k3/a b'{{\"x\":1}}' {n}" for n in (1, 2)]


def test_rules_on_text_hold_on_plain_text_alone() -> None:
    rule = Rule("refresh", (200,), text=re.compile("lost"))
    assert judge(200, None, (rule,), said="session lost") == "refresh"
    assert judge(200, None, (rule,)) == "ok"
    assert judge(200, Body(b'{"note": "lost"}'), (rule,)) == "ok"
    one, _ = client(httpx.Response(200, json=["lost"]), rules=(rule,))
    assert one.send(Request()).outcome == "ok"
    one, _ = client(httpx.Response(200, html="<p>lost</p>"), rules=(rule,))
    with pytest.raises(ContractBroken, match="web page"):
        one.send(Request())


def test_plain_text_is_told_where_it_says_why() -> None:
    rule = Rule("retry", (200,), text=re.compile("deadlock"))
    one, sent = client(*[httpx.Response(200, text="deadlock victim")] * 2,
                       rules=(rule,), limits=Limits(attempts=2))  # fmt: skip
    with pytest.raises(Unavailable, match="deadlock victim"):
        one.send(Request())
    assert len(sent) == 2


def test_a_system_s_own_place_of_messages() -> None:
    one, _ = client(httpx.Response(400, json={"R": [{"Message": "no such"}]}),
                    messages=(("R", 0, "Message"),))  # fmt: skip
    with pytest.raises(ConfigError, match="no such"):
        one.send(Request())


def test_json_in_a_json_text_is_unwrapped_where_that_is_said() -> None:
    long = "123456789012345678.12"
    reply = httpx.Response(200, content=f'"{{\\"a\\": {long}}}"'.encode())
    wrapped, _ = client(reply, wrapped=True)
    body = wrapped.send(Request()).body
    assert body is not None
    assert body.text(("a",)) == long
    plain, _ = client(reply)
    body = plain.send(Request()).body
    assert body is not None
    assert body.text(("a",)) is None


def test_the_cookie_of_a_session_is_kept_out_of_texts() -> None:
    redactor = Redactor()
    session = "0123456789abcdef0123"
    said = {"set-cookie": f"sid={session}; Path=/; Expires=Thu, 31 Dec 2099 23:59:59 GMT"}
    one, sent = client(httpx.Response(200, json={}, headers=said),
                       httpx.Response(400, json={"message": f"bad {session}"}),
                       redactor=redactor)  # fmt: skip
    one.send(Request())
    with pytest.raises(ConfigError, match=r"bad \[secret\]"):
        one.send(Request())
    assert sent[1].headers["cookie"] == f"sid={session}"


def test_a_session_that_the_server_forgot_is_left_out_of_the_next_try() -> None:
    """Where each request is signed, the credentials are right and the old cookie is refused."""
    opened = {"set-cookie": "sid=0123456789abcdef0123"}
    lost = httpx.Response(200, json={"code": "lost"})
    rules = (Rule("refresh", (200,), parse_condition("code = 'lost'")),)
    one, sent = client(httpx.Response(200, json={}, headers=opened), lost,
                       httpx.Response(200, json={"code": "ok"}), lost,
                       rules=rules, auth=Signs())  # fmt: skip
    one.send(Request())
    assert one.send(Request()).outcome == "ok"
    assert ["cookie" in request.headers for request in sent] == [False, True, False]
    with pytest.raises(AuthError):  # without a cookie it is the credentials' fault
        one.send(Request())
    assert len(sent) == 4


def test_a_cookie_that_changes_with_each_answer_takes_the_place_of_the_one_before() -> None:
    """As that of a load balancer: to learn all of them took longer with each answer."""
    redactor = Redactor()
    session = "0123456789abcdef0123"
    answers = [httpx.Response(200, json={}, headers={"set-cookie": f"sid={session}"})]
    turns = [f"{n:04d}-turn/of+the=balancer" for n in range(9)]
    answers += [httpx.Response(200, json={}, headers={"set-cookie": f"lb={t}"}) for t in turns]
    one, _ = client(*answers, redactor=redactor)
    for _ in answers:
        one.send(Request())
    said = json.dumps([session, *turns]).replace("/", "\\/")
    assert redactor.mask(f"{session} {turns[-1]} {turns[-2]}") == " ".join(["[secret]"] * 3)
    assert turns[-1].replace("/", "\\/") not in redactor.mask(said)
    assert redactor.mask(turns[0]) == turns[0]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a like '%lost%'", True),
        ("a like 'SESSION%'", True),
        ("a like 'lost'", False),
        ("a like '%l.st%'", False),
        ("b like '%'", True),
        ("not a like '%x%' and a like '%(1)'", True),
    ],
)
def test_like(text: str, holds: bool) -> None:
    assert parse_condition(text).holds(Body(b'{"a": "Session lost\\n(1)"}')) is holds


def test_a_bookmark_of_others_is_refused_and_a_full_read_begins_anew() -> None:
    mark = {"of": "one", "stamp": "x"}
    assert keep_to(ReadRequest("s", bookmark=mark), "one", "a:").bookmark == mark
    assert keep_to(ReadRequest("s", bookmark={"stamp": "x"}), "two", "a:").bookmark
    assert keep_to(ReadRequest("s", "full", mark), "two", "a:").bookmark is None
    for mode in ("changed", "sweep"):
        with pytest.raises(ConfigError, match="are of one, and now they would be of two"):
            keep_to(ReadRequest("s", mode, mark), "two", "a:")  # type: ignore[arg-type]


class SignsParams(Auth):
    """Signs query and form together; takes only answers that carry its word."""

    def __init__(self) -> None:
        self.count = 0

    def sign_params(self, params: MutableMapping[str, str], form: MutableMapping[str, str]) -> None:
        self.count += 1
        params["sign"] = f"{sorted({**params, **form})} {self.count}"
        form["proof"] = f"p{self.count}"

    def verify(self, data: bytes, place: str) -> None:
        if b'"signed"' not in data:
            raise ContractBroken("Not signed.", "do.", place=place)


def test_query_and_form_are_signed_together_at_each_attempt() -> None:
    good = httpx.Response(200, json={"signed": 1})
    one, sent = client(httpx.Response(503), good, good, auth=SignsParams())
    one.send(Request(method="POST", params={"m": "1"}, form={"b": "é"}))
    assert [request.url.params["sign"] for request in sent] == ["['b', 'm'] 1", "['b', 'm'] 2"]
    assert [request.content for request in sent] == [b"b=%C3%A9&proof=p1", b"b=%C3%A9&proof=p2"]
    one.send(Request())  # without a form
    assert sent[-1].url.params["sign"] == "[] 3"
    assert sent[-1].content == b""


@pytest.mark.parametrize("body", [b'{"code": 1}', b"[]"])
def test_an_answer_is_proved_before_it_is_taken(body: bytes) -> None:
    rules = (Rule("skip", (), parse_condition("code = 1")),)
    one, _ = client(httpx.Response(200, content=body), auth=SignsParams(), rules=rules)
    with pytest.raises(ContractBroken, match=r"Not signed\."):
        one.send(Request())
    failed = httpx.Response(403, content=body)  # an error needs no proof
    one, _ = client(failed, auth=SignsParams())
    with pytest.raises(AuthError):
        one.send(Request())


def test_a_file_comes_as_its_bytes() -> None:
    data = b"PK\x03\x04\x00\xff<html>"
    one, _ = client(httpx.Response(200, content=data), auth=SignsParams())
    assert one.send(Request(raw=True)).data == data
    gone = httpx.Response(404, json={"message": "spent"})
    one, _ = client(gone)
    with pytest.raises(ConfigError, match="spent"):
        one.send(Request(raw=True))


def test_a_secret_of_several_lines() -> None:
    pem = "-----BEGIN X-----\nQUJDREVGRw==\n-----END X-----\n"
    context = Context("c", secret={"env:KEY": pem, "env:BAD": "a\x00b"}.__getitem__)
    redactor = Redactor()
    assert secret_reader(context, redactor, lines=True)("env:KEY") == pem.strip()
    assert pem.strip() not in redactor.mask(f"it was {pem}")
    with pytest.raises(ConfigError, match="control characters"):
        secret_reader(context, redactor)("env:KEY")
    with pytest.raises(ConfigError, match="control characters"):
        secret_reader(context, redactor, lines=True)("env:BAD")
