"""The stories of a table, played on 聚水潭: whole runs, cut off anywhere, tokens that end.

Orders go by their row number, SKUs by windows of their stamp; both with edits, ties over page
edges and late commits. SKUs are deleted for good, orders never. The vendor's limits are enforced:
an answer that says too fast is one that a run was not supposed to get.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from connectors.jushuitan import sample as make
from connectors.jushuitan.simulator import JushuitanSimulator
from tests.faults import sql
from tests.faults.case import Case, Result, Size, stories
from tests.faults.erp_world import PUBLISHED_SUMS, SUMS, DocumentStory, ErpWorld
from tests.faults.sql import PARTITION, ROUNDS
from tests.support.jushuitan_world import CONFIG, IDENTITY, SECRETS, Network
from tests.support.still_clock import START

CUTS = 2
STORED = {
    "orders": SUMS.format(key="o.source_key"),
    "products": (
        "select source_key, price::varchar, name from source.products where not is_deleted"
    ),
}
PUBLISHED = {
    "orders": PUBLISHED_SUMS.format(key="o.number"),
    "products": "select sku, price from products",
}


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories of both streams, or of one by turns; `seeds` say the first."""
    first = next(iter(seeds), 0)
    return [
        replace(case, name=f"{stream}, {case.name}")
        for stream in (STORED if size == "full" else [("orders", "products")[first % 2]])
        for case in stories("J", size, seeds, partial(play, stream), rounds=(ROUNDS, 3), cuts=CUTS)
    ]


def play(stream: str, seed: int, root: Path, *, rounds: int) -> Result:
    """Play one story of so many rounds."""
    world = World(root / "world", stream, random.Random(seed))
    story = STORIES[stream](world, seed)
    with patch.object(sql, "CUTS", CUTS):
        result = story.play(records=2 * PARTITION, rounds=rounds)
    codes = {line.code for line in world.erp.journal}
    result.expect(codes <= {0, 100}, f"answers of codes {codes}: a limit was not kept")
    return result


class World(ErpWorld):
    """A simulated merchant, a connection that reads one stream of it, and their store."""

    def __init__(self, root: Path, stream: str, dice: random.Random) -> None:
        config = {**CONFIG, "since": "2026-02-20", "page_size": dice.choice([20, 37, 50])}
        attributes = {
            "system": "jushuitan", "config": config, "streams": [stream],
            "timezone": "Asia/Shanghai",
        }  # fmt: skip
        self.STORED = STORED[stream]  # type: ignore[misc]
        super().__init__(root, attributes, SECRETS, START)
        self.erp = JushuitanSimulator(IDENTITY, now=lambda: self.now)
        self.erp.inclusive = dice.random() < 0.5
        self.erp.milliseconds = dice.random() < 0.5
        self.erp.order = dice.choice(["modified", "sku_id"])

    def transport(self) -> Network:
        return Network(self.erp)


class SkuStory(DocumentStory):
    """The story with SKUs in the place of rows, their price for the amount."""

    STREAM = "products"

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, seed)
        self.erp = world.erp
        self.PUBLISHED = PUBLISHED[self.STREAM]
        self.erp.before = self.end_tokens

    def end_tokens(self, number: int) -> None:
        if number % 13 == 0:
            self.erp.end_tokens(refresh=number % 2 == 0)

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
