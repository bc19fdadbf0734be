"""A simulator as an ASGI app: one request in, one reply out; `answer` is the same without ASGI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

JSON = "application/json; charset=utf-8"
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; `query` is as it came, `headers` are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def params(self) -> dict[str, str]:
        """The query's parameters, blank ones too; the last of a name counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form, in the same way."""
        return dict(parse_qsl(self.content.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; a body that is not bytes is written as JSON, decimals as bare numbers."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        """The body as it goes over the wire."""
        return self.body if isinstance(self.body, bytes) else _encode(self.body)


class Simulator:
    """The ASGI app: a subclass says what is answered."""

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer over ASGI."""
        request = Request(scope, receive)
        url, headers = request.url, dict(request.headers)
        asked = Asked(request.method, url.path, url.query, headers, await request.body())
        reply = self.answer(asked)
        await Response(reply.data, reply.status, dict(reply.headers))(scope, receive, send)


def dated(now: datetime, kind: str = JSON) -> dict[str, str]:
    """Return the headers of an answer of this moment, of this content type."""
    return {"content-type": kind, "date": format_datetime(now.astimezone(UTC), usegmt=True)}
