"""The suite on `fxiaoke`, over the simulator that two independent clients are held against."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx

from connectors.fxiaoke import FxiaokeConnector
from connectors.fxiaoke.catalogue import STREAMS
from connectors.fxiaoke.sample import line, oid, record
from connectors.fxiaoke.simulator import FxiaokeSimulator
from connectors.testing import Bench, ConformanceSuite
from tests.support.fxiaoke_world import CONFIG, IDENTITY, LEGACY, SECRETS, Network


class FxiaokeBench(Bench):
    """One tenant; `api` is the stream's object."""

    connector = FxiaokeConnector
    api: ClassVar[str]
    page_size = 3
    config: ClassVar[Mapping[str, Any]] = CONFIG
    secrets: ClassVar[Mapping[str, str]] = {n: SECRETS[n] for n in ("env:FX_SECRET", "env:FX_CODE")}

    def boot(self) -> Any:
        self.crm = FxiaokeSimulator(IDENTITY, now=self.clock.now)
        return Network(self.crm)

    def settings(self) -> dict[str, Any]:
        return {**self.config, "rows": self.page_size}

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        good = self.settings()
        yield good | {"auth_style": "both"}
        yield good | {"skip": ["oders"]}
        yield good | {"names": {"SalesOrderObj": {"order_tim": "x__c"}}}
        yield good | {"names": {"SaleOrderObj": {}}}
        yield good | {"custom": {"orders": {"object": "machine__c"}}}
        yield good | {"custom": {"machines": {"object": "machine c"}}}
        yield good | {"user": "one,two"}
        yield good | {"user": None, "mobile": None}
        yield good | {"rows": 101}

    def fill_others(self) -> None:
        for name, source in STREAMS.items():
            if name != self.stream:
                self.crm.put(source.head.api, record(source.head.api, 7))

    def is_page(self, request: httpx.Request) -> bool:
        if not request.url.path.endswith("/data/query"):
            return False
        return bool(json.loads(request.content)["data"]["dataObjectApiName"] == self.api)

    def put(self, number: int, version: int, at: datetime) -> str:
        return str(
            self.crm.put(self.api, record(self.api, number, name=f"v{version}"), at=at)["_id"]
        )

    def delete(self, number: int) -> None:
        self.crm.delete(self.api, oid(self.api, number))

    def living(self) -> Mapping[str, str]:
        return {key: row["name"] for key, row in self.crm.living(self.api).items()}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["name"])

    def clamp(self, size: int) -> None:
        self.crm.most = size

    def expire(self) -> None:
        self.crm.door.expire()

    def throttled_body(self) -> bytes:
        return b'{"traceId":"t","errorCode":30004,"errorMessage":"too fast"}'

    def error_body(self) -> bytes:
        return b'{"traceId":"t","errorCode":20014,"errorMessage":"no right"}'


class OrdersBench(FxiaokeBench):
    """Orders of two lines, the new convention. An order's second version on moves a line alone."""

    stream = "orders"
    api = "SalesOrderObj"

    def put(self, number: int, version: int, at: datetime) -> str:
        moves = version == 1 or (number + version) % 3 == 0
        head = record(self.api, number, remark=f"v{version}")
        for place in (1, 2):
            one = line("SalesOrderProductObj", head, "order_id", place, remark=f"v{version}")
            self.crm.put("SalesOrderProductObj", one, at=at, moves=version == 1 or place == 2)
        return str(self.crm.put(self.api, head, at=at, moves=moves)["_id"])

    def delete(self, number: int) -> None:
        super().delete(number)
        for place in (1, 2):
            self.crm.delete(
                "SalesOrderProductObj", oid("SalesOrderProductObj", number * 100 + place)
            )

    def living(self) -> Mapping[str, str]:
        return {key: row["remark"] for key, row in self.crm.living(self.api).items()}

    def version(self, record: Mapping[str, Any]) -> str:
        head, lines = record["remark"], [one["remark"] for one in record["lines"]]
        return head if lines == [head, head] else f"torn: {head} with {lines}"


class LeadsBench(FxiaokeBench):
    """Leads, the legacy convention: the token in the body, the user looked up by mobile number."""

    stream = "leads"
    api = "LeadsObj"
    secrets = SECRETS

    def settings(self) -> dict[str, Any]:
        kept = {name: value for name, value in LEGACY.items() if name != "user"}
        return {**kept, "rows": 3, "mobile": "env:FX_MOBILE"}

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        yield self.settings() | {"user": "FSUID_1"}


class StockBench(FxiaokeBench):
    """Stock, read whole each time: computed quantities move no stamp."""

    stream = "stock"
    api = "StockObj"


NOT_APPLICABLE = {"foreign_next_link": "pages go on behind an id; no answer holds a link"}


class TestOrders(ConformanceSuite):
    title = "orders"
    bench = OrdersBench
    not_applicable = NOT_APPLICABLE


class TestLeads(ConformanceSuite):
    title = "leads (legacy)"
    bench = LeadsBench
    not_applicable = NOT_APPLICABLE


class TestStock(ConformanceSuite):
    title = "stock"
    bench = StockBench
    not_applicable: ClassVar = NOT_APPLICABLE | {
        "only_what_changed": "stock is read whole: computed quantities move no stamp",
        "nothing_new": "stock is read whole: computed quantities move no stamp",
        "late_commit": "stock is read whole every time, by no stamp",
    }
