"""Settings: the printed form is taken, mistakes are named, secrets are references."""

from __future__ import annotations

import re
import warnings
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from rest_parts import context

from connectors.errors import ConfigError
from connectors.registry import load, names
from connectors.rest import RestConnector
from connectors.rest.settings import RestSettings
from connectors.rest.values import json_constant
from connectors.values import Strict, resolve
from mappings.yamltext import read_text

PRINTED = """
base_url: http://127.0.0.1:18801
allow_private: true              # private and loopback addresses, plain http included
auth: {bearer: "env:SHOP_TOKEN"}
streams:                         # (the generic rest connector declares its streams here)
  orders:
    path: /orders
    params: {limit: 250}
    records: data
    key: id
    paging: {cursor: next_cursor, param: cursor}
    changes: {since: updated_at, param: updated_since, lookback: 10m}
    total: total
"""
STREAM = {"path": "/orders", "key": "id"}


def settings(stream=None, **more) -> RestSettings:
    base = {"base_url": "https://shop.example", "streams": {"orders": {**STREAM, **(stream or {})}}}
    return RestSettings.model_validate({**base, **more})


def test_the_printed_connection_is_taken_as_it_stands():
    made = RestSettings.model_validate(read_text(PRINTED).data)
    orders = made.streams["orders"]
    assert orders.changes.lookback == timedelta(minutes=10)
    assert orders.params == {"limit": "250"}
    assert made.allow_private is True
    stream = RestConnector(made, context()).streams()["orders"]
    assert stream.key == ("id",)
    assert stream.changes.param == "updated_since"
    assert stream.can_sweep
    assert not stream.stable_order


@pytest.mark.parametrize(
    "stream",
    [
        {"paging": {"page": "p", "size": "n", "from": "1"}},
        {"paging": {"page": "p", "size": "100", "from": "0"}},
        {"paging": {"offset": "o", "limit": "l"}},
        {"paging": {"next": "links.next"}},
        {"paging": {"next": "link"}},
        {"paging": {"last": "id", "param": "starting_after", "more": "has_more"}},
        {"paging": {"cursor": "c", "param": "p", "in": "body"}, "method": "POST"},
        {"method": "POST", "json": {"page": {"no": "1"}}, "in": "body"},
        {"changes": {"since": "a", "param": "p", "format": "epoch", "until": "u", "span": "7d"}},
        {"changes": {"since": "a", "param": "p", "format": "%Y-%m-%d %H:%M:%S"}},
        {"ok": "code = 0", "message": "msg", "headers": {"X-Shop": "7"}, "total": "n"},
        {"key": ["shop", "id"], "answers": [{"status": "404", "is": "empty"}]},
    ],
)
def test_every_printed_stream_key_is_taken(stream):
    settings(stream)


