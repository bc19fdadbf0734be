"""快递100 in memory: signatures, one parcel a query, phones, billing by the day, a journal.

It behaves as the contract sheet says and shares no code with the connector, so that tests judge the
connector by an independent journal of what was there and what was asked.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import new
from typing import Any

from connectors.asgi import Asked, Reply, Simulator, dated
from connectors.kuaidi100.sample import HERE, Record, parcel

QUERY = "/poll/query.do"
LEAST = timedelta(minutes=30)
"""Below this, one number is asked for too often."""
_AREAS = ("areaCode", "areaName", "areaCenter", "statusCode")
_CHECKED = ("shunfeng", "shunfengkuaiyun")


class Answered(Exception):
    """An error, answered in the shape of the service: HTTP 200 always."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = str(code)
        self.body = {"result": False, "returnCode": str(code), "message": message}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal. kind: put, delete or request (with the code that was answered)."""

    kind: str
    at: datetime
    com: str
    num: str
    code: str = ""


@dataclass(slots=True)
class _Kept:
    record: Record
    phone: str
    visible: float


class Kuaidi100Simulator(Simulator):
    """One company's account. `now` is its clock; `before(n)` runs before the n-th is answered.

    `quota` bounds the queries that are billed in a day of China, `per_second` those of a second.
    `faults` are codes that the next queries are answered with. `with_t` wants the time in the
    signature. `hurried` are queries of a number that came within LEAST of the one before.
    """

    def __init__(self, customer: str, key: str, *, now: Callable[[], datetime]) -> None:
        self.customer, self.key = customer, key
        self.now = now
        self.before: Callable[[int], None] = lambda number: None
        self.quota: int | None = None
        self.per_second = 0
        self.with_t = False
        self.faults: list[int] = []
        self.journal: list[Line] = []
        self.hurried: list[str] = []
        self.requests = 0
        self.billed: Counter[str] = Counter()
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._asked: dict[str, datetime] = {}
        self._recent: list[float] = []

    # --- what is there -------------------------------------------------------------------------
    def put(
        self, com: str, num: str, events: list[Record], *, phone: str = "", late: float = 0,
        **more: Any,
    ) -> None:  # fmt: skip
        """Add a parcel or change it to these events, newest first.

        `late` is how many seconds it takes until the change shows, `phone` the receiver's.
        """
        made = copy.deepcopy(parcel(com, num, events, **more))
        known = self._kept.get((com, num))
        phone = phone or (known.phone if known else "")
        self._kept[com, num] = _Kept(made, phone, self.now().timestamp() + late)
        self.journal.append(Line("put", self.now(), com, num))

    def delete(self, com: str, num: str) -> None:
        """Let a parcel be forgotten, as the vendor does after months."""
        del self._kept[com, num]
        self.journal.append(Line("delete", self.now(), com, num))

    def living(self) -> dict[tuple[str, str], Record]:
        """Return what can be found now."""
        now = self.now().timestamp()
        return {key: one.record for key, one in self._kept.items() if one.visible <= now}

    # --- answering -----------------------------------------------------------------------------
    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        self.requests += 1
        self.before(self.requests)
        if asked.path != QUERY or asked.method != "POST":
            return Reply(404, b"<html>404 Not Found</html>", {"content-type": "text/html"})
        com = num = ""
        try:
            param = self._let_in(asked.form)
            com, num = str(param.get("com", "")), str(param.get("num", ""))
            body: Any = self._found(com, num, param)
            code = "200"
        except Answered as error:
            body, code = error.body, error.code
        self.journal.append(Line("request", self.now(), com, num, code))
        return Reply(200, body, dated(self.now(), "application/json;charset=UTF-8"))

    def _let_in(self, form: Mapping[str, str]) -> Record:
        param = form.get("param", "")
        if self.faults:
            raise Answered(self.faults.pop(0), "系统繁忙，请稍后再试")
        now = self.now().timestamp()
        self._recent = [at for at in self._recent if at > now - 1]
        if self.per_second and len(self._recent) >= self.per_second:
            raise Answered(502, "服务器繁忙")
        self._recent.append(now)
        if form.get("customer") != self.customer:
            raise Answered(600, "您不是合法的订阅者（即授权Key出错）")
        text = param + (form.get("t", "") if self.with_t else "") + self.key + self.customer
        digest = new("md5", text.encode(), usedforsecurity=False).hexdigest()
        if form.get("sign") != digest.upper() or (self.with_t and not form.get("t")):
            raise Answered(503, "验证签名失败")
        try:
            asked = json.loads(param)
        except ValueError:
            raise Answered(400, "提交的数据不完整，或者贵公司没授权") from None
        if not isinstance(asked, dict):
            raise Answered(400, "提交的数据不完整，或者贵公司没授权")
        return asked

    def _found(self, com: str, num: str, asked: Record) -> Record:
        if not com or not 0 < len(num) <= 32:
            raise Answered(400, "提交的数据不完整，或者贵公司没授权")
        self._bill(f"{com}/{num}")
        kept = self._kept.get((com, num))
        phone = str(asked.get("phone", ""))
        if com in _CHECKED and (not phone or (kept and kept.phone[-4:] != phone[-4:])):
            raise Answered(408, "快递公司参数异常：验证码错误")
        if kept is None or kept.visible > self.now().timestamp():
            raise Answered(500, "查询无结果，请隔段时间再查")
        made = copy.deepcopy(kept.record)
        if asked.get("order") == "asc":
            made["data"].reverse()
        if asked.get("resultv2", "0") == "0":
            for event in made["data"]:
                for name in _AREAS:
                    event.pop(name, None)
        return made

    def _bill(self, item: str) -> None:
        now = self.now()
        day = now.astimezone(HERE).date().isoformat()
        if self.quota is not None and self.billed[day] >= self.quota:
            raise Answered(601, "KEY已过期或可用单量不足")
        self.billed[day] += 1
        if item in self._asked and now - self._asked[item] < LEAST:
            self.hurried.append(item)
        self._asked[item] = now
