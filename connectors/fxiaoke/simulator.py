"""A tenant of 纷享销客 in memory: tokens, both conventions, describe, queries, limits, a journal.

It behaves as the contract sheet says and shares no code with the connector, so that tests judge the
connector by an independent journal of what was there and what was asked.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from connectors.asgi import Asked, Reply, Simulator, dated
from connectors.fxiaoke.sample import DESCRIBES, Record
from connectors.fxiaoke.simulator_door import Answered, Door, Identity
from connectors.fxiaoke.simulator_query import Search, shown

BEIJING = timezone(timedelta(hours=8))
_PREFIX, _CUSTOM = "/cgi/crm/v2/", "/cgi/crm/custom/v2/"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal. kind: put, delete or request (path, rows, code, filters)."""

    kind: str
    at: datetime
    api: str
    key: str = ""
    path: str = ""
    rows: int = 0
    code: int = 0
    asked: str = ""


@dataclass(slots=True)
class _Row:
    record: Record
    visible: float


class FxiaokeSimulator(Simulator):
    """One tenant. `now` is its clock; `before(n)` runs before the n-th request is answered.

    `most` records come at most, whatever limit says, and the answer says so. `lacking` are objects
    that the tenant has not, `inactive` those that are switched off. `sees(api, record)` is what the
    acting user may see; the rest is missing without a word. `shows_invalid`: whether voided records
    are answered, which the vendor does not say. `per_path` calls in 20 s are let through on a path,
    `quota` a day of Beijing (None: no end, 0: none was bought). `faults` are played first.
    """

    def __init__(self, identity: Identity, *, now: Callable[[], datetime]) -> None:
        self.now = now
        self.door = Door(identity, now)
        self.before: Callable[[int], None] = lambda number: None
        self.most, self.per_path = 100, 100
        self.quota: int | None = None
        self.shows_invalid = True
        self.lacking: set[str] = set()
        self.inactive: set[str] = set()
        self.sees: Callable[[str, Record], bool] = lambda api, record: True
        self.faults: list[Reply] = []
        self.journal: list[Line] = []
        self.traces: list[str] = []
        self.requests = self.throttled = 0
        self.described = {api: dict(fields) for api, fields in DESCRIBES.items()}
        self._rows: dict[str, dict[str, _Row]] = {api: {} for api in DESCRIBES}
        self._recent: dict[str, list[float]] = {}
        self._used: dict[str, int] = {}

    # --- what is there -------------------------------------------------------------------------
    def put(
        self, api: str, record: Record, *, at: datetime | None = None, late: float = 0,
        moves: bool = True,
    ) -> Record:  # fmt: skip
        """Add or replace a record; `at` is its stamp, which stays where it does not move.

        `late` is how many seconds it takes until the change shows.
        """
        made = copy.deepcopy(record)
        key = made["_id"]
        old = self._rows[api].get(key)
        said = int((at or self.now()).timestamp() * 1000)
        kept = old.record["last_modified_time"] if old is not None and not moves else said
        created = made.get("create_time", old.record["create_time"] if old else said)
        made |= {"last_modified_time": kept, "create_time": created}
        self._rows[api][key] = _Row(made, self.now().timestamp() + late)
        self.journal.append(Line("put", self.now(), api, key))
        return made

    def change(self, api: str, key: str, *, moves: bool = True, **members: Any) -> Record:
        """Change members of a record; `moves` says whether its stamp does."""
        return self.put(api, self._rows[api][key].record | members, moves=moves)

    def void(self, api: str, key: str) -> None:
        """Void a record (作废): it stays, with another life_status."""
        self.change(api, key, life_status="invalid")

    def delete(self, api: str, key: str) -> None:
        """Remove a record for good."""
        del self._rows[api][key]
        self.journal.append(Line("delete", self.now(), api, key))

    def living(self, api: str) -> dict[str, Record]:
        """Return what stands in an object now."""
        now = self.now().timestamp()
        return {key: row.record for key, row in self._rows[api].items() if row.visible <= now}

    # --- answering -----------------------------------------------------------------------------
    def answer(self, asked: Asked) -> Reply:
        """Answer one POST."""
        self.requests += 1
        self.before(self.requests)
        given: Record = {}
        code, rows, body = 0, 0, b""
        status, extra = 200, {}
        try:
            self._trace(asked.query)
            given = json.loads(asked.content or b"{}")
            self._limit(asked.path)
            if asked.path in self.door.paths:
                made = self.door.answer(asked.path, given)
            else:
                self.door.let_in(asked.headers, given)
                if self.faults:
                    fault = self.faults.pop(0)
                    status, extra, made = fault.status, dict(fault.headers), fault.body
                else:
                    made = self._answer(asked.path, given)
        except Answered as error:
            code, made = error.code, {"errorCode": error.code, "errorMessage": str(error)}
        if isinstance(made, bytes):
            body = made
        else:
            data = made.get("data") or {}
            rows = len(data.get("dataList", ())) if isinstance(data, dict) else 0
            done = {"errorCode": 0, "errorMessage": "OK", "errorDescription": "success"}
            whole = {"traceId": f"E-O.demo.1000-{self.requests:06d}", **done, **made}
            body = json.dumps(whole, ensure_ascii=False).encode()
        inner = given.get("data") or {}
        api = inner.get("dataObjectApiName", "") if isinstance(inner, dict) else ""
        search = inner.get("search_query_info", {}) if isinstance(inner, dict) else {}
        self.journal.append(
            Line("request", self.now(), api, "", asked.path, rows, code, json.dumps(search))
        )
        return Reply(status, body, dated(self.now(), "application/json;charset=UTF-8") | extra)

    def _trace(self, query: str) -> None:
        """Take note of the thirdTraceId: a new UUIDv4 each call; one that has none is let in."""
        for text in parse_qs(query).get("thirdTraceId", []):
            if UUID(text).version != 4 or text in self.traces:
                raise Answered(10013, "thirdTraceId is error")
            self.traces.append(text)

    def _limit(self, path: str) -> None:
        """Count the calls of a path; a call that is refused counts, too."""
        now = self.now()
        at, most = now.timestamp(), self.per_path
        seconds = 20.0
        if path in self.door.paths:
            most, seconds = self.door.per_minute, 60.0
        recent = [one for one in self._recent.get(path, []) if one > at - seconds]
        self._recent[path] = [*recent, at]
        if len(recent) >= most:
            self.throttled += 1
            raise Answered(14001, "interface call frequency exceeds the limit")
        if self.quota is None or path in self.door.paths:
            return
        if not self.quota:
            raise Answered(30003, "no OpenAPI quota was bought")
        day = now.astimezone(BEIJING).date().isoformat()
        self._used[day] = self._used.get(day, 0) + 1
        if self._used[day] > self.quota:
            raise Answered(30002, "the quota of today is used up")

    def _answer(self, path: str, asked: Record) -> Record:
        verb = path.removeprefix(_PREFIX).removeprefix(_CUSTOM)
        if path == f"{_PREFIX}object/list":
            return {"data": {"objects": self._listed()}}
        if path == f"{_PREFIX}object/describe":
            inner = asked.get("data") or asked
            api = self._there(inner.get("apiName"))
            fields = self.described[api]
            return {"data": {"describe": {"api_name": api, "is_active": True, "fields": fields}}}
        data = asked.get("data") or {}
        api = self._there(data.get("dataObjectApiName"))
        if path.startswith(_PREFIX) and api.endswith("__c"):
            raise Answered(10006, f"apiName=[{api}] is not exists")
        if path.startswith(_CUSTOM) and not api.endswith("__c") and verb != "data/findOne":
            raise Answered(10006, f"apiName=[{api}] is not exists")
        if verb == "data/query":
            return {"data": self._query(api, data)}
        if verb == "data/findOne":
            found = self._query(api, data)["dataList"]
            return {"data": {"objectData": found[0] if found else {}}}
        if verb == "data/get":
            row = self.living(api).get(data.get("objectDataId", ""))
            if row is None or not self.sees(api, row):
                raise Answered(20014, "the data does not exist")
            return {"data": shown(row, None)}
        raise Answered(10006, "apiName=[null] is not exists")

    def _there(self, api: str | None) -> str:
        if api is None or api in self.lacking or api not in self.described:
            raise Answered(10006, f"apiName=[{api or 'null'}] is not exists")
        return api

    def _listed(self) -> list[Record]:
        return [
            {
                "describeApiName": api, "describeDisplayName": api,
                "isActive": api not in self.inactive,
                "defineType": "custom" if api.endswith("__c") else "package",
            }
            for api in self.described if api not in self.lacking
        ]  # fmt: skip

    def _query(self, api: str, data: Record) -> Record:
        search = Search(data.get("search_query_info") or {}, self.described[api])
        rows = [
            row for row in self.living(api).values()
            if self.sees(api, row) and (self.shows_invalid or row["life_status"] != "invalid")
        ]  # fmt: skip
        found = search.among(rows)
        limit = min(search.limit, self.most)
        page = found[search.offset : search.offset + limit]
        return {
            "dataList": [shown(row, search.projection) for row in page],
            "offset": search.offset, "limit": limit,
            "total": len(found) if data.get("find_explicit_total_num") else 0,
        }  # fmt: skip
