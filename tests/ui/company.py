"""The sample company with an ERP that can be broken, and the answer of one that never failed."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.base import utc_now
from pipelines.pauses import pause
from pipelines.sample import servers
from pipelines.sample.demo import AFTER, FIRST
from pipelines.sample.files import write_office
from pipelines.sample.place import OWN, sample_workspace
from pipelines.sample.story import Story
from pipelines.sync import sync_stream, unify_publish
from pipelines.ui import serve
from pipelines.workspace import Workspace

BROKEN = "erp"
BEFORE = tuple(name for name in FIRST if name != BROKEN)
ORDERS = 700
KEY = "a key of the sample company, known to everybody"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Door:
    """Stands before a system; `open_for` requests more are let in, None is all of them."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lock = threading.Lock()
        self.open_for: int | None = None
        self.refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer HTTP 503 where no more are let in."""
        with self._lock:
            is_open = self.open_for is None or self.open_for > 0
            if self.open_for:
                self.open_for -= 1
            self.refused += not is_open
        if is_open:
            await self._app(scope, receive, send)
            return
        body = "系统维护中，请稍后再试。 The system is being maintained.".encode()
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def place(home: Path, story: Story, env: MutableMapping[str, str]) -> Workspace:
    """Return the sample's workspace in an own home, its files written.

    The key of masked values is the same in each: what two of them publish can be compared.
    """
    env |= {"ISTHMUS_DEFS": str(OWN), "ISTHMUS_HOME": str(home), "ISTHMUS_KEY": KEY}
    for name in ("DAGSTER_HOME", "ISTHMUS_MAPPINGS", "ISTHMUS_CONTROL_URL"):
        env.pop(name, None)
    space, folder = sample_workspace(Workspace.discover(env), env)
    write_office(folder, story)
    return space


def sync(space: Workspace, *names: str) -> None:
    """Sync connections and publish; nothing may fail."""
    for name in names:
        for stream in space.connection(name).streams:
            done = sync_stream(space, name, stream.name)
            assert done.error is None, f"{name}/{stream.name}: {done.error}"
    assert unify_publish(space).error is None


def never_failed(home: Path, story: Story) -> Workspace:
    """Return a home in which every connection was synced and nothing failed."""
    space = place(home, story, dict(os.environ))
    sync(space, *BEFORE)
    sync(space, BROKEN)
    sync(space, *AFTER)
    return space


@contextmanager
def dagster_dev(space: Workspace, port: int) -> Iterator[None]:
    """Run `dagster dev` on a workspace; no schedule of it starts anything by itself."""
    for name in (*FIRST, *AFTER):
        pause(space.control, name, until=None, who="the test", why="by hand", now=utc_now())
    ended = threading.Event()
    thread = threading.Thread(target=serve, args=(space, port, ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    until = time.monotonic() + 60
    while _answers(port):  # what was started is gone, not only its parent
        assert time.monotonic() < until, "the webserver is still there"
        time.sleep(0.5)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def systems(story: Story) -> Iterator[Door]:
    """Run the company's systems, the ERP behind a door."""
    apps = servers.build(story)
    apps[BROKEN] = door = Door(apps[BROKEN])
    with servers.running(apps):
        yield door
