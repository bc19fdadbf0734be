"""Stripe's reading side in memory: lists newest first, cursors, events, expand, rights, limits.

It behaves as contracts and the vendor's OpenAPI document say and shares no code with the
connector, so that tests judge the connector by an independent journal of what was there and sent.
"""

from __future__ import annotations

import copy
import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from connectors import asgi
from connectors.asgi import Asked, Simulator, dated
from connectors.stripe import sample
from connectors.stripe.sample import Record

DAYS_KEPT = 30
KINDS = {
    "customers": "customer", "charges": "charge", "payment_intents": "payment_intent",
    "refunds": "refund", "balance_transactions": "balance_transaction", "payouts": "payout",
    "events": "event",
}  # fmt: skip
FILTERS = {
    "customers": {"email"}, "charges": {"customer", "payment_intent", "transfer_group"},
    "payment_intents": {"customer"}, "refunds": {"charge", "payment_intent"},
    "balance_transactions": {"currency", "payout", "source", "type"},
    "payouts": {"arrival_date", "destination", "status"},
    "events": {"type", "types", "delivery_success"},
}  # fmt: skip
EXPANDED = {
    "balance_transaction": "balance_transactions", "customer": "customers", "charge": "charges",
    "payment_intent": "payment_intents", "latest_charge": "charges",
}  # fmt: skip


