"""An account of K3Cloud in memory: signatures, sessions, queries, metadata, errors, a journal.

It behaves as the contract sheet says and shares no code with the connector, so that tests judge the
connector by an independent journal of what was there and what was asked.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from connectors.asgi import Asked, Reply, Simulator, dated
from connectors.kingdee.sample import FORMS, Form, Record
from connectors.kingdee.simulator_filter import ordered, terms
from connectors.kingdee.simulator_proof import Identity, proves

HERE = timezone(timedelta(hours=8))
_PREFIX = "kingdee.bos.webapi.servicesstub."
LOST = "会话信息已丢失，请重新登录"


class Answered(Exception):
    """An error, answered in the shape of the service."""

    def __init__(self, code: int, message: str, number: int = 500) -> None:
        super().__init__(message)
        self.status = {
            "ErrorCode": number, "IsSuccess": False, "MsgCode": code, "SuccessEntitys": [],
            "Errors": [{"FieldName": None, "Message": message, "DIndex": 0}], "SuccessMessages": [],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal. kind: put, delete or request (service, form, rows)."""

    kind: str
    at: datetime
    form: str
    key: str = ""
    service: str = ""
    rows: int = 0
    status: int = 0
    asked: str = ""


@dataclass(slots=True)
class _Row:
    record: Record
    visible: float


