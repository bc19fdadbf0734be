"""The sample company without sockets: its systems answer in the process that asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from pipelines.sample import servers


class Direct(httpx.BaseTransport):
    """Hands requests to ASGI apps by port; none of them waits for anything."""

    def __init__(self, apps: Mapping[str, Any]) -> None:
        self.by_port = {servers.PORTS[connection]: app for connection, app in apps.items()}
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http", "method": request.method, "path": request.url.path,
            "query_string": request.url.query, "scheme": "http", "http_version": "1.1",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": ("127.0.0.1", request.url.port), "root_path": "",
        }  # fmt: skip
        body = request.read()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        answering = self.by_port[request.url.port or 0](scope, receive, send)
        try:
            while True:
                answering.send(None)
        except StopIteration:
            pass
        content = b"".join(message.get("body", b"") for message in sent)
        return httpx.Response(
            sent[0]["status"], headers=sent[0]["headers"], stream=httpx.ByteStream(content)
        )