class Answered(Exception):
    """An error that is answered as the API does."""

    def __init__(
        self, status: int, message: str, code: str = "", param: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        error = {"type": "invalid_request_error", "message": message}
        error |= {name: text for name, text in (("code", code), ("param", param)) if text}
        self.reply = Reply(status, {"error": error}, dict(headers or {}))


@dataclass(frozen=True, slots=True)
class Reply(asgi.Reply):
    """An answer with so many records."""

    records: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal. kind: put, delete or request."""

    kind: str
    at: datetime
    name: str
    key: str = ""
    path: str = ""
    params: tuple[tuple[str, str], ...] = ()
    status: int = 0
    records: int = 0
    version: str = ""
    account: str = ""


@dataclass(slots=True)
class _Row:
    record: Record
    order: tuple[int, int]
    visible: float
    deleted: bool = False


class StripeSimulator(Simulator):
    """One account.

    `denied` are lists that the key may not read, `per_second` limits requests by the clock, `most`
    is what one page holds, `faults` are answers for the next requests, `before` is called ahead of
    each request.
    """

    def __init__(self, key: str, *, now: Callable[[], datetime] | None = None) -> None:
        self.key = key
        self.now = now or (lambda: datetime.now(UTC))
        self.denied: set[str] = set()
        self.per_second = 0
        self.most = 100
        self.settled: dict[str, str] = {}  # an entry of the ledger: the payout it went with
        self.faults: list[Reply] = []
        self.before: Callable[[int], None] = lambda number: None
        self.journal: list[Line] = []
        self.requests = 0
        self._made = 0
        self._recent: list[float] = []
        self._rows: dict[str, dict[str, _Row]] = {name: {} for name in KINDS}

    # --- what is there -----------------------------------------------------------------------
    def put(self, name: str, record: Record, told: str = "", *, late: float = 0) -> None:
        """Add or replace an object; `told` is the event that says so, `late` when both show."""
        rows = self._rows[name]
        key = str(record["id"])
        self._made += 1
        order = rows[key].order if key in rows else (int(record["created"]), self._made)
        visible = rows[key].visible if key in rows else self.now().timestamp() + late
        rows[key] = _Row(copy.deepcopy(record), order, visible)
        self.journal.append(Line("put", self.now(), name, key))
        if told:
            self.tell(told, record, late=late)

    def change(self, name: str, key: str, told: str = "", /, **members: Any) -> Record:
        """Change members of an object, with or without an event; returns it."""
        record = self._rows[name][key].record | members
        self.put(name, record, told)
        return record

    def delete(self, name: str, key: str, told: str = "") -> None:
        """Remove an object for good."""
        row = self._rows[name][key]
        row.deleted = True
        self.journal.append(Line("delete", self.now(), name, key))
        if told:
            self.tell(told, row.record)

    def tell(self, kind: str, about: Record, *, at: int | None = None, late: float = 0) -> None:
        """Add an event that carries the object as it is now."""
        self._made += 1
        made = int(self.now().timestamp()) if at is None else at
        key = f"evt_{self._made:09d}"
        row = _Row(sample.event(key, made, kind, copy.deepcopy(about)), (made, self._made),
                   self.now().timestamp() + late)  # fmt: skip
        self._rows["events"][key] = row

    def living(self, name: str) -> dict[str, Record]:
        """Return what stands in a list now."""
        return {key: row.record for key, row in self._rows[name].items() if self._shows(name, row)}

    def _shows(self, name: str, row: _Row) -> bool:
        now = self.now().timestamp()
        old = name == "events" and row.order[0] < now - DAYS_KEPT * 86_400
        return not (row.deleted or old or row.visible > now)

    # --- answering ---------------------------------------------------------------------------
    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        self.requests += 1
        self.before(self.requests)
        method, path, headers = asked.method, asked.path, asked.headers
        params = parse_qsl(asked.query, keep_blank_values=True)
        name, key = ([*path.removeprefix("/v1/").split("/"), ""])[:2]
        try:
            self._limit()
            self._signed(headers, name)
            if self.faults:
                reply = self.faults.pop(0)
            elif method != "GET" or name not in KINDS or not path.startswith("/v1/"):
                raise Answered(404, f"Unrecognized request URL ({method}: {path}).")
            elif key:
                reply = self._one(name, key, dict(params))
            else:
                reply = self._list(name, path, params)
        except Answered as answered:
            reply = answered.reply
        self.journal.append(
            Line("request", self.now(), name, key, path, tuple(params), reply.status,
                 reply.records, headers.get("stripe-version", ""),
                 headers.get("stripe-account", ""))
        )  # fmt: skip
        shown = dated(self.now(), "application/json") | {"request-id": f"req_{self.requests:06d}"}
        return Reply(reply.status, reply.body, shown | dict(reply.headers), reply.records)

    def _limit(self) -> None:
        now = self.now().timestamp()
        self._recent = [at for at in self._recent if at > now - 1]
        if self.per_second and len(self._recent) >= self.per_second:
            raise Answered(
                429, "Too many requests", "rate_limit",
                headers={"stripe-rate-limited-reason": "global-rate"},
            )  # fmt: skip
        self._recent.append(now)

    def _signed(self, headers: Mapping[str, str], name: str) -> None:
        said = headers.get("authorization", "")
        if said != f"Bearer {self.key}":
            shown = f"{said[7:15]}****{said[-4:]}"
            raise Answered(401, f"Invalid API Key provided: {shown}")
        if name in self.denied:
            right = f"rak_{KINDS.get(name, name)}_read"
            raise Answered(
                403, "The provided key 'rk_test_****' does not have the required permissions for "
                f"this endpoint on account 'acct_1'. Having the '{right}' permission would allow "
                "this request to continue.",
            )  # fmt: skip

    def _one(self, name: str, key: str, params: Mapping[str, str]) -> Reply:
        row = self._rows[name].get(key)
        if row is None or (not row.deleted and not self._shows(name, row)):
            raise Answered(404, f"No such {KINDS[name]}: '{key}'", "resource_missing", "id")
        if row.deleted:
            gone = {"id": key, "object": KINDS[name], "deleted": True}
            return Reply(200, gone, records=1)
        paths = [value for member, value in params.items() if _base(member) == "expand"]
        return Reply(200, self._whole(row.record, paths), records=1)

    def _list(self, name: str, path: str, params: list[tuple[str, str]]) -> Reply:
        for member, _ in params:
            known = {"limit", "starting_after", "ending_before", "created", "expand"}
            if _base(member) not in known | FILTERS[name]:
                raise Answered(400, f"Received unknown parameter: {_base(member)}",
                               "parameter_unknown", _base(member))  # fmt: skip
        given = dict(params)
        rows = [row for row in self._rows[name].values() if self._shows(name, row)]
        rows.sort(key=lambda row: row.order, reverse=True)
        kept = [row for row in rows if all(_fits(row.record, *pair) for pair in params)]
        if "payout" in given:
            kept = [row for row in kept if self.settled.get(row.record["id"]) == given["payout"]]
        types = [value for member, value in params if _base(member) == "types"]
        if types:
            kept = [row for row in kept if row.record["type"] in types]
        size = given.get("limit", "10")
        if not re.fullmatch("[0-9]{1,4}", size) or not 1 <= int(size) <= 100:
            raise Answered(400, "Invalid limit", "parameter_invalid_integer", "limit")
        page, more = self._cut(name, rows, kept, given, min(int(size), self.most))
        paths = [value.removeprefix("data.") for member, value in params
                 if _base(member) == "expand"]  # fmt: skip
        body = {"object": "list", "url": path, "has_more": more,
                "data": [self._whole(row.record, paths) for row in page]}  # fmt: skip
        return Reply(200, body, records=len(page))

    def _cut(
        self, name: str, rows: list[_Row], kept: list[_Row], given: Mapping[str, str], size: int
    ) -> tuple[list[_Row], bool]:
        for param in ("starting_after", "ending_before"):
            if param not in given:
                continue
            mark = next((row for row in rows if row.record["id"] == given[param]), None)
            if mark is None:
                raise Answered(400, f"No such {KINDS[name]}: '{given[param]}'",
                               "resource_missing", param)  # fmt: skip
            if param == "starting_after":
                kept = [row for row in kept if row.order < mark.order]
            else:
                newer = [row for row in kept if row.order > mark.order]
                return newer[-size:], len(newer) > size
        return kept[:size], len(kept) > size

    def _whole(self, record: Record, paths: list[str]) -> Record:
        shown = copy.deepcopy(record) if paths else record
        for path in paths:
            head, _, rest = path.partition(".")
            if head not in EXPANDED or path.count(".") > 3:
                raise Answered(400, f"This property cannot be expanded ({head}).", param="expand")
            inner = shown.get(head)
            if isinstance(inner, str) and inner in self._rows[EXPANDED[head]]:
                found = self._rows[EXPANDED[head]][inner].record
                shown[head] = self._whole(found, [rest] if rest else [])
        return shown


def _base(member: str) -> str:
    return member.split("[", 1)[0]


def _fits(record: Record, member: str, value: str) -> bool:
    """Say whether a record passes one parameter that filters."""
    if member == "type" and record["object"] == "event":
        return fnmatch.fnmatchcase(record["type"], value)
    if _base(member) in ("created", "arrival_date"):
        made, bound = record[_base(member)], int(value)
        how = member.partition("[")[2].rstrip("]")
        return bool({"gt": made > bound, "gte": made >= bound, "lt": made < bound,
                     "lte": made <= bound, "": made == bound}[how])  # fmt: skip
    if _base(member) in ("limit", "starting_after", "ending_before", "expand", "types",
                         "delivery_success", "payout"):  # fmt: skip
        return True
    return bool(record.get(member) == value)