class KingdeeSimulator(Simulator):
    """One account. `now` is its clock; `before(n)` runs before the n-th request is answered.

    `most` rows come at most, whatever Limit says. `lacking` are fields that this account does not
    have. `denied` forms answer nothing. `life` is how long a session lives without a request.
    `lost` is how a lost session is told: json, text or 401. `wrapped` writes JSON into a JSON text.
    """

    def __init__(self, identity: Identity, *, now: Callable[[], datetime]) -> None:
        self.identity = identity
        self.now = now
        self.before: Callable[[int], None] = lambda number: None
        self.most, self.per_second = 2000, 0
        self.in_body = self.wrapped = False
        self.lacking: set[str] = set()
        self.denied: set[str] = set()
        self.lost = "json"
        self.life = timedelta(minutes=20)
        self.faults: list[Reply] = []
        self.journal: list[Line] = []
        self.requests = self.logins = 0
        self.sessions: dict[str, datetime] = {}
        self._rows: dict[str, dict[Any, _Row]] = {form: {} for form in FORMS}
        self._recent: list[float] = []

    # --- what is there -------------------------------------------------------------------------
    def put(
        self, form: str, record: Record, *, at: datetime | None = None, late: float = 0,
        moves: bool = True,
    ) -> None:  # fmt: skip
        """Add or replace a record; `at` is its stamp, which stays where it does not move.

        `late` is how many seconds it takes until the change shows.
        """
        made = copy.deepcopy(record)
        key = made[FORMS[form].key]
        old = self._rows[form].get(key)
        if "FModifyDate" in made:
            said = self.stamp(at or self.now())
            if old is not None and not moves:
                made["FModifyDate"] = old.record["FModifyDate"]
            else:
                made["FModifyDate"] = said
            if "FCreateDate" in made:
                made["FCreateDate"] = old.record["FCreateDate"] if old else said
        self._rows[form][key] = _Row(made, self.now().timestamp() + late)
        self.journal.append(Line("put", self.now(), form, str(key)))

    def change(self, form: str, key: Any, *, moves: bool = True, **members: Any) -> Record:
        """Change members of a record's head; `moves` says whether its stamp does."""
        made = self._rows[form][key].record | {
            name.replace("__", "."): value for name, value in members.items()
        }
        self.put(form, made, moves=moves)
        return made

    def delete(self, form: str, key: Any) -> None:
        """Remove a record for good."""
        del self._rows[form][key]
        self.journal.append(Line("delete", self.now(), form, str(key)))

    def living(self, form: str) -> dict[Any, Record]:
        """Return what stands in a form now."""
        now = self.now().timestamp()
        return {key: row.record for key, row in self._rows[form].items() if row.visible <= now}

    @staticmethod
    def stamp(at: datetime) -> str:
        """Write a time as the server does: its own, to the millisecond, without an offset."""
        return at.astimezone(HERE).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]

    # --- answering -----------------------------------------------------------------------------
    def answer(self, asked: Asked) -> Reply:
        """Answer one POST."""
        self.requests += 1
        self.before(self.requests)
        service = asked.path.lower().rpartition("/")[2].removesuffix(".common.kdsvc")
        service = service.removeprefix(_PREFIX).rpartition(".")[2]
        given: Record = {}
        try:
            given = json.loads(asked.content or b"{}")
            reply = self._answer(service, asked.path, asked.headers, given)
        except Answered as error:
            reply = self._failed(service, error)
        data = given.get("data") or {}
        form = data.get("FormId", "") if isinstance(data, dict) else ""
        rows = len(reply.body) if isinstance(reply.body, list) else 0
        self.journal.append(
            Line("request", self.now(), form, "", service, rows, reply.status,
                 str(data.get("FilterString", "")) if isinstance(data, dict) else "")
        )  # fmt: skip
        body = reply.data
        if self.wrapped and not isinstance(reply.body, bytes):
            body = json.dumps(body.decode()).encode()
        return Reply(reply.status, body, dated(self.now()) | dict(reply.headers))

    def _answer(self, service: str, path: str, headers: Mapping[str, str], asked: Record) -> Reply:
        self._limit()
        if service in ("loginbyappsecret", "validateuser"):
            return self._log_in(service, asked.get("parameters") or [])
        opened = self._let_in(path, headers)
        if isinstance(opened, Reply):
            return opened
        if service == "logout":
            self.sessions.clear()
            return Reply(200, {"Result": True}, opened)
        if self.faults:
            fault = self.faults.pop(0)
            return Reply(fault.status, fault.body, {**opened, **fault.headers})
        data = asked.get("data") or {}
        data = json.loads(data) if isinstance(data, str) else data
        if service in ("executebillquery", "billquery"):
            return Reply(200, self._query(data, listed=service == "executebillquery"), opened)
        if service == "querybusinessinfo":
            return Reply(200, self._metadata(data), opened)
        if service == "view":
            return Reply(200, self._view(asked), opened)
        return Reply(404, b"service not found", opened)

    def _failed(self, service: str, error: Answered) -> Reply:
        body: Any = {"Result": {"ResponseStatus": error.status}}
        body = {"executebillquery": [[body]], "billquery": [body]}.get(service, body)
        return Reply(200, body)

    def _limit(self) -> None:
        now = self.now().timestamp()
        self._recent = [at for at in self._recent if at > now - 1]
        if self.per_second and len(self._recent) >= self.per_second:
            raise Answered(0, "访问频率超过限制，请稍后再试")
        self._recent.append(now)

    # --- who asks ------------------------------------------------------------------------------
    def _log_in(self, service: str, given: list[Any]) -> Reply:
        mine = self.identity
        secret = [mine.password] if service == "validateuser" else [mine.app_id, mine.secret]
        if given[:-1] != [mine.account, mine.user, *secret]:
            return Reply(200, {"LoginResultType": -1, "Message": "用户名或密码错误"})
        self.logins += 1
        session = self._open()
        cookies = f"ASP.NET_SessionId=asp{self.logins:08d}; path=/; HttpOnly"
        body = {"LoginResultType": 1, "KDSVCSessionId": session, "Message": None, "Context": {}}
        return Reply(200, body, {"set-cookie": cookies})

    def _open(self) -> str:
        session = f"session-{len(self.journal):06d}-{self.requests:06d}"
        self.sessions[session] = self.now()
        return session

    def _let_in(self, path: str, headers: Mapping[str, str]) -> Mapping[str, str] | Reply:
        """Return headers of the answer: a live session passes unchecked, else the proof is."""
        found = re.search(r"kdservice-sessionid=([^;,\s]+)", headers.get("cookie", ""))
        session = headers.get("kdservice-sessionid") or (found[1] if found else "")
        seen = self.sessions.get(session)
        if seen is not None and self.now() - seen <= self.life:
            self.sessions[session] = self.now()
            return {}
        if "x-kd-signature" in headers:
            reason = proves(self.identity, path, headers)
            if reason == "account":
                return Reply(500, b"Fail to verify thirty passport")
            if reason:
                raise Answered(1, LOST)
            # With a comma inside, as servers write it; the client judges it by the machine's clock.
            expires = "Thu, 31 Dec 2099 23:59:59 GMT"
            cookie = f"kdservice-sessionid={self._open()}; path=/; expires={expires}"
            return {"set-cookie": cookie}
        if self.lost == "401":
            return Reply(401, b"Unauthorized")
        if self.lost == "text":
            return Reply(200, b"response_error:ctx == null")
        raise Answered(1, LOST)

    # --- queries -------------------------------------------------------------------------------
    def _form(self, name: str) -> Form:
        if not name:
            raise Answered(8, "FormId不能为空")
        if name not in FORMS:
            raise Answered(4, f"标识为{name}的元数据不存在")
        return FORMS[name]

    def _query(self, data: Record, *, listed: bool) -> list[Any]:
        name = data.get("FormId", "")
        form = self._form(name)
        asked = [key.strip() for key in data.get("FieldKeys", "").split(",")]
        if asked == [""]:
            raise Answered(8, "FieldKeys不能为空")
        for key in asked:
            self._known(form, key)
        found, wide = terms(data.get("FilterString", "")), set(form.lines or ()) | {form.line}
        for term in found:
            self._known(form, term.key)
        heads = [term for term in found if term.key not in wide]
        lines = [term for term in found if term.key in wide]
        kept = [
            row
            for record in self.living(name).values()
            if all(term.holds(record) for term in heads)
            for row in self._flat(form, record)
            if all(term.holds(row) for term in lines)
        ]
        order = data.get("OrderString", "")
        kept = ordered(kept, order) if order else kept[::-1]  # without an order: any
        if not any(key in (form.lines or {}) or key == form.line for key in asked):
            kept = list({row[form.key]: row for row in kept}.values())
        start, top = int(data.get("StartRow", 0)), int(data.get("TopRowCount", 0))
        limit = min(int(data.get("Limit", 0)) or self.most, self.most)
        kept = kept[: top or None][start : start + limit]
        if name in self.denied:
            kept = []
        if listed:
            return [[row.get(key) for key in asked] for row in kept]
        return [{key: row.get(key) for key in asked} for row in kept]

    def _known(self, form: Form, key: str) -> None:
        keys = {form.key, form.line, *form.heads, *(form.lines or {})} - {""}
        if key not in keys or key.partition(".")[0] in self.lacking:
            raise Answered(9, f"元数据中标识为{key}的字段不存在")

    def _flat(self, form: Form, record: Record) -> list[Record]:
        head = {name: value for name, value in record.items() if name != "lines"}
        if form.lines is None:
            return [head]
        empty = dict.fromkeys((form.line, *form.lines))
        return [{**head, **line} for line in record["lines"] or [empty]]

    def _metadata(self, data: Record) -> Record:
        form = self._form(data.get("FormId", ""))
        entities = [("FBillHead", form.heads)]
        if form.lines is not None:
            entities.append((form.entity, form.lines))
        listed = [
            {
                "Key": entity, "ParentKey": None, "Name": [{"Key": 2052, "Value": entity}],
                "Fields": [
                    {"Key": first, "FieldType": 231, "ElementType": 1, "LookUpObjectFormId": None}
                    for first in dict.fromkeys(key.partition(".")[0] for key in keys)
                    if first not in self.lacking
                ],
            }
            for entity, keys in entities
        ]  # fmt: skip
        done = {"IsSuccess": True, "Errors": [], "MsgCode": 0}
        return {"Result": {"ResponseStatus": done, "NeedReturnData": {"Entrys": listed}}}

    def _view(self, asked: Record) -> Record:
        """Answer a whole bill by number or id, with the names of properties and not of fields."""
        form, data = self._form(asked.get("formid", "")), asked.get("data") or {}
        for record in self.living(asked["formid"]).values():
            if data.get("Number") == record.get("FBillNo") or str(data.get("Id")) == str(
                record[form.key]
            ):
                whole = {name[1:]: value for name, value in record.items() if name[:1] == "F"}
                done = {"IsSuccess": True, "Errors": [], "MsgCode": 0}
                return {"Result": {"ResponseStatus": done, "Result": {**whole}}}
        raise Answered(10, "传递的编码值不存在")
