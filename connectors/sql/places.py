"""Where an interrupted read goes on: the last row's values, exact, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def write_place(values: Sequence[Any]) -> list[list[str]] | None:
    """Return values with the names of their types; None where one has no exact text."""
    found = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal | date):
            return None
        if isinstance(value, str) and "\0" in value:
            return None
        said = value.isoformat() if isinstance(value, date) else str(value)
        kind = "datetime" if isinstance(value, datetime) else None
        found.append([kind or type(value).__name__.lower(), said])
    return found


def read_place(place: Any, count: int) -> tuple[Any, ...]:
    """Return the values of `write_place`; () for what was not written by it."""
    if not isinstance(place, list) or len(place) != count:
        return ()
    try:
        return tuple(_READERS[kind](said) for kind, said in place)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return ()


_READERS: dict[str, Any] = {
    "int": int,
    "str": str,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}
