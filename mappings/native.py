"""Fields whose column of a table has their type already: no text in between, less to check.

A landed table (Parquet) has typed columns. Read as text, as members of JSON are, each value would
be written, matched against patterns and cast back. Here stands which types fit which fields so
that the text could give no other value and no other error (of years that the model takes: before
1901 text loses seconds of an offset such as +08:05:43); every other column is read as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from mappings.casts import sizes
from mappings.form import Value
from mappings.paths import sql_text
from mappings.typed import Typed
from mappings.values import FieldSql, Habits, over
from warehouse.model.base import Column

Types: TypeAlias = Mapping[str, str]
"""Column of `record_paths` -> its type as DuckDB spells it; those that are not here are text."""

INSTANT = "TIMESTAMP WITH TIME ZONE"
_DIGITS = {
    "TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19,
    "UTINYINT": 3, "USMALLINT": 5, "UINTEGER": 10,
}  # fmt: skip
_SAME = {"instant": INSTANT, "date": "DATE", "boolean": "BOOLEAN"}
_COLUMN = re.compile(r"c\d+")
_NO_FALSE = re.compile(r"nullif\((c\d+), 'false'\)")


@dataclass(frozen=True, slots=True)
class Native:
    """A field that takes its column as it is, where the column's type fits."""

    name: str
    source: str
    column: Column
    nullable: bool

    def fits(self, kind: str) -> bool:
        """Say whether values of that type are the field's, or too large for it, as through text."""
        wanted = self.column.kind
        if wanted in _SAME:
            return kind == _SAME[wanted]
        if wanted == "integer":
            return kind in _DIGITS
        if self.column.scale is None:
            return False
        return kind in _DIGITS or (
            kind.startswith("DECIMAL(") and sizes(kind)[1] <= self.column.scale
        )

    def field(self, kind: str) -> FieldSql:
        """Return the field's SQL over `typed_source`: left to check are its size and its rule."""
        value, shown = f"v_{self.name}", f"t_{self.name}"
        converted = shown
        checks: list[tuple[str, str]] = []
        if self.column.kind not in _SAME:
            converted = f"try_cast({shown} as {self.column.sql_type})"
            if not self._has_room(kind) and not self.nullable:
                checks.append((f"{value} is null and {shown} is not null",
                               "'does not fit the column'"))  # fmt: skip
        if self.column.rule:
            rule = f"coalesce(not ({over(self.column.rule, value)}), false)"
            checks.append((rule, sql_text(self.column.rule_en)))
        bad = " or ".join(f"({condition})" for condition, _ in checks) or "false"
        whens = " ".join(f"when {condition} then {text}" for condition, text in checks)
        reason = f"case {whens} end" if checks else "null"
        return FieldSql(self.name, _typed(self.source), converted, bad, reason)

    def _has_room(self, kind: str) -> bool:
        if self.column.scale is None:
            return True
        width, scale = sizes(self.column.sql_type)
        digits, decimals = sizes(kind) if kind not in _DIGITS else (_DIGITS[kind], 0)
        return digits - decimals <= width - scale


def native(name: str, column: Column, form: Value, piece: Typed, habits: Habits) -> Native | None:
    """Return how a field would take its column as it is, None where text is meant."""
    if piece.kind != "text" or form.words or form.otherwise is not None:
        return None
    plain = _COLUMN.fullmatch(piece.sql)
    # A text 'false' that means null is no value of a number or a time.
    found = plain[0] if plain else (m[1] if (m := _NO_FALSE.fullmatch(piece.sql)) else None)
    if found is None or (column.kind == "boolean" and (habits.words or not plain)):
        return None
    return Native(name, found, column, form.nullable)


def typed_source(types: Types) -> str:
    """Return what stands for `record_paths` where some of its columns have types: text and both."""
    if not types:
        return "record_paths"
    texts = ", ".join(f"cast({column} as varchar) as {column}" for column in types)
    also = ", ".join(f"{column} as {_typed(column)}" for column in types)
    return f"(select * replace ({texts}), {also}\nfrom record_paths)"


def typed_fields(
    fields: Iterable[FieldSql], natives: Iterable[Native], types: Types
) -> list[FieldSql]:
    """Return the fields, those that fit by their own column's type without text."""
    fitting = {
        n.name: n.field(types[n.source])
        for n in natives
        if n.source in types and n.fits(types[n.source])
    }
    return [fitting.get(field.name, field) for field in fields]


def _typed(column: str) -> str:
    return f"y_{column}"
