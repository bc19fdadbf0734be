"""The stories of a table, played on Tryton: whole runs, cut off anywhere, and sweeps.

Edits, ties over page edges, late commits, hard deletes; nothing may be lost, doubled, or kept.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from unittest.mock import patch

from tests.faults.case import Case, Result, Size
from tests.faults.erp_world import ErpWorld
from tests.faults.sql import PARTITION, Story
from tests.support.tryton_script import PASSWORD, START, ScriptedTryton
from warehouse import writer

FULL, QUICK = 24, 1
CUTS = 2
STREAM = "opportunities"
ATTRIBUTES = {
    "system": "tryton", "streams": [STREAM],
    "config": {
        "base_url": "http://tryton.example", "allow_plain_http": "true", "database": "erp",
        "auth": {"basic": ["reader", "env:PASSWORD"]}, "rows": PARTITION,
    },
}  # fmt: skip


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


class World(ErpWorld):
    """A scripted server, a connection that reads its opportunities, and their store."""

    STORED = f"select source_key, amount::varchar, number from source.{STREAM} where not is_deleted"

    def __init__(self, root: Path) -> None:
        super().__init__(root, ATTRIBUTES, {"PASSWORD": PASSWORD}, START)
        self.server = ScriptedTryton()

    def transport(self) -> ScriptedTryton:
        self.server.now = self.now
        return self.server


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
