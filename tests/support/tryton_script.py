"""A scripted Tryton for what the real one cannot be made to do: JSON-RPC over tables in memory.

It understands the domains that the connector writes, keeps no write_date of a record never written,
and lets a test change tables or break an answer at a given call.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectors.base import Context
from connectors.tryton import TrytonConnector
from connectors.tryton.settings import TrytonSettings

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PASSWORD = "script-Pass-word-1"
Row = dict[str, Any]


def stamp(at: datetime) -> Row:
    return {
        "__class__": "datetime", "year": at.year, "month": at.month, "day": at.day,
        "hour": at.hour, "minute": at.minute, "second": at.second, "microsecond": at.microsecond,
    }  # fmt: skip


def _moment(value: Row) -> datetime:
    return datetime(**{n: v for n, v in value.items() if n != "__class__"}, tzinfo=UTC)


class ScriptedTryton(httpx.BaseTransport):
    """`table` holds the opportunities; `at(call, what)` runs before the numbered data call.

    What a hook returns, a Response or an exception, is the answer in place of the real one.
    """

    FIELDS = ("number", "company", "state", "amount", "create_date", "write_date")

    def __init__(self) -> None:
        self.now = START
        self.company = 1  # that of the user who asks
        self.table: dict[int, Row] = {}
        self.sessions: set[str] = set()
        self.logins = 0
        self.calls: list[tuple[str, list[Any]]] = []
        self.hooks: dict[int, Callable[[], Any]] = {}

    def put(
        self, number: int, at: datetime, *, written: datetime | None = None, **more: Any
    ) -> None:
        """Make or change a record."""
        made = self.table.get(number, {}).get("create_date", stamp(at))
        self.table[number] = {
            "id": number, "number": str(number), "state": "lead", "company": 1,
            "amount": {"__class__": "Decimal", "decimal": f"{number}.10"}, "create_date": made,
            "write_date": stamp(written) if written else None, **more,
        }  # fmt: skip

    def at(self, call: int, what: Callable[[], Any]) -> None:
        self.hooks[call] = what

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        made = self._reply(request)
        # A stream keeps the body as sent, so that the client under test decodes it.
        return httpx.Response(
            made.status_code, headers=made.headers, stream=httpx.ByteStream(made.content)
        )

    def _reply(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.read())
        method, params = body["method"], body["params"]
        date = {"date": self.now.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        if method == "common.db.login":
            self.logins += 1
            if params[1].get("password") != PASSWORD:
                return httpx.Response(401, html="<!doctype html><title>401</title>", headers=date)
            token = f"{self.logins:064d}"
            self.sessions.add(token)
            return self._answer([2, token, None], date)
        if method == "common.server.version":
            return self._answer("8.2.1", date)
        proof = base64.b64decode(request.headers["authorization"].split()[1]).decode()
        if proof.split(":")[2] not in self.sessions:
            return httpx.Response(401, text="", headers=date)
        if method == "common.db.logout":
            self.sessions.clear()
            return self._answer(None, date)
        if method.endswith(".get_preferences"):
            return self._answer(
                {"company": self.company, "companies": [self.company], "language": "en"}, date
            )
        if method.endswith(".fields_get"):
            known = {n: {"type": "char", "searchable": True} for n in self.FIELDS}
            return self._answer({n: known[n] for n in params[0] if n in known}, date)
        self.calls.append((method, params))
        hook = self.hooks.pop(len(self.calls), None)
        broken = hook() if hook is not None else None
        if isinstance(broken, Exception):
            raise broken
        if isinstance(broken, httpx.Response):
            return broken
        return self._answer(self._data(method, params), date)

    def _data(self, method: str, params: list[Any]) -> Any:
        found = [row for _, row in sorted(self.table.items()) if _fits(row, params[0])]
        if method.endswith(".search_count"):
            return len(found)
        found = found[: params[2]]
        if method.endswith(".search"):
            return [row["id"] for row in found]
        names = {"id", *params[4]}
        return [{n: v for n, v in row.items() if n in names} for row in found]

    @staticmethod
    def _answer(result: Any, headers: dict[str, str]) -> httpx.Response:
        return httpx.Response(200, json={"id": 1, "result": result}, headers=headers)


def _fits(row: Row, domain: list[Any]) -> bool:
    if domain and domain[0] == "OR":
        return any(_fits(row, [clause]) for clause in domain[1:])
    return all(_holds(row, clause) for clause in domain)


def _holds(row: Row, clause: list[Any]) -> bool:
    if clause[0] == "OR":
        return _fits(row, clause)
    name, operator, wanted = clause
    value = row[name]
    if isinstance(wanted, dict):
        if value is None:
            return False
        value, wanted = _moment(value), _moment(wanted)
    return {
            "=": value == wanted, ">": value > wanted, ">=": value >= wanted, "<": value < wanted
        }[operator]  # fmt: skip


def minutes(count: float) -> datetime:
    return START + timedelta(minutes=count)


def connector(server: Any, password: str = PASSWORD, **more: Any) -> TrytonConnector:
    """Return a connector that speaks to `server`, three records a page."""
    config = {
        "base_url": "http://tryton.example", "allow_plain_http": "true", "database": "erp",
        "auth": {"basic": ["reader", "env:PASSWORD"]}, "rows": 3, **more,
    }  # fmt: skip
    context = Context(
        "erp", secret=lambda _reference: password, transport=server, pause=lambda _seconds: None,
        now=lambda: getattr(server, "now", START),
    )  # fmt: skip
    return TrytonConnector(TrytonSettings.model_validate(config), context)
