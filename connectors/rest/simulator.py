"""A REST server in memory: every paging style, filters by stamp, totals, and faults to order.

It behaves like the many plain JSON APIs that the `rest` connector is for and shares no code with
it, so that tests judge the connector by an independent journal of what was sent.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from connectors.rest.faults import Fault, Reply, answer_fault

Paging = Literal["cursor", "page", "offset", "next", "link", "last", "none"]
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(slots=True)
class Collection:
    """One list of records at `/<name>` (or `path`) and how it is paged and filtered.

    A record is a dict that JSON can hold; `Decimal` is written as a bare number, every digit kept.
    `records_at` "" makes the list the whole body. `stamp_format` (iso, epoch, epoch_ms) is how the
    filters since/until read their parameter; both bounds are inclusive.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    key: str = "id"
    stamp: str | None = "updated_at"
    records_at: str = "data"
    paging: Paging = "cursor"
    path: str = ""
    page_size: int = 100
    max_page_size: int = 500
    size_param: str = "limit"
    cursor_param: str = "cursor"
    cursor_at: str = "next_cursor"
    page_param: str = "page"
    first_page: int = 1
    offset_param: str = "offset"
    next_at: str = "next"
    last_param: str = "starting_after"
    more_at: str = "has_more"
    total_at: str = "total"
    since_param: str = "updated_since"
    until_param: str = "updated_until"
    stamp_format: Literal["iso", "epoch", "epoch_ms"] = "iso"
    envelope: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Row:
    sequence: int
    key: str
    at: datetime | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """One journal line: a request and what was answered, or a record version and when.

    kind: request | put | delete. `status` is 0 for record versions, `records` how many were sent.
    """

    kind: str
    collection: str
    at: datetime
    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    status: int = 0
    records: int = 0
    key: str = ""
    fault: str = ""


