"""Rows and blocks of values as Arrow tables of one schema: the shapes of the source's columns."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.numbers import quote_long
from connectors.sql.statements import Column, Source
from connectors.sql.types import Shape

_ERRORS = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError)
ZERO = "0000-00-00"
LONG = r"(?s)^\s*[\[{].*[0-9.]{16}"
"""A text that may be JSON with a number that no double holds."""
SHORTEST = 17
"""How many bytes such a text has at least: a bracket and 16 digits."""
CELL = r' ([\w.:-]+)="([^"<]*)"'
ROW = r'<row(?: [\w.:-]+="[^"<]*")*/>'
SIGNS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
"""What `for xml raw` writes is no more than this: no XML parser, with its doors, is needed."""


@dataclass(slots=True)
class Odd:
    """What was odd in the values of a read, counted; `lines` makes warnings of it."""

    zero: Counter[str] = field(default_factory=Counter)
    undecoded: Counter[str] = field(default_factory=Counter)
    as_text: Counter[str] = field(default_factory=Counter)
    no_xml: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """Return the warnings."""
        return [
            *(f"{name}: {n} dates 0000-00-00 were read as empty" for name, n in self.zero.items()),
            *(
                f"{name}: {n} texts are not in their encoding; what could not be read is U+FFFD"
                for name, n in self.undecoded.items()
            ),
            *(
                f"{name}: values that are not what the column's type says, kept as text"
                for name in self.as_text
            ),
            *(
                f"{name}: {n} texts are broken XML and stay as they are"
                for name, n in self.no_xml.items()
            ),
        ]


def table_of(
    source: Source, columns: Sequence[Column], rows: Sequence[Sequence[Any]], odd: Odd
) -> pa.Table:
    """Return rows of Python values as a table."""
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [
        _array(column, list(values), source.database, odd)
        for column, values in zip(columns, cells, strict=True)
    ]
    return pa.table(arrays, names=[column.name for column in columns])


def _array(column: Column, values: list[Any], database: str, odd: Odd) -> pa.Array:
    if column.encoding:
        return pa.array([_decoded(v, column, odd) for v in values], pa.string())
    shape = column.shape
    if shape.name == "instant" and database in ("mysql", "oracle"):
        values = [v.replace(tzinfo=UTC) if isinstance(v, datetime) else v for v in values]
    if shape.name in ("any", "bytes"):
        return pa.array([said(v) for v in values], pa.string())
    try:
        return _exact(shape, values)
    except _ERRORS:
        return _mended(column, values, odd)


def _exact(shape: Shape, values: list[Any]) -> pa.Array:
    """Return values as the shape's type; raises one of _ERRORS where that would change one."""
    kinds = set(map(type, values))
    if shape.name == "int" and kinds & {Decimal, float}:
        return pc.cast(pa.array(values), pa.int64())  # pa.array itself would cut 1.10 to 1
    if shape.name == "text" and kinds & {bytes, bytearray}:
        raise pa.ArrowTypeError("bytes")  # some would pass for UTF-8
    return pa.array(values, shape.arrow())


def _mended(column: Column, values: list[Any], odd: Odd) -> pa.Array:
    """Return values some of which do not fit: zero dates as null, the rest as text if need be."""
    shape = column.shape
    if shape.name in ("date", "naive", "instant"):
        zero = [isinstance(v, str) and v.startswith(ZERO) for v in values]
        odd.zero[column.name] += sum(zero)
        values = [None if none else v for none, v in zip(zero, values, strict=True)]
    elif shape.name == "decimal":
        values = [Decimal(repr(v)) if isinstance(v, float) else v for v in values]
    try:
        return _exact(shape, values)
    except _ERRORS:
        if shape.name != "text":
            odd.as_text[column.name] += 1
        return pa.array([said(v) for v in values], pa.string())


def _decoded(value: Any, column: Column, odd: Odd) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
    else:  # hexadecimal from PostgreSQL
        try:
            raw = bytes.fromhex(str(value))
        except ValueError:
            return str(value)
    text = raw.decode(column.encoding, "replace")
    if "\ufffd" in text:
        odd.undecoded[column.name] += 1
    return text


