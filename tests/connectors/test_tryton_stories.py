"""The stories that the judge plays on tables, on Tryton: whole runs, cut off anywhere, and sweeps.

Edits, ties over page edges, late commits, hard deletes; nothing may be lost, doubled, or kept.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
from tryton_script import PASSWORD, START, ScriptedTryton

from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.faults.case import Result
from tests.faults.sql import PARTITION, Story
from warehouse import writer

FULL = os.environ.get("ISTHMUS_HYPOTHESIS") == "full"
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


@pytest.mark.parametrize("seed", range(20261122, 20261122 + (24 if FULL else 1)))
def test_a_story_is_stored_whole(seed: int, tmp_path: Path):
    world = World(tmp_path)
    story = TrytonStory(world, seed)
    try:
        with patch.object(writer, "MAX_RECORDS", 2 * PARTITION):
            story.tell()
    finally:
        world.space.control.close()
    result = story.result
    assert result.problems == []
    assert result.counts.is_clean, result.counts.details
    assert result.counts.rows > 1000
    assert result.fired >= 2  # reads that were cut off