class RestSimulator:
    """The ASGI app. `token` None leaves every door open; `answer` is the same without ASGI.

    `secret` is the client's, which the token endpoint wants in the form; "" takes any.
    """

    def __init__(
        self,
        collections: Mapping[str, Collection],
        *,
        token: str | None = None,
        token_requests: int | None = None,
        secret: str = "",
        now: Any = None,
    ) -> None:
        self.collections = dict(collections)
        self.token = token
        self.token_requests = token_requests
        self.secret = secret
        self.tokens_issued = 0
        self.journal: list[Sent] = []
        self.faults: list[Fault] = []
        self.requests = 0
        self._used = 0
        self._sequence = 0
        self._now = now or (lambda: datetime.now(UTC))
        self._rows: dict[str, dict[str, _Row]] = {}
        for name, collection in self.collections.items():
            self._rows[name] = {}
            for record in collection.records:
                self.put(name, record)

    # --- the records -------------------------------------------------------------------------
    def put(self, collection: str, record: dict[str, Any]) -> None:
        """Add or replace a record; its stamp is the caller's business. Journalled.

        A record whose key is missing or null is kept under a name of its own.
        """
        spec = self.collections[collection]
        self._sequence += 1
        key = record.get(spec.key)
        name = f"\0{self._sequence}" if key is None else str(key)
        row = _Row(self._sequence, name, self._stamp(spec, record), _encode(record))
        rows = self._rows[collection]
        if name in rows:  # keeps its place in the list
            row.sequence = rows[name].sequence
        rows[name] = row
        self.journal.append(Sent("put", collection, self._now(), key=name))

    def put_raw(self, collection: str, key: str, body: bytes) -> None:
        """Add a list member as raw bytes (of any shape), for hostile answers."""
        self._sequence += 1
        self._rows[collection][key] = _Row(self._sequence, key, None, body)

    def delete(self, collection: str, key: str) -> None:
        """Remove a record for good, as a hard delete does. Journalled."""
        self._rows[collection].pop(key, None)
        self.journal.append(Sent("delete", collection, self._now(), key=key))

    def fault(self, kind: str, *, request: int = 0, times: int = 1, **detail: Any) -> None:
        """Order a fault for the next `times` requests, from the `request`-th on (1: the next)."""
        first = self.requests + max(request, 1)
        self.faults.append(Fault(kind, first, first + times, detail))

    def sent(self, collection: str | None = None) -> list[Sent]:
        """Return the journal's requests, of one collection if named."""
        return [
            line
            for line in self.journal
            if line.kind == "request" and collection in (None, line.collection)
        ]

    @staticmethod
    def _stamp(spec: Collection, record: dict[str, Any]) -> datetime | None:
        value = record.get(spec.stamp) if spec.stamp else None
        return _instant(value) if value is not None else None

    # --- answering ---------------------------------------------------------------------------
    def answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """Answer one request; `headers` in lower case."""
        self.requests += 1
        params = dict(parse_qsl(query, keep_blank_values=True))
        if body and "json" in headers.get("content-type", ""):
            members = msgspec.json.decode(body)
            params |= {name: str(value) for name, value in members.items()}
        if path == "/oauth/token":
            return self._issue(dict(parse_qsl(body.decode())))
        name = next(
            (n for n, c in self.collections.items() if path == (c.path or f"/{n}")), ""
        )  # fmt: skip
        fault = next((f for f in self.faults if f.first <= self.requests < f.end), None)
        if fault is not None and (reply := answer_fault(fault)) is not None:
            self._note(name, path, params, reply, fault.kind)
            return reply
        reply = self._checked(name, path, params, headers, fault)
        self._note(name, path, params, reply, fault.kind if fault else "")
        return reply

    def _note(
        self, name: str, path: str, params: dict[str, str], reply: Reply, fault: str
    ) -> None:  # fmt: skip
        self.journal.append(
            Sent("request", name, self._now(), path, params, reply.status, reply.records, "", fault)
        )

    def _issue(self, form: Mapping[str, str]) -> Reply:
        if self.secret and form.get("client_secret") != self.secret:
            return Reply(401, b'{"error":"invalid_client"}')
        self.tokens_issued += 1
        self.token = f"issued-{self.tokens_issued}"
        self._used = 0
        return Reply(
            200, _encode({"access_token": self.token, "token_type": "bearer", "expires_in": 3600})
        )

    def _checked(
        self,
        name: str,
        path: str,
        params: dict[str, str],
        headers: Mapping[str, str],
        fault: Fault | None,
    ) -> Reply:
        if self.token is not None:
            self._used += 1
            expired = self.token_requests is not None and self._used > self.token_requests
            if expired or headers.get("authorization") != f"Bearer {self.token}":
                return Reply(401, _encode({"error": {"message": "token expired or unknown"}}))
        if not name:
            return Reply(404, _encode({"error": {"message": f"no such path {path}"}}))
        try:
            return self._page(name, path, params, fault)
        except ValueError as error:
            return Reply(400, _encode({"error": {"message": str(error)}}))

    def _page(
        self, name: str, path: str, params: dict[str, str], fault: Fault | None
    ) -> Reply:  # fmt: skip
        spec = self.collections[name]
        rows: Iterable[_Row] = sorted(self._rows[name].values(), key=lambda row: row.sequence)
        since, until = (params.get(p) for p in (spec.since_param, spec.until_param))
        if since:
            low = _bound(since, spec.stamp_format)
            rows = [row for row in rows if row.at is None or row.at >= low]
        if until:
            high = _bound(until, spec.stamp_format)
            rows = [row for row in rows if row.at is None or row.at <= high]
        found = list(rows)
        size = min(int(params.get(spec.size_param) or spec.page_size), spec.max_page_size)
        repeat = fault is not None and fault.kind == "repeat"
        start = 0 if repeat else self._start(spec, found, params, size)
        page = found if spec.paging == "none" else found[start : start + size]
        more = spec.paging != "none" and start + len(page) < len(found)
        return self._reply(spec, path, params, page, more, start, size, len(found), fault)

    @staticmethod
    def _start(spec: Collection, found: list[_Row], params: dict[str, str], size: int) -> int:
        if spec.paging == "page":
            return (int(params.get(spec.page_param) or spec.first_page) - spec.first_page) * size
        if spec.paging == "offset":
            return int(params.get(spec.offset_param) or 0)
        if spec.paging == "last":
            last = params.get(spec.last_param)
            at = next((i for i, row in enumerate(found) if row.key == last), -1)
            return at + 1
        mark = params.get(spec.cursor_param)
        if not mark:
            return 0
        after = int(base64.urlsafe_b64decode(mark.encode()).decode())
        return next((i for i, row in enumerate(found) if row.sequence > after), len(found))

    def _reply(
        self,
        spec: Collection,
        path: str,
        params: dict[str, str],
        page: list[_Row],
        more: bool,
        start: int,
        size: int,
        total: int,
        fault: Fault | None,
    ) -> Reply:
        body = b"[" + b",".join(row.body for row in page) + b"]"
        headers: dict[str, str] = {}
        members: dict[str, bytes] = {n: _encode(v) for n, v in spec.envelope.items()}
        mark = base64.urlsafe_b64encode(str(page[-1].sequence if page else 0).encode()).decode()
        if fault is not None and fault.kind == "cursor_back":
            mark, more = str(params.get(spec.cursor_param, mark)), True
        link = f"{path}?{urlencode(params | {spec.cursor_param: mark})}"
        if fault is not None and fault.kind == "foreign_next":
            link, more = str(fault.detail["url"]), True
        if spec.paging == "cursor":
            members[spec.cursor_at] = _encode(mark if more else None)
        elif spec.paging == "next":
            members[spec.next_at] = _encode(link if more else None)
        elif spec.paging == "link" and more:
            headers["link"] = f'<{link}>; rel="next"'
        members[spec.more_at] = _encode(more)
        if spec.total_at:
            members[spec.total_at] = _encode(total)
        if spec.records_at:
            body = _wrap(spec.records_at, body, members)
        return Reply(200, body, headers=headers, records=len(page))

    # --- ASGI --------------------------------------------------------------------------------
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer over ASGI."""
        request = Request(scope, receive)
        reply = self.answer(
            request.method,
            request.url.path,
            request.url.query,
            dict(request.headers),
            await request.body(),
        )
        headers = {"content-type": "application/json", "request-id": f"req-{self.requests}"}
        headers |= reply.headers
        if reply.stream is None and reply.seconds == 0:
            await Response(reply.body, reply.status, headers)(scope, receive, send)
            return
        await StreamingResponse(_streamed(reply), reply.status, headers)(scope, receive, send)


async def _streamed(reply: Reply) -> AsyncIterator[bytes]:
    if reply.seconds:
        await asyncio.sleep(reply.seconds)
    for piece in reply.stream if reply.stream is not None else (reply.body,):
        yield piece
        await asyncio.sleep(reply.drip)
    if reply.cut:
        raise ConnectionResetError("cut on order")


def _wrap(path: str, body: bytes, members: dict[str, bytes]) -> bytes:
    """Put the list at a dotted path, the other members at the top."""
    *outer, last = path.split(".")
    inner = _encode(last) + b":" + body
    for name in reversed(outer):
        inner = _encode(name) + b":{" + inner + b"}"
    return b"{" + b",".join([*(_encode(n) + b":" + v for n, v in members.items()), inner]) + b"}"


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        at = value
    elif isinstance(value, int | float):
        at = datetime.fromtimestamp(value / (1000 if value > 10**11 else 1), UTC)
    else:
        at = datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _bound(text: str, style: str) -> datetime:
    if style == "iso":
        return _instant(text.replace(" ", "+") if "T" in text else text)
    return _instant(int(text) if style == "epoch" else int(text) / 1000)
