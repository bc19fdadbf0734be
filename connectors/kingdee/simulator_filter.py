"""The simulator's reading of FilterString and OrderString: comparisons joined by `and`."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
_TERM = re.compile(
    r"\s*(?P<key>[\w.]+)\s*(?:(?P<op>>=|<=|<>|=|>|<)\s*(?P<one>'(?:[^']|'')*'|-?[0-9.]+)"
    r"|\s+in\s*\((?P<many>(?:[^()']|'(?:[^']|'')*')*)\))\s*(?:and\s+|$)",
    re.IGNORECASE,
)
_LITERAL = re.compile(r"'(?:[^']|'')*'|-?[0-9.]+")


def accepts(row: Row, text: str, check: Callable[[str], None]) -> bool:
    """Say whether a row passes a filter; `check` is called with each field of it.

    Raises ValueError for what is not understood.
    """
    at, holds = 0, True
    while at < len(text.rstrip()):
        found = _TERM.match(text, at)
        if found is None:
            raise ValueError(f"filter not understood: {text[at:]}")
        at = found.end()
        check(found["key"])
        value = row.get(found["key"])
        if found["op"]:
            holds &= _compare(value, found["op"], _plain(found["one"]))
        else:
            wanted = [_plain(one) for one in _LITERAL.findall(found["many"])]
            holds &= any(_compare(value, "=", one) for one in wanted)
    return holds


def _plain(literal: str) -> str | Decimal:
    if literal.startswith("'"):
        return literal[1:-1].replace("''", "'")
    return Decimal(literal)


def _compare(value: Any, op: str, wanted: str | Decimal) -> bool:
    if value is None:
        return False
    left: Any = Decimal(str(value)) if isinstance(wanted, Decimal) else str(value)
    return bool(
        {
            "=": left == wanted, "<>": left != wanted, ">": left > wanted, ">=": left >= wanted,
            "<": left < wanted, "<=": left <= wanted,
        }[op]
    )  # fmt: skip


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
