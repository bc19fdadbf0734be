"""The stories of a table, played on K3Cloud: whole runs, cut off anywhere, and sweeps.

Orders of one to five lines: edits, ties over page edges, late commits, hard deletes, sessions that
end; nothing may be lost, doubled, cut in two, or kept. The judge sums the lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from connectors.kingdee.sample import record
from connectors.kingdee.simulator import KingdeeSimulator
from tests.faults.case import Case, Result, Size, stories
from tests.faults.erp_world import PUBLISHED_SUMS, SUMS, DocumentStory, ErpWorld
from tests.faults.sql import PARTITION, ROUNDS
from tests.support.kingdee_world import CONFIG, IDENTITY, SECRETS, Network
from tests.support.still_clock import START

FORM = "SAL_SaleOrder"
ATTRIBUTES = {
    "system": "kingdee", "config": {**CONFIG, "rows": 3 * PARTITION}, "streams": ["orders"],
    "timezone": "Asia/Shanghai",
}  # fmt: skip


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories; `seeds` say the first."""
    return stories("G", size, seeds, play, rounds=(ROUNDS, 5))


def play(seed: int, root: Path, *, rounds: int) -> Result:
    """Play one story of so many rounds."""
    story = KingdeeStory(World(root / "world"), seed)
    return story.play(records=5 * PARTITION, rounds=rounds)


class World(ErpWorld):
    """A simulated account, a connection that reads its orders, and their store."""

    STORED = SUMS.format(key="o.source_key")

    def __init__(self, root: Path) -> None:
        super().__init__(root, ATTRIBUTES, SECRETS, START)
        self.erp = KingdeeSimulator(IDENTITY, now=lambda: self.now)

    def transport(self) -> Network:
        return Network(self.erp)


class KingdeeStory(DocumentStory):
    """The story with orders in the place of rows; an order's amount is the sum of its lines."""

    PUBLISHED = PUBLISHED_SUMS.format(key="substr(o.number, 2)")
    LINES = 2

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, seed)
        self.erp = world.erp
        self.erp.before = self.lose_sessions

    def lose_sessions(self, number: int) -> None:
        if number % 11 == 0:
            self.erp.sessions.clear()

    def put(self, key: int, at: datetime) -> None:
        many = self.dice.choice([1, 1, 2, 5])
        lines = [{"id": key * 10 + n, "FAllAmount": Decimal(self.amount())} for n in range(many)]
        total = sum((line["FAllAmount"] for line in lines), Decimal(0))
        made = record(FORM, key, lines, FBillNo=f"p{key}", FBillAllAmount=total)
        self.erp.put(FORM, made, at=at)

    def delete(self, key: int) -> None:
        self.erp.delete(FORM, key)

    def source(self) -> dict[str, Decimal]:
        rows = self.erp.living(FORM).values()
        return {str(row["FID"]): row["FBillAllAmount"] for row in rows}