def said(value: Any) -> str | None:
    """Return a value as text in one spelling: exact, ISO 8601, bytes in hexadecimal."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):  # MySQL's time of day
        seconds, micros = divmod(abs(value) // timedelta(microseconds=1), 10**6)
        sign = "-" if value < timedelta(0) else ""
        part = f".{micros:06d}".rstrip("0") if micros else ""
        return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{part}"
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def decoded(table: pa.Table, columns: Sequence[Column], odd: Odd) -> pa.Table:
    """Decode the columns of a table whose bytes came as hexadecimal text."""
    for place, column in enumerate(columns):
        if column.encoding:
            texts = [_decoded(v, column, odd) for v in table.column(place).to_pylist()]
            table = table.set_column(place, column.name, pa.array(texts, pa.string()))
    return table


def trimmed(table: pa.Table, columns: Sequence[Column], how: str) -> pa.Table:
    """Cut the blanks that texts are filled with: `padding` those of char(n), `all` of all texts."""
    for place, column in enumerate(columns):
        cells = table.column(place)
        if not pa.types.is_string(cells.type) or how == "none":
            continue
        if how == "all":
            table = table.set_column(place, column.name, pc.utf8_trim_whitespace(cells))
        elif column.shape.fixed:
            table = table.set_column(place, column.name, pc.utf8_rtrim(cells, " "))
    return table


def from_xml(table: pa.Table, names: Sequence[str], odd: Odd) -> pa.Table:
    """Turn the texts of `for xml raw` into JSON: `<row a="1"/><row a="2"/>` is a list of two.

    What is no such text stays as it is, JSON among it; broken XML is counted.
    """
    for name in names:
        texts = [_rows_of(text, name, odd) for text in table.column(name).to_pylist()]
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(texts, pa.string()))
    return table


def _rows_of(text: str | None, name: str, odd: Odd) -> str | None:
    if text is None or not text.startswith("<"):
        return text
    if not re.fullmatch(f"(?:{ROW})*", text):
        odd.no_xml[name] += 1
        return text
    rows = [{n: _plain(v) for n, v in re.findall(CELL, row)} for row in re.findall(ROW, text)]
    return json.dumps(rows, ensure_ascii=False)


def _plain(value: str) -> str:
    """Return an attribute's value with what SQL Server escapes in it read back."""
    return re.sub("&(#x[0-9A-F]{1,6}|[a-z]+);", _sign, value)


def _sign(found: re.Match[str]) -> str:
    code = found[1]
    if code.startswith("#x") and (number := int(code[2:], 16)) < 0xD800:
        return chr(number)
    return SIGNS.get(code, found[0])


def exact_json(table: pa.Table) -> pa.Table:
    """Put in quotes what a double cannot hold in texts that are JSON, as in pages of HTTP."""
    for place, name in enumerate(table.column_names):
        cells = table.column(place)
        if not pa.types.is_string(cells.type):
            continue
        longest = pc.max(pc.binary_length(cells)).as_py() or 0
        if longest >= SHORTEST and pc.any(pc.match_substring_regex(cells, LONG)).as_py():
            texts = [_quoted(text) for text in cells.to_pylist()]
            table = table.set_column(place, name, pa.array(texts, pa.string()))
    return table


def _quoted(text: str | None) -> str | None:
    if text is None or not re.match(LONG, text):
        return text
    try:
        json.loads(text)
    except ValueError:
        return text  # a note in brackets
    return quote_long(text.encode()).decode()


def keys_of(table: pa.Table, names: Sequence[str]) -> list[str | None]:
    """Return the key of each row: its parts joined with '/', None where a part is null or blank."""
    texts = [pc.cast(table[name], pa.string()) for name in names]
    parts = [pc.if_else(pc.equal(pc.utf8_trim(text, " "), ""), None, text) for text in texts]
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "/")
    found: list[str | None] = joined.to_pylist()
    return found


def move_of(table: pa.Table, names: Sequence[str]) -> pa.ChunkedArray:
    """Return the stamp of each row: of several columns the first that is not null."""
    columns = [table[name] for name in names]
    if len(columns) == 1:
        return columns[0]
    if len({str(column.type) for column in columns}) > 1:
        columns = [pc.cast(column, pa.string()) for column in columns]
    return pc.coalesce(*columns)
