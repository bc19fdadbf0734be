"""A server that throws the secrets of its caller back in every place of an answer."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.attacks.canaries import ENCODINGS

GOOD = b'{"data":[{"id":"1","name":"n","updated_at":"2026-03-01T00:00:00+00:00"}],"total":1}'
Answer = tuple[int, dict[str, str], bytes]


class Leaky:
    """Answers /api/<channel>; each answer repeats secrets of its request in the next encodings.

    A system can repeat only what it was sent: those are found in the request in any encoding.
    `issued` is the token that it gives out; with it come the id and secret that it was given for.
    """

    def __init__(self, secrets: Sequence[str], issued: str, proofs: Sequence[str]) -> None:
        self.secrets = list(secrets)
        self.issued = issued
        self.proofs = list(proofs)
        self.seen = b""
        self.thrown: set[tuple[str, str]] = set()
        self.visits: dict[str, int] = {}
        self._turns: dict[str, itertools.cycle[str]] = {
            s: itertools.cycle(ENCODINGS) for s in secrets
        }
        self._round = itertools.count()
        self._lock = threading.Lock()
        self._request = threading.local()

    def text(self, count: int = 2) -> str:
        """Return some secrets of this request, as an error message would repeat them."""
        known: list[str] = self._request.known
        parts = []
        with self._lock:
            for _ in range(count if known else 0):
                secret = known[next(self._round) % len(known)]
                name = next(self._turns[secret])
                self.thrown.add((secret, name))
                parts.append(ENCODINGS[name](secret))
        return " ".join(parts)

    def one(self) -> str:
        """Return one, fit for a header."""
        return self.text(1).encode("ascii", "ignore").decode()

    def answer(self, method: str, target: str, raw: bytes) -> Answer:
        """Return status, headers and body."""
        self.seen += raw
        known = [
            s for s in self.secrets if any(code(s).encode() in raw for code in ENCODINGS.values())
        ]
        self._request.known = known + (self.proofs if self.issued in known else [])
        parts = urlsplit(target).path.strip("/").split("/")
        channel = parts[1] if parts[0] == "api" and len(parts) > 1 else parts[0]
        self.visits[channel] = self.visits.get(channel, 0) + 1
        if channel == "token":
            made = json.dumps({"access_token": self.issued, "expires_in": 3600})
            return 200, {}, made.encode()
        return CHANNELS.get(channel, CHANNELS["status404"])(self)


def _message(status: int) -> Callable[[Leaky], Answer]:
    return lambda s: (status, {"Retry-After": "99999"}, _json({"message": f"no: {s.text()}"}))


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _again(s: Leaky) -> Answer:
    """Page one; then a fault, so that the next run resumes; then a body that names secrets."""
    visit = s.visits["again"]
    if visit % 3 == 1:
        return 200, {}, _json({"data": [{"id": "1", "name": "n"}], "next_cursor": "c2"})
    if visit % 3 == 2:
        return 400, {}, _json({"message": "later"})
    return 200, {}, _json({s.text(): 1})


CHANNELS: dict[str, Callable[[Leaky], Answer]] = {
    **{f"status{code}": _message(code) for code in (400, 401, 403, 404, 409, 429, 500, 503)},
    "envelope": lambda s: (200, {}, _json({"code": 1, "message": s.text()})),
    "page": lambda s: (200, {"Content-Type": "text/html"}, f"<html>{s.text()}".encode()),
    "kind": lambda s: (200, {"Content-Type": s.one()}, f"no json {s.text()}".encode()),
    "charset": lambda s: (200, {"Content-Type": f"a/json; charset={s.one()}"}, b'{"a":"\xff"}'),
    "packed": lambda s: (200, {"Content-Encoding": s.one()}, GOOD),
    "moved": lambda s: (302, {"Location": f"https://x.example/{s.one()}/?a={s.one()}"}, b""),
    "moved_user": lambda s: (302, {"Location": f"https://{s.one()}@x.example/"}, b""),
    "request_id": lambda s: (500, {"X-Request-Id": "r" * 80 + s.one()}, b"{}"),
    "names": lambda s: (200, {}, _json({s.text(): 1, s.one(): 2})),
    "total": lambda s: (200, {}, _json({"data": [], "total": s.text(1)})),
    "foreign": lambda s: (200, {}, _json({"data": [], "next": f"https://{s.one()}.example/"})),
    "foreign_path": lambda s: (200, {}, _json({"data": [], "next": f"//x.example/{s.one()}"})),
    "inside": lambda s: (200, {}, _json({"data": [], "next": f"/api/status400/{s.one()}"})),
    "inside_query": lambda s: (
        200, {}, _json({"data": [{"id": "1"}], "next": f"/api/status500?t={s.one()}"}),
    ),
    "cursor": lambda s: (200, {}, _json({"data": [{"id": "1"}], "next_cursor": s.text(1)})),
    "broken": lambda s: (200, {}, f'{{"data": [{s.text()}'.encode()),
    "list": lambda s: (200, {}, _json({"data": {s.text(): s.text()}})),
    "stamp": lambda s: (200, {}, _json({"data": [{"id": "1", "updated_at": s.text(1)}]})),
    "cookie": lambda s: (400, {"Set-Cookie": s.one(), "Date": s.one(), "ETag": s.one()}, b"{}"),
    "retry": lambda s: (429, {"Retry-After": s.one()}, _json({"error": s.text()})),
    "again": _again,
}  # fmt: skip


@contextmanager
def serving(leaky: Leaky) -> Iterator[str]:
    """Serve on loopback; yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            raw = self.path.encode() + str(self.headers).encode() + self.rfile.read(length)
            status, headers, body = leaky.answer(self.command, self.path, raw)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            with suppress(OSError):  # a caller that hangs up has seen enough
                self.end_headers()
                self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
