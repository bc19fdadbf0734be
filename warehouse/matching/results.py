"""What every matcher leaves: links and suggestions, which rows moved, which were written again."""

from __future__ import annotations

import duckdb

from warehouse import ddl, identity_tables, ops_tables

MERGED = "merged document"
"""Rule of a document that carries out several orders: it is evidence of each, a part of none."""

_TOLD = {
    "matching_moved": "entity VARCHAR, id UUID, was UUID, now UUID",
    "matching_rewritten": "entity VARCHAR, id UUID",
}
"""Temp tables: rows whose golden id is another one, rows whose links were written again."""


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make what is missing; a store has all but the temp tables."""
    for schema in (ddl.IDENTITY, "ops"):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for table in (*identity_tables.IDENTITY, ops_tables.SUGGESTIONS):
        con.execute(ddl.create(table))
    for name, columns in _TOLD.items():
        con.execute(f"CREATE TEMP TABLE IF NOT EXISTS {name} ({columns})")


def forget(con: duckdb.DuckDBPyConnection) -> None:
    """Drop what matchers told of an earlier run."""
    for name in _TOLD:
        con.execute(f"DROP TABLE IF EXISTS temp.{name}")
