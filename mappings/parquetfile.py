"""Reads a landed Parquet file: which of the wanted members are columns of it, under which name.

The schema is looked at first, because DuckDB refuses a column that is not there (a JSON member that
is not there is null) and renames columns that differ only in case: `Name`, `name` become `Name`,
`name_1`.
"""

from __future__ import annotations

from collections.abc import Iterator

from mappings.columns import Columns, file_literal
from mappings.paths import extract, quote


def select_of(columns: Columns, path: str) -> tuple[str, list[str], list[str], str]:
    """Return (source, shared, selected, position) as `columns.Reader` puts them together."""
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
            sql = f"cast({column} as varchar)"
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
