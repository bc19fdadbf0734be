"""The stories of a table, played on Tryton: whole runs, cut off anywhere, and sweeps.

Edits, ties over page edges, late commits, hard deletes; nothing may be lost, doubled, or kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from tests.faults.case import Case, Result, Size, stories
from tests.faults.erp_world import DocumentStory, ErpWorld
from tests.faults.sql import PARTITION, ROUNDS
from tests.support.tryton_script import PASSWORD, START, ScriptedTryton

STREAM = "opportunities"
ATTRIBUTES = {
    "system": "tryton", "streams": [STREAM],
    "config": {
        "base_url": "http://tryton.example", "allow_plain_http": "true", "database": "erp",
        "auth": {"basic": ["reader", "env:PASSWORD"]}, "rows": PARTITION,
    },
}  # fmt: skip


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories; `seeds` say the first."""
    return stories("E", size, seeds, play, rounds=(ROUNDS, ROUNDS))


def play(seed: int, root: Path, *, rounds: int) -> Result:
    """Play one story of so many rounds."""
    story = TrytonStory(World(root / "world"), seed)
    return story.play(records=2 * PARTITION, rounds=rounds)


class World(ErpWorld):
    """A scripted server, a connection that reads its opportunities, and their store."""

    STORED = f"select source_key, amount::varchar, number from source.{STREAM} where not is_deleted"

    def __init__(self, root: Path) -> None:
        super().__init__(root, ATTRIBUTES, {"env:PASSWORD": PASSWORD}, START)
        self.server = ScriptedTryton()

    def transport(self) -> ScriptedTryton:
        self.server.now = self.now
        return self.server


class TrytonStory(DocumentStory):
    """The story with Tryton's records in the place of rows."""

    PUBLISHED = f"select number, amount from {STREAM}"

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, seed)
        self.server = world.server

    def put(self, key: int, at: datetime) -> None:
        self.server.put(key, at, amount=self.money())

    def alter(self, key: int, at: datetime) -> None:
        self.server.put(key, START, written=at, amount=self.money())

    def delete(self, key: int) -> None:
        del self.server.table[key]

    def money(self) -> dict[str, str]:
        return {"__class__": "Decimal", "decimal": self.amount()}

    def source(self) -> dict[str, Decimal]:
        rows = self.server.table.items()
        return {str(key): Decimal(row["amount"]["decimal"]) for key, row in rows}
