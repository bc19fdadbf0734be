"""Faults that the simulator can be ordered to answer with, as data."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do wrong from the request numbered `first` to the one before `end`."""

    kind: str
    first: int
    end: int
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: a whole `body`, or a `stream` sent piece by piece with `drip` seconds between.

    `seconds` is the silence before the first byte; `cut` breaks the connection after the last.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    records: int = 0
    stream: Iterable[bytes] | None = None
    seconds: float = 0.0
    drip: float = 0.0
    cut: bool = False


def answer_fault(fault: Fault) -> Reply | None:
    """Return the faulty answer, or None where the fault changes a real page (repeat, …).

    Raises KeyError for a kind that does not exist.
    """
    return _KINDS[fault.kind](fault.detail)


def _none(_detail: Mapping[str, Any]) -> None:
    return None


def _status(detail: Mapping[str, Any]) -> Reply:
    return Reply(int(detail["status"]), b'{"error":{"message":"ordered"}}')


def _throttle(detail: Mapping[str, Any]) -> Reply:
    after = detail.get("retry_after")
    headers = {} if after is None else {"retry-after": str(after)}
    return Reply(429, b'{"error":{"message":"slow down"}}', headers)


def _throttle_body(detail: Mapping[str, Any]) -> Reply:
    return Reply(200, detail.get("body", b'{"code":429,"message":"slow down"}'))


def _html(detail: Mapping[str, Any]) -> Reply:
    page = b"<!DOCTYPE html><html><title>Sign in</title></html>"
    return Reply(int(detail.get("status", 200)), page, {"content-type": "text/html"})


def _body(detail: Mapping[str, Any]) -> Reply:
    return Reply(200, detail.get("body", b'{"data":[{"id":1},'), dict(detail.get("headers", {})))


def _reset(_detail: Mapping[str, Any]) -> Reply:
    return Reply(200, stream=(b'{"data":[',), headers={"content-length": "1000"}, cut=True)


def _truncated(_detail: Mapping[str, Any]) -> Reply:
    return Reply(200, stream=(b'{"data":[{"id":1}',), cut=True)


def _hang(detail: Mapping[str, Any]) -> Reply:
    return Reply(200, b"{}", seconds=float(detail.get("seconds", 30)))


def _drip(detail: Mapping[str, Any]) -> Reply:
    step = float(detail.get("seconds", 0.05))
    return Reply(200, stream=(b" " for _ in range(100_000)), drip=step)


def _bomb(detail: Mapping[str, Any]) -> Reply:
    return Reply(
        200, stream=_deflated(int(detail.get("size", 200_000_000))),
        headers={"content-encoding": "gzip"},
    )  # fmt: skip


def _deflated(size: int) -> Iterator[bytes]:
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield press.compress(b'{"data":["')
    for _ in range(size // 1_000_000):
        yield press.compress(b" " * 1_000_000)
    yield press.compress(b'"]}') + press.flush()


def _huge(detail: Mapping[str, Any]) -> Reply:
    def pieces() -> Iterator[bytes]:
        yield b'{"data":[{"id":0}'
        record = b',{"id":1,"text":"' + b"x" * 982 + b'"}'
        for _ in range(int(detail.get("size", 500_000_000)) // (len(record) * 1000)):
            yield record * 1000
        yield b"]}"

    return Reply(200, stream=pieces())


_KINDS: dict[str, Callable[[Mapping[str, Any]], Reply | None]] = {
    "status": _status,
    "throttle": _throttle,
    "throttle_body": _throttle_body,
    "html": _html,
    "body": _body,
    "malformed": _body,
    "reset": _reset,
    "truncated": _truncated,
    "hang": _hang,
    "drip": _drip,
    "bomb": _bomb,
    "huge": _huge,
    "repeat": _none,
    "cursor_back": _none,
    "foreign_next": _none,
}
