"""A journalled merchant at the simulator, a workspace that reads it, and the judge of both."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.base import Bookmark, Mode, ReadRequest
from connectors.jushuitan import JushuitanConnector
from connectors.jushuitan.sample import Record
from connectors.jushuitan.settings import JushuitanSettings
from connectors.jushuitan.simulator import KINDS, Identity, JushuitanSimulator
from tests.support.still_clock import StillClock
from tests.support.system_world import JudgedWorld, Network, context, differences

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
    given = context("oms", SECRETS, clock, network or Network(simulator), tokens=tokens)
    return JushuitanConnector(JushuitanSettings.model_validate({**CONFIG, **more}), given)


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
        return differences(self.stream, self.rows, self.oms.living(self.stream), same_record)


class World(JudgedWorld):
    """A merchant and a workspace that reads it; `more` are further settings."""

    name, streams, number = "oms", tuple(KINDS), Decimal

    def __init__(self, folder: Path, **more: Any) -> None:
        time = StillClock()
        self.oms = JushuitanSimulator(IDENTITY, now=time.now)
        attributes = {
            "system": "jushuitan", "config": {**CONFIG, **more}, "timezone": "Asia/Shanghai",
        }  # fmt: skip
        super().__init__(folder, self.oms, time, SECRETS, attributes)

    def key(self, stream: str, record: Record) -> str:
        key = str(record[KINDS[stream].key])
        return f"{record['_wms_co_id']}/{key}" if stream == "stock" else key

    def same(self, stream: str, ours: Record, theirs: Record) -> bool:
        return same_record(ours, theirs)


def same_record(ours: Record, theirs: Record) -> bool:
    """Say whether two records are one; members that the connector adds make no difference."""
    return same({name: value for name, value in ours.items() if name[:1] != "_"}, theirs)


def same(ours: Any, theirs: Any) -> bool:
    """Say whether two values are one, numbers however they are written."""
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[n], theirs[n]) for n in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, int | float | Decimal) and not isinstance(ours, bool):
        return Decimal(str(ours)) == Decimal(str(theirs))
    return bool(ours == theirs)
