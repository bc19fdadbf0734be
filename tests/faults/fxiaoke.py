"""The stories of a table, played on 纷享销客: whole runs, cut off anywhere, and sweeps.

Orders of one to five lines, each with a stamp of its own: edits of the whole, of a line alone (the
order's stamp stays), ties over page edges, late commits, voided and deleted orders, tokens that are
taken back, limits that are hit; nothing may be lost, doubled, cut in two, or kept. The judge sums
the lines.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from connectors.asgi import Reply
from connectors.fxiaoke.sample import line, oid, record
from connectors.fxiaoke.simulator import FxiaokeSimulator
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream
from tests.faults import sql
from tests.faults.case import Case, Result, Size
from tests.faults.erp_world import ErpWorld
from tests.faults.sql import PARTITION, Story
from tests.support.fxiaoke_world import CODE, CONFIG, IDENTITY, SECRET, Network
from tests.support.still_clock import START
from warehouse import writer

FULL, QUICK = 24, 1
CUTS = 2
HEAD, LINE = "SalesOrderObj", "SalesOrderProductObj"
ATTRIBUTES = {
    "system": "fxiaoke", "config": {**CONFIG, "rows": PARTITION}, "streams": ["orders"],
    "timezone": "Asia/Shanghai",
}  # fmt: skip


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories, each with reads that are cut off; `seeds` say the first."""
    first = next(iter(seeds), 0)
    count, rounds = (FULL, sql.ROUNDS) if size == "full" else (QUICK, 4)
    return [
        Case("X", f"seed {seed}", partial(play, seed, rounds=rounds), CUTS)
        for seed in range(first, first + count)
    ]


def play(seed: int, root: Path, *, rounds: int) -> Result:
    """Play one story of so many rounds; it judges itself after each run."""
    world = World(root / "world")
    story = FxiaokeStory(world, seed)
    try:
        with (
            patch.object(writer, "MAX_RECORDS", 2 * PARTITION),
            patch.object(sql, "ROUNDS", rounds),
        ):
            story.tell()
        story.result.expect(world.crm.throttled == 0, "a limit of the vendor was passed")
    finally:
        world.space.control.close()
    return story.result


class World(ErpWorld):
    """A simulated tenant, a connection that reads its orders, and their store."""

    STORED = (
        "select substr(o.number, 2), coalesce(sum(l.gross), 0)::varchar, o.number"
        " from source.orders o left join source.order_lines l"
        " on l.parent_key = o.source_key and l.stream = o.stream"
        " where not o.is_deleted group by o.source_key, o.number"
    )

    def __init__(self, root: Path) -> None:
        secrets = {"FX_SECRET": SECRET, "FX_CODE": CODE}
        super().__init__(root, ATTRIBUTES, secrets, START)
        self.crm = FxiaokeSimulator(IDENTITY, now=lambda: self.now)

    def transport(self) -> Network:
        return Network(self.crm)

    def pause(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def sync(self, **how: Any) -> StreamOutcome:
        self.now += timedelta(minutes=1)
        return sync_stream(
            self.space, "erp", self.stream, now=lambda: self.now, transport=self.transport(),
            pause=self.pause, **how,
        )  # fmt: skip


class FxiaokeStory(Story):
    """The story with orders in the place of rows; an order's amount is the sum of its lines."""

    PUBLISHED = (
        "select substr(o.number, 2), sum(l.gross) from orders o"
        " join order_lines l using (order_id) group by 1"
    )

    def __init__(self, world: World, seed: int) -> None:
        self.crm = world.crm
        world.database = None  # type: ignore[attr-defined]
        super().__init__(world, random.Random(seed), Result())
        self.crm.before = self.trouble

    def trouble(self, number: int) -> None:
        """Take tokens back and answer as the vendor does when it is busy."""
        if number % 53 == 0:
            self.crm.door.expire()
        if number % 17 == 0:
            self.crm.faults = [Reply(200, b'{"errorCode":30004,"errorMessage":"too fast"}')]
        if number % 23 == 0:
            self.crm.faults = [Reply(200, b'{"errorCode":-1,"errorMessage":"busy"}')]

    def insert(self, count: int, at: datetime) -> None:
        count = (count + 1) // 2  # an order has a line and more
        keys = range(self.next, self.next + count)
        self.next += count
        self.stamps |= dict.fromkeys(keys, at)
        for key in keys:
            self.put(key, at)

    def edit(self, keys: Sequence[int], at: datetime) -> None:
        for key in keys:
            if self.stamps[key] > at:
                continue
            self.stamps[key] = at
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
