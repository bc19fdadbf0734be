"""The wire between a connector and a simulator: counts what passes and answers faults to order.

A fault is a function that gets the request and how to get the true answer; what it returns or
raises stands in the answer's place. So every HTTP connector meets the same faults, whatever its
simulator can be ordered to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any, TypeAlias

import httpx

Fault: TypeAlias = Callable[[httpx.Request, Callable[[], httpx.Response]], httpx.Response]
App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
FOR_EVER = 1_000_000
MOST = 300
"""Pages that one read may ask for: one without end must not hold the tests up."""
FOREIGN = "https://elsewhere.example"
"""A host that no connection under test may speak to."""


class Asgi(httpx.BaseTransport):
    """Hands requests to an ASGI app without a network; an app that raises is a lost connection."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer over ASGI."""
        url = request.url
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
            "method": request.method, "scheme": url.scheme, "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0], "query_string": url.query,
            "root_path": "", "client": ("127.0.0.1", 1), "server": (url.host, url.port or 80),
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
        }  # fmt: skip
        body, sent = request.read(), list[MutableMapping[str, Any]]()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        async def answer() -> None:
            await self._app(scope, receive, send)

        try:
            self._loop.run_until_complete(answer())
        except ConnectionError as error:
            raise httpx.ReadError(str(error), request=request) from None
        data = b"".join(message.get("body", b"") for message in sent[1:])
        return httpx.Response(
            sent[0]["status"], headers=sent[0].get("headers", []), stream=httpx.ByteStream(data)
        )

    def close(self) -> None:
        """Give the loop back. A client closes its transport; the bench closes this one."""
        self._loop.close()


@dataclass(slots=True)
class _Order:
    fault: Fault
    first: int
    end: int


class Wire(httpx.BaseTransport):
    """Hands requests on to `server`, an ASGI app or a transport, or to the fault that is ordered.

    `pages` counts the requests for pages (`is_page`), each attempt of one; faults are ordered by
    that number. `strayed` are addresses of other hosts than the first one: none may ever come.
    `clock` is what the answers' Date header says, where it is set.
    """

    def __init__(
        self, server: httpx.BaseTransport | App, is_page: Callable[[httpx.Request], bool]
    ) -> None:
        self._server = server if isinstance(server, httpx.BaseTransport) else Asgi(server)
        self._is_page = is_page
        self._orders: list[_Order] = []
        self.requests: list[httpx.Request] = []
        self.pages = 0
        self.strayed: list[str] = []
        self.clock: datetime | None = None
        self._begun = 0

    def begin(self) -> None:
        """Begin a read: its pages are counted anew against MOST."""
        self._begun = self.pages

    def order(self, fault: Fault, *, page: int = 1, times: int = 1) -> None:
        """Play `fault` from the `page`-th request for a page from now (1: the next) on."""
        first = self.pages + page
        self._orders.append(_Order(fault, first, first + times))

    def clear(self) -> None:
        """Call all orders off."""
        self._orders.clear()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, rightly or as ordered."""
        request.read()
        if self.requests and request.url.host != self.requests[0].url.host:
            self.strayed.append(str(request.url))
            raise httpx.ConnectError("another host", request=request)
        self.requests.append(request)
        fault: Fault | None = None
        if self._is_page(request):
            self.pages += 1
            if self.pages - self._begun > MOST:
                raise AssertionError(f"{MOST} pages were asked for: the read has no end")
            orders = (one for one in self._orders if one.first <= self.pages < one.end)
            fault = next((one.fault for one in orders), None)
        if fault is not None:
            return fault(request, lambda: self._true(request))
        return self._true(request)

    def _true(self, request: httpx.Request) -> httpx.Response:
        response = self._server.handle_request(request)
        if self.clock is not None:
            response.headers["date"] = format_datetime(self.clock, usegmt=True)
        return response

    def close(self) -> None:
        """Do nothing: each run's client closes its transport, and the next run needs it."""

    def end(self) -> None:
        """Close what the requests were handed to."""
        self._server.close()


def answer(status: int, data: bytes, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Return an answer as it comes over the wire: not decoded, JSON unless headers say else."""
    said = {"content-type": "application/json", "content-length": str(len(data))}
    return httpx.Response(status, headers=said | dict(headers or {}), stream=httpx.ByteStream(data))


def body_of(response: httpx.Response) -> bytes:
    """Return the bytes of an answer."""
    return response.read()


def instead(status: int, data: bytes = b"{}", **headers: str) -> Fault:
    """Return the fault that answers this in place of the truth; `_` in a header's name is `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request, true: answer(status, data, named)


def page_of_html() -> Fault:
    """Return the fault of a log-in or maintenance page under HTTP 200."""
    page = b"<!DOCTYPE html><html><title>Sign in</title></html>"
    return instead(200, page, content_type="text/html")


def cut_off(*, announced: bool) -> Fault:
    """Return the fault of a body that ends half-way, where its length was announced or not."""

    def play(request: httpx.Request, true: Callable[[], httpx.Response]) -> httpx.Response:
        data = body_of(true())
        half = answer(200, data[: max(len(data) // 2, 1)])
        if announced:
            half.headers["content-length"] = str(len(data))
        else:
            del half.headers["content-length"]
        return half

    return play


def lost() -> Fault:
    """Return the fault of a connection that breaks before the answer."""

    def play(request: httpx.Request, true: Callable[[], httpx.Response]) -> httpx.Response:
        raise httpx.ReadError("reset on order", request=request)

    return play


def stuck() -> Fault:
    """Return the fault of a server that gives the first page that it was asked for for ever."""
    kept: list[tuple[int, bytes, dict[str, str]]] = []

    def play(request: httpx.Request, true: Callable[[], httpx.Response]) -> httpx.Response:
        if not kept:
            response = true()
            kept.append((response.status_code, body_of(response), dict(response.headers)))
        return answer(*kept[0])

    return play


def changed(change: Callable[[bytes], bytes | httpx.Response]) -> Fault:
    """Return the fault that changes the body of the true answer, or gives another answer."""

    def play(request: httpx.Request, true: Callable[[], httpx.Response]) -> httpx.Response:
        response = true()
        made = change(body_of(response))
        return made if isinstance(made, httpx.Response) else answer(response.status_code, made)

    return play
