"""Shopify's Admin API in memory: queries, points, rights, bulk operations and their files.

It behaves as the contract and the vendor's schema say and shares no code with the connector, so
that tests judge the connector by an independent journal of what was there and sent.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.asgi import Asked, Reply, Simulator, dated
from connectors.shopify.sample import Record
from connectors.shopify.simulator_bulk import Bulk
from connectors.shopify.simulator_query import ROOTS, Failed, Query

KINDS = ("customers", "products", "variants", "locations", "items", "orders")
SCOPES = (
    "read_orders", "read_all_orders", "read_customers", "read_products", "read_inventory",
    "read_locations", "read_fulfillments", "read_returns",
)  # fmt: skip
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
MOST_POINTS = 1000
VISIBLE = timedelta(days=60)
TOKEN_SECONDS = 86_399
_CHILDREN = ("lineItems", "fulfillments", "transactions", "refunds", "returns")
_PATH = re.compile(r"/admin/api/(20[0-9]{2}-[0-9]{2})/graphql\.json")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal. kind: put, delete, query, token or file.

    `signed` says that the request carried a token of the shop.
    """

    kind: str
    at: datetime
    name: str
    key: str = ""
    status: int = 0
    records: int = 0
    cost: int = 0
    variables: Mapping[str, Any] = field(default_factory=dict)
    signed: bool = False


@dataclass(slots=True)
class _Row:
    """An object; until `shows` the search index has it by the stamp `before`, "" not at all."""

    record: Record
    shows: datetime
    before: str = ""

    def shown(self, now: datetime) -> str:
        """Return the stamp that the search index has."""
        return str(self.record["updatedAt"]) if self.shows <= now else self.before


