"""A web hook on loopback that keeps what it is told, and answers as it is ordered to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hook:
    """What came: (path with query, body). `status` and `answer` are what is said to it."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.answer: Any = {}
        self.url = ""

    @property
    def told(self) -> list[tuple[str, str]]:
        """Title and message of what apprise's JSON hook got."""
        return [(body["title"], body["message"]) for _, body in self.came]


@contextmanager
def listening() -> Iterator[Hook]:
    """Serve a hook as long as the block lasts."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.came.append((self.path, json.loads(body)))
            content = json.dumps(hook.answer).encode()
            self.send_response(hook.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
