"""A journalled merchant at the simulator, a workspace that reads it, and the judge of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import zstandard

from connectors.base import Bookmark, Context, Mode, ReadRequest
from connectors.jushuitan import JushuitanConnector
from connectors.jushuitan.sample import Record
from connectors.jushuitan.settings import JushuitanSettings
from connectors.jushuitan.simulator import KINDS, Identity, JushuitanSimulator
from pipelines.extract import Reading, extract
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.support import cut_off
from tests.support.still_clock import StillClock
from tests.support.system_world import Network
from warehouse.landing import Landing
from warehouse.reader import run_query

SECRET = "canary0123456789abcdef0123456789"
IDENTITY = Identity("canary-app-0123456789", SECRET)
CONFIG = {
    "base_url": "http://oms.example", "allow_plain_http": "true", "app_key": "env:JST_KEY",
    "app_secret": "env:JST_SECRET", "since": "2026-01-01",
}  # fmt: skip
SECRETS = {
    "env:JST_KEY": IDENTITY.app_key,
    "env:JST_SECRET": SECRET,
    "env:JST_CODE": "canary-code-9876",
}


def connector(
    simulator: JushuitanSimulator, clock: StillClock, network: Any = None, tokens: Any = None,
    **more: Any,
) -> JushuitanConnector:  # fmt: skip
    """Return a connector that speaks to the simulator, or to what `network` is."""
    context = Context(
        "oms", "Asia/Shanghai", secret=SECRETS.__getitem__, now=clock.now, pause=clock.pause,
        transport=network or Network(simulator), tokens=tokens,
    )  # fmt: skip
    return JushuitanConnector(JushuitanSettings.model_validate({**CONFIG, **more}), context)


class Memory:
    """A merchant and a connector, and what a landing would hold of one stream, in memory."""

    def __init__(self, stream: str, *, limits: bool = False, **more: Any) -> None:
        self.stream, self.more = stream, more
        self.time = StillClock()
        self.oms = JushuitanSimulator(IDENTITY, now=self.time.now)
        if not limits:
            self.oms.per_second = self.oms.per_minute = 100_000
            self.more = {"rate": "100000/s", **more}
        self.rows: dict[str, Record] = {}
        self.bookmark: Bookmark | None = None
        self.warnings: list[str] = []
        self.landed = 0

    def read(self, mode: Mode = "changed") -> int:
        """Read once; return how many records came. `landed` counts those that were new."""
        one = connector(self.oms, self.time, **self.more)
        seen, came, self.landed, self.warnings = set[str](), 0, 0, []
        for page in one.read(ReadRequest(self.stream, mode, self.bookmark)):
            seen.update(key or "" for key in page.keys)
            self.warnings += page.warnings
            for key, data in zip(page.keys, page.records, strict=False):
                record = json.loads(bytes(data), parse_float=Decimal)
                came += 1
                self.landed += self.rows.get(key or "") != record
                self.rows[key or ""] = record
            if page.complete and not page.resumed:
                self.rows = {key: row for key, row in self.rows.items() if key in seen}
            self.bookmark = json.loads(json.dumps(page.bookmark))
        one.close()
        return came

    def judge(self) -> list[str]:
        """Compare what was taken with what there is; say what differs."""
        return differences(self.stream, self.rows, self.oms.living(self.stream))


def differences(
    stream: str, stored: Mapping[str, Record], there: Mapping[str, Record]
) -> list[str]:
    """Say what is lost, a ghost or stale. Members that the connector adds make no difference."""
    found = [f"lost: {stream} {key}" for key in sorted(there.keys() - stored.keys())]
    found += [f"ghost: {stream} {key}" for key in sorted(stored.keys() - there.keys())]
    for key in stored.keys() & there.keys():
        ours = {n: v for n, v in stored[key].items() if not n.startswith("_")}
        if not same(ours, there[key]):
            found.append(f"stale: {stream} {key}")
    return found


class World:
    """A merchant and a workspace that reads it; `more` are further settings."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.time = StillClock()
        self.oms = JushuitanSimulator(IDENTITY, now=self.time.now)
        self.network = Network(self.oms)
        defs = {
            "type": "pipelines.Connection",
            "attributes": {
                "system": "jushuitan", "config": {**CONFIG, **more}, "timezone": "Asia/Shanghai",
            },
        }  # fmt: skip
        path = folder / "defs" / "oms" / "defs.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(defs), encoding="utf-8")
        self.environment = {
            "ISTHMUS_HOME": str(folder / "home"), "ISTHMUS_DEFS": str(folder / "defs"),
            "JST_KEY": IDENTITY.app_key, "JST_SECRET": SECRET,
        }  # fmt: skip
        self.space = Workspace.discover(self.environment)

    def close(self) -> None:
        self.space.control.close()

    # --- what the product does -----------------------------------------------------------------
    def sync(self, stream: str, **how: Any) -> StreamOutcome:
        """Read, land and load a stream."""
        given = {"transport": self.network, "pause": self.time.pause, "now": self.time.now}
        return sync_stream(self.space, "oms", stream, **given | how)

    def sync_all(self, *streams: str, **how: Any) -> dict[str, StreamOutcome]:
        done = {stream: self.sync(stream, **how) for stream in streams or KINDS}
        for outcome in done.values():
            assert outcome.error is None, outcome.error
        return done

    def read(self, stream: str, mode: Mode = "changed") -> StreamOutcome:
        """Read and land a stream, which is all that a connector has a part in."""
        outcome = StreamOutcome("oms", stream)
        self.space.home.make()
        landing = Landing(self.space.home.landing, now=self.time.now)
        how = Reading(
            mode, self.time.now, lambda: None, transport=self.network, pause=self.time.pause
        )
        extract(self.space.connection("oms"), landing, outcome, how)
        return outcome

    def publish(self) -> None:
        outcome = unify_publish(self.space, now=self.time.now)
        assert outcome.error is None, outcome.error

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in run_query(self.space.home.current, sql).rows]

    # --- the judge -----------------------------------------------------------------------------
    def judge(self, *streams: str) -> list[str]:
        """Compare the newest landed version of each record with the merchant's."""
        return [
            text
            for stream in streams
            for text in differences(stream, self.landed(stream), self.oms.living(stream))
        ]

    def landed(self, stream: str) -> dict[str, Record]:
        """Return what the landed batches say, applied in their order."""
        folder = Path(self.environment["ISTHMUS_HOME"]) / "landing" / "oms" / stream
        stored: dict[str, Record] = {}
        for sidecar in sorted(folder.glob("*.json")):
            data = sidecar.with_suffix(".ndjson.zst").read_bytes()
            text = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
            said = json.loads(sidecar.read_text("utf-8"))
            for line in text.splitlines():
                made = json.loads(line, parse_float=Decimal)
                if said["content"] == "deletions" and not said["held"]:
                    stored.pop(made["key"], None)
                elif said["content"] == "records":
                    stored[key_of(stream, made)] = made
        return stored


def key_of(stream: str, record: Mapping[str, Any]) -> str:
    key = str(record[KINDS[stream].key])
    return f"{record['_wms_co_id']}/{key}" if stream == "stock" else key


def same(ours: Any, theirs: Any) -> bool:
    """Say whether two values are one, numbers however they are written."""
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[n], theirs[n]) for n in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, int | float | Decimal) and not isinstance(ours, bool):
        return Decimal(str(ours)) == Decimal(str(theirs))
    return bool(ours == theirs)


def killed_at(world: World, place: int, stream: str, mode: Any) -> bool:
    """Read until the request of that number, counted from here; say whether it came so far."""
    return cut_off.killed_at(world.oms, place, lambda: world.read(stream, mode))
