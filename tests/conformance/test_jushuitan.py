"""The suite on `jushuitan`, with the vendor's limits enforced by the simulator in every case."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx

from connectors.jushuitan import JushuitanConnector
from connectors.jushuitan import sample as make
from connectors.jushuitan.simulator import KINDS, JushuitanSimulator
from connectors.testing import Bench, ConformanceSuite
from tests.support.jushuitan_world import CONFIG, IDENTITY, SECRETS, Network


class JushuitanBench(Bench):
    """One merchant."""

    connector = JushuitanConnector
    secrets: ClassVar[Mapping[str, str]] = {
        n: SECRETS[n] for n in ("env:JST_KEY", "env:JST_SECRET")
    }
    page_size = 3

    def boot(self) -> Any:
        self.oms = JushuitanSimulator(IDENTITY, now=self.clock.now)
        return Network(self.oms)

    def settings(self) -> dict[str, Any]:
        since = self.clock.now() - timedelta(days=3)
        return {**CONFIG, "page_size": 3, "since": since.date().isoformat()}

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        good = self.settings()
        yield {name: value for name, value in good.items() if name != "since"}
        yield good | {"auth": "merchant"}
        yield good | {"code": "env:JST_CODE"}
        yield good | {"skip": ["oders"]}
        yield good | {"warehouses": ["0", "12"]}
        yield good | {"warehouses": ["12", "12"]}
        yield good | {"page_size": 101}
        yield good | {"lookback": "7d"}

    def fill_others(self) -> None:
        order = make.order(7, [make.item(1, "A-1", 1, "2.00")])
        document = make.after_sale(7, order, "2.00")
        purchase = make.purchase_order(7, [("A-1", 1, "1.00")])
        others = {
            "shops": make.shop(7, "店"), "warehouses": make.warehouse(7, "仓"),
            "suppliers": make.supplier(7, "商"), "styles": make.style("A", "款"),
            "products": make.product("A-1", "品"), "stock": make.stock("A-1", 5),
            "orders": order, "shipments": make.shipment(7, order), "after_sales": document,
            "received_returns": make.received(7, document), "purchase_orders": purchase,
            "purchase_ins": make.purchase_in(7, purchase),
        }  # fmt: skip
        for name in others.keys() - {self.stream}:
            self.oms.put(name, others[name], at=self.clock.now() - timedelta(minutes=1))

    def is_page(self, request: httpx.Request) -> bool:
        return request.url.path == KINDS[self.stream].path

    def clamp(self, size: int) -> None:
        self.oms.most = size

    def expire(self) -> None:
        self.oms.end_tokens()

    def throttled_body(self) -> bytes:
        return json.dumps(
            {"code": 199, "msg": "调用频次超过限制!请稍后再试", "data": None}
        ).encode()

    def error_body(self) -> bytes:
        return json.dumps({"code": 500, "msg": "系统异常", "data": None}).encode()


class OrdersBench(JushuitanBench):
    """Orders by their row number, which rises with the stamp; ties have one number."""

    stream = "orders"

    def put(self, number: int, version: int, at: datetime) -> str:
        said = f"v{version}"
        items = [make.item(number * 10 + n, "A-1", n, "1.00", name=said) for n in (1, 2)]
        order = make.order(number, items, remark=said)
        self.oms.put("orders", order, at=at, ts=int(at.timestamp()))
        return str(number)

    def living(self) -> Mapping[str, str]:
        return {key: row["remark"] for key, row in self.oms.living("orders").items()}

    def version(self, record: Mapping[str, Any]) -> str:
        head, lines = record["remark"], [line["name"] for line in record["items"]]
        return str(head) if lines == [head, head] else f"torn: {head} with {lines}"


class ProductsBench(JushuitanBench):
    """SKUs by windows of their stamp."""

    stream = "products"

    def put(self, number: int, version: int, at: datetime) -> str:
        self.oms.put("products", make.product(f"A-{number}", f"v{version}"), at=at)
        return f"A-{number}"

    def delete(self, number: int) -> None:
        self.oms.delete("products", f"A-{number}")

    def living(self) -> Mapping[str, str]:
        return {key: row["name"] for key, row in self.oms.living("products").items()}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["name"])


class SuppliersBench(JushuitanBench):
    """Suppliers, read whole each time."""

    stream = "suppliers"

    def put(self, number: int, version: int, at: datetime) -> str:
        self.oms.put("suppliers", make.supplier(number, f"v{version}"))
        return str(number)

    def delete(self, number: int) -> None:
        self.oms.delete("suppliers", number)

    def living(self) -> Mapping[str, str]:
        return {key: row["name"] for key, row in self.oms.living("suppliers").items()}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["name"])


NO_SIGN = "the system refuses what is signed by a clock more than 15 minutes off (code 140)"
NOT_APPLICABLE = {
    "foreign_next_link": "pages go by numbers of records; no answer holds a link",
    "future_bookmark": NO_SIGN,
    "clock_behind": NO_SIGN,
}
DOCUMENTS = NOT_APPLICABLE | {
    "deletes_seen": "documents are never deleted there: they get another status",
    "sweep_lists_keys": "documents are never deleted there: nothing is to be swept",
}


class TestOrders(ConformanceSuite):
    title = "orders"
    bench = OrdersBench
    not_applicable: ClassVar = DOCUMENTS


class TestProducts(ConformanceSuite):
    title = "products"
    bench = ProductsBench
    not_applicable: ClassVar = NOT_APPLICABLE


class TestSuppliers(ConformanceSuite):
    title = "suppliers"
    bench = SuppliersBench
    not_applicable: ClassVar = NOT_APPLICABLE | {
        "only_what_changed": "suppliers have no stamp to ask by: every read is whole",
        "nothing_new": "suppliers have no stamp to ask by: every read is whole",
        "late_commit": "suppliers are read whole every time, by no stamp",
        "killed_again_and_again": "a list by page numbers begins anew: pages may have shifted",
    }
