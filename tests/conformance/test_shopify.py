"""The suite on `shopify`, over the simulator that the vendor's own schema is held against."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from unittest.mock import patch

import httpx

from connectors.shopify import ShopifyConnector, bulk, sample
from connectors.shopify.sample import gid
from connectors.shopify.simulator import ShopifySimulator
from connectors.testing import Bench, ConformanceSuite
from tests.support.shopify_world import APP, SECRETS, TOKEN

PLACE = "http://shop.example"


class ShopifyBench(Bench):
    """One shop that speaks in pages of three; `root` is the list of the stream."""

    connector = ShopifyConnector
    page_size = 3
    root: ClassVar[str]
    secrets: ClassVar[Mapping[str, str]] = {"env:SHOP_TOKEN": TOKEN}

    def boot(self) -> Any:
        self.shop = ShopifySimulator(TOKEN, APP, now=self.clock.now)
        self.shop.most, self.shop.bulk.where = self.page_size, PLACE
        self.made: dict[int, str] = {}
        return self.shop

    def made_at(self, number: int, at: datetime) -> str:
        """Return when a record was made: when it was put first."""
        return self.made.setdefault(number, f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")

    def settings(self) -> dict[str, Any]:
        return {
            "base_url": PLACE, "download_url": PLACE, "allow_plain_http": "true",
            "token": "env:SHOP_TOKEN",
        }  # fmt: skip

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        good = self.settings()
        yield {name: value for name, value in good.items() if name != "allow_plain_http"}
        yield good | {"base_url": "https://www.shop.example", "allow_plain_http": "false"}
        yield good | {"client_id": "a", "client_secret": "env:SHOP_SECRET", "token": "env:T"}
        yield good | {"version": "2026-13"}
        yield good | {"skip": ["oders"]}
        yield good | {"bulk_above": -1}

    def fill_others(self) -> None:
        parts = {
            "fulfillments": [sample.fulfillment(1, (1, 1))],
            "returns": [sample.returned(1, (1, 1))],
            "transactions": [sample.transaction(1, "SALE", "1.00")],
            "refunds": [sample.refund(1, "1.00", (1, 1, "1.00"))],
        }  # fmt: skip
        for kind, record in (
            ("customers", sample.customer(7712)), ("products", sample.product(44)),
            ("variants", sample.variant(4401, 44)), ("locations", sample.location(11)),
            ("items", sample.item(4401, sample.level(4401, 11, available=1))),
            ("orders", sample.order(9001, sample.line(1, 1, "1.00"), **parts)),
        ):  # fmt: skip
            if kind not in (self.stream, "items" if self.stream == "stock" else ""):
                self.shop.put(kind, record)
        if self.stream == "orders":
            key = min(self.shop.living("orders"))
            self.shop.change("orders", key, moves=False, **parts)

    def is_page(self, request: httpx.Request) -> bool:
        return request.method == "POST" and b"query Page" in request.content and (
            f"{self.root}(first".encode() in request.content
        )  # fmt: skip

    def clamp(self, size: int) -> None:
        self.shop.most = size

    def throttled_body(self) -> bytes:
        cost = {
            "requestedQueryCost": 502, "actualQueryCost": None,
            "throttleStatus": {
                "maximumAvailable": 2000.0, "currentlyAvailable": 120, "restoreRate": 100.0,
            },
        }  # fmt: skip
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return json.dumps({"errors": [error], "extensions": {"cost": cost}}).encode()

    def error_body(self) -> bytes:
        return b'{"errors":[{"message":"Something went wrong on our end"}]}'


class OrdersBench(ShopifyBench):
    """Orders of eleven lines, of which ten come with the order; the app's token lives a day."""

    stream = root = "orders"
    secrets: ClassVar[Mapping[str, str]] = {"env:SHOP_SECRET": SECRETS["env:SHOP_SECRET"]}

    def settings(self) -> dict[str, Any]:
        kept = {name: value for name, value in super().settings().items() if name != "token"}
        return kept | {"client_id": APP[0], "client_secret": "env:SHOP_SECRET"}

    def put(self, number: int, version: int, at: datetime) -> str:
        said = f"v{version}"
        lines = [sample.line(number * 100 + n, 1, "1.00", title=said) for n in range(11)]
        order = sample.order(number, *lines, note=said, createdAt=self.made_at(number, at))
        return self.shop.put("orders", order, at=at)

    def delete(self, number: int) -> None:
        self.shop.delete("orders", gid("Order", number))

    def living(self) -> Mapping[str, str]:
        return {key: str(row["note"]) for key, row in self.shop.living("orders").items()}

    def version(self, record: Mapping[str, Any]) -> str:
        said = {line["title"] for line in record["lineItems"]["nodes"]}
        whole = len(record["lineItems"]["nodes"]) == 11 and said == {record["note"]}
        return str(record["note"]) if whole else f"torn: {record['note']} with {sorted(said)}"

    def expire(self) -> None:
        self.shop.expire()


class CustomersBench(ShopifyBench):
    """Customers, whose filter by stamp knows whole days; a permanent token."""

    stream = root = "customers"

    def put(self, number: int, version: int, at: datetime) -> str:
        made = self.made_at(number, at)
        customer = sample.customer(number, note=f"v{version}", createdAt=made)
        return self.shop.put("customers", customer, at=at)

    def delete(self, number: int) -> None:
        self.shop.delete("customers", gid("Customer", number))

    def living(self) -> Mapping[str, str]:
        return {key: str(row["note"]) for key, row in self.shop.living("customers").items()}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["note"])


class StockBench(ShopifyBench):
    """Stock by bulk operations; a page is a piece of the file."""

    stream, root = "stock", "inventoryItems"

    def boot(self) -> Any:
        shop = super().boot()
        shop.most = 250
        shop.bulk.takes = timedelta(seconds=3)
        self._patches = ExitStack()
        self._patches.enter_context(patch.multiple(bulk, ROWS=self.page_size, PIECE=1000))
        return shop

    def end(self) -> None:
        self._patches.close()

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"bulk_above": 0}

    def put(self, number: int, version: int, at: datetime) -> str:
        self.shop.put("variants", sample.variant(number, 44), at=at)
        level = sample.level(number, 11, available=version)
        self.shop.put("items", sample.item(number, level), at=at)
        return str(level["id"])

    def delete(self, number: int) -> None:
        self.shop.delete("items", gid("InventoryItem", number))

    def living(self) -> Mapping[str, str]:
        levels = (row["inventoryLevels"][0] for row in self.shop.living("items").values())
        return {one["id"]: str(one["quantities"][0]["quantity"]) for one in levels}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["quantities"][0]["quantity"])

    def is_page(self, request: httpx.Request) -> bool:
        return request.url.path.startswith("/bulk/")


LINKLESS = {"foreign_next_link": "pages go on behind an id; no answer holds a link"}
PERMANENT = {"token_expires": "a permanent token holds until a person revokes it"}


class TestOrders(ConformanceSuite):
    title = "orders"
    bench = OrdersBench
    not_applicable = LINKLESS


class TestCustomers(ConformanceSuite):
    title = "customers"
    bench = CustomersBench
    not_applicable: ClassVar = LINKLESS | PERMANENT


class TestStock(ConformanceSuite):
    title = "stock, in bulk"
    bench = StockBench
    not_applicable: ClassVar = PERMANENT | {
        "foreign_next_link": "the link stands in the operation, not in a page; it has its own test",
        "late_commit": "stock is read whole every time, by no stamp",
        "nothing_new": "stock has no stamp that can be asked for: every read is whole",
        "only_what_changed": "stock has no stamp that can be asked for: every read is whole",
    }
