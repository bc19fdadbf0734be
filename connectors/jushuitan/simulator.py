"""An app and merchant of the open platform in memory: signatures, tokens, lists, limits, a journal.

It behaves as the contract sheet says and shares no code with the connector, so that tests judge the
connector by an independent journal of what was there and what was asked.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from connectors.asgi import Asked, Reply, Simulator, dated
from connectors.jushuitan.sample import Record

HERE = timezone(timedelta(hours=8))
LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Kind:
    """One list: its path, the key of a record, the list's name, the most of a page."""

    path: str
    key: str
    listed: str
    size: int
    cursor: str = ""
    windows: bool = True


KINDS = {
    "shops": Kind("/open/shops/query", "shop_id", "datas", 100, windows=False),
    "warehouses": Kind("/open/wms/partner/query", "wms_co_id", "datas", 100, windows=False),
    "suppliers": Kind("/open/supplier/query", "supplier_id", "datas", 50, windows=False),
    "styles": Kind("/open/mall/item/query", "i_id", "datas", 50),
    "products": Kind("/open/sku/query", "sku_id", "datas", 50),
    "stock": Kind("/open/inventory/query", "sku_id", "inventorys", 100, "ts"),
    "orders": Kind("/open/orders/single/query", "o_id", "orders", 50, "start_ts"),
    "shipments": Kind("/open/orders/out/simple/query", "io_id", "datas", 50, "start_ts"),
    "after_sales": Kind("/open/refund/single/query", "as_id", "refunds", 50),
    "received_returns": Kind("/open/aftersale/received/query", "io_id", "datas", 50),
    "purchase_orders": Kind("/open/purchase/query", "po_id", "datas", 50),
    "purchase_ins": Kind("/open/purchasein/query", "io_id", "datas", 50),
}
_BY_PATH = {kind.path: name for name, kind in KINDS.items()}


