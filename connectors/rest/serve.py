"""Serve an ASGI app on a loopback port from a thread, for tests and the sample company."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

START_SECONDS = 10.0


@contextlib.contextmanager
def serve(app: Any, *, port: int = 0) -> Iterator[str]:
    """Serve `app` on 127.0.0.1 while the block runs and yield its base URL.

    `port` 0 takes a free one. Requests that still hang at the end are cut off.
    Raises OSError when the port is taken, RuntimeError when the server does not come up.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen(128)
        yield from _run(app, sock)
    finally:
        sock.close()


def _run(app: Any, sock: socket.socket) -> Iterator[str]:
    # Faults to order break responses on purpose; uvicorn would print a traceback for each.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    came_up = threading.Event()
    server.startup = _announced(server.startup, came_up)  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    try:
        if not came_up.wait(START_SECONDS):
            raise RuntimeError("the server did not come up")
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)


def _announced(startup: Any, came_up: threading.Event) -> Any:
    async def run(sockets: list[socket.socket] | None = None) -> None:
        await startup(sockets)
        came_up.set()

    return run
