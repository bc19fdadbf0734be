"""The stories of a table, played on K3Cloud: whole runs, cut off anywhere, and sweeps.

Orders of one to five lines: edits, ties over page edges, late commits, hard deletes, sessions that
end; nothing may be lost, doubled, cut in two, or kept. The judge sums the lines.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from unittest.mock import patch

from connectors.kingdee.sample import record
from connectors.kingdee.simulator import KingdeeSimulator
from tests.faults import sql
from tests.faults.case import Case, Result, Size
from tests.faults.erp_world import ErpWorld
from tests.faults.sql import PARTITION, Story
from tests.support.kingdee_world import CONFIG, IDENTITY, SECRET, Network
from tests.support.still_clock import START
from warehouse import writer

FULL, QUICK = 24, 1
CUTS = 2
FORM, STREAM = "SAL_SaleOrder", "orders"
ATTRIBUTES = {
    "system": "kingdee", "config": {**CONFIG, "rows": 3 * PARTITION}, "streams": [STREAM],
    "timezone": "Asia/Shanghai",
}  # fmt: skip


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories, each with reads that are cut off; `seeds` say the first."""
    first = next(iter(seeds), 0)
    count, rounds = (FULL, sql.ROUNDS) if size == "full" else (QUICK, 5)
    return [
        Case("G", f"seed {seed}", partial(play, seed, rounds=rounds), CUTS)
        for seed in range(first, first + count)
    ]


def play(seed: int, root: Path, *, rounds: int) -> Result:
    """Play one story of so many rounds; it judges itself after each run."""
    world = World(root / "world")
    story = KingdeeStory(world, seed)
    try:
        with (
            patch.object(writer, "MAX_RECORDS", 5 * PARTITION),
            patch.object(sql, "ROUNDS", rounds),
        ):
            story.tell()
    finally:
        world.space.control.close()
    return story.result


class World(ErpWorld):
    """A simulated account, a connection that reads its orders, and their store."""

    STORED = (
        "select o.source_key, coalesce(sum(l.gross), 0)::varchar, o.number"
        " from source.orders o left join source.order_lines l"
        " on l.parent_key = o.source_key and l.stream = o.stream"
        " where not o.is_deleted group by o.source_key, o.number"
    )

    def __init__(self, root: Path) -> None:
        secrets = {"KD_SECRET": SECRET, "KD_APP": IDENTITY.app_id}
        super().__init__(root, ATTRIBUTES, secrets, START)
        self.erp = KingdeeSimulator(IDENTITY, now=lambda: self.now)

    def transport(self) -> Network:
        return Network(self.erp)


class KingdeeStory(Story):
    """The story with orders in the place of rows; an order's amount is the sum of its lines."""

    PUBLISHED = (
        "select substr(o.number, 2), sum(l.gross) from orders o"
        " join order_lines l using (order_id) group by 1"
    )

    def __init__(self, world: World, seed: int) -> None:
        self.erp = world.erp
        world.database = None  # type: ignore[attr-defined]
        super().__init__(world, random.Random(seed), Result())
        self.erp.before = self.lose_sessions

    def lose_sessions(self, number: int) -> None:
        if number % 11 == 0:
            self.erp.sessions.clear()

    def insert(self, count: int, at: datetime) -> None:
        count = (count + 1) // 2  # an order has two rows and more
        keys = range(self.next, self.next + count)
        self.next += count
        self.stamps |= dict.fromkeys(keys, at)
        for key in keys:
            self.put(key, at)

    def edit(self, keys: Sequence[int], at: datetime) -> None:
        for key in keys:
            if self.stamps[key] <= at:
                self.stamps[key] = at
                self.put(key, at)

    def put(self, key: int, at: datetime) -> None:
        """Write an order anew, with other lines."""
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
