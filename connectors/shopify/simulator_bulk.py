"""Bulk operations of the simulator: a state machine by the clock, and files at a storage host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, get_named_type, is_leaf_type, is_list_type, is_non_null_type

from connectors.shopify.sample import Record
from connectors.shopify.simulator_query import PERSONAL, Failed, fields, parsed, schema

if TYPE_CHECKING:
    from connectors.shopify.simulator import ShopifySimulator

AT_ONCE = 5
CONNECTIONS = 5
DEPTH = 2
KEPT = timedelta(days=7)
_BUSY = ("CREATED", "RUNNING")
SCATTERED = 3
"""A child stands behind so many further lines on top: after its parent, not right after it."""


@dataclass
class _Operation:
    key: str
    query: str
    made: datetime
    takes: timedelta
    data: bytes = b""
    lines: int = 0
    roots: int = 0
    fails: str = ""
    gone: bool = False


@dataclass
class Bulk:
    """The operations of one shop.

    `takes` is how long each runs; `fails` are the errors of the next ones; `where` is the place of
    the files. The data are those of the moment in which an operation was asked for.
    """

    shop: ShopifySimulator
    where: str = "https://storage.googleapis.com"
    takes: timedelta = timedelta(seconds=20)
    fails: list[str] = field(default_factory=list)
    operations: dict[str, _Operation] = field(default_factory=dict)

    def start(self, text: str) -> Record:
        """Begin an operation, or say why not."""
        try:
            self._checked(text)
        except Failed as failed:
            return _refused(str(failed), "INVALID")
        under_way = [one for one in self.operations.values() if self._status(one) in _BUSY]
        if len(under_way) >= AT_ONCE:
            return _refused(
                "A bulk query operation is already in progress", "OPERATION_IN_PROGRESS"
            )
        key = f"gid://shopify/BulkOperation/{len(self.operations) + 1}"
        made = _Operation(key, text, self.shop.now(), self.takes)
        made.fails = self.fails.pop(0) if self.fails else ""
        rows = [*_lines(self.shop, text)]
        made.lines = len(rows)
        made.roots = sum("__parentId" not in row for row in rows)
        made.data = b"".join(
            json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            for row in _scattered(rows)
        )
        self.operations[key] = made
        return {"bulkOperation": self.shown(key), "userErrors": []}

    def shown(self, key: str) -> Record | None:
        """Return an operation as it stands now."""
        one = self.operations.get(key)
        if one is None or one.gone:
            return None
        status = self._status(one)
        done = status == "COMPLETED"
        number = key.rpartition("/")[2]
        link = f"{self.where}/bulk/{number}.jsonl?Signature=canary-signature-{number}"
        return {
            "id": key, "status": status, "createdAt": _text(one.made),
            "errorCode": one.fails if status == "FAILED" else None,
            "objectCount": str(one.lines if done else 0),
            "rootObjectCount": str(one.roots if done else 0),
            "fileSize": str(len(one.data)) if done and one.data else None,
            "url": link if done and one.data else None,
        }  # fmt: skip

    def file(self, path: str, asked: str) -> tuple[int, dict[str, str], bytes]:
        """Return a file or the range of it that was asked for: status, headers, bytes."""
        found = re.fullmatch(r"/bulk/([0-9]+)\.jsonl", path)
        one = self.operations.get(f"gid://shopify/BulkOperation/{found[1]}") if found else None
        if one is None or self._status(one) != "COMPLETED":
            return 403, {}, b"<Error><Code>AccessDenied</Code></Error>"
        part = re.fullmatch(r"bytes=([0-9]+)-([0-9]+)", asked)
        if part is None:
            return 200, {}, one.data
        first, last = int(part[1]), min(int(part[2]), len(one.data) - 1)
        said = {"content-range": f"bytes {first}-{last}/{len(one.data)}"}
        return 206, said, one.data[first : last + 1]

    def _status(self, one: _Operation) -> str:
        past = self.shop.now() - one.made
        if past < one.takes:
            return "CREATED" if past < timedelta(seconds=1) else "RUNNING"
        if one.fails:
            return "FAILED"
        return "EXPIRED" if past > one.takes + KEPT else "COMPLETED"

    def _checked(self, text: str) -> None:
        document, wrong = parsed(text)
        if wrong:
            raise Failed(wrong[0])
        operation: Any = document.definitions[0]
        found = [*_connections(operation.selection_set, schema().type_map["QueryRoot"], 0, False)]
        if not found:
            raise Failed("Bulk queries must contain at least one connection.")
        if len(found) > CONNECTIONS:
            raise Failed("Bulk queries cannot contain more than 5 connections.")
        if max(found) > DEPTH:
            raise Failed("Bulk queries cannot contain connections with a nesting depth above 2.")


def _refused(message: str, code: str) -> Record:
    return {
        "bulkOperation": None,
        "userErrors": [{"field": ["query"], "message": message, "code": code}],
    }


def _connections(selections: Any, kind: Any, depth: int, in_list: bool) -> Iterator[int]:
    """Yield the depth of each connection; one inside a plain list is refused."""
    for one, parent in fields(selections, kind):
        if one.selection_set is None:
            continue
        of = parent.fields[one.name.value].type
        inner = get_named_type(of)
        is_connection = inner.name.endswith("Connection")
        if is_connection and in_list:
            raise Failed("Queries that contain a connection field within a list are not supported.")
        bare = of.of_type if is_non_null_type(of) else of
        listed = in_list or (is_list_type(bare) and not inner.name.endswith("Edge"))
        if is_connection:
            yield depth + 1
        yield from _connections(one.selection_set, inner, depth + is_connection, listed)


def _lines(shop: ShopifySimulator, text: str) -> Iterator[Record]:
    """Yield a line each object of a connection, a parent before its children."""
    operation: Any = parsed(text)[0].definitions[0]
    (root,) = operation.selection_set.selections
    top: Any = schema().type_map["QueryRoot"]
    kind = get_named_type(top.fields[root.name.value].type)
    yield from _edges(shop, shop.listed(root.name.value), root, kind, None)


def _edges(
    shop: ShopifySimulator, rows: Any, field: FieldNode, kind: Any, parent: str | None
) -> Iterator[Record]:
    (edges,) = field.selection_set.selections  # type: ignore[union-attr]
    (node,) = edges.selection_set.selections  # type: ignore[union-attr]
    of = get_named_type(kind.fields["edges"].type).fields["node"].type
    for row in rows:
        below: list[Record] = []
        shown = _shown(shop, row, get_named_type(of), node, below)
        yield shown if parent is None else shown | {"__parentId": parent}
        yield from below


def _shown(
    shop: ShopifySimulator, value: Record, kind: Any, field: Any, below: list[Record]
) -> Record:
    """Return an object as its line has it; what its connections hold goes `below`."""
    value = shop.object(str(value.get("id"))) or value
    shown: Record = {}
    for inner, parent in fields(field.selection_set, kind, str(value.get("id"))):
        name = inner.name.value
        of = get_named_type(parent.fields[name].type)
        raw = None if name in PERSONAL and not shop.approved else value.get(name)
        if of.name.endswith("Connection"):
            below.extend(_edges(shop, raw or (), inner, of, value["id"]))
        elif raw is None or is_leaf_type(of):
            shown[name] = raw
        elif isinstance(raw, list):
            shown[name] = [_shown(shop, one, of, inner, below) for one in raw]
        else:
            shown[name] = _shown(shop, raw, of, inner, below)
    return shown


def _scattered(rows: list[Record]) -> Iterator[Record]:
    """Yield the lines, children some lines later than their parents."""
    held: list[Record] = []
    tops = 0
    for row in rows:
        if "__parentId" in row:
            held.append(row)
            continue
        yield row
        tops += 1
        if tops % SCATTERED == 0:
            yield from held
            held.clear()
    yield from held


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