class Refused(Exception):
    """A code and its message, under HTTP 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the platform lets in; `codes` are authorisation codes that a merchant has given."""

    app_key: str
    secret: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal. kind: put, delete or request (path, biz, rows, code)."""

    kind: str
    at: datetime
    name: str
    key: str = ""
    asked: Record = field(default_factory=dict)
    rows: int = 0
    code: int = 0


class JushuitanSimulator(Simulator):
    """One app and merchant. `now` is its clock; `before(n)` runs before the n-th request.

    `most` records come at most a page, whatever is asked for. `inclusive` says whether a record
    with the very `ts` that is asked for comes. `order` is that of lists that are paged by number.
    `denied` lists answer 190, `ip` not on the whitelist 110; `may_refresh` False answers 150.
    """

    def __init__(self, identity: Identity, *, now: Callable[[], datetime]) -> None:
        self.identity = identity
        self.now = now
        self.before: Callable[[int], None] = lambda number: None
        self.per_second, self.per_minute = 5, 100
        self.most = 1000
        self.inclusive = self.may_refresh = True
        self.order = "modified"
        self.milliseconds = False
        self.ip = ""
        self.denied: set[str] = set()
        self.codes = set(identity.codes)
        self.faults: list[Reply] = []
        self.journal: list[Line] = []
        self.requests = self.issued = 0
        self.access: dict[str, datetime] = {}
        self.refresh: dict[str, datetime] = {}
        self.ts = 9_823_470_000
        self._rows: dict[str, dict[str, list[tuple[float, Record]]]] = {name: {} for name in KINDS}
        self._recent: list[float] = []

    # --- what is there -------------------------------------------------------------------------
    def put(
        self, name: str, record: Record, *, at: datetime | None = None, ts: int | None = None,
        late: float = 0, moves: bool = True, wms: int = 0,
    ) -> None:  # fmt: skip
        """Add or replace a record; `at` is its stamp, which stays where it does not move.

        `ts` is its row number, by default the next; `late` is how many seconds it takes until the
        change shows; `wms` the warehouse of a stock record.
        """
        made, kind = copy.deepcopy(record), KINDS[name]
        key = f"{wms}/{made[kind.key]}" if name == "stock" else str(made[kind.key])
        versions = self._rows[name].setdefault(key, [])
        if kind.windows:
            old = versions[-1][1] if versions else None
            made["modified"] = self.stamp(at or self.now())
            if old is not None and not moves:
                made["modified"] = old["modified"]
            made.setdefault("created", made["modified"])
        if kind.cursor:
            self.ts += 1
            made["ts"] = self.ts if ts is None else ts
        now = self.now().timestamp()
        versions.append((now + late, made))
        versions[:] = versions[-3:]
        self.journal.append(Line("put", self.now(), name, key))

    def delete(self, name: str, key: Any) -> None:
        """Remove a record for good."""
        del self._rows[name][str(key)]
        self.journal.append(Line("delete", self.now(), name, str(key)))

    def living(self, name: str) -> dict[str, Record]:
        """Return what shows in a list now."""
        now, found = self.now().timestamp(), dict[str, Record]()
        for key, versions in self._rows[name].items():
            shown = [record for at, record in versions if at <= now]
            if shown:
                found[key] = shown[-1]
        return found

    def stamp(self, at: datetime) -> str:
        """Write a time as the system does: Beijing's, without an offset."""
        text = at.astimezone(HERE).strftime("%Y-%m-%d %H:%M:%S.%f")
        return text[:-3] if self.milliseconds else text[:-7]

    def end_tokens(self, *, refresh: bool = False) -> None:
        """Let the access tokens end now, and with `refresh` those that renew them."""
        self.access.clear()
        if refresh:
            self.refresh.clear()

    # --- answering -----------------------------------------------------------------------------
    def answer(self, asked: Asked) -> Reply:
        """Answer one POST of a form."""
        self.requests += 1
        self.before(self.requests)
        path, form = asked.path, asked.form
        biz: Record = {}
        code, rows = 0, 0
        try:
            self._limit()
            self._let_in(form)
            if path.startswith("/openWeb/auth/"):
                body = self._token(path.rpartition("/")[2], form)
            else:
                name = self._called(path, form)
                if self.faults:
                    return self._written(self.faults.pop(0))
                biz = json.loads(form.get("biz", "{}"))
                body = self._listed(name, biz)
                rows = len(body[KINDS[name].listed])
            reply = {"code": 0, "issuccess": True, "msg": "执行成功", "data": body}
        except Refused as refused:
            code = refused.code
            reply = {"code": code, "issuccess": False, "msg": str(refused), "data": None}
        what = _BY_PATH.get(path, path)
        self.journal.append(Line("request", self.now(), what, "", biz, rows, code))
        return self._written(Reply(200, reply))

    def _written(self, reply: Reply) -> Reply:
        return Reply(reply.status, reply.body, dated(self.now()) | dict(reply.headers))

    def _limit(self) -> None:
        now = self.now().timestamp()
        self._recent = [at for at in self._recent if at > now - 60]
        second = sum(1 for at in self._recent if at > now - 1)
        full = len(self._recent) >= self.per_minute
        self._recent.append(now)
        if second >= self.per_second:
            raise Refused(199, "调用频次超过限制!请稍后再试")
        if full:
            raise Refused(200, "每分钟调用次数超过限制!请稍后再试")

    # --- who asks ------------------------------------------------------------------------------
    def _let_in(self, form: Mapping[str, str]) -> None:
        text = self.identity.secret
        for name in sorted(form):
            if name != "sign" and form[name]:
                text += name + form[name]
        proof = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        if form.get("app_key") != self.identity.app_key or form.get("sign") != proof:
            raise Refused(10, "无效签名")
        if self.ip:
            raise Refused(110, f"IP {self.ip} 不在白名单内")
        apart = int(form.get("timestamp") or 0) - self.now().timestamp()
        if abs(apart) > 900 or form.get("charset") != "utf-8":
            raise Refused(140, "请求时间与服务器时间相差超过15分钟")

    def _token(self, what: str, form: Mapping[str, str]) -> Record:
        now, grant = self.now(), form.get("grant_type")
        if what == "getInitToken" and grant == "authorization_code":
            code = form.get("code", "")
            if self.identity.codes:
                if code not in self.codes:
                    raise Refused(100, "授权码无效或已使用")
                self.codes.discard(code)
            elif len(code) != 6:
                raise Refused(130, "code 应为 6 位")
        elif what == "refreshToken" and grant == "refresh_token" and form.get("scope") == "all":
            if not self.may_refresh:
                raise Refused(150, "ISV 应用不允许刷新")
            if self.refresh.get(form.get("refresh_token", ""), now) <= now:
                raise Refused(100, "refresh_token 无效或已过期")
            del self.refresh[form["refresh_token"]]
        else:
            raise Refused(130, "缺少必填参数")
        self.issued += 1
        token, again = f"access-canary-{self.issued:08d}", f"refresh-canary-{self.issued:08d}"
        self.access[token] = self.refresh[again] = now + LIFE
        return {
            "access_token": token, "refresh_token": again, "scope": "all",
            "expires_in": int(LIFE.total_seconds()),
        }  # fmt: skip

    def _called(self, path: str, form: Mapping[str, str]) -> str:
        now = self.now()
        if self.access.get(form.get("access_token", ""), now) <= now or form.get("version") != "2":
            raise Refused(100, "access_token 无效或已过期")
        name = _BY_PATH.get(path)
        if name is None or name in self.denied:
            raise Refused(190, "没有该接口的权限")
        return name

    # --- lists ---------------------------------------------------------------------------------
    def _listed(self, name: str, asked: Record) -> Record:
        kind = KINDS[name]
        rows = list((self._stock(asked) if name == "stock" else self.living(name)).values())
        number, size = int(asked.get("page_index", 1)), int(asked.get("page_size", 30))
        if number < 1 or size < 1:
            raise Refused(170, "page_index 从 1 开始")
        size = min(size, kind.size, self.most)
        by_ts = bool(kind.cursor and asked.get(kind.cursor))
        if by_ts:
            least = int(asked[kind.cursor])
            rows = [row for row in rows if row["ts"] >= least + (not self.inclusive)]
            rows.sort(key=lambda row: (row["ts"], str(row[kind.key])))
        elif kind.windows:
            rows = self._window(rows, asked)
        if not by_ts:
            rows.sort(key=lambda row: (row.get(self.order) or "", str(row[kind.key])))
        counts = not (by_ts and asked.get("is_get_total") is False)
        pages = -(-len(rows) // size)
        return {
            "page_index": number, "page_size": size, "data_count": len(rows) if counts else 0,
            "page_count": pages if counts else 0, "has_next": number < pages,
            kind.listed: rows[(number - 1) * size : number * size],
        }  # fmt: skip

    def _window(self, rows: list[Record], asked: Record) -> list[Record]:
        texts = [asked.get("modified_begin"), asked.get("modified_end")]
        if None in texts:
            raise Refused(130, "modified_begin 和 modified_end 必须同时存在")
        begin, end = (datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S") for text in texts)  # noqa: DTZ007
        if end - begin > timedelta(days=7) or end < begin:
            raise Refused(170, "时间间隔不能超过七天")
        return [row for row in rows if begin <= datetime.fromisoformat(row["modified"]) <= end]

    def _stock(self, asked: Record) -> dict[str, Record]:
        """Return a warehouse's rows by SKU; of 0, the sums of all of them."""
        wms, found = int(asked.get("wms_co_id") or 0), dict[str, Record]()
        for key, row in self.living("stock").items():
            where, _, sku = key.partition("/")
            if not wms and sku in found:
                found[sku] = _sum(found[sku], row)
            elif not wms or where == str(wms):
                found[sku] = row
        return found


def _sum(one: Record, other: Record) -> Record:
    """Return the stock of two warehouses together."""
    made = dict(one)
    for name, value in other.items():
        if name in ("ts", "modified"):
            made[name] = max(one[name], value)
        elif isinstance(value, int | Decimal):
            made[name] = one[name] + value
    return made
