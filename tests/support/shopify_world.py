"""A journalled shop at the simulator, a workspace that reads it, and the judge of both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from connectors.shopify import ShopifyConnector, sample
from connectors.shopify.catalogue import STREAMS
from connectors.shopify.sample import Record
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.simulator import ShopifySimulator
from tests.support import system_world
from tests.support.still_clock import StillClock
from tests.support.system_world import JudgedWorld, context

TOKEN = "shpat_canaryOfTheSimulator000000000001"
APP = ("canary-client-id", "shpss_canaryOfTheApp7f3Kq9Zt2Wm8Xb")
CONFIG = {
    "base_url": "http://shop.example", "allow_plain_http": "true", "token": "env:SHOP_TOKEN",
    "download_url": "http://files.example",
}  # fmt: skip
SECRETS = {"env:SHOP_TOKEN": TOKEN, "env:SHOP_SECRET": APP[1]}
KINDS = {
    "customers": "customers", "products": "products", "variants": "variants",
    "locations": "locations", "orders": "orders",
}  # fmt: skip


class Network(system_world.Network):
    """Sees to it, too, that each host is asked for its own."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_file = request.url.path.startswith("/bulk/")
        assert request.url.host == ("files.example" if is_file else "shop.example")
        return super().handle_request(request)


def simulator(now: Any) -> ShopifySimulator:
    """Return a shop whose files stand at the host that the settings name."""
    shop = ShopifySimulator(TOKEN, APP, now=now)
    shop.bulk.where = CONFIG["download_url"]
    return shop


def connector(
    shop: ShopifySimulator, clock: StillClock, network: Any = None, **more: Any
) -> ShopifyConnector:
    """Return a connector that speaks to the simulator, or to what `network` is."""
    given = context("shop", SECRETS, clock, network or Network(shop))
    return ShopifyConnector(ShopifySettings.model_validate({**CONFIG, **more}), given)


class World(JudgedWorld):
    """A shop and a workspace that reads it; `more` are further settings."""

    name, streams = "shop", tuple(STREAMS)

    def __init__(self, folder: Path, **more: Any) -> None:
        time = StillClock()
        self.shop = simulator(time.now)
        attributes = {"system": "shopify", "config": {**CONFIG, **more}}
        super().__init__(folder, self.shop, time, SECRETS, attributes)
        self.network = Network(self.shop)

    def order(self, number: int, *lines: tuple[int, str], **more: Any) -> str:
        """Put an order; a line is quantity and price."""
        made = [
            sample.line(number * 1000 + at, quantity, price)
            for at, (quantity, price) in enumerate(lines, 1)
        ]
        return self.shop.put("orders", sample.order(number, *made, **more))

    # --- the judge -------------------------------------------------------------------------------
    def there(self, stream: str) -> dict[str, Record]:
        """Return the records of a stream as they stand in the shop."""
        if stream in KINDS:
            return self.shop.living(KINDS[stream])
        if stream == "stock":
            items = self.shop.living("items").values()
            return {one["id"]: one for row in items for one in row["inventoryLevels"]}
        orders = self.shop.living("orders").values()
        return {one["id"]: one for row in orders for one in row[stream]}

    def same(self, stream: str, ours: Record, theirs: Record) -> bool:
        return same(ours, theirs)


def same(ours: Any, theirs: Any) -> bool:
    """Say whether a landed value is the shop's; a connection's pages are one list."""
    if isinstance(ours, Mapping) and "nodes" in ours:
        ours = ours["nodes"]
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return all(same(value, theirs[name]) for name, value in ours.items() if name in theirs)
    return bool(ours == theirs)
