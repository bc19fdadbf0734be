"""A5: values that reach a request or a statement: the other side must see exactly one literal.

Counted by Hypothesis: each generated value is one attempt; what a parser of the standard library
reads from the bytes on the wire is compared with what went in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_parts import context

from connectors.base import ReadRequest
from connectors.errors import ConnectorError
from connectors.rest import RestConnector
from connectors.rest.settings import RestSettings
from mappings.errors import MappingError
from mappings.yamltext import YamlError, read_text
from tests.attacks.attempt import Attempt, Task, said
from tests.attacks.world import command, environment, published

ID, TITLE = "A5", "values that would change a query"
KNOWN = (
    "O'Brien' or 1=1 --",
    'x" or "1"="1',
    "a&admin=true",
    "a#b",
    "a?b=c",
    "a;b=c",
    "a%26b",
    "%00",
    "a=b",
    "a+b c",
    "a\tb",
    "\r\nHost: evil",
    "{{x}}",
    "${x}",
    "$filter=1 eq 1",
    "FBillNo like '%'",
    "' union select",
    "x') or ('1'='1",
    "*",
    "_%",
    "\\",
    "\\'",
    "<a>",
    "]]>",
    "&lt;",
    "null",
    "true",
    "[]",
    '{"$ne":1}',
    "../../x",
    "//evil",
    "a/b",
    "..",
    "%2e%2e%2f",
    "金蝶 '总部'",
    "\u2019",
    "＇",
    "\u02bc",
    "a\u0000b",
    "\U0001f600",
    "\u202e",
)
TEXT = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=40)
VALUES = st.one_of(
    st.sampled_from(KNOWN), TEXT, st.text("'\"\\&=?#%+;/ \r\n", min_size=1, max_size=12)
)


class Wire(httpx.BaseTransport):
    """Keeps the targets and bodies that were to be sent; answers with scripted bodies."""

    def __init__(self, *bodies: Any) -> None:
        self.bodies = list(bodies)
        self.targets: list[str] = []
        self.sent: list[bytes] = []
        self.heads: list[list[tuple[bytes, bytes]]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.targets.append(request.url.raw_path.decode("ascii"))
        self.sent.append(request.read())
        self.heads.append(request.headers.raw)
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        return httpx.Response(
            200,
            headers={"content-type": "application/json"},
            stream=httpx.ByteStream(json.dumps(body).encode()),
        )


def _read(stream: dict[str, Any], *bodies: Any, bookmark: Any = None, **more: Any) -> Wire:
    wire = Wire(*bodies)
    said_ = {
        "base_url": "http://shop.example/api",
        "allow_plain_http": "true",
        "attempts": "1",
        "streams": {"o": {"path": "/o", "records": "data", "key": "id", **stream}},
        **more,
    }
    one = RestConnector(RestSettings.model_validate(said_), context(transport=wire))
    list(one.read(ReadRequest("o", bookmark=bookmark)))
    return wire


def _query(target: str) -> list[tuple[str, str]]:
    parts = urlsplit(target)
    assert parts.path == "/api/o", target
    return parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))


def param(value: str) -> None:
    """A constant of the settings in the query."""
    wire = _read({"params": {"name": value, "z": "1"}}, {"data": []})
    assert _query(wire.targets[0]) == [("name", value), ("z", "1")]


def param_name(value: str) -> None:
    """A parameter's own name."""
    wire = _read({"params": {value: "v"}}, {"data": []})
    assert _query(wire.targets[0]) == [(value, "v")]


def cursor(value: str) -> None:
    """A cursor that the other side gave, back in the query."""
    paging = {"cursor": "next", "param": "after"}
    wire = _read(
        {"paging": paging, "params": {"limit": "9"}},
        {"data": [{"id": "1"}], "next": value},
        {"data": []},
    )
    assert _query(wire.targets[1]) == [("limit", "9"), ("after", value)]


def last(value: str) -> None:
    """A keyset value out of the last record."""
    wire = _read(
        {"paging": {"last": "id", "param": "after"}}, {"data": [{"id": value}]}, {"data": []}
    )
    assert _query(wire.targets[1]) == [("after", value)]


def posted(value: str) -> None:
    """A cursor in a JSON body, beside a constant."""
    paging = {"cursor": "next", "param": "page.after", "in": "body"}
    wire = _read(
        {"method": "POST", "paging": paging, "json": {"page": {"size": "5"}, "q": f"t{value}"}},
        {"data": [{"id": "1"}], "next": value},
        {"data": []},
    )
    assert json.loads(wire.sent[1]) == {"page": {"size": 5, "after": value}, "q": f"t{value}"}


def header(value: str) -> None:
    """A header of the settings: one header of that value, or a typed refusal."""
    wire = _read({"headers": {"X-Name": value}}, {"data": []})
    found = [v for n, v in wire.heads[0] if n.lower() == b"x-name"]
    assert found == [value.encode("ascii")]
    assert not set(found[0]) & set(b"\r\n\0")


