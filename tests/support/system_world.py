"""A simulated system, a workspace that reads it without a network, and the judge of both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pyarrow.parquet as pq
import zstandard

from connectors.asgi import Asked
from connectors.base import Context, Mode
from pipelines.extract import Reading, extract
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.support import cut_off
from tests.support.still_clock import StillClock
from warehouse.landing import Landing
from warehouse.reader import run_query

Record = dict[str, Any]


class Network(httpx.BaseTransport):
    """Hands requests to a simulator without a network; `requests` keeps them."""

    def __init__(self, simulator: Any) -> None:
        self.simulator = simulator
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        url, headers = request.url, dict(request.headers)
        asked = Asked(request.method, url.path, url.query.decode(), headers, request.read())
        reply = self.simulator.answer(asked)
        return httpx.Response(
            reply.status, headers=dict(reply.headers), stream=httpx.ByteStream(reply.data)
        )


def context(
    name: str, secrets: Mapping[str, str], clock: StillClock, transport: Any, **more: Any
) -> Context:
    """Return what a connector is handed; each pause moves the clock."""
    return Context(
        name, "Asia/Shanghai", secret=secrets.__getitem__, now=clock.now, pause=clock.pause,
        transport=transport, **more,
    )  # fmt: skip


def workspace(
    folder: Path, connections: Mapping[str, Mapping[str, Any]], secrets: Mapping[str, str]
) -> tuple[dict[str, str], Workspace]:
    """Write the files of connections, given by their attributes; return environment and workspace.

    `secrets` are by their reference (`env:NAME`), or further variables by their name.
    """
    for name, attributes in connections.items():
        path = folder / "defs" / name / "defs.yaml"
        path.parent.mkdir(parents=True)
        defs = {"type": "pipelines.Connection", "attributes": attributes}
        path.write_text(json.dumps(defs), encoding="utf-8")
    environment = {name.removeprefix("env:"): value for name, value in secrets.items()} | {
        "ISTHMUS_HOME": str(folder / "home"), "ISTHMUS_DEFS": str(folder / "defs"),
    }  # fmt: skip
    return environment, Workspace.discover(environment)


class SystemWorld:
    """A system and a workspace whose connection `name` reads it; `streams` is what all means.

    A subclass makes the system, which is `network.simulator`, and says how to put things there.
    """

    name: ClassVar[str]
    streams: ClassVar[Iterable[str]] = ()

    def __init__(
        self, folder: Path, system: Any, time: StillClock, secrets: Mapping[str, str],
        attributes: Mapping[str, Any], **others: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.system, self.time, self.network = system, time, Network(system)
        connections = {self.name: attributes, **others}
        self.environment, self.space = workspace(folder, connections, secrets)

    def close(self) -> None:
        self.space.control.close()

    def now(self) -> datetime:
        """Return the time as the workspace has it."""
        return self.time.now()

    def sync(self, stream: str, **how: Any) -> StreamOutcome:
        """Read, land and load a stream."""
        given = {"transport": self.network, "pause": self.time.pause, "now": self.now}
        return sync_stream(self.space, self.name, stream, **given | how)

    def sync_all(self, *streams: str, **how: Any) -> dict[str, StreamOutcome]:
        done = {stream: self.sync(stream, **how) for stream in streams or self.streams}
        for outcome in done.values():
            assert outcome.error is None, outcome.error
        return done

    def read(self, stream: str, mode: Mode = "changed") -> StreamOutcome:
        """Read and land a stream, which is all that a connector has a part in."""
        outcome = StreamOutcome(self.name, stream)
        self.space.home.make()
        landing = Landing(self.space.home.landing, now=self.now)
        how = Reading(mode, self.now, lambda: None, transport=self.network, pause=self.time.pause)
        extract(self.space.connection(self.name), landing, outcome, how)
        return outcome

    def killed_at(self, place: int, stream: str, mode: Mode = "changed") -> bool:
        """Read until the request of that number, counted from here; say whether it came so far."""
        return cut_off.killed_at(self.system, place, lambda: self.read(stream, mode))

    def publish(self) -> None:
        outcome = unify_publish(self.space, now=self.time.now)
        assert outcome.error is None, outcome.error

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in run_query(self.space.home.current, sql).rows]


class JudgedWorld(SystemWorld):
    """A world whose landing can be held against the system.

    A subclass says what stands `there`, the `key` of a landed record, and whether one is the
    `same`; `number` is what becomes of a landed number with a point.
    """

    number: ClassVar[Callable[[str], Any]] = float

    def judge(self, *streams: str) -> list[str]:
        """Compare the newest landed version of each record with the system's; say what differs."""
        return [
            text
            for stream in streams or self.streams
            for text in differences(
                stream, self.landed(stream), self.there(stream), partial(self.same, stream)
            )
        ]

    def there(self, stream: str) -> Mapping[str, Record]:
        """Return what stands in the system now."""
        return self.system.living(stream)

    def key(self, stream: str, record: Record) -> str:
        return str(record["id"])

    def same(self, stream: str, ours: Record, theirs: Record) -> bool:
        return ours == theirs

    def landed(self, stream: str) -> dict[str, Record]:
        """Return what the landed batches say, applied in their order."""
        stored: dict[str, Record] = {}
        for sidecar in sorted((self.space.home.landing / self.name / stream).glob("*.json")):
            said = json.loads(sidecar.read_text("utf-8"))
            for made in self._lines(sidecar):
                if said["content"] == "deletions" and not said["held"]:
                    stored.pop(made["key"], None)
                elif said["content"] == "records":
                    stored[self.key(stream, made)] = made
        return stored

    def _lines(self, sidecar: Path) -> Iterator[Record]:
        table = sidecar.with_suffix(".parquet")
        if table.exists():
            yield from pq.read_table(table).to_pylist()
            return
        data = sidecar.with_suffix(".ndjson.zst").read_bytes()
        text = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
        for line in text.splitlines():
            yield json.loads(line, parse_float=self.number)


def differences(
    stream: str, stored: Mapping[str, Record], there: Mapping[str, Record],
    same: Callable[[Record, Record], bool],
) -> list[str]:  # fmt: skip
    """Say what is lost, a ghost or stale."""
    found = [f"lost: {stream} {key}" for key in sorted(there.keys() - stored.keys())]
    found += [f"ghost: {stream} {key}" for key in sorted(stored.keys() - there.keys())]
    both = sorted(stored.keys() & there.keys())
    return found + [f"stale: {stream} {key}" for key in both if not same(stored[key], there[key])]
