"""The simulator's reading of FilterString and OrderString: comparisons joined by `and`."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
_TERM = re.compile(
    r"\s*(?P<key>[\w.]+)\s*(?:(?P<op>>=|<=|<>|=|>|<)\s*(?P<one>'(?:[^']|'')*'|-?[0-9.]+)"
    r"|\s+in\s*\((?P<many>(?:[^()']|'(?:[^']|'')*')*)\))\s*(?:and\s+|$)",
    re.IGNORECASE,
)
_OPS: dict[str, Any] = {
    "=": operator.eq, "<>": operator.ne, ">": operator.gt, ">=": operator.ge, "<": operator.lt,
    "<=": operator.le,
}  # fmt: skip
_LITERAL = re.compile(r"'(?:[^']|'')*'|-?[0-9.]+")


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison: the row's value with one of `wanted`, by `op`."""

    key: str
    op: str
    wanted: tuple[str | Decimal, ...]

    def holds(self, row: Row) -> bool:
        """Say whether a row meets it."""
        value = row.get(self.key)
        return any(_compare(value, self.op, one) for one in self.wanted)


def terms(text: str) -> list[Term]:
    """Read a filter; raises ValueError for what is not understood."""
    at, found = 0, list[Term]()
    while at < len(text.rstrip()):
        hit = _TERM.match(text, at)
        if hit is None:
            raise ValueError(f"filter not understood: {text[at:]}")
        at = hit.end()
        many = _LITERAL.findall(hit["many"]) if hit["op"] is None else [hit["one"]]
        found.append(Term(hit["key"], hit["op"] or "=", tuple(_plain(one) for one in many)))
    return found


def _plain(literal: str) -> str | Decimal:
    if literal.startswith("'"):
        return literal[1:-1].replace("''", "'")
    return Decimal(literal)


def _compare(value: Any, op: str, wanted: str | Decimal) -> bool:
    if value is None:
        return False
    left: Any = str(value)
    if isinstance(wanted, Decimal):
        left = value if isinstance(value, int | Decimal) else Decimal(left)
    return bool(_OPS[op](left, wanted))


def ordered(rows: list[Row], text: str) -> list[Row]:
    """Return rows in the order of `A ASC,B DESC`; nulls first."""
    for part in reversed(text.split(",")):
        key, _, way = part.strip().partition(" ")
        rows = sorted(
            rows,
            key=lambda row, key=key: (row.get(key) is not None, row.get(key) or 0),  # type: ignore[misc]
            reverse=way.strip().upper() == "DESC",
        )
    return rows
