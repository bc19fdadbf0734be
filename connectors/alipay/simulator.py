"""The reading side of 支付宝's gateway in memory, and the host of its bills; it keeps a journal.

It behaves as the contract sheet says and shares no code with the connector: signatures are proved
and made here anew, so that tests judge the connector by an independent account.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from connectors.alipay.sample import KEYS, STAMPS, Record, logged, text
from connectors.alipay.simulator_bill import Style, bill
from connectors.asgi import Asked, Reply, Simulator, dated

HERE = timezone(timedelta(hours=8))
LINK_LIVES = timedelta(seconds=30)
LONGEST = timedelta(days=31)
LISTS = {
    "alipay.data.bill.accountlog.query": "account",
    "alipay.data.bill.sell.query": "sells",
    "alipay.data.bill.buy.query": "buys",
    "alipay.data.bill.transfer.query": "transfers",
}
BILLS = {"signcustomer": "account", "trade": "trade"}
_FILE = "/downloadBillFile.resource"


class Answered(Exception):
    """A failure, answered under HTTP 200; `signed` ones stand in the method's own object."""

    def __init__(self, code: str, sub_code: str, message: str, *, signed: bool = True) -> None:
        super().__init__(message)
        self.signed = signed
        self.said = {"code": code, "msg": "Business Failed", "sub_code": sub_code,
                     "sub_msg": message}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal. kind: put, delete, request (method, asked, rows) or download."""

    kind: str
    at: datetime
    what: str = ""
    key: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)
    rows: int = 0
    status: int = 0


class AlipaySimulator(Simulator):
    """One app and its account. `now` is its clock; `before(n)` runs before the n-th answer.

    `downloads` is where links lead ("": where the gateway was asked); `ready` the hour at which a
    day's bill is there, `delayed` days whose bill comes at another moment. `denied` methods lack
    the right. `most` entries are on a page, whatever is asked for; `per_second` is the throttle.
    `spoil` changes a bill's bytes on their way. `sns` are the certificates' SNs: the app's, the
    root's, the platform's own.
    """

    def __init__(
        self, app_id: str, app_key: RSAPublicKey, own_key: RSAPrivateKey, *,
        now: Callable[[], datetime], downloads: str = "",
    ) -> None:  # fmt: skip
        self.app_id, self.app_key, self.own_key, self.now = app_id, app_key, own_key, now
        self.downloads = downloads
        self.account = "20880000000000000156"
        self.ready = time(9)
        self.style = Style()
        self.before: Callable[[int], None] = lambda number: None
        self.spoil: Callable[[str, date, bytes], bytes] = lambda kind, day, data: data
        self.most, self.per_second = 2000, 0
        self.token = ""
        self.sns: tuple[str, str, str] | None = None
        self.denied: set[str] = set()
        self.delayed: dict[tuple[str, date], datetime] = {}
        self.registered = date(2016, 1, 1)
        self.faults: list[Reply] = []
        self.journal: list[Line] = []
        self.requests = 0
        self._rows: dict[str, dict[str, Record]] = {kind: {} for kind in KEYS}
        self._links: dict[str, tuple[str, date, datetime]] = {}
        self._recent: list[float] = []
        self._host = ""

    # --- what is there -------------------------------------------------------------------------
    def put(self, kind: str, record: Record) -> str:
        """Add or replace a record (kinds and their keys: `sample.KEYS`); return its key."""
        key = "/".join(str(record[name]) for name in KEYS[kind])
        self._rows[kind][key] = copy.deepcopy(record)
        self.journal.append(Line("put", self.now(), kind, key))
        return key

    def delete(self, kind: str, key: str) -> None:
        """Take a record out, as a corrected bill does."""
        del self._rows[kind][key]
        self.journal.append(Line("delete", self.now(), kind, key))

    def living(self, kind: str) -> dict[str, Record]:
        """Return what stands there now."""
        return dict(self._rows[kind])

    def of_day(self, kind: str, day: date) -> list[Record]:
        """Return the rows of a day's bill, in their order."""
        rows = self._rows[kind].values()
        mine = [row for row in rows if row[STAMPS[kind]].startswith(day.isoformat())]
        return sorted(mine, key=lambda row: str(row[STAMPS[kind]]))

    # --- the gateway ---------------------------------------------------------------------------
    def answer(self, asked: Asked) -> Reply:
        """Answer one request to either host."""
        self.requests += 1
        self.before(self.requests)
        said = dated(self.now(), "application/json;charset=utf-8")
        if asked.path == _FILE:
            reply = self._download(asked.params, asked.headers)
        else:
            self._host = f"http://{asked.headers.get('host', 'localhost')}"
            reply = self._gateway(asked.params | asked.form)
        return Reply(reply.status, reply.body, said | dict(reply.headers))

    def _gateway(self, given: dict[str, str]) -> Reply:
        method, asked, rows = given.get("method", ""), dict[str, Any](), 0
        try:
            self._limit()
            self._signed(given)
            if self.faults:
                return self.faults.pop(0)
            if method in self.denied:
                raise Answered("40006", "isv.insufficient-isv-permissions", "ISV权限不足")
            asked = json.loads(given.get("biz_content") or "{}")
            found, rows = self._answered(method, asked)
            reply = self._written(method, {"code": "10000", "msg": "Success", **found})
        except Answered as answered:
            if answered.signed:
                reply = self._written(method, answered.said)
            else:
                reply = Reply(200, {"error_response": answered.said})
        self.journal.append(Line("request", self.now(), method, "", asked, rows, reply.status))
        return reply

    def _limit(self) -> None:
        now = self.now().timestamp()
        self._recent = [at for at in self._recent if at > now - 1]
        if self.per_second and len(self._recent) >= self.per_second:
            raise Answered("40004", "isv.app-call-limited", "应用调用次数超限", signed=False)
        self._recent.append(now)

    def _signed(self, given: Mapping[str, str]) -> None:
        for name in ("app_id", "method", "charset", "sign_type", "sign", "timestamp", "version"):
            if not given.get(name):
                raise Answered("40001", f"isv.missing-{name}", f"缺少{name}参数", signed=False)
        if given["app_id"] != self.app_id:
            raise Answered("40002", "isv.invalid-app-id", "无效的AppID参数", signed=False)
        pairs = sorted((n, v) for n, v in given.items() if n != "sign" and v)
        data = "&".join(f"{name}={value}" for name, value in pairs).encode()
        try:
            said = base64.b64decode(given["sign"], validate=True)
            self.app_key.verify(said, data, PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            raise Answered("40002", "isv.invalid-signature", "验签出错", signed=False) from None
        try:
            datetime.strptime(given["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=HERE)
        except ValueError:
            raise Answered("40002", "isv.invalid-timestamp", "非法的时间戳", signed=False) from None
        if given.get("app_auth_token", "") != self.token:
            raise Answered(
                "20001", "aop.invalid-app-auth-token", "无效的应用授权令牌", signed=False
            )
        if (
            self.sns
            and (given.get("app_cert_sn"), given.get("alipay_root_cert_sn")) != self.sns[:2]
        ):
            raise Answered("40002", "isv.app-cert-not-match", "应用证书SN不匹配", signed=False)

    def _written(self, method: str, inner: Mapping[str, Any]) -> Reply:
        """Return an answer whose inner object is signed as it is written, escapes and all."""
        raw = json.dumps(inner, ensure_ascii=False).replace("/", "\\/").encode()
        sign = base64.b64encode(self.own_key.sign(raw, PKCS1v15(), SHA256())).decode()
        more = f'"alipay_cert_sn":"{self.sns[2]}",' if self.sns else ""
        node = f"{method.replace('.', '_')}_response"
        return Reply(200, b'{"%s":%s,%s"sign":"%s"}' % (
            node.encode(), raw, more.encode(), sign.encode()))  # fmt: skip

    def _answered(self, method: str, asked: Mapping[str, Any]) -> tuple[Record, int]:
        if method == "alipay.data.dataservice.bill.downloadurl.query":
            return self._link(asked), 0
        if method in LISTS:
            return self._listed(LISTS[method], asked)
        if method == "alipay.trade.query":
            return self._one("trades", asked), 1
        if method == "alipay.trade.fastpay.refund.query":
            return self._refund(asked), 1
        if method == "alipay.data.bill.balance.query":
            return dict(self._rows["balance"].get("", {})), 1
        raise Answered("40002", "isv.invalid-method", "不存在的方法名", signed=False)

    # --- lists and single trades -----------------------------------------------------------------
    def _listed(self, kind: str, asked: Mapping[str, Any]) -> tuple[Record, int]:
        try:
            low, high = (
                datetime.strptime(asked[name], "%Y-%m-%d %H:%M:%S").replace(tzinfo=HERE)
                for name in ("start_time", "end_time")
            )
            page, size = int(asked.get("page_no", "1")), int(asked.get("page_size", "2000"))
        except (KeyError, ValueError):
            raise Answered("40004", "INVALID_PARAMETER", "参数有误") from None
        if high - low > LONGEST or page < 1 or not 1 <= size <= 2000:
            raise Answered("40004", "INVALID_PARAMETER", "参数有误")
        size, stamp = min(size, self.most), STAMPS[kind]
        bounds = (text(low), text(high))
        rows = [r for r in self._rows[kind].values() if bounds[0] <= r[stamp] <= bounds[1]]
        rows = [r for r in rows if r[stamp] <= text(self.now().astimezone(HERE))]
        rows.sort(key=lambda row: (row[stamp], str(row[KEYS[kind][0]])))
        shown = rows[(page - 1) * size : page * size]
        found: Record = {
            "page_no": str(page), "page_size": str(size), "total_size": str(len(rows)),
            "detail_list": [logged(r) if kind == "account" else r for r in shown],
        }  # fmt: skip
        if not rows:
            del found["detail_list"]
        return found, len(shown)

    def _one(self, kind: str, asked: Mapping[str, Any]) -> Record:
        numbers = {n: asked[n] for n in ("trade_no", "out_trade_no") if asked.get(n)}
        if not numbers:
            raise Answered("40001", "isv.missing-parameter", "缺少必选参数")
        for row in self._rows[kind].values():
            if all(row[name] == value for name, value in numbers.items()):
                return row
        raise Answered("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在")

    def _refund(self, asked: Mapping[str, Any]) -> Record:
        request = asked.get("out_request_no")
        for row in self._rows["refund_checks"].values():
            is_trade = asked.get("trade_no", row["trade_no"]) == row["trade_no"]
            if is_trade and request == row["out_request_no"]:
                return row
        self._one("trades", asked)
        return {}  # a trade without such a refund is answered with nothing of it

    # --- bills -----------------------------------------------------------------------------------
    def _link(self, asked: Mapping[str, Any]) -> Record:
        kind = BILLS.get(asked.get("bill_type", ""))
        try:
            day = date.fromisoformat(asked.get("bill_date", ""))
        except ValueError:
            kind = None
        if kind is None:
            raise Answered("40004", "isv.invalid_arguments", "参数不合法")
        if day < self.registered:
            raise Answered("40004", "BILL_DATE_BEFORE_REGISTRATION", "账单日期早于注册时间")
        there = datetime.combine(day + timedelta(days=1), self.ready, HERE)
        there = self.delayed.get((kind, day), there)
        if self.now() < there or not self.of_day(kind, day):
            raise Answered("40004", "isp.bill_not_exist", "账单不存在")
        token = f"link{len(self._links):08d}{day:%Y%m%d}"
        self._links[token] = (kind, day, self.now() + LINK_LIVES)
        said = {"bizType": asked["bill_type"], "fileType": "csv.zip", "bizDates": f"{day:%Y%m%d}",
                "token": token}  # fmt: skip
        return {"bill_download_url": f"{self.downloads or self._host}{_FILE}?{urlencode(said)}"}

    def _download(self, given: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        leaks = {"sign", "app_id", "app_auth_token"} & given.keys() | {
            "authorization"
        } & headers.keys()
        kind, day, until = self._links.get(given.get("token", ""), ("", date.min, self.now()))
        if leaks:
            reply = Reply(500, b"credentials came here")
        elif until <= self.now():
            page = "<html>下载链接已失效</html>".encode("gbk")
            reply = Reply(200, page, {"content-type": "text/html;charset=GBK"})
        else:
            data = bill(kind, self.of_day(kind, day), day, self.account, self.style)
            reply = Reply(200, self.spoil(kind, day, data), {
                "content-type": "application/octet-stream"})  # fmt: skip
        self.journal.append(
            Line("download", self.now(), kind, day.isoformat(), dict(given), 0, reply.status)
        )
        return reply
