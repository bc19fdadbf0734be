"""The stories of a table, played on 聚水潭: whole runs, cut off anywhere, tokens that end.

Orders go by their row number, SKUs by windows of their stamp; both with edits, ties over page
edges and late commits. SKUs are deleted for good, orders never. The vendor's limits are enforced:
an answer that says too fast is one that a run was not supposed to get.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from connectors.jushuitan import sample as make
from connectors.jushuitan.simulator import JushuitanSimulator
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream
from tests.faults import sql
from tests.faults.case import Case, Result, Size
from tests.faults.erp_world import ErpWorld
from tests.faults.sql import PARTITION, Story
from tests.support.jushuitan_world import CONFIG, IDENTITY, SECRET, Network
from tests.support.still_clock import START
from warehouse import writer

FULL, QUICK = 24, 1
CUTS = 2
STORED = {
    "orders": (
        "select o.source_key, coalesce(sum(l.gross), 0)::varchar, o.number from source.orders o"
        " left join source.order_lines l on l.parent_key = o.source_key and l.stream = o.stream"
        " where not o.is_deleted group by o.source_key, o.number"
    ),
    "products": (
        "select source_key, price::varchar, name from source.products where not is_deleted"
    ),
}
PUBLISHED = {
    "orders": "select o.number, sum(l.gross) from orders o join order_lines l using (order_id)"
    " group by 1",
    "products": "select sku, price from products",
}


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories, each with reads that are cut off; `seeds` say the first."""
    first = next(iter(seeds), 0)
    count, rounds = (FULL, sql.ROUNDS) if size == "full" else (QUICK, 3)
    return [
        Case("J", f"{stream}, seed {seed}", partial(play, stream, seed, rounds=rounds), CUTS)
        for seed in range(first, first + count)
        for stream in (STORED if size == "full" else [("orders", "products")[seed % 2]])
    ]


def play(stream: str, seed: int, root: Path, *, rounds: int) -> Result:
    """Play one story of so many rounds; it judges itself after each run."""
    world = World(root / "world", stream, random.Random(seed))
    story = STORIES[stream](world, seed)
    try:
        with (
            patch.object(writer, "MAX_RECORDS", 2 * PARTITION),
            patch.object(sql, "ROUNDS", rounds),
            patch.object(sql, "CUTS", CUTS),
        ):
            story.tell()
    finally:
        world.space.control.close()
    codes = {line.code for line in world.erp.journal}
    story.result.expect(codes <= {0, 100}, f"answers of codes {codes}: a limit was not kept")
    return story.result


class World(ErpWorld):
    """A simulated merchant, a connection that reads one stream of it, and their store."""

    def __init__(self, root: Path, stream: str, dice: random.Random) -> None:
        config = {**CONFIG, "since": "2026-02-20", "page_size": dice.choice([20, 37, 50])}
        attributes = {
            "system": "jushuitan", "config": config, "streams": [stream],
            "timezone": "Asia/Shanghai",
        }  # fmt: skip
        self.STORED = STORED[stream]  # type: ignore[misc]
        secrets = {"JST_KEY": IDENTITY.app_key, "JST_SECRET": SECRET}
        super().__init__(root, attributes, secrets, START)
        self.erp = JushuitanSimulator(IDENTITY, now=lambda: self.now)
        self.erp.inclusive = dice.random() < 0.5
        self.erp.milliseconds = dice.random() < 0.5
        self.erp.order = dice.choice(["modified", "sku_id"])

    def transport(self) -> Network:
        return Network(self.erp)

    def pause(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def sync(self, **how: Any) -> StreamOutcome:
        """Run as the others do, with a clock that goes on while the run waits for its budget."""
        self.now += timedelta(minutes=1)
        return sync_stream(
            self.space, "erp", self.stream, now=lambda: self.now, transport=self.transport(),
            pause=self.pause, **how,
        )  # fmt: skip


class SkuStory(Story):
    """The story with SKUs in the place of rows, their price for the amount."""

    STREAM = "products"

    def __init__(self, world: World, seed: int) -> None:
        self.erp = world.erp
        self.PUBLISHED = PUBLISHED[self.STREAM]
        world.database = None  # type: ignore[attr-defined]
        super().__init__(world, random.Random(seed), Result())
        self.erp.before = self.end_tokens

    def end_tokens(self, number: int) -> None:
        if number % 13 == 0:
            self.erp.end_tokens(refresh=number % 2 == 0)

    def insert(self, count: int, at: datetime) -> None:
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
        product = make.product(str(key), f"p{key}", sale_price=Decimal(self.amount()))
        self.erp.put("products", product, at=at)

    def delete(self, key: int) -> None:
        self.erp.delete("products", key)

    def source(self) -> dict[str, Decimal]:
        rows: Mapping[str, Any] = self.erp.living("products")
        return {key: row["sale_price"] for key, row in rows.items()}


class OrderStory(SkuStory):
    """The same with orders of one to five lines, which are not deleted but cancelled."""

    STREAM = "orders"

    def put(self, key: int, at: datetime, **more: Any) -> None:
        many = self.dice.choice([1, 1, 2, 5])
        lines = [make.item(key * 10 + n, "A-1", 1, self.amount()) for n in range(many)]
        order = make.order(key, lines, pays=[], **more)
        self.erp.put("orders", order, at=at, ts=int(at.timestamp() * 10))

    def delete(self, key: int) -> None:
        self.put(key, self.world.now, status="Cancelled")

    def source(self) -> dict[str, Decimal]:
        rows = self.erp.living("orders")
        return {key: Decimal(row["pay_amount"]) for key, row in rows.items()}


STORIES = {"orders": OrderStory, "products": SkuStory}