@pytest.mark.parametrize(
    "auth",
    [
        {"bearer": "env:T"},
        {"basic": ["user", "file:secrets/erp"]},
        {"basic": ["env:KEY", ""]},
        {"header": {"X-Api-Key": "env:T", "Authorization": "Token env:T"}},
        {"query": {"access_token": "env:T"}},
        {"oauth2": {"token_url": "https://login.example/t", "client_id": "a", "client_secret":
                    "env:T", "scope": "read"}},
    ],
)  # fmt: skip
def test_every_printed_auth_is_taken(auth):
    settings(auth=auth, rate="100/m", tls={"pin": "sha256:" + "ab" * 32})


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"auth": {"bearer": "abc123"}}, "auth.bearer", "must be a reference"),
        ({"auth": {"bearer": "{{ env.T }}"}}, "auth.bearer", "{{"),
        ({"auth": {"basic": ["user", "hunter2"]}}, "auth.basic", "must be a reference"),
        ({"auth": {"header": {"X-Key": "abc"}}}, "auth.header.X-Key", "must be a reference"),
        ({"auth": {}}, "auth", "needs one of"),
        ({"auth": {"bearer": "env:A", "query": {"k": "env:B"}}}, "auth", "bearer and query"),
        ({"headers": {"X-Api-Key": "abc"}}, "headers", "looks like a secret"),
        ({"headers": {"X-Note": "Bearer abcdefgh12345"}}, "headers", "looks like a secret"),
        ({"base_url": "https://u:p@shop.example"}, "base_url", "userinfo"),
        ({"base_url": "https://shop.example/?token=1"}, "base_url", "query"),
        ({"base_url": "http://shop.example"}, "", "plain http needs"),
        ({"base_url": "https://127.1"}, "base_url", "disguised"),
        ({"tls": {"verify": "false"}}, "", "allow_private"),
        ({"rate": "5 per second"}, "rate", "5/s"),
        ({"timeout": "2 minutes"}, "timeout", "90s"),
        ({"max_bytes": "64 MiB"}, "max_bytes", "64MB"),
        ({"encoding": "klingon"}, "encoding", "gb18030"),
        ({"base_urll": "x"}, "base_urll", "Extra inputs"),
        ({"streams": {}}, "streams", "at least 1"),
        ({"streams": {"Orders": STREAM}}, "streams", "small letters"),
    ],
)
def test_mistakes_of_the_connection_are_named(change, place, words):
    check_mistake(change, place, words)


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"paging": {"cursor": "c"}}, "paging", "needs param"),
        ({"paging": {"cursor": "c", "page": "p", "param": "x"}}, "paging", "cursor and page"),
        ({"paging": {"next": "n", "param": "p"}}, "paging", "param does not go with next"),
        ({"paging": {"kursor": "c"}}, "paging.kursor", "Extra inputs"),
        ({"paging": {}}, "paging", "needs one of"),
        ({"paging": {"cursor": "a..b", "param": "p"}}, "paging.cursor", "cannot be read"),
        ({"changes": {"since": "a"}}, "changes.param", "required"),
        ({"changes": {"since": "a", "param": "p", "span": "7d"}}, "changes", "needs until"),
        ({"changes": {"since": "a", "param": "p", "lookback": "10"}}, "changes.lookback", "unit"),
        ({"changes": {"since": "a", "param": "p", "format": "unix"}}, "changes.format", "epoch"),
        ({"ok": "code == "}, "ok", "cannot be read"),
        ({"path": "https://evil.example/orders"}, "path", "below base_url"),
        ({"key": []}, "key", "at least 1"),
        ({"key": "lines[0].id"}, "key", "cannot reach into a list"),
        ({"params": {"api_key": "abc"}}, "params", "looks like a secret"),
        ({"params": {"q": "sk_live_abcdefghijklmnop1234"}}, "params", "looks like a secret"),
        ({"json": {"auth": {"token": "x"}}, "method": "POST"}, "json", "looks like a secret"),
        ({"json": {"a": "1"}}, "", "method: POST"),
        ({"in": "body"}, "", "method: POST"),
        ({"answers": [{"status": "429", "is": "slow"}]}, "answers.0.is", "throttled"),
    ],
)
def test_mistakes_of_a_stream_are_named(change, place, words):
    where = "streams.orders" + (f".{place}" if place else "")
    check_mistake({"streams": {"orders": {**STREAM, **change}}}, where, words)


def check_mistake(change, place, words):
    with pytest.raises(ValidationError) as caught:
        settings(**change)
    (error,) = caught.value.errors()
    assert ".".join(str(part) for part in error["loc"]) == place
    assert words in error["msg"]
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "params",
    [
        {"page_token_type": "x", "tenant": "2f4c3a5e9b8d4f6a8c1e0d2b4a6c8e0f", "key": "env:K"},
        {"token": "env:T", "sort": "updated_at", "expand": "lines,customer", "sign_type": "md5"},
    ],
)
def test_plain_constants_and_references_pass(params):
    settings({"params": params})


