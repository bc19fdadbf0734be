"""The suite on `alipay`, over the simulator that the vendor's own client is held against."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from connectors.alipay import AlipayConnector, sample
from connectors.alipay.simulator import HERE
from connectors.testing import Bench, ConformanceSuite
from tests.support import alipay_world as world

EVERY: dict[str, Any] = {"skip": [], "download_url": "http://alipay.example"}


def answered(method: str, inner: Mapping[str, Any]) -> bytes:
    """Return an answer that is signed as the gateway signs."""
    raw = json.dumps(inner).encode()
    sign = base64.b64encode(world.key("alipay").sign(raw, PKCS1v15(), SHA256())).decode()
    return b'{"%s_response":%s,"sign":"%s"}' % (method.encode(), raw, sign.encode())


class AlipayBench(Bench):
    """One account; `method` is what a page of the stream is asked by."""

    connector = AlipayConnector
    method: ClassVar[str]
    secrets: ClassVar[Mapping[str, str]] = {
        "env:ALIPAY_KEY": world.private_text(),
        "env:ALIPAY_PUBLIC": world.public_text(),
    }

    def boot(self) -> Any:
        self.system = world.simulator(self.clock.now)
        self.system.downloads = ""
        return self.system

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        good = self.settings()
        yield good | {"private_key": world.private_text()}
        yield good | {"alipay_public_key": world.private_text()}
        yield good | {"app_cert": "file:app.crt"}
        yield good | {"skip": ["acount_bill"]}
        yield good | {"window": "32d"}
        yield good | {"since": "2015-12-31"}
        yield good | {"download_url": "http://alipay.example/files"}
        yield good | {"app_id": "no number"}

    def wanted(self, stream: str) -> Iterable[Mapping[str, str | None]]:
        if stream == "trades":
            return [{"trade_no": None, "out_trade_no": "SO77000001"}]
        if stream == "refund_checks":
            return [{"trade_no": "77000001", "out_trade_no": None, "out_request_no": "R1"}]
        return ()

    def fill_others(self) -> None:
        at = self.clock.now().astimezone(HERE) - timedelta(days=2)
        self.system.put("account", sample.movement("77000001", at, "9.00"))
        self.system.put("trade", sample.trade_row("77000001", at, "9.00"))
        for kind in ("sells", "buys", "transfers"):
            self.system.put(kind, sample.listed(kind, "77000001", at, "9.00"))
        self.system.put("trades", sample.trade("77000001", "9.00"))
        self.system.put("refund_checks", sample.refund_check("77000001", "R1", "1.00"))
        self.system.put("balance", {"available_amount": "12.00", "total_amount": "12.00"})

    def is_page(self, request: httpx.Request) -> bool:
        return request.url.params.get("method") == self.method

    def failed(self, sub_code: str, words: str) -> bytes:
        inner = {"code": "40004", "msg": "Business Failed", "sub_code": sub_code, "sub_msg": words}
        return answered(self.method.replace(".", "_"), inner)

    def throttled_body(self) -> bytes:
        said = {"code": "40004", "sub_code": "isv.app-call-limited", "sub_msg": "应用调用次数超限"}
        return json.dumps({"error_response": said}).encode()

    def error_body(self) -> bytes:
        return self.failed("ACQ.INVALID_PARAMETER", "参数无效")


class BillBench(AlipayBench):
    """A bill of three days, each of which is a page; record n stands on the day n modulo 3.

    The days are those before the suite's clock begins: a change is a corrected bill.
    """

    kind: ClassVar[str]
    method = "alipay.data.dataservice.bill.downloadurl.query"
    page_size = 4

    def boot(self) -> Any:
        self.first = self.clock.now().astimezone(HERE) - timedelta(days=5)
        self.numbers: set[int] = set()
        return super().boot()

    def settings(self) -> dict[str, Any]:
        since = self.first.date().isoformat()
        return world.config(**EVERY, since=since, lookback="6d", reread="1s")

    def day(self, number: int) -> datetime:
        self.numbers.add(number)
        return self.first + timedelta(days=number % 3)

    def is_page(self, request: httpx.Request) -> bool:
        content = request.content.decode()
        return super().is_page(request) and f"%22{self.type}%22" in content

    type: ClassVar[str]

    def delete(self, number: int) -> None:
        self.numbers.discard(number)
        self.system.delete(self.kind, self.key(number))

    def key(self, number: int) -> str:
        raise NotImplementedError

    def companions(self, number: int) -> Iterable[int]:
        return [each for each in self.numbers if each % 3 == number % 3]

    def living(self) -> Mapping[str, str]:
        rows = self.system.living(self.kind)
        return {key.removesuffix("/"): row["备注"] for key, row in rows.items()}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["备注"])

    def with_link(self, body: bytes, url: str) -> bytes:
        inner = {"code": "10000", "msg": "Success", "bill_download_url": url}
        return answered(self.method.replace(".", "_"), inner)


class AccountBillBench(BillBench):
    """账务明细: the movements of money."""

    stream = "account_bill"
    kind, type = "account", "signcustomer"

    def key(self, number: int) -> str:
        return f"{number:08d}"

    def put(self, number: int, version: int, at: datetime) -> str:
        row = sample.movement(self.key(number), self.day(number), "9.00", 备注=f"v{version}")
        return self.system.put(self.kind, row)


class TradeBillBench(BillBench):
    """业务明细: trades, and refunds of them, quoted and with half-width brackets."""

    stream = "trade_bill"
    kind, type = "trade", "trade"

    def boot(self) -> Any:
        made = super().boot()
        self.system.style.quoted = self.system.style.half_width = True
        return made

    def key(self, number: int) -> str:
        return f"{number // 2:08d}/{f'R{number}' if number % 2 else ''}"

    def put(self, number: int, version: int, at: datetime) -> str:
        trade, request = self.key(number).split("/")
        amount = "-9.00" if request else "9.00"
        row = sample.trade_row(trade, self.day(number), amount, request, 备注=f"v{version}")
        return self.system.put(self.kind, row).removesuffix("/")


class AccountLogBench(AlipayBench):
    """The account's log, in pages of three entries."""

    stream = "account_log"
    method = "alipay.data.bill.accountlog.query"
    page_size = 3

    def settings(self) -> dict[str, Any]:
        since = (self.clock.now() - timedelta(days=3)).date().isoformat()
        more = {"movements": "log", "rows": 3, "lookback": "10m"}
        return world.config(**EVERY, since=since, **more)

    def put(self, number: int, version: int, at: datetime) -> str:
        here = at.astimezone(HERE)
        row = sample.movement(f"{number:08d}", here, "9.00", 备注=f"v{version}")
        return self.system.put("account", row)

    def living(self) -> Mapping[str, str]:
        return {key: row["备注"] for key, row in self.system.living("account").items()}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["trans_memo"])

    def fill_others(self) -> None:
        super().fill_others()
        self.system.delete("account", "77000001")

    def clamp(self, size: int) -> None:
        self.system.most = size


ALIKE = {"token_expires": "requests are signed with a key that a person replaces"}
BILLS = ALIKE | {
    "page_size_clamped": "a bill is one file",
    "sweep_lists_keys": "a row that is gone from a corrected bill is found when it is read again",
}


class TestAccountBill(ConformanceSuite):
    title = "account bill"
    bench = AccountBillBench
    not_applicable: ClassVar = BILLS


class TestTradeBill(ConformanceSuite):
    title = "trade bill"
    bench = TradeBillBench
    not_applicable: ClassVar = BILLS


class TestAccountLog(ConformanceSuite):
    title = "account log"
    bench = AccountLogBench
    not_applicable: ClassVar = ALIKE | {
        "foreign_next_link": "pages go by number; no answer of the list holds a link",
        "deletes_seen": "entries of the log are never deleted",
        "sweep_lists_keys": "entries of the log are never deleted",
    }
