"""Cells of a workbook as text: one by one as a person sees them, and a column at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EXACT = 2**53  # integers from here on are not exact in a workbook


def cell_text(value: Any) -> str | None:
    """Return what a person sees in the cell, in one spelling; None for an empty one.

    Numbers: at most 15 significant digits, as Excel shows them, never an exponent, no `.0`
    (12.500000000000001 is 12.5); integers below 2**53 keep all digits. Dates are ISO 8601, a time
    of day HH:MM:SS, a duration hours:MM:SS, truth true or false.
    """
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        moment = _rounded(value) if value.microsecond else value
        return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return None if value is None else str(value)


def column_text(cells: Sequence[Any]) -> pa.Array:
    """Return the texts of a column's cells: `cell_text` of each, null or '' for the empty ones."""
    kinds = set(map(type, cells))
    if kinds == {str}:
        return pa.array(cells, pa.string())
    if kinds == {float}:
        return pa.array(_numbers(cells), pa.string())
    if kinds == {date}:
        return pc.cast(pa.array(cells, pa.date32()), pa.string())
    if kinds == {datetime} and not any(cell.microsecond for cell in cells):
        said = pc.cast(pa.array(cells, pa.timestamp("s")), pa.string())
        return pc.replace_substring(said, " ", "T", max_replacements=1)
    texts: list[str | None] = list(cells)
    if len(kinds) == 2 and str in kinds:  # values, and the '' of empty cells
        places = [place for place, cell in enumerate(cells) if type(cell) is not str]
        found = column_text([cells[place] for place in places]).to_pylist()
        for place, text in zip(places, found, strict=True):
            texts[place] = text
        return pa.array(texts, pa.string())
    return pa.array([cell_text(cell) for cell in cells], pa.string())


def _numbers(cells: Sequence[float]) -> list[str | None]:
    """Return `_number` of each; only those that are written in another way go through it."""
    texts: list[str | None] = [f"{cell:.15g}" for cell in cells]
    values = np.fromiter(cells, np.float64, len(cells))
    size = np.abs(values)
    usual = ((size >= 1e-4) & (size < 1e15)) | ((values == 0) & ~np.signbit(values))
    for place in np.flatnonzero(~usual).tolist():
        texts[place] = _number(cells[place])
    return texts


def _number(value: float) -> str | None:
    if not math.isfinite(value):
        return None
    if value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    return format(Decimal(format(value, ".15g")), "f")


def _rounded(moment: datetime) -> datetime:
    """Undo the error of a day kept as a fraction: 10:29:59.999997 is 10:30:00."""
    micro = moment.microsecond
    whole = timedelta(microseconds=round(micro, -3) - micro)
    return moment + whole
