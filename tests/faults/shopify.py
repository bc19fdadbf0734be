"""The stories of a table, played on a shop: whole runs, cut off anywhere, sweeps, bulk operations.

Orders of one to thirteen lines, of which ten come with the order: edits, ties over page edges, late
commits, hard deletes, tokens that end, points that run out; in every third story whole reads are
bulk operations. Nothing may be lost, doubled, cut in two, or kept. The judge sums the lines.
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

from connectors.shopify import bulk, sample
from connectors.shopify.sample import bag, gid
from connectors.shopify.simulator import ShopifySimulator
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream
from tests.faults import sql
from tests.faults.case import Case, Result, Size
from tests.faults.erp_world import ErpWorld
from tests.faults.sql import PARTITION, Story
from tests.support.shopify_world import APP, CONFIG, TOKEN, Network
from tests.support.still_clock import START
from warehouse import writer

FULL, QUICK = 24, 1
CUTS = 2
STREAM = "orders"
LINES = (1, 2, 4, 13)


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories, each with reads that are cut off; `seeds` say the first."""
    first = next(iter(seeds), 0)
    count, rounds = (FULL, sql.ROUNDS) if size == "full" else (QUICK, 4)
    return [
        Case("H", f"seed {seed}", partial(play, seed, rounds=rounds), CUTS)
        for seed in range(first, first + count)
    ]


def play(seed: int, root: Path, *, rounds: int) -> Result:
    """Play one story of so many rounds; it judges itself after each run."""
    world = World(root / "world", in_bulk=seed % 3 == 0)
    story = ShopifyStory(world, seed)
    try:
        with (
            patch.object(writer, "MAX_RECORDS", PARTITION),
            patch.object(sql, "ROUNDS", rounds),
            patch.multiple(bulk, ROWS=PARTITION, PIECE=4000),
        ):
            story.tell()
    finally:
        world.space.control.close()
    return story.result


class World(ErpWorld):
    """A simulated shop, a connection that reads its orders, and their store."""

    STORED = (
        "select o.source_key, coalesce(sum(l.gross), 0)::varchar, o.number"
        " from source.orders o left join source.order_lines l"
        " on l.parent_key = o.source_key and l.stream = o.stream"
        " where not o.is_deleted group by o.source_key, o.number"
    )

    def __init__(self, root: Path, *, in_bulk: bool) -> None:
        kept = {name: value for name, value in CONFIG.items() if name != "token"}
        config = {**kept, "client_id": APP[0], "client_secret": "env:SHOP_SECRET",
                  "bulk_above": 0 if in_bulk else 5000}  # fmt: skip
        attributes = {"system": "shopify", "config": config, "streams": [STREAM]}
        super().__init__(root, attributes, {"SHOP_SECRET": APP[1]}, START)
        self.shop = ShopifySimulator(TOKEN, APP, now=lambda: self.now)
        self.shop.bulk.where = CONFIG["download_url"]
        self.shop.bulk.takes = timedelta(seconds=3)

    def transport(self) -> Network:
        return Network(self.shop)

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def sync(self, **how: Any) -> StreamOutcome:
        self.now += timedelta(minutes=1)
        return sync_stream(
            self.space, "erp", self.stream, now=lambda: self.now, transport=self.transport(),
            pause=self.sleep, **how,
        )  # fmt: skip


class ShopifyStory(Story):
    """The story with orders in the place of rows; an order's amount is the sum of its lines."""

    PUBLISHED = (
        "select 'gid://shopify/Order/' || substr(o.number, 2), sum(l.gross) from orders o"
        " join order_lines l using (order_id) group by 1"
    )

    def __init__(self, world: World, seed: int) -> None:
        self.shop = world.shop
        world.database = None  # type: ignore[attr-defined]
        super().__init__(world, random.Random(seed), Result())
        self.shop.before = self.meanwhile

    def meanwhile(self, number: int) -> None:
        """Let the token end and other apps take the points."""
        if number % 29 == 0:  # no request meets two of them
            self.shop.expire()
        if number % 7 == 0:
            self.shop.take(2000)

    def insert(self, count: int, at: datetime) -> None:
        count = (count + 2) // 3  # an order has several rows
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
        many = self.dice.choice(LINES)
        amounts = [self.amount() for _ in range(many)]
        lines = [
            sample.line(key * 100 + n, 1, amount, total=amount) for n, amount in enumerate(amounts)
        ]
        total = str(sum(map(Decimal, amounts)))
        self.shop.put("orders", sample.order(key, *lines, totalPriceSet=bag(total, "CNY")), at=at)

    def delete(self, key: int) -> None:
        self.shop.delete("orders", gid("Order", key))

    def source(self) -> dict[str, Decimal]:
        rows = self.shop.living("orders").values()
        return {row["id"]: Decimal(row["totalPriceSet"]["shopMoney"]["amount"]) for row in rows}