def path(value: str) -> None:
    """A path of the settings stays below base_url."""
    wire = _read({"path": f"/o/{value}"}, {"data": []})
    parts = urlsplit(wire.targets[0])
    assert parts.path.startswith("/api/o/")
    assert ".." not in unquote(parts.path).split("/")


def resumed(value: str) -> None:
    """A cursor kept in a bookmark."""
    mark = {
        "resume": {
            "mode": "changed",
            "style": "CursorPaging",
            "begun": "2026-03-01T00:00:00+00:00",
            "count": 0,
            "state": value,
        }
    }
    wire = _read({"paging": {"cursor": "next", "param": "after"}}, {"data": []}, bookmark=mark)
    assert _query(wire.targets[0]) == [("after", value)]


def stamp(value: str) -> None:
    """A stamp kept in a bookmark is a moment or is not used."""
    changes = {"since": "at", "param": "since"}
    wire = _read({"changes": changes}, {"data": []}, bookmark={"stamp": value})
    for name, text in _query(wire.targets[0]):
        assert name == "since"
        assert set(text) <= set("0123456789-:.TZ+")


def token_form(value: str) -> None:
    """A client id and scope in the form of a token request."""
    made = {
        "oauth2": {
            "token_url": "http://shop.example/api/o",
            "client_id": f"c{value}",
            "client_secret": "env:OTHER",
            "scope": value,
        }
    }
    wire = _read({}, {"access_token": "t", "data": []}, auth=made)
    pairs = parse_qsl(wire.sent[0].decode(), keep_blank_values=True)
    assert pairs == [
        ("grant_type", "client_credentials"),
        ("scope", value),
        ("client_id", f"c{value}"),
        ("client_secret", "other-secret-9876"),
    ]


def mapping_literal(value: str) -> None:
    """A constant of the connection, as the compiled SQL of a mapping has it."""
    from mapping_runs import connect, plan_of

    assert read_text(yaml.safe_dump({"a": value})).data == {"a": value}  # where constants come from
    plan = plan_of(
        "entity: order\nkey: id\nfields:\n  number: connection.mark\n", settings={"mark": value}
    )
    with connect() as con:
        con.execute(
            "create or replace temp table record_paths as select 1::bigint as n,"
            " 1::bigint as batch,"
            " 'k' as c0, 'k' as c1, 'k' as c2, 1::bigint as position"
        )
        sql = plan.targets[0].select
        row = con.execute(f"select number from ({sql})").fetchall()
    assert row == [(value,)], (row, sql)


def word(value: str) -> None:
    """A word map: the word itself is the literal."""
    from mapping_runs import plan_of

    quoted = yaml.safe_dump(value, default_style='"').strip()
    plan = plan_of(
        f"entity: order\nkey: id\nfields:\n  status:\n    value: s\n"
        f"    words: {{{quoted}: confirmed, else: unknown}}\n"
    )
    assert value.replace("'", "''") in plan.targets[0].select


TARGETS: tuple[Callable[[str], None], ...] = (
    param,
    param_name,
    cursor,
    last,
    posted,
    header,
    path,
    resumed,
    stamp,
    token_form,
    word,
    mapping_literal,
)


def attempts(task: Task) -> Iterator[Attempt]:
    """Try every target with generated values; then arguments of commands that ask the store."""
    for target in TARGETS:
        yield from _tried(target, 15 if task.quick else 300)
    yield from _arguments(task)


def _tried(target: Callable[[str], None], count: int) -> Iterator[Attempt]:
    found: list[Attempt] = []

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(value=VALUES)
    def run(value: str) -> None:
        number, name = f"A5.{target.__name__}{len(found)}", f"{target.__name__} {value!r}"
        try:
            target(value)
            found.append(Attempt(number, name, "handled"))
        except (ConnectorError, ValueError, MappingError, YamlError) as error:
            found.append(Attempt(number, name, "refused", said(error)))
        except Exception as error:
            found.append(Attempt(number, name, "succeeded", said(error)))

    run()
    for value in KNOWN:
        run.hypothesis.inner_test(value)  # type: ignore[attr-defined]
    yield from found


def _arguments(task: Task) -> Iterator[Attempt]:
    """Pass the values to commands that put them into SQL of their own."""
    home = published(task.inner("home"))
    root = task.inner("own")
    for name in ("defs", "mappings"):
        (root / name).mkdir()
    before = home.current.read_bytes()
    with environment(
        ISTHMUS_HOME=str(home.root), ISTHMUS_DEFS=str(root / "defs"), ISTHMUS_LANG="en"
    ):
        for n, value in enumerate(KNOWN):
            if "\0" in value or value.startswith("-"):
                continue
            for words in (
                ("quarantine", "list", value),
                ("quarantine", "list", "shop", value),
                ("quarantine", "show", value),
            ):
                if task.quick and n % 12:
                    continue
                _, out, err = command(*words)
                name = f"{' '.join(words)!r}"
                bad = "Error" in err or "Traceback" in err or "N0" in out or "error" in err.lower()
                ok = not bad and home.current.read_bytes() == before
                yield Attempt(f"A5.c{n}", name, "handled" if ok else "succeeded", (out + err)[:120])
