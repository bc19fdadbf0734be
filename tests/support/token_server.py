"""A system on loopback that gives out tokens which rotate: a spent refresh token revokes all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

SEED = "canary-refresh-0"


@dataclass
class TokenServer:
    """`grants` are the token requests in their order; `lenient` takes a spent refresh token again.

    The first grant is held back for `hold` seconds, unless a second one comes meanwhile.

    Every answer to a wrong token repeats the tokens, as careless systems do.
    """

    life: int = 3600
    lenient: bool = False
    hold: float = 0.0
    second: threading.Event = field(default_factory=threading.Event)
    refresh: str = SEED
    access: str = ""
    grants: list[str] = field(default_factory=list)
    spent: set[str] = field(default_factory=set)
    refused: int = 0
    revoked: bool = False
    url: str = ""
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def grant(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Answer the token endpoint."""
        if self.grants or (self.hold and self.asked.acquire(blocking=False) is False):
            self.second.set()
        elif self.hold:
            self.second.wait(self.hold)
        with self.lock:
            number = len(self.grants) + 1
            self.grants.append(form["grant_type"])
            given = form.get("refresh_token", "")
            if form["grant_type"] == "refresh_token":
                again = given in self.spent and not self.lenient
                if again or self.revoked or (given != self.refresh and given not in self.spent):
                    self.revoked = self.revoked or again
                    return 400, {"error": "invalid_grant", "message": f"{given} is spent"}
                self.spent.add(given)
                self.refresh = f"canary-refresh-{number}"
            self.access = f"canary-access-{number}"
            answer: dict[str, object] = {"access_token": self.access, "expires_in": self.life}
            if form["grant_type"] == "refresh_token":
                answer["refresh_token"] = self.refresh
            return 200, answer

    def orders(self, header: str) -> tuple[int, object]:
        """Answer the list."""
        if header == f"Bearer {self.access}" and self.access:
            return 200, [{"id": "o1"}]
        self.refused += 1
        return 401, {"message": f"{header} is not {self.access}, {self.refresh}"}


@contextmanager
def serving(server: TokenServer) -> Iterator[TokenServer]:
    """Serve on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._say(*server.grant({name: found[0] for name, found in parse_qs(text).items()}))

        def do_GET(self) -> None:
            self._say(*server.orders(self.headers.get("Authorization", "")))

        def _say(self, status: int, body: object) -> None:
            data = json.dumps(body).encode()
            head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
            self.wfile.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join(5)
