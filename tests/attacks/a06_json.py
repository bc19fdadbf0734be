"""A6: JSON made to harm, as whole answers and as single records; typed, bounded, never wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import small_shop
from rest_parts import SimulatorTransport, context

from connectors.base import ReadRequest
from connectors.errors import ConnectorError
from connectors.rest import RestConnector
from connectors.rest.settings import RestSettings
from connectors.rest.simulator import Collection, RestSimulator
from pipelines.sync import sync_stream, unify_publish
from tests.attacks.attempt import Attempt, Task, measured, said
from warehouse import reader

ID, TITLE = "A6", "hostile JSON"
MEGABYTES = 300
SECONDS = 30.0


class Bytes(httpx.BaseTransport):
    """Answers every request with the same bytes, piece by piece."""

    def __init__(self, pieces: Callable[[], Iterator[bytes]], headers: dict[str, str]) -> None:
        self._pieces = pieces
        self._headers = {"content-type": "application/json", **headers}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=self._headers, stream=_Stream(self._pieces()))


class _Stream(httpx.SyncByteStream):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces


def _repeat(before: bytes, piece: bytes, times: int, after: bytes) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        yield before
        step = max(1, 1_000_000 // len(piece))
        for _ in range(times // step):
            yield piece * step
        yield piece * (times % step) + after

    return pieces


def bodies() -> dict[str, tuple[Callable[[], Iterator[bytes]], str]]:
    """Return whole answers and what must become of each: refused, or taken."""
    one = b'{"data":[{"id":"1","v":'
    end = b"}]}"

    def whole(data: bytes) -> Callable[[], Iterator[bytes]]:
        return lambda: iter([data])

    many = b"".join(b'"k%d":%d,' % (n, n) for n in range(1_000_000))
    return {
        "lists 1e5 deep": (_repeat(one, b"[", 100_000, b"]" * 100_000 + end), "refused"),
        "objects 1e5 deep": (
            _repeat(one, b'{"a":', 100_000, b"1" + b"}" * 100_000 + end),
            "refused",
        ),
        "lists 1e5 deep, open": (_repeat(b"", b"[", 100_000, b""), "refused"),
        "lists 1e7 deep, open": (_repeat(b"", b"[", 10_000_000, b""), "refused"),
        "a string of 100 MB": (_repeat(one + b'"', b"x", 100_000_000, b'"' + end), "refused"),
        "a string of 50 MB": (_repeat(one + b'"', b"x", 50_000_000, b'"' + end), "refused"),
        "a string of 10 MB": (_repeat(one + b'"', b"x", 10_000_000, b'"' + end), "any"),
        "escapes, 60 MB": (_repeat(one + b'"', b"\\u0041", 10_000_000, b'"' + end), "refused"),
        "1e6 members in a record": (whole(one[:-4] + many + b'"z":1' + end), "any"),
        "1e6 members at the top": (whole(b"{" + many + b'"data":[]}'), "any"),
        "1e6 empty records": (_repeat(b'{"data":[', b"{},", 999_999, b"{}]}"), "any"),
        "5e6 numbers for records": (_repeat(b'{"data":[', b"1,", 5_000_000, b"1]}"), "any"),
        "blanks, 60 MB": (_repeat(b'{"data":[]', b" ", 60_000_000, b"}"), "any"),
        "line breaks, 60 MB": (_repeat(b'{"data":[]', b"\n", 60_000_000, b"}"), "any"),
        "NaN": (whole(one + b"NaN" + end), "refused"),
        "Infinity": (whole(one + b"-Infinity" + end), "refused"),
        "trailing comma": (whole(b'{"data":[{"id":"1",}]}'), "refused"),
        "trailing garbage": (whole(b'{"data":[{"id":"1"}]}garbage'), "refused"),
        "two documents": (whole(b'{"data":[{"id":"1"}]}{"data":[]}'), "refused"),
        "comment": (whole(b'{"data":[/* x */{"id":"1"}]}'), "refused"),
        "single quotes": (whole(b"{'data':[]}"), "refused"),
        "BOM": (whole(b"\xef\xbb\xbf" + b'{"data":[{"id":"1"}]}'), "taken"),
        "two BOMs": (whole(b"\xef\xbb\xbf\xef\xbb\xbf" + b'{"data":[]}'), "refused"),
        "UTF-16": (whole('\ufeff{"data":[{"id":"1"}]}'.encode("utf-16-le")), "taken"),
        "UTF-16 without BOM": (whole('{"data":[]}'.encode("utf-16-le")), "refused"),
        "UTF-7": (whole(b"+AHsAIgBkAGEAdABhACIAOgBbAF0AfQ-"), "refused"),
        "bad UTF-8": (whole(one + b'"\xff\xfe"' + end), "refused"),
        "overlong UTF-8": (whole(one + b'"\xc0\xaf"' + end), "refused"),
        "surrogates as UTF-8": (whole(one + b'"\xed\xa0\x80"' + end), "refused"),
        "NUL between tokens": (whole(b'{"data":\0[]}'), "refused"),
        "raw NUL in text": (whole(one + b'"a\0b"' + end), "refused"),
        "raw line break in text": (whole(one + b'"a\nb"' + end), "any"),
        "number as the body": (whole(b"1"), "refused"),
        "text as the body": (whole(b'"x"'), "refused"),
        "null": (whole(b"null"), "refused"),
        "true": (whole(b"true"), "refused"),
        "data null": (whole(b'{"data":null}'), "taken"),
        "data false": (whole(b'{"data":false}'), "refused"),
        "data a number": (whole(b'{"data":1}'), "refused"),
        "data twice": (whole(b'{"data":[{"id":"1"}],"data":[]}'), "any"),
        "records are lists": (whole(b'{"data":[[1],[2]]}'), "any"),
        "cursor an object": (whole(b'{"data":[{"id":"1"}],"next_cursor":{"a":1}}'), "any"),
        "cursor a list": (whole(b'{"data":[{"id":"1"}],"next_cursor":[1]}'), "any"),
        "cursor true": (whole(b'{"data":[{"id":"1"}],"next_cursor":true}'), "any"),
        "total 1e400": (whole(b'{"data":[],"total":1e400}'), "refused"),
        "total negative": (whole(b'{"data":[],"total":-1}'), "refused"),
        "total true": (whole(b'{"data":[],"total":true}'), "refused"),
        "total of 5000 digits": (whole(b'{"data":[],"total":' + b"9" * 5000 + b"}"), "refused"),
    }


def attempts(task: Task) -> Iterator[Attempt]:
    """Read every hostile answer, then load every hostile record."""
    heavy = ("MB", "1e7", "1e6", "5e6")
    for number, (name, (pieces, wanted)) in enumerate(bodies().items()):
        if task.quick and any(word in name for word in heavy):
            continue
        yield _answered(f"A6.{number}", name, pieces, wanted)
    yield from _loaded(task)


def _answered(
    number: str, name: str, pieces: Callable[[], Iterator[bytes]], wanted: str
) -> Attempt:
    stream = {
        "path": "/o",
        "records": "data",
        "key": "id",
        "total": "total",
        "paging": {"cursor": "next_cursor", "param": "cursor"},
    }
    settings = {
        "base_url": "http://shop.example",
        "allow_plain_http": "true",
        "attempts": "1",
        "streams": {"o": stream},
    }
    with measured() as cost:
        try:
            one = RestConnector(
                RestSettings.model_validate(settings), context(transport=Bytes(pieces, {}))
            )
            rows = 0
            for page in one.read(ReadRequest("o")):
                rows += len(page.records)
            outcome, detail = "handled", f"{rows} records"
        except ConnectorError as error:
            outcome, detail = "refused", said(error)
        except Exception as error:
            return Attempt(number, name, "succeeded", f"crashed: {said(error)}")
    detail += f"; {cost.megabytes:.0f} MB, {cost.seconds:.1f} s"
    if cost.megabytes > MEGABYTES or cost.cpu > SECONDS:
        return Attempt(number, name, "succeeded", f"too dear: {detail}")
    if wanted != "any" and (outcome == "refused") != (wanted == "refused"):
        return Attempt(number, name, "succeeded", f"wanted {wanted}, was {outcome}: {detail}")
    return Attempt(number, name, outcome, detail)  # type: ignore[arg-type]


# --- records ---------------------------------------------------------------------------------
GOOD, BAD = "good", "bad"
HEAD = '"updated_at":"2026-03-01T08:00:00+00:00","created_at":"2026-03-01T08:00:00+00:00",'


def records() -> dict[str, tuple[str, str, Any]]:
    """Return record texts: good with the total that must be stored, or bad (quarantine)."""

    def order(more: str, key: str = '"id":"{n}",') -> str:
        return "{" + key + HEAD + '"currency":"CNY",' + more + "}"

    return {
        "plain": (order('"total_price":"12.50"'), GOOD, "12.5000"),
        "number for text": (order('"total_price":12.50,"name":7'), GOOD, "12.5000"),
        "text for number": (order('"total_price":"abc"'), BAD, None),
        "true for number": (order('"total_price":true'), BAD, None),
        "list for number": (order('"total_price":[1]'), BAD, None),
        "object for number": (order('"total_price":{"a":1}'), BAD, None),
        "NaN as text": (order('"total_price":"NaN"'), BAD, None),
        "Infinity as text": (order('"total_price":"Infinity"'), BAD, None),
        "1e400": (order('"total_price":1e400'), BAD, None),
        "5,000 digits": (order(f'"total_price":{"9" * 5000}'), BAD, None),
        "5,000 digits after the dot": (order(f'"total_price":0.{"1" * 5000}'), BAD, None),
        "hex": (order('"total_price":"0x1F"'), BAD, None),
        "underscores": (order('"total_price":"1_000"'), BAD, None),
        "thousands": (order('"total_price":"1,234.50"'), BAD, None),
        "too many decimals": (order('"total_price":"1.23456789"'), BAD, None),
        "exponent": (order('"total_price":1e2'), GOOD, "100.0000"),
        "minus zero": (order('"total_price":-0'), GOOD, "0.0000"),
        "17 digits": (order('"total_price":12345678901234.5678'), GOOD, "12345678901234.5678"),
        "lone surrogate": (order('"total_price":"1","name":"a\\ud800b"'), GOOD, "1.0000"),
        "low surrogate": (order('"total_price":"1","name":"\\udc00"'), GOOD, "1.0000"),
        "escaped NUL": (order('"total_price":"1","name":"a\\u0000b"'), BAD, None),
        "escaped controls": (
            order('"total_price":"1","name":"\\u001b[31m\\u0007"'),
            GOOD,
            "1.0000",
        ),
        "key twice": (order('"total_price":"1","total_price":"2"'), BAD, "1|2"),
        "own key twice": (order('"id":"other","total_price":"1"'), BAD, "1"),
        "nested 2,000 deep": (
            order('"total_price":"1","x":' + "[" * 400 + "]" * 400),
            GOOD,
            "1.0000",
        ),
        "10,000 members": (
            order('"total_price":"1",' + ",".join(f'"m{n}":{n}' for n in range(10_000))),
            GOOD,
            "1.0000",
        ),
        "10,000 lines": (
            order(
                '"total_price":"1","line_items":['
                + ",".join(f'{{"id":{n},"sku":"s","quantity":1,"price":1}}' for n in range(10_000))
                + "]"
            ),
            GOOD,
            "1.0000",
        ),
        "lines as object": (order('"total_price":"1","line_items":{"id":1}'), "either", "1.0000"),
        "lines as text": (order('"total_price":"1","line_items":"x"'), "either", "1.0000"),
        "lines false": (order('"total_price":"1","line_items":false'), "either", "1.0000"),
        "lines of nulls": (order('"total_price":"1","line_items":[null,null]'), "either", "1.0000"),
        "date beyond": (
            order('"total_price":"1","created_at2":"x"').replace(
                '"created_at":"2026', '"created_at":"99992026'
            ),
            BAD,
            None,
        ),
        "empty name of a member": (order('"total_price":"1","":"x"'), GOOD, "1.0000"),
        "names with quotes": (
            order('"total_price":"1","\'; drop table x; --":"x"'),
            GOOD,
            "1.0000",
        ),
        "no key": (order('"total_price":"1"', key=""), "kept out", None),
        "key null": (order('"total_price":"1"', key='"id":null,'), "kept out", None),
        "key a list": (order('"total_price":"1"', key='"id":[1],'), "under [1]", "1.0000"),
        "key an object": (
            order('"total_price":"1"', key='"id":{"a":1},'),
            'under {"a":1}',
            "1.0000",
        ),
        "key true": (order('"total_price":"1"', key='"id":true,'), "under true", "1.0000"),
        "a number": ("7", "kept out", None),
        "a text": ('"x"', "kept out", None),
        "a list": ("[1,2]", "kept out", None),
        "null": ("null", "kept out", None),
    }


def _loaded(task: Task) -> Iterator[Attempt]:
    """Load all records in one sync; each must be stored exactly or stand in quarantine."""
    wanted = records()
    server = RestSimulator(
        {"customers": Collection([]), "orders": Collection([])}, token=small_shop.TOKEN
    )
    for number, (text, _, _) in enumerate(wanted.values()):
        server.put_raw("orders", f"h{number}", text.replace("{n}", f"h{number}").encode())
    space = small_shop.workspace(task.inner("records"), "http://127.0.0.1:1", limit=500)
    outcome = sync_stream(space, "shop", "orders", transport=SimulatorTransport(server))
    published = unify_publish(space)
    trouble = [e for e in (outcome.error, published.error) if e is not None]
    if trouble or outcome.read != outcome.landed:
        said_so = f"{trouble or ''} read {outcome.read}, landed {outcome.landed}"
        yield Attempt("A6.records", "the sync itself", "succeeded", said_so)
    rows = dict(
        reader.run_query(
            space.home.current, "select source_key, total::varchar from source.orders"
        ).rows
    )
    bad = dict(
        reader.run_query(space.home.current, "select position, reason from ops.quarantine").rows
    )
    space.control.close()
    if len(rows) + len(bad) != len(wanted):
        told = f"{len(wanted)} records became {len(rows)} rows and {len(bad)} in quarantine"
        yield Attempt("A6.records", "nothing lost silently", "succeeded", told)
    for number, (name, (_, fate, total)) in enumerate(wanted.items()):
        key = fate.removeprefix("under ") if fate.startswith("under ") else f"h{number}"
        stored, why = rows.get(key), bad.get(number + 1)
        right = (
            stored == total
            if fate.startswith("under ")
            else {
                GOOD: stored == total,
                BAD: stored is None and why is not None,
                "kept out": stored is None and why is not None,
                "either": stored == total or why is not None,
            }[fate]
        )
        if name == "key twice":  # JSON leaves open which one holds
            right = why is not None or stored in ("1.0000", "2.0000")
        if name == "own key twice":
            right = why is not None or stored is not None or rows.get("other") is not None
        shown = f"stored {stored!r}, quarantine {why!r}"
        outcome_ = "succeeded" if not right else "refused" if why is not None else "handled"
        yield Attempt(f"A6.r{number}", f"record: {name}", outcome_, shown[:200])  # type: ignore[arg-type]
