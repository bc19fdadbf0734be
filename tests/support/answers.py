"""What a store answers, in a form in which two that lived differently can be held together."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.sample.report import ask

SCHEMAS = ("source", "unified", "mart", "recon")
OF_OURS = ("batch", "load_id", "occurrences", "position", "unify_run")
"""Columns that say by which run of ours something was done."""
Answer = dict[str, list[tuple[Any, ...]]]


def answer(file: Path, since: datetime) -> Answer:
    """Return all rows of a published file by table; what happened from `since` on is ours: null."""
    named = ", ".join(f"'{name}'" for name in SCHEMAS)
    columns = ask(
        file,
        "select schema_name || '.' || table_name, list((column_name, data_type)) from"
        f" duckdb_columns() where schema_name in ({named}) and not internal group by 1",
    )
    found = {}
    for table, said in columns:
        kept = [_said(n, kind, since) for n, kind in sorted(said) if n not in OF_OURS]
        found[table] = ask(file, f"select {', '.join(kept)} from {table} order by all")
    return found


def _said(name: str, kind: str, since: datetime) -> str:
    if kind != "TIMESTAMP WITH TIME ZONE":
        return f'"{name}"'
    return f'case when "{name}" < timestamptz \'{since.isoformat()}\' then "{name}" end'


def differing(one: Answer, other: Answer) -> dict[str, str]:
    """Return the first rows that differ, by table."""
    found = {}
    for table in sorted(one.keys() | other.keys()):
        a, b = one.get(table, []), other.get(table, [])
        if a != b:
            first = next((x, y) for x, y in zip([*a, ()], [*b, ()], strict=False) if x != y)
            cells = [pair for pair in zip(*first, strict=False) if pair[0] != pair[1]]
            found[table] = f"{len(a)} and {len(b)} rows; {cells[:5] or first}"
    return found