class ShopifySimulator(Simulator):
    """One shop.

    `token` is the permanent one, `app` the id and secret of an app. `scopes` are the app's rights,
    `approved` says whether it may see personal data. `bucket` and `refill` are the points of the
    plan, `throttled` the status of a query above them. `most` is what a page holds at most,
    `faults` are answers for the next queries, `before` is called ahead of each request.
    """

    def __init__(
        self, token: str = "", app: tuple[str, str] = ("", ""), *,
        now: Callable[[], datetime] | None = None,
    ) -> None:  # fmt: skip
        self.token, self.app = token, app
        self.now = now or (lambda: datetime.now(UTC))
        self.scopes, self.approved = set(SCOPES), True
        self.bucket, self.refill, self.throttled = 2000.0, 100.0, 200
        self.most = 250
        self.faults: list[Reply] = []
        self.before: Callable[[int], None] = lambda number: None
        self.journal: list[Line] = []
        self.requests = 0
        self.bulk = Bulk(self)
        self._issued: dict[str, datetime] = {}
        self._available, self._since = self.bucket, self.now()
        self._rows: dict[str, dict[str, _Row]] = {name: {} for name in KINDS}
        self._parts: dict[str, Record] = {}

    # --- what is there -------------------------------------------------------------------------
    def put(
        self, kind: str, record: Record, *, at: datetime | None = None, moves: bool = True,
        late: float = 0,
    ) -> str:  # fmt: skip
        """Add or replace an object, stamped `at` or now; returns its id.

        `moves` False leaves the stamp as it was; `late` is how long the search index takes.
        """
        row, key = copy.deepcopy(record), str(record["id"])
        known = self._rows[kind].get(key)
        row["updatedAt"] = _text(at or self.now())
        if known is not None and not moves:
            row["updatedAt"] = known.record["updatedAt"]
        self._forget(known)
        for name in _CHILDREN:
            for part in row.get(name, ()):
                part["order"] = {"id": key}
                self._parts[part["id"]] = part
        shown = known.shown(self.now()) if known else ""
        self._rows[kind][key] = _Row(row, self.now() + timedelta(seconds=late), shown)
        self.journal.append(Line("put", self.now(), kind, key))
        return key

    def change(self, kind: str, key: str, /, *, moves: bool = True, **members: Any) -> None:
        """Change members of an object, with or without moving its stamp."""
        self.put(kind, self._rows[kind][key].record | members, moves=moves)

    def delete(self, kind: str, key: str) -> None:
        """Remove an object for good."""
        self._forget(self._rows[kind].pop(key))
        self.journal.append(Line("delete", self.now(), kind, key))

    def living(self, kind: str) -> dict[str, Record]:
        """Return what stands there now."""
        return {key: row.record for key, row in self._rows[kind].items()}

    def take(self, points: float) -> None:
        """Let another app of the shop take points out of the bucket."""
        self._refill()
        self._available = max(self._available - points, 0.0)

    def expire(self) -> None:
        """Let the tokens that were issued end now."""
        self._issued.clear()

    def _forget(self, row: _Row | None) -> None:
        for name in _CHILDREN if row else ():
            for part in row.record.get(name, ()) if row else ():
                self._parts.pop(part["id"], None)

    # --- what queries see ------------------------------------------------------------------------
    def listed(self, root: str) -> list[Record]:
        """Return what the search index shows of a list; raises Failed without the right."""
        kind, scope = ROOTS[root]
        if scope not in self.scopes:
            raise Failed(
                f"Access denied for {root} field. Required access: `{scope}` access scope.",
                "ACCESS_DENIED",
            )
        rows = []
        for row in self._rows[kind].values():
            if shown := row.shown(self.now()):
                rows.append(row.record | {"indexed": shown})
        if kind == "orders" and "read_all_orders" not in self.scopes:
            edge = _text(self.now() - VISIBLE)
            rows = [row for row in rows if row["createdAt"] >= edge]
        return rows

    def object(self, key: str) -> Record | None:
        """Return an object by its id, whatever the search index shows."""
        if key in self._parts:
            return self._parts[key]
        found = next((rows[key].record for rows in self._rows.values() if key in rows), None)
        if found is None or not key.startswith("gid://shopify/Product/"):
            return found
        variants = (row.record for row in self._rows["variants"].values())
        return found | {"variants": [one for one in variants if one["product"]["id"] == key]}

    def about(self, name: str) -> Record:
        """Return what stands above all lists."""
        if name == "shop":
            return {
                "name": "Shop", "myshopifyDomain": "shop.myshopify.com", "currencyCode": "CNY",
                "ianaTimezone": "Asia/Shanghai",
            }  # fmt: skip
        return {"accessScopes": [{"handle": one} for one in sorted(self.scopes)]}

    # --- answering -------------------------------------------------------------------------------
    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        self.requests += 1
        self.before(self.requests)
        if asked.method == "GET" and asked.path.startswith("/bulk/"):
            return self._file(asked.path, asked.headers)
        if asked.path == "/admin/oauth/access_token":
            return self._grant(asked.form)
        found = _PATH.fullmatch(asked.path)
        if asked.method != "POST" or found is None:
            return self._said(404, {"errors": "Not Found"})
        version = found[1] if found[1] in VERSIONS else VERSIONS[0]
        more = {"x-shopify-api-version": version}
        said = asked.headers.get("x-shopify-access-token", "")
        if not self._knows(said):
            self._note("query", "", 401)
            wrong = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return self._said(401, {"errors": wrong}, more)
        if self.faults:
            reply = self.faults.pop(0)
            self._note("query", "fault", reply.status)
            return self._said(reply.status, reply.body, {**more, **reply.headers})
        return self._said(*self._queried(asked.content), more)

    def _queried(self, body: bytes) -> tuple[int, Record]:
        try:
            sent = json.loads(body)
            query = Query(self, sent["query"], sent.get("variables") or {})
        except Failed as failed:
            self._note("query", "invalid", 200)
            return 200, {"errors": [failed.error]}
        except (ValueError, KeyError, TypeError):
            return 400, {"errors": {"query": "Required parameter missing or invalid"}}
        name, variables = query.roots[0], sent.get("variables") or {}
        if query.cost > MOST_POINTS:
            self._note("query", name, 200, cost=query.cost, variables=variables)
            dear = Failed(
                f"Query cost is {query.cost}, which exceeds the single query max cost limit",
                "MAX_COST_EXCEEDED",
            )
            return 200, {"errors": [dear.error]}
        self._refill()
        if query.cost > self._available:
            self._note("query", "throttled", self.throttled, cost=query.cost)
            error = Failed("Throttled", "THROTTLED").error
            return self.throttled, {"errors": [error], **self._cost(query.cost, None)}
        try:
            data = query.run()
        except Failed as failed:
            self._note("query", name, 200, cost=query.cost, variables=variables)
            error = failed.error | {"path": [name]}
            return 200, {"data": {name: None}, "errors": [error], **self._cost(query.cost, 0)}
        spent = min(query.spent, query.cost)
        self._available -= spent
        self._note("query", name, 200, cost=spent, records=query.records, variables=variables)
        return 200, {"data": data, **self._cost(query.cost, spent)}

    def _cost(self, requested: int, actual: int | None) -> Record:
        status = {
            "maximumAvailable": self.bucket, "currentlyAvailable": int(self._available),
            "restoreRate": self.refill,
        }  # fmt: skip
        cost = {
            "requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status,
        }  # fmt: skip
        return {"extensions": {"cost": cost}}

    def _refill(self) -> None:
        now = self.now()
        past = max((now - self._since).total_seconds(), 0.0)
        self._available = min(self._available + past * self.refill, self.bucket)
        self._since = now

    def _knows(self, said: str) -> bool:
        if self.token and said == self.token:
            return True
        return said in self._issued and self._issued[said] > self.now()

    def _grant(self, form: Mapping[str, str]) -> Reply:
        given = (form.get("client_id"), form.get("client_secret"))
        if form.get("grant_type") != "client_credentials" or given != self.app or not self.app[0]:
            self._note("token", "", 400)
            return self._said(400, {"error": "invalid_client", "error_description": "refused"})
        token = f"shpat_canary{self.requests:026d}"
        self._issued[token] = self.now() + timedelta(seconds=TOKEN_SECONDS)
        self._note("token", "", 200)
        said = {"access_token": token, "scope": ",".join(self.scopes), "expires_in": TOKEN_SECONDS}
        return self._said(200, said)

    def _file(self, path: str, headers: Mapping[str, str]) -> Reply:
        """Answer as a storage host does, which is another system than the shop."""
        status, more, data = self.bulk.file(path, headers.get("range", ""))
        signed = "x-shopify-access-token" in headers
        self._note("file", path, status, signed=signed)
        kind = {"content-type": "application/jsonl", "content-length": str(len(data))}
        return Reply(status, data, kind | more)

    def _note(self, kind: str, name: str, status: int, **more: Any) -> None:
        self.journal.append(Line(kind, self.now(), name, status=status, **more))

    def _said(self, status: int, body: Any, more: Mapping[str, str] | None = None) -> Reply:
        shown = dated(self.now(), "application/json") | {"x-request-id": f"req-{self.requests:06d}"}
        return Reply(status, body, shown | dict(more or {}))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
