"""Columns that nothing fills are virtual: writing their nulls was half of the writing of a row.

Most columns of the model are null in most stores. Before its first rows a table is made anew with
its unfilled lazy columns generated always as null: clients see them, no row carries them. What a
later mapping fills is made real then, and stays so. History keeps few rows and has no such columns.
"""

from __future__ import annotations

from collections.abc import Container

import duckdb

from warehouse import ddl
from warehouse.ddl import Table, literal, quote


def real_columns(con: duckdb.DuckDBPyConnection, full: str) -> frozenset[str]:
    """Return the columns of the table `full` (quoted) that rows carry."""
    # None of our columns has a default of its own, so what has an expression is virtual.
    found = con.execute(
        f"SELECT name FROM pragma_table_info({literal(full)}) WHERE dflt_value IS NULL"
    ).fetchall()
    return frozenset(str(name) for (name,) in found)


def make_room(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    names: Container[str],
    *,
    into: str | None = None,
    comments: bool = False,
) -> None:
    """Make the lazy columns of `table` real that are in `names`; without rows only these.

    `into` is its full name elsewhere, `comments` writes theirs. To be called in a transaction that
    has not yet written into the table: DuckDB does not commit rows written between two changes of
    it. A table with rows gets the columns at its end.
    """
    full = into or table.full
    real = real_columns(con, full)
    missing = [f for f in table.fields if f.lazy and f.name in names and f.name not in real]
    if con.execute(f"SELECT 1 FROM {full} LIMIT 1").fetchone() is None:
        if missing or any(f.lazy and f.name in real and f.name not in names for f in table.fields):
            said = ddl.comments(table, into=full) if comments else ()
            con.execute(f"DROP TABLE {full}")
            con.execute(";\n".join([ddl.create(table, into=full, real=names), *said]))
        return
    for field in missing:
        con.execute(f"ALTER TABLE {full} DROP COLUMN {quote(field.name)}")
        con.execute(f"ALTER TABLE {full} ADD COLUMN {quote(field.name)} {field.sql_type}")
        if comments:
            con.execute(ddl.comment(full, field))
