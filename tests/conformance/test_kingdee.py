"""The suite on `kingdee`, over the simulator that the vendor's own client is held against."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx

from connectors.kingdee import KingdeeConnector
from connectors.kingdee.catalogue import LICENSED, STREAMS
from connectors.kingdee.sample import Record, order, record
from connectors.kingdee.simulator import KingdeeSimulator
from connectors.testing import Bench, ConformanceSuite
from tests.support.kingdee_world import CONFIG, IDENTITY, SECRETS, Network


class KingdeeBench(Bench):
    """One account; `form` is that of the stream, `width` how many rows each of its records has."""

    connector = KingdeeConnector
    form: ClassVar[str]
    width: ClassVar[int] = 1

    def boot(self) -> Any:
        self.erp = KingdeeSimulator(IDENTITY, now=self.clock.now)
        return Network(self.erp)

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        good = self.settings()
        yield good | {"login": "token"}
        yield good | {"skip": ["oders"]}
        yield good | {"names": {"orders": {"FDat": "FDate"}}}
        yield good | {"user": "one,two"}
        yield good | {"rows": 0}

    def fill_others(self) -> None:
        for name, source in STREAMS.items():
            if name not in (*LICENSED, self.stream):
                self.erp.put(source.form, record(source.form, 7, [{}]))

    def is_page(self, request: httpx.Request) -> bool:
        if "BillQuery" not in request.url.path:
            return False
        return bool(json.loads(request.content)["data"]["FormId"] == self.form)

    def clamp(self, size: int) -> None:
        self.erp.most = max(size * self.width - 1, 1)  # the edge cuts a record

    def expire(self) -> None:
        self.erp.sessions.clear()

    def throttled_body(self) -> bytes:
        return self.failed("访问频率超过限制，请稍后再试")

    def error_body(self) -> bytes:
        return self.failed("对象引用未设置到对象的实例")

    def failed(self, message: str) -> bytes:
        status = {"IsSuccess": False, "MsgCode": 0, "Errors": [{"Message": message}]}
        return json.dumps([[{"Result": {"ResponseStatus": status}}]]).encode()


class OrdersBench(KingdeeBench):
    """Sales orders of two lines, three a page: the page's edge cuts the fourth. Each is signed."""

    stream = "orders"
    form = "SAL_SaleOrder"
    page_size = 3
    width = 2
    secrets: ClassVar[Mapping[str, str]] = {n: SECRETS[n] for n in ("env:KD_APP", "env:KD_SECRET")}

    def settings(self) -> dict[str, Any]:
        return {**CONFIG, "rows": 7}

    def put(self, number: int, version: int, at: datetime) -> str:
        said = f"v{version}"
        lines = [{"FQty": n, "FTaxPrice": version, "FEntryNote": said} for n in (1, 2)]
        closed = "B" if number % 2 else "A"
        self.erp.put(self.form, order(number, lines, FNote=said, FCloseStatus=closed), at=at)
        return str(number)

    def delete(self, number: int) -> None:
        self.erp.delete(self.form, number)

    def living(self) -> Mapping[str, str]:
        return {str(key): row["FNote"] for key, row in self.erp.living(self.form).items()}

    def version(self, record: Mapping[str, Any]) -> str:
        return said_by_all(record["FNote"], [line["FEntryNote"] for line in record["lines"]])


class CustomersBench(KingdeeBench):
    """Customers that two organisations use, two a page, in a session, as BillQuery's objects.

    A change moves the stamp of one use alone.
    """

    stream = "customers"
    form = "BD_Customer"
    page_size = 2
    width = 2
    secrets = OrdersBench.secrets

    def settings(self) -> dict[str, Any]:
        return {**CONFIG, "rows": 5, "login": "app_secret", "query": "bill"}

    def put(self, number: int, version: int, at: datetime) -> str:
        for use, org in enumerate(("100", "200")):
            moves = version == 1 or (number + version) % 2 == use
            row = self.use(number, use, f"v{version}", org)
            self.erp.put(self.form, row, at=at, moves=moves)
        return str(number)

    def use(self, number: int, use: int, said: str, org: str) -> Record:
        more = {"FMasterId": number, "FName": said, "FNumber": said, "FUseOrgId__FNumber": org}
        return record(self.form, number * 10 + use, **more)

    def delete(self, number: int) -> None:
        for use in range(self.width):
            self.erp.delete(self.form, number * 10 + use)

    def living(self) -> Mapping[str, str]:
        rows = self.erp.living(self.form).values()
        return {str(row["FMasterId"]): row["FName"] for row in rows}

    def version(self, record: Mapping[str, Any]) -> str:
        return said_by_all(record["FName"], [use["FNumber"] for use in record["uses"]])

    def failed(self, message: str) -> bytes:
        return super().failed(message)[1:-1]  # BillQuery: one list less


class StockBench(KingdeeBench):
    """Stock on hand, read whole each time behind keys that are texts; a session by password."""

    stream = "stock"
    form = "STK_Inventory"
    page_size = 3
    secrets: ClassVar[Mapping[str, str]] = {"env:KD_PASSWORD": SECRETS["env:KD_PASSWORD"]}

    def settings(self) -> dict[str, Any]:
        kept = {name: value for name, value in CONFIG.items() if name[:4] != "app_"}
        return {**kept, "rows": 3, "login": "password", "password": next(iter(self.secrets))}

    def put(self, number: int, version: int, at: datetime) -> str:
        key = f"{number:08d}-a1"
        self.erp.put(self.form, record(self.form, key, FBaseQty=version), at=at)
        return key

    def delete(self, number: int) -> None:
        self.erp.delete(self.form, f"{number:08d}-a1")

    def living(self) -> Mapping[str, str]:
        return {key: str(row["FBaseQty"]) for key, row in self.erp.living(self.form).items()}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["FBaseQty"])


def said_by_all(head: str, lines: list[str]) -> str:
    """Return the version that the head and both lines tell; what is torn is none."""
    return head if lines == [head, head] else f"torn: {head} with {lines}"


NOT_APPLICABLE = {"foreign_next_link": "pages go on behind a key; no answer holds a link"}


class TestOrders(ConformanceSuite):
    title = "orders"
    bench = OrdersBench
    not_applicable = NOT_APPLICABLE


class TestCustomers(ConformanceSuite):
    title = "customers"
    bench = CustomersBench
    not_applicable = NOT_APPLICABLE


class TestStock(ConformanceSuite):
    title = "stock"
    bench = StockBench
    not_applicable: ClassVar = NOT_APPLICABLE | {
        "only_what_changed": "stock has no stamp: every read is whole",
        "nothing_new": "stock has no stamp: every read is whole",
        "late_commit": "stock is read whole every time, by no stamp",
    }
