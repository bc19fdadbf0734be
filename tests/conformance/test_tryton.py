"""The suite on `tryton`, over the scripted server that answers the domains it writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx

from connectors.testing import Bench, ConformanceSuite
from connectors.tryton import TrytonConnector
from connectors.tryton.catalogue import STREAMS
from tests.support.tryton_script import PASSWORD, ScriptedTryton


class TrytonBench(Bench):
    """Sales opportunities, three a page, over JSON-RPC with a session."""

    connector = TrytonConnector
    stream = "opportunities"
    page_size = 3
    may_be_empty = frozenset(STREAMS) - {"opportunities"}
    secrets: ClassVar[Mapping[str, str]] = {"env:PASSWORD": PASSWORD}

    def boot(self) -> Any:
        self.server = ClockedTryton(self.clock)
        return self.server

    def settings(self) -> dict[str, Any]:
        return {
            "base_url": "http://tryton.example", "allow_plain_http": "true", "database": "erp",
            "auth": {"basic": ["reader", "env:PASSWORD"]}, "rows": 3,
        }  # fmt: skip

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        good = self.settings()
        yield good | {"auth": {}}
        yield good | {"skip": ["oportunities"]}
        yield good | {"rows": 0}

    def put(self, number: int, version: int, at: datetime) -> str:
        known = number in self.server.table
        self.server.put(number, at, written=at if known else None, state=f"v{version}")
        return str(number)

    def delete(self, number: int) -> None:
        del self.server.table[number]

    def living(self) -> Mapping[str, str]:
        return {str(number): row["state"] for number, row in self.server.table.items()}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["state"])

    def is_page(self, request: httpx.Request) -> bool:
        return json.loads(request.content)["method"].endswith(".search_read")

    def clamp(self, size: int) -> None:
        self.server.most = size

    def expire(self) -> None:
        self.server.sessions.clear()

    def error_body(self) -> bytes:
        return b'{"id":1,"error":["UserError",["The index is being built",""]]}'


class ClockedTryton(ScriptedTryton):
    """The scripted server with the bench's clock and a cap on what it gives at once.

    Its other models are empty; tests/system reads all of them from a real server.
    """

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        super().__init__()
        self.most = 10_000

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @now.setter
    def now(self, at: datetime) -> None: ...

    def _data(self, method: str, params: list[Any]) -> Any:
        if not method.startswith("model.sale.opportunity."):
            return 0 if method.endswith("search_count") else []
        found = super()._data(method, params)
        return found[: self.most] if method.endswith(".search_read") else found


class TestTryton(ConformanceSuite):
    bench = TrytonBench
    not_applicable: ClassVar = {
        "throttled_in_body": "Tryton does not throttle; a proxy before it answers HTTP 429",
        "foreign_next_link": "pages go on by id; no answer holds a link",
    }
