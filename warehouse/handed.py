"""The tables of the published file that pipelines hand in: runs of streams and their freshness."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import duckdb

from warehouse import mask, ops_tables
from warehouse.ddl import Table, columns_of, quote
from warehouse.mask import PrivacyMode
from warehouse.temptables import fill

Rows: TypeAlias = Sequence[Mapping[str, Any]]

STALE = timedelta(hours=1)
"""From this age on the projection is made anew for runs and freshness alone."""
_TEMP = "project_handed"


def digest(rows: Rows) -> str:
    """Return what tells whether `rows` differ from those projected last."""
    text = json.dumps([dict(r) for r in rows], default=str, sort_keys=True)
    return hmac.digest(b"rows", text.encode(), "sha256").hex()


def is_stale(projected_at: str | None, now: datetime) -> bool:
    """Say whether a projection is so old that newer runs and freshness alone are worth another.

    A version copies the whole file, and every sync leaves a run behind.
    """
    if not projected_at:
        return True
    return abs(now - datetime.fromisoformat(projected_at)) >= STALE  # a clock may be set back


def replace(
    con: duckdb.DuckDBPyConnection, database: str, table: Table, rows: Rows, privacy: PrivacyMode
) -> None:
    """Make `rows` the content of `table` in `database`, through the masks of every other text.

    Members that are no column are left out.
    """
    into = f"{database}.{quote(table.schema)}.{quote(table.name)}"
    kinds = {field.name: field.sql_type for field in table.fields}
    con.execute(f"DELETE FROM {into}")
    fill(con, _TEMP, kinds, ([row.get(name) for name in kinds] for row in rows))
    values = mask.select_list(table, privacy)
    con.execute(
        f"INSERT INTO {into} ({columns_of(mask.public_table(table).names)}) "
        f"SELECT {', '.join(values)} FROM {quote(_TEMP)} t"
    )
    con.execute(f"DROP TABLE {quote(_TEMP)}")


def tables(runs: Rows, freshness: Rows) -> tuple[tuple[Table, Rows], ...]:
    """Return the tables that are handed in, with their rows."""
    return (ops_tables.RUNS, runs), (ops_tables.FRESHNESS, freshness)
