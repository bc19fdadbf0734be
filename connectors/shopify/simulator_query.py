"""Runs one GraphQL document for the simulator: validated, priced, and answered field by field."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
)
from graphql.error import GraphQLError
from graphql.execution.values import get_argument_values

from connectors.shopify.sample import Record

if TYPE_CHECKING:
    from connectors.shopify.simulator import ShopifySimulator

MOST = 250
_TERM = re.compile(r"(updated_at|created_at|id):(>=|<=|>|<|)('[^']*'|\S+)")
_STAMPS = {"UPDATED_AT": "updatedAt", "CREATED_AT": "createdAt", "PROCESSED_AT": "processedAt"}
PERSONAL = {
    "firstName", "lastName", "defaultEmailAddress", "defaultPhoneNumber", "defaultAddress",
    "email", "phone", "shippingAddress", "billingAddress",
}  # fmt: skip
ROOTS = {
    "customers": ("customers", "read_customers"), "products": ("products", "read_products"),
    "productVariants": ("variants", "read_products"), "orders": ("orders", "read_orders"),
    "locations": ("locations", "read_locations"), "inventoryItems": ("items", "read_inventory"),
}  # fmt: skip
COUNTED = {
    "customersCount": "customers", "productsCount": "products", "ordersCount": "orders",
    "productVariantsCount": "productVariants",
}  # fmt: skip


class Failed(Exception):
    """An error as GraphQL answers it, under HTTP 200."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.error: Record = {"message": message}
        if code:
            self.error["extensions"] = {"code": code}


@cache
def schema() -> GraphQLSchema:
    """Return the part of the vendor's schema that is answered."""
    return build_schema((Path(__file__).parent / "simulator_schema.graphql").read_text("utf-8"))


