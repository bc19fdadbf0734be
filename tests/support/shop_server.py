"""A small JSON shop of the standard library alone: cursor pages of /orders, a journal of requests.

It shares no code with the project, so a fault common to connector and simulator cannot hide here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Shop:
    """Orders by id, each a dict with `id` and `updated_at`; `texts` replaces a record's JSON."""

    orders: dict[str, dict] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)
    token: str | None = None
    broken: bool = False

    def page(self, query: dict[str, str]) -> str:
        since = query.get("updated_since", "")
        chosen = [o for o in self.orders.values() if o["updated_at"] >= since[:19]]
        chosen.sort(key=lambda o: (o["updated_at"], str(o["id"])))
        start = int(query.get("cursor", 0))
        limit = int(query.get("limit", 100))
        some = chosen[start : start + limit]
        end = start + limit
        data = ",".join(self.texts.get(str(o["id"])) or json.dumps(o) for o in some)
        cursor = json.dumps(str(end)) if end < len(chosen) else "null"
        return f'{{"data":[{data}],"next_cursor":{cursor},"total":{len(chosen)}}}'


@contextmanager
def running(shop: Shop, port: int = 0) -> Iterator[str]:
    """Serve `shop` on loopback; yields the base URL and stops the server at the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {k: v[0] for k, v in parse_qs(url.query).items()}
            shop.requests.append({"path": url.path, **query})
            if shop.token and self.headers.get("Authorization") != f"Bearer {shop.token}":
                self.answer(401, '{"error":"unauthorized"}')
            elif shop.broken:
                self.answer(400, '{"error":"no such field"}')
            elif url.path != "/orders":
                self.answer(404, '{"error":"not found"}')
            else:
                self.answer(200, shop.page(query))

        def answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