def fields(model: type[BaseModel], seen: set) -> list[str]:
    if model in seen:
        return []
    seen.add(model)
    found = [f"{model.__name__}.{n}" for n, f in model.model_fields.items() if not f.description]
    for inner in model.__subclasses__():
        found += fields(inner, seen)
    return found


def test_every_field_is_described_and_the_schema_prints():
    assert fields(Strict, set()) == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema = RestSettings.model_json_schema()
    assert "json" in schema["$defs"]["StreamSettings"]["properties"]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("250", b"250"), ("true", b"true"), ("null", b"null"), ("1.50", b"1.50"),
        ('"250"', b'"250"'), ("007", b'"007"'), ("abc", b'"abc"'), ("env:T", b'"value"'),
        ({"a": ["1", {"b": "x"}]}, b'{"a":[1,{"b":"x"}]}'),
    ],
)  # fmt: skip
def test_constants_of_a_body_are_json_where_they_read_so(text, sent):
    import msgspec

    assert msgspec.json.encode(json_constant(text, lambda reference: "value")) == sent


def test_references_keep_the_word_before_them():
    assert resolve("Token env:T", {"env:T": "v"}.__getitem__) == "Token v"
    assert resolve("plain", {}.__getitem__) == "plain"


def test_the_registry_loads_by_name_and_guesses():
    assert "rest" in names()
    assert load("rest") is RestConnector
    with pytest.raises(ConfigError, match="Did you mean rest"):
        load("rset")


def test_two_packages_of_one_name_are_refused(monkeypatch):
    from importlib.metadata import EntryPoint

    import connectors.registry as registry

    points = [EntryPoint("rest", value, registry.GROUP) for value in ("a:B", "c:D")]
    monkeypatch.setattr(registry, "_installed", lambda: {"rest": points})
    with pytest.raises(ConfigError, match="More than one"):
        load("rest")


def models(model: type[BaseModel]) -> list[type[BaseModel]]:
    return [model, *(inner for direct in model.__subclasses__() for inner in models(direct))]


def test_every_setting_is_documented():
    text = (Path(__file__).parents[2] / "docs" / "rest.md").read_text(encoding="utf-8")
    fenced = re.findall(r"```.*?```", text, re.S)
    spans = re.findall(r"`[^`\n]+`", re.sub(r"```.*?```", "", text, flags=re.S))
    words = set(re.findall(r"[a-z_0-9]+", " ".join(fenced + spans)))
    own = [m for m in models(Strict) if m.__module__.startswith("connectors.rest")]
    named = {f.alias or n for m in own for n, f in m.model_fields.items()}
    assert "base_url" in named
    assert named - words == set()


def test_the_documented_examples_are_taken():
    text = (Path(__file__).parents[2] / "docs" / "rest.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.S)
    connection = read_text(blocks[0]).data
    RestSettings.model_validate(connection["attributes"]["config"])
    settings({"answers": read_text(blocks[1]).data["answers"]})
    RestSettings.model_validate(
        {"base_url": "https://shop.example", "streams": read_text(blocks[2]).data}
    )


@pytest.mark.parametrize("value", ["a\r\nHost: evil", "a\nb", "a\0b", "\x7f"])
def test_a_header_is_one_line(value):
    stream = {"path": "/o", "key": "id"}
    for more, inner in (({"headers": {"X-A": value}}, {}), ({}, {"headers": {"X-A": value}})):
        said = {"base_url": "https://x.example", "streams": {"o": stream | inner}, **more}
        with pytest.raises(ValidationError, match="control characters"):
            RestSettings.model_validate(said)


@pytest.mark.parametrize("path", ["/o/../x", "/..", "/%2e%2e/x", "/a/..%2fx", "/./x", "/o/.."])
def test_a_path_does_not_climb(path):
    said = {"base_url": "https://x.example/api", "streams": {"o": {"path": path, "key": "id"}}}
    with pytest.raises(ValidationError, match="below base_url"):
        RestSettings.model_validate(said)
