"""The stories of a table, played on a shop: whole runs, cut off anywhere, sweeps, bulk operations.

Orders of one to thirteen lines, of which ten come with the order: edits, ties over page edges, late
commits, hard deletes, tokens that end, points that run out; in every third story whole reads are
bulk operations. Nothing may be lost, doubled, cut in two, or kept. The judge sums the lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

from connectors.shopify import bulk, sample
from connectors.shopify.sample import bag, gid
from connectors.shopify.simulator import ShopifySimulator
from tests.faults.case import Case, Result, Size, stories
from tests.faults.erp_world import PUBLISHED_SUMS, SUMS, DocumentStory, ErpWorld
from tests.faults.sql import PARTITION, ROUNDS
from tests.support.shopify_world import APP, CONFIG, SECRETS, TOKEN, Network
from tests.support.still_clock import START

MANY = (1, 2, 4, 13)


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories; `seeds` say the first."""
    return stories("H", size, seeds, play, rounds=(ROUNDS, 4))


def play(seed: int, root: Path, *, rounds: int) -> Result:
    """Play one story of so many rounds."""
    story = ShopifyStory(World(root / "world", in_bulk=seed % 3 == 0), seed)
    with patch.multiple(bulk, ROWS=PARTITION, PIECE=4000):
        return story.play(records=PARTITION, rounds=rounds)


class World(ErpWorld):
    """A simulated shop, a connection that reads its orders, and their store."""

    STORED = SUMS.format(key="o.source_key")

    def __init__(self, root: Path, *, in_bulk: bool) -> None:
        kept = {name: value for name, value in CONFIG.items() if name != "token"}
        config = {**kept, "client_id": APP[0], "client_secret": "env:SHOP_SECRET",
                  "bulk_above": 0 if in_bulk else 5000}  # fmt: skip
        attributes = {"system": "shopify", "config": config, "streams": ["orders"]}
        super().__init__(root, attributes, SECRETS, START)
        self.shop = ShopifySimulator(TOKEN, APP, now=lambda: self.now)
        self.shop.bulk.where = CONFIG["download_url"]
        self.shop.bulk.takes = timedelta(seconds=3)

    def transport(self) -> Network:
        return Network(self.shop)


class ShopifyStory(DocumentStory):
    """The story with orders in the place of rows; an order's amount is the sum of its lines."""

    PUBLISHED = PUBLISHED_SUMS.format(key="'gid://shopify/Order/' || substr(o.number, 2)")
    LINES = 3

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, seed)
        self.shop = world.shop
        self.shop.before = self.meanwhile

    def meanwhile(self, number: int) -> None:
        """Let the token end and other apps take the points."""
        last = self.shop.journal[-1]
        if number % 29 == 0 and (last.kind, last.status) == ("query", 200):
            self.shop.expire()  # no request meets two of them, behind a file neither
        if number % 7 == 0:
            self.shop.take(2000)

    def put(self, key: int, at: datetime) -> None:
        many = self.dice.choice(MANY)
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
