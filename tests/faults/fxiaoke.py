"""The stories of a table, played on 纷享销客: whole runs, cut off anywhere, and sweeps.

Orders of one to five lines, each with a stamp of its own: edits of the whole, of a line alone (the
order's stamp stays), ties over page edges, late commits, voided and deleted orders, tokens that are
taken back, limits that are hit; nothing may be lost, doubled, cut in two, or kept. The judge sums
the lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from connectors.asgi import Reply
from connectors.fxiaoke.sample import line, oid, record
from connectors.fxiaoke.simulator import FxiaokeSimulator
from tests.faults.case import Case, Result, Size, stories
from tests.faults.erp_world import PUBLISHED_SUMS, SUMS, DocumentStory, ErpWorld
from tests.faults.sql import PARTITION, ROUNDS
from tests.support.fxiaoke_world import CONFIG, IDENTITY, SECRETS, Network
from tests.support.still_clock import START

HEAD, LINE = "SalesOrderObj", "SalesOrderProductObj"
ATTRIBUTES = {
    "system": "fxiaoke", "config": {**CONFIG, "rows": PARTITION}, "streams": ["orders"],
    "timezone": "Asia/Shanghai",
}  # fmt: skip


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories; `seeds` say the first."""
    return stories("X", size, seeds, play, rounds=(ROUNDS, 4))


def play(seed: int, root: Path, *, rounds: int) -> Result:
    """Play one story of so many rounds."""
    world = World(root / "world")
    result = FxiaokeStory(world, seed).play(records=2 * PARTITION, rounds=rounds)
    result.expect(world.crm.throttled == 0, "a limit of the vendor was passed")
    return result


class World(ErpWorld):
    """A simulated tenant, a connection that reads its orders, and their store."""

    STORED = SUMS.format(key="substr(o.number, 2)")

    def __init__(self, root: Path) -> None:
        super().__init__(root, ATTRIBUTES, SECRETS, START)
        self.crm = FxiaokeSimulator(IDENTITY, now=lambda: self.now)

    def transport(self) -> Network:
        return Network(self.crm)


class FxiaokeStory(DocumentStory):
    """The story with orders in the place of rows; an order's amount is the sum of its lines."""

    PUBLISHED = PUBLISHED_SUMS.format(key="substr(o.number, 2)")
    LINES = 2

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, seed)
        self.crm = world.crm
        self.crm.before = self.trouble

    def trouble(self, number: int) -> None:
        """Take tokens back and answer as the vendor does when it is busy."""
        if number % 53 == 0:
            self.crm.door.expire()
        if number % 17 == 0:
            self.crm.faults = [Reply(200, b'{"errorCode":30004,"errorMessage":"too fast"}')]
        if number % 23 == 0:
            self.crm.faults = [Reply(200, b'{"errorCode":-1,"errorMessage":"busy"}')]

    def alter(self, key: int, at: datetime) -> None:
        if self.dice.random() < 0.5:
            self.put(key, at)
        else:
            self.line_alone(key, at)

    def put(self, key: int, at: datetime) -> None:
        """Write an order anew, with other lines; some lines are removed, and the order moves."""
        head = record(HEAD, key, name=f"p{key}")
        self.crm.put(HEAD, head, at=at)
        for one in self.lines(key):
            self.crm.delete(LINE, one)
        for place in range(1, 1 + self.dice.choice([1, 1, 2, 5])):
            made = line(LINE, head, "order_id", place, subtotal=self.amount())
            self.crm.put(LINE, made, at=at)

    def line_alone(self, key: int, at: datetime) -> None:
        """Change a line, or add one; the order itself does not move."""
        mine = self.lines(key)
        if len(mine) < 9 and self.dice.random() < 0.3:
            head = self.crm.living(HEAD)[oid(HEAD, key)]
            made = line(LINE, head, "order_id", 10 + len(mine), subtotal=self.amount())
            self.crm.put(LINE, made, at=at)
        else:
            changed = self.crm.living(LINE)[self.dice.choice(mine)]
            self.crm.put(LINE, {**changed, "subtotal": self.amount()}, at=at)

    def lines(self, key: int) -> list[str]:
        mine = oid(HEAD, key)
        return [one for one, row in self.crm.living(LINE).items() if row["order_id"] == mine]

    def delete(self, key: int) -> None:
        """Delete an order with its lines for good."""
        for one in self.lines(key):
            self.crm.delete(LINE, one)
        self.crm.delete(HEAD, oid(HEAD, key))

    def source(self) -> dict[str, Decimal]:
        sums: dict[str, Decimal] = {}
        for row in self.crm.living(LINE).values():
            owner = row["order_id"]
            sums[owner] = sums.get(owner, Decimal(0)) + Decimal(row["subtotal"])
        return {str(int(owner[8:], 16)): total for owner, total in sums.items()}