@cache
def parsed(text: str) -> tuple[DocumentNode, tuple[str, ...]]:
    """Return the document and what is wrong with it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return DocumentNode(definitions=()), (error.message,)
    return document, tuple(error.message for error in validate(schema(), document))


class Query:
    """One operation with its variables; `cost` is what it may cost, `spent` what it did."""

    def __init__(self, shop: ShopifySimulator, text: str, variables: Mapping[str, Any]) -> None:
        document, wrong = parsed(text)
        if wrong:
            raise Failed(wrong[0])
        operation = document.definitions[0]
        assert isinstance(operation, OperationDefinitionNode)  # noqa: S101
        self._shop = shop
        self._variables = dict(variables)
        self.operation = operation
        kind = "Mutation" if operation.operation.value == "mutation" else "QueryRoot"
        self._root = schema().type_map[kind]
        self.roots = [one.name.value for one, _ in fields(operation.selection_set, self._root)]
        self.cost = self._price(operation.selection_set, self._root, 1)
        self.spent = 10 if kind == "Mutation" else 0
        self.records = 0

    # --- what it costs ---------------------------------------------------------------------------
    def _price(self, selections: Any, kind: Any, times: int) -> int:
        """Return the points of a selection: an object is 1, a connection as many as `first`."""
        total = 0
        for field, parent in fields(selections, kind):
            of = parent.fields[field.name.value]
            inner = get_named_type(of.type)
            if is_leaf_type(inner) or inner.name == "PageInfo":
                continue
            count = 1
            if inner.name.endswith("Connection"):
                given = self._given(of, field).get("first")
                if given is None:
                    raise Failed("you must provide one of first or last")
                if given > MOST:
                    raise Failed(f"first cannot exceed {MOST}")
                count, own = given, 0
            else:
                own = 0 if inner.name.endswith("Edge") else 1
            total += own * times + self._price(field.selection_set, inner, times * count)
        return total

    # --- answering -------------------------------------------------------------------------------
    def run(self) -> Record:
        """Return the data."""
        data: Record = {}
        for field, parent in fields(self.operation.selection_set, self._root):
            of = parent.fields[field.name.value]
            data[field.name.value] = self._root_value(field, of, self._given(of, field))
        return data

    def _root_value(self, field: FieldNode, of: Any, given: Mapping[str, Any]) -> Any:
        name, kind = field.name.value, get_named_type(of.type)
        if name in ROOTS:
            rows = self._shop.listed(name)
            found = [
                row for row in rows if fits(row, given.get("query"), by_day=name == "customers")
            ]
            found.sort(key=lambda row: _place(row, given.get("sortKey")))
            if given.get("reverse"):
                found.reverse()
            return self._connection(found, kind, field, given, root=True)
        if name in COUNTED:
            rows = self._shop.listed(COUNTED[name])
            found = [row for row in rows if fits(row, given.get("query"))]
            most = given.get("limit") or len(found)
            precision = "AT_LEAST" if len(found) > most else "EXACT"
            return {"count": min(len(found), most), "precision": precision}
        if name == "bulkOperation":
            found_one = self._shop.bulk.shown(given["id"])
        elif name == "bulkOperationRunQuery":
            found_one = self._shop.bulk.start(given["query"])
        elif name in ("shop", "currentAppInstallation"):
            found_one = self._shop.about(name)
        else:
            found_one = self._shop.object(given["id"])
        return None if found_one is None else self._object(found_one, kind, field)

    def _object(self, value: Record, kind: Any, field: FieldNode) -> Record:
        value = self._shop.object(str(value.get("id"))) or value
        self.spent += 1
        shown: Record = {}
        for inner, parent in fields(field.selection_set, kind, str(value.get("id"))):
            name = inner.name.value
            raw = value.get(name)
            if name in PERSONAL and not self._shop.approved:
                raw = None
            is_bare = inner.selection_set is None  # a scalar, as validated
            shown[name] = raw if is_bare else self._value(raw, parent.fields[name], inner)
        return shown

    def _value(self, raw: Any, of: Any, field: FieldNode) -> Any:
        kind = get_named_type(of.type)
        given = self._given(of, field) if field.arguments else {}
        if kind.name.endswith("Connection"):
            return self._connection(list(raw or ()), kind, field, given)
        if raw is None:
            return raw
        if isinstance(raw, list):
            if "names" in given:
                raw = [one for name in given["names"] for one in raw if one["name"] == name]
            return [self._object(one, kind, field) for one in raw[: given.get("first")]]
        return self._object(raw, kind, field)

    def _connection(
        self, rows: Sequence[Record], kind: Any, field: FieldNode, given: Mapping[str, Any],
        *, root: bool = False,
    ) -> Record:  # fmt: skip
        keys = [row["id"] for row in rows]
        start = 0
        if given.get("after"):
            last = _uncursor(given["after"])
            start = keys.index(last["id"]) + 1 if last["id"] in keys else last["at"]
        size = min(given["first"], self._shop.most) if root else given["first"]
        page = rows[start : start + size]
        cursors = [cursor(row["id"], start + at) for at, row in enumerate(page)]
        if root:
            self.records += len(page)
        shown: Record = {}
        for inner, _ in fields(field.selection_set, kind):
            name = inner.name.value
            of = kind.fields[name]
            if name == "nodes":
                shown[name] = [self._object(row, get_named_type(of.type), inner) for row in page]
            elif name == "pageInfo":
                more = start + len(page) < len(rows)
                shown[name] = {"hasNextPage": more, "endCursor": cursors[-1] if cursors else None}
            else:
                raise Failed("pages are asked for by nodes here")
        return shown

    def _given(self, of: Any, field: FieldNode) -> dict[str, Any]:
        return get_argument_values(of, field, self._variables)


def fields(selections: Any, kind: Any, key: str | None = None) -> Iterator[tuple[FieldNode, Any]]:
    """Yield the fields of a selection with the type they are of; `key` is the object's id.

    A fragment counts for objects of its type; without an object it counts.
    """
    for one in selections.selections:
        if isinstance(one, FieldNode):
            yield one, kind
        elif isinstance(one, InlineFragmentNode):
            named = one.type_condition.name.value
            if key is None or key.startswith(f"gid://shopify/{named}/"):
                yield from fields(one.selection_set, schema().type_map[named], key)


def fits(row: Record, query: str | None, *, by_day: bool = False) -> bool:
    """Say whether a row passes a search: terms on id and stamps, joined by AND."""
    for name, how, said in _TERM.findall(query or ""):
        value, bound = _searched(row, name), said.strip("'")
        if name == "id":
            value, bound = f"{value:>20}", f"{bound:>20}"
        elif by_day:
            value, bound = value[:10], bound[:10]
        holds = {">=": value >= bound, "<=": value <= bound, ">": value > bound,
                 "<": value < bound, "": value == bound}  # fmt: skip
        if not holds[how]:
            return False
    return True


def _searched(row: Record, name: str) -> str:
    if name == "id":
        return str(row["id"].rpartition("/")[2].partition("?")[0])
    return str(row["indexed" if name == "updated_at" else "createdAt"])


def _place(row: Record, key: str | None) -> tuple[str, int]:
    """Return where a row stands in a list: by its sort key, then by id."""
    stamp = str(row.get(_STAMPS.get(key or "", ""), ""))
    return stamp, int(_searched(row, "id"))


def cursor(key: str, at: int) -> str:
    """Return the cursor of a row."""
    return base64.b64encode(json.dumps({"id": key, "at": at}).encode()).decode()


def _uncursor(text: str) -> Record:
    try:
        found: Record = json.loads(base64.b64decode(text, validate=True))
        return {"id": str(found["id"]), "at": int(found["at"])}
    except (ValueError, KeyError, TypeError):
        raise Failed("Invalid cursor for current pagination sort.") from None
