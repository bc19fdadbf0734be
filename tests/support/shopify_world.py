"""A journalled shop at the simulator, a workspace that reads it, and the judge of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import zstandard

from connectors.base import Context, Mode
from connectors.shopify import ShopifyConnector, sample
from connectors.shopify.catalogue import STREAMS
from connectors.shopify.sample import Record
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.simulator import ShopifySimulator
from pipelines.extract import Reading, extract
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.support import cut_off, system_world
from tests.support.still_clock import StillClock
from warehouse.landing import Landing
from warehouse.reader import run_query

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
    context = Context(
        "shop", "Asia/Shanghai", secret=SECRETS.__getitem__, now=clock.now, pause=clock.pause,
        transport=network or Network(shop),
    )  # fmt: skip
    return ShopifyConnector(ShopifySettings.model_validate({**CONFIG, **more}), context)


class World:
    """A shop and a workspace that reads it; `more` are further settings."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.time = StillClock()
        self.shop = simulator(self.time.now)
        self.network = Network(self.shop)
        defs = {
            "type": "pipelines.Connection",
            "attributes": {"system": "shopify", "config": {**CONFIG, **more}},
        }
        path = folder / "defs" / "shop" / "defs.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(defs), encoding="utf-8")
        self.environment = {
            "ISTHMUS_HOME": str(folder / "home"), "ISTHMUS_DEFS": str(folder / "defs"),
            "SHOP_TOKEN": TOKEN, "SHOP_SECRET": APP[1],
        }  # fmt: skip
        self.space = Workspace.discover(self.environment)

    def close(self) -> None:
        self.space.control.close()

    def order(self, number: int, *lines: tuple[int, str], **more: Any) -> str:
        """Put an order; a line is quantity and price."""
        made = [
            sample.line(number * 1000 + at, quantity, price)
            for at, (quantity, price) in enumerate(lines, 1)
        ]
        return self.shop.put("orders", sample.order(number, *made, **more))

    # --- what the product does -------------------------------------------------------------------
    def sync(self, stream: str, **how: Any) -> StreamOutcome:
        """Read, land and load a stream."""
        given = {"transport": self.network, "pause": self.time.pause, "now": self.time.now}
        return sync_stream(self.space, "shop", stream, **given | how)

    def sync_all(self, *streams: str, **how: Any) -> dict[str, StreamOutcome]:
        done = {stream: self.sync(stream, **how) for stream in streams or STREAMS}
        for outcome in done.values():
            assert outcome.error is None, outcome.error
        return done

    def read(self, stream: str, mode: Mode = "changed") -> StreamOutcome:
        """Read and land a stream, which is all that a connector has a part in."""
        outcome = StreamOutcome("shop", stream)
        self.space.home.make()
        landing = Landing(self.space.home.landing, now=self.time.now)
        how = Reading(
            mode, self.time.now, lambda: None, transport=self.network, pause=self.time.pause
        )
        extract(self.space.connection("shop"), landing, outcome, how)
        return outcome

    def publish(self) -> None:
        outcome = unify_publish(self.space, now=self.time.now)
        assert outcome.error is None, outcome.error

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in run_query(self.space.home.current, sql).rows]

    # --- the judge -------------------------------------------------------------------------------
    def judge(self, *streams: str) -> list[str]:
        """Compare the newest landed version of each record with the shop; say what differs."""
        found = []
        for stream in streams:
            stored, there = self.landed(stream), self.there(stream)
            found += [f"lost: {stream} {key}" for key in there.keys() - stored.keys()]
            found += [f"ghost: {stream} {key}" for key in stored.keys() - there.keys()]
            for key in stored.keys() & there.keys():
                if not same(stored[key], there[key]):
                    found.append(f"stale: {stream} {key}")
        return sorted(found)

    def there(self, stream: str) -> dict[str, Record]:
        """Return the records of a stream as they stand in the shop."""
        if stream in KINDS:
            return self.shop.living(KINDS[stream])
        if stream == "stock":
            items = self.shop.living("items").values()
            return {one["id"]: one for row in items for one in row["inventoryLevels"]}
        orders = self.shop.living("orders").values()
        return {one["id"]: one for row in orders for one in row[stream]}

    def landed(self, stream: str) -> dict[str, Record]:
        """Return what the landed batches say, applied in their order."""
        folder = Path(self.environment["ISTHMUS_HOME"]) / "landing" / "shop" / stream
        stored: dict[str, Record] = {}
        for sidecar in sorted(folder.glob("*.json")):
            data = sidecar.with_suffix(".ndjson.zst").read_bytes()
            text = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
            said = json.loads(sidecar.read_text("utf-8"))
            for line in text.splitlines():
                made = json.loads(line)
                if said["content"] == "deletions" and not said["held"]:
                    stored.pop(made["key"], None)
                elif said["content"] == "records":
                    stored[made["id"]] = made
        return stored


def same(ours: Any, theirs: Any) -> bool:
    """Say whether a landed value is the shop's; a connection's pages are one list."""
    if isinstance(ours, Mapping) and "nodes" in ours:
        ours = ours["nodes"]
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return all(same(value, theirs[name]) for name, value in ours.items() if name in theirs)
    return bool(ours == theirs)


def killed_at(world: World, place: int, stream: str, mode: Any = "changed") -> bool:
    """Read until the request of that number, counted from here; say whether it came so far."""
    return cut_off.killed_at(world.shop, place, lambda: world.read(stream, mode))
