"""The simulator's reading of search_query_info: limits, filters, order, projection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.fxiaoke.sample import Record
from connectors.fxiaoke.simulator_door import Answered

_DEEPEST, _MOST = 10_000, 100
_KNOWN = {"limit", "offset", "filters", "orders", "fieldProjection"}


class Search:
    """What is asked for, refused where the vendor's manual rules it out."""

    def __init__(self, asked: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
        if unknown := set(asked) - _KNOWN:
            raise Answered(10013, f"unknown parameter {sorted(unknown)[0]}")
        self.limit, self.offset = asked.get("limit", 20), asked.get("offset", 0)
        if not isinstance(self.limit, int) or not 1 <= self.limit <= _MOST:
            raise Answered(10013, f"limit out of range {_MOST}")
        if self.offset > _DEEPEST:
            raise Answered(10013, f"offset out of range {_DEEPEST}")
        if self.offset % self.limit:
            raise Answered(10013, "offset must be a multiple of limit")
        self.filters: Sequence[Mapping[str, Any]] = asked.get("filters") or []
        self.orders: Sequence[Mapping[str, Any]] = asked.get("orders") or []
        self.projection: Sequence[str] | None = asked.get("fieldProjection") or None
        names = [one["field_name"] for one in self.filters]
        names += [one["fieldName"] for one in self.orders] + list(self.projection or [])
        for name in names:
            if name not in fields:
                raise Answered(10013, f"field {name} is not exists")
        for one in self.filters:
            if not isinstance(one["field_values"], list):
                raise Answered(10013, "field_values must be a list")

    def among(self, rows: Sequence[Record]) -> list[Record]:
        """Return the rows that meet all filters, in the order that was asked for."""
        found = list(rows)
        for one in self.filters:
            if one["operator"] == "IN":
                one = {**one, "field_values": set(one["field_values"])}
            found = [row for row in found if _holds(one, row)]
        if not self.orders:
            return found[::-1]  # without an order: any
        for one in reversed(self.orders):
            name = one["fieldName"]
            found.sort(key=lambda row: _comparable(row.get(name)), reverse=not one["isAsc"])
        return found


def _holds(one: Mapping[str, Any], row: Record) -> bool:
    value, values = row.get(one["field_name"]), one["field_values"]
    first = next(iter(values), "")
    match one["operator"]:
        case "EQ":
            return value is not None and _comparable(value) == _like(value, first)
        case "N":
            return value is None or _comparable(value) != _like(value, first)
        case "GT" | "GTE" | "LT" | "LTE" as operator:
            return value is not None and _compared(
                operator, _comparable(value), _like(value, first)
            )
        case "BETWEEN":
            low, high = (_like(value, one) for one in values)
            return value is not None and low <= _comparable(value) <= high
        case "IN":
            return value is not None and str(value) in values
        case "IS":
            return value in (None, "")
        case "ISN":
            return value not in (None, "")
        case other:
            raise Answered(10013, f"operator {other} is not exists")


def _compared(operator: str, ours: Any, theirs: Any) -> bool:
    if operator in ("GT", "LTE"):
        return bool(ours > theirs) == (operator == "GT")
    return bool(ours < theirs) == (operator == "LT")


def _comparable(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, int | float) else str(value or "")


def _like(value: Any, text: Any) -> Any:
    """Read a filter's text as what it is compared with."""
    return Decimal(str(text)) if isinstance(value, int | float) else str(text)


def shown(row: Record, projection: Sequence[str] | None) -> Record:
    """Return a record as it is answered: empty fields are absent, the id is always there."""
    wanted = None if projection is None else {"_id", *projection}
    return {
        name: value for name, value in row.items()
        if value not in (None, "", []) and (wanted is None or name in wanted)
    }  # fmt: skip
