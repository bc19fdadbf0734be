"""The stories of a table, played on Tryton: whole runs, cut off anywhere, and sweeps.

Edits, ties over page edges, late commits, hard deletes; nothing may be lost, doubled, or kept.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.faults.case import Case, Result, Size
from tests.faults.sql import PARTITION, Story
from tests.support.tryton_script import PASSWORD, START, ScriptedTryton
from warehouse import writer

FULL, QUICK = 24, 1
CUTS = 2
STREAM = "opportunities"
CONFIG = {
    "base_url": "http://tryton.example", "allow_plain_http": "true", "database": "erp",
    "auth": {"basic": ["reader", "env:PASSWORD"]}, "rows": PARTITION,
}  # fmt: skip
DEFS = f"""\
type: pipelines.Connection
attributes:
  system: tryton
  config: {json.dumps(CONFIG)}
  streams: [{STREAM}]
"""


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories, each with reads that are cut off; `seeds` say the first."""
    first = next(iter(seeds), 0)
    count = FULL if size == "full" else QUICK
    return [
        Case("E", f"seed {seed}", partial(play, seed), CUTS) for seed in range(first, first + count)
    ]


def play(seed: int, root: Path) -> Result:
    """Play one story; it judges itself after each run."""
    world = World(root / "world")
    story = TrytonStory(world, seed)
    try:
        with patch.object(writer, "MAX_RECORDS", 2 * PARTITION):
            story.tell()
    finally:
        world.space.control.close()
    return story.result


class World:
    """A scripted server, a connection that reads its opportunities, and their store."""

    def __init__(self, root: Path) -> None:
        self.server = ScriptedTryton()
        self.now = START
        (root / "defs" / "erp").mkdir(parents=True)
        (root / "defs" / "erp" / "defs.yaml").write_text(DEFS, encoding="utf-8")
        self.space = Workspace.discover(
            {
                "ISTHMUS_HOME": str(root / "home"), "ISTHMUS_DEFS": str(root / "defs"),
                "PASSWORD": PASSWORD,
            }
        )  # fmt: skip

    def sync(self, **how: Any) -> StreamOutcome:
        self.now += timedelta(minutes=1)
        self.server.now = self.now
        return sync_stream(
            self.space, "erp", STREAM, now=lambda: self.now, transport=self.server,
            pause=lambda _seconds: None, **how,
        )  # fmt: skip

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        done = unify_publish(self.space, now=lambda: self.now)
        assert done.error is None, done.error
        return self._ask(self.space.home.current, sql)

    def stored(self) -> list[tuple[Any, ...]]:
        sql = (
            f"select source_key, amount::varchar, number from source.{STREAM} where not is_deleted"
        )
        return self._ask(self.space.home.store, sql)

    @staticmethod
    def _ask(path: Path, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(path), read_only=True) as con:
            return con.execute(sql).fetchall()


class TrytonStory(Story):
    """The story with Tryton's records in the place of rows."""

    PUBLISHED = f"select number, amount from {STREAM}"

    def __init__(self, world: World, seed: int) -> None:
        self.server = world.server
        world.database = None  # type: ignore[attr-defined]
        super().__init__(world, random.Random(seed), Result())

    def insert(self, count: int, at: datetime) -> None:
        keys = range(self.next, self.next + count)
        self.next += count
        self.stamps |= dict.fromkeys(keys, at)
        for key in keys:
            self.server.put(key, at, amount=self.money())

    def edit(self, keys: Sequence[int], at: datetime) -> None:
        for key in keys:
            if self.stamps[key] <= at:
                self.stamps[key] = at
                self.server.put(key, START, written=at, amount=self.money())

    def delete(self, key: int) -> None:
        del self.server.table[key]

    def money(self) -> dict[str, str]:
        return {"__class__": "Decimal", "decimal": self.amount()}

    def source(self) -> dict[str, Decimal]:
        rows = self.server.table.items()
        return {str(key): Decimal(row["amount"]["decimal"]) for key, row in rows}
