"""Reads a landed Parquet file: which of the wanted members are columns of it, under which name.

The schema is looked at first, because DuckDB refuses a column that is not there (a JSON member that
is not there is null) and renames columns that differ only in case: `Name`, `name` become `Name`,
`name_1`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mappings.columns import Columns, file_literal
from mappings.native import INSTANT, Native, Types
from mappings.paths import extract, quote


def types_of(columns: Columns, natives: Iterable[Native], files: Iterable[str]) -> Types:
    """Return the columns that a field takes by their own type, the same in all files."""
    import pyarrow.parquet as pq

    found: list[dict[str, str]] = []
    for path in files:
        schema = pq.read_schema(path)
        kinds = dict(zip(reversed(schema.names), reversed(schema.types), strict=True))
        found.append(
            {
                wanted.column: kind
                for wanted in columns.wanted.values()
                if len(wanted.members) == 1 and not wanted.as_json
                and (kind := _kind(kinds.get(str(wanted.members[0]))))
            }
        )  # fmt: skip
    return {
        n.source: found[0][n.source]
        for n in natives
        if found
        and all(kinds.get(n.source, "") == found[0].get(n.source) for kinds in found)
        and n.fits(found[0][n.source])
    }


def _kind(kind: Any) -> str:
    """Return how DuckDB spells the type of a column, empty where it is to be read as text."""
    from pyarrow import types

    if kind is None:
        return ""
    if types.is_timestamp(kind) and kind.tz is not None and kind.unit in ("us", "ms"):
        return INSTANT
    if types.is_decimal128(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    plain = {
        "date32[day]": "DATE", "bool": "BOOLEAN", "int8": "TINYINT", "int16": "SMALLINT",
        "int32": "INTEGER", "int64": "BIGINT", "uint8": "UTINYINT", "uint16": "USMALLINT",
        "uint32": "UINTEGER",
    }  # fmt: skip
    return plain.get(str(kind), "")


def select_of(columns: Columns, path: str, kept: Types) -> tuple[str, list[str], list[str], str]:
    """Return (source, shared, selected, position) as `columns.Reader` puts them together.

    Columns of `kept` have that type, all others are text.
    """
    import pyarrow.parquet as pq
    from pyarrow import types

    schema = pq.read_schema(path)
    known = {
        name: (quote(real), types.is_nested(kind))
        for name, real, kind in reversed(list(_named(schema.names, schema.types)))
    }
    selected = []
    for wanted in columns.wanted.values():
        head, rest = str(wanted.members[0]), wanted.members[1:]
        if head not in known:
            kind = "json" if wanted.as_json else "varchar"
            selected.append(f"cast(null as {kind}) as {wanted.column}")
            continue
        column, nested = known[head]
        if rest:
            json = f"to_json({column})" if nested else f"cast({column} as json)"
            sql = f"try({extract(json, rest, as_json=wanted.as_json)})"
        elif wanted.as_json or nested:
            sql = f"to_json({column})" + ("" if wanted.as_json else "::varchar")
        else:
            sql = f"cast({column} as {kept.get(wanted.column, 'varchar')})"
        selected.append(f"{sql} as {wanted.column}")
    source = f"read_parquet({file_literal(path)}, file_row_number=true)"
    return source, [], selected, "file_row_number + 1"


def _named(names: list[str], kinds: list[object]) -> Iterator[tuple[str, str, object]]:
    """Yield (name in the file, name that DuckDB gives it, type)."""
    taken: set[str] = set()
    for place, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        real = stem = name or f"C{place}"
        at = 0
        while real.lower() in taken:
            at += 1
            real = f"{stem}_{at}"
        taken.add(real.lower())
        yield name, real, kind
