"""Parts for tests of HTTP connectors: a clock that pauses move, scripted answers, a raw server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx

from connectors.address import AddressRules
from connectors.base import Context, Page, ReadRequest
from connectors.http import HttpClient
from connectors.rest import RestConnector
from connectors.rest.settings import RestSettings
from connectors.rest.simulator import RestSimulator
from tests.support.still_clock import START
from tests.support.still_clock import StillClock as Time

TOKEN = "canary-Tok3n/with+odd=signs"


def context(time: Time | None = None, transport: Any = None, **more: Any) -> Context:
    time = time or Time()
    return Context(
        "shop",
        timezone="Asia/Shanghai",
        secret={"env:SHOP_TOKEN": TOKEN, "env:OTHER": "other-secret-9876"}.__getitem__,
        now=time.now,
        pause=time.pause,
        transport=transport,
        **more,
    )


class Script(httpx.BaseTransport):
    """Answers requests from a list, the last one again and again; keeps the requests."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Callable):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            answer = httpx.Response(answer, json={"message": f"status {answer}"})
        elif isinstance(answer, dict | list):
            answer = httpx.Response(200, json=answer)
        # A stream keeps the body as sent, so that the client under test decodes it.
        return (
            httpx.Response(
                answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content)
            )
            if "content-encoding" not in answer.headers
            else answer
        )


class SimulatorTransport(httpx.BaseTransport):
    """Hands requests to a simulator without a network."""

    def __init__(self, simulator: RestSimulator) -> None:
        self.simulator = simulator

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        reply = self.simulator.answer(
            request.method, url.path, url.query.decode(), dict(request.headers), request.read()
        )
        body = b"".join(reply.stream) if reply.stream is not None else reply.body
        headers = {"content-type": "application/json", **reply.headers}
        if reply.cut:
            headers["content-length"] = str(len(body) + 100)
        return httpx.Response(reply.status, headers=headers, stream=httpx.ByteStream(body))


def client(*answers: Any, time: Time | None = None, **more: Any) -> tuple[HttpClient, Script]:
    script = Script(*answers)
    made = HttpClient(
        "http://shop.example/api",
        context(time, script, shelf=more.pop("shelf", None)),
        address=AddressRules(allow_plain_http=True),
        **more,
    )
    return made, script


def connector(
    simulator: RestSimulator | str, streams: dict[str, Any], time: Time | None = None, **more: Any
) -> RestConnector:
    """Return a connector on a simulator without network, or on a base URL."""
    served = isinstance(simulator, str)
    settings = {
        "base_url": simulator if served else "http://shop.example",
        "allow_private": "true",
        "allow_plain_http": "true",
        "streams": streams,
        **more,
    }
    transport = None if served else SimulatorTransport(simulator)
    return RestConnector(RestSettings.model_validate(settings), context(time, transport))


def read(
    one: RestConnector, stream: str, bookmark: Any = None, mode: str = "changed", **more: Any
) -> list[Page]:
    return list(one.read(ReadRequest(stream, mode, bookmark, **more)))


def keys(pages: list[Page]) -> list[str | None]:
    return [key for page in pages for key in page.keys]


def orders(count: int, start: datetime = START - timedelta(days=30)) -> list[dict[str, Any]]:
    """Return orders o1 … whose stamps are a minute apart."""
    return [
        {"id": f"o{n}", "updated_at": (start + timedelta(minutes=n)).isoformat(), "total": "9.90"}
        for n in range(1, count + 1)
    ]


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """Serve bytes as they are: `talk` gets each connection after its request was read.

    Yields the base URL and the list of requests that arrived.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    arrived: list[bytes] = []

    def run() -> None:
        while True:
            try:
                con, _ = listener.accept()
            except OSError:
                return
            with con:
                try:
                    arrived.append(con.recv(65536))
                    talk(con)
                except OSError:
                    pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", arrived
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
