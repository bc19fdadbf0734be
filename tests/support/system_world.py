"""A simulator without a network."""

from __future__ import annotations

import httpx

from connectors.asgi import Asked, Simulator


class Network(httpx.BaseTransport):
    """Hands requests to a simulator without a network; `requests` keeps them."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        url = request.url
        reply = self.simulator.answer(
            Asked(
                request.method, url.path, url.query.decode(), dict(request.headers), request.read()
            )
        )
        return httpx.Response(
            reply.status, headers=dict(reply.headers), stream=httpx.ByteStream(reply.data)
        )
