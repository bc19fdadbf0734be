"""Keeps superseded versions with the time they stood, their children with them.

Both functions work on the temp table `change`: old (rowid of the stored row), source_key, synced_at
(of the stored row) and ended_at (of the batch that replaces it).
"""

from __future__ import annotations

import duckdb

from warehouse import ddl
from warehouse.ddl import columns_of, quote
from warehouse.model import children_of


def keep(con: duckdb.DuckDBPyConnection, entity: str, place: str, where: str) -> None:
    """Copy the stored rows that `change` names under `where`, and their children, to history."""
    table = ddl.source_table(entity)
    names = _filled(con, table)
    con.execute(
        f"""
        insert into {ddl.history_table(entity).full} ({columns_of(names)}, valid_from, valid_to)
        select {columns_of(names, "o")}, c.synced_at, c.ended_at
        from {table.full} as o join change as c on c.old = o.rowid
        where {where}
        """
    )
    for child in children_of(entity):
        kids = ddl.source_table(child.entity)
        names = _filled(con, kids)
        con.execute(
            f"""
            insert into {ddl.history_table(child.entity).full}
                ({columns_of(names)}, valid_from, valid_to)
            select {columns_of(names, "k")}, c.synced_at, c.ended_at
            from (select * from {kids.full} where {place}) as k
            join change as c on c.source_key = k.parent_key
            where {where}
            """
        )


def _filled(con: duckdb.DuckDBPyConnection, table: ddl.Table) -> list[str]:
    """Return the columns of `table` that hold anything, by DuckDB's own statistics.

    Most columns of the model are null in most stores, and reading them for a few rows of each
    block took two thirds of keeping history.
    """
    said = con.execute(
        f"select {', '.join(f'stats({quote(n)})' for n in table.names)} from {table.full} limit 1"
    ).fetchone()
    told = said or [None] * len(table.names)
    return [name for name, what in zip(table.names, told, strict=True) if not _says_empty(what)]


def _says_empty(what: object) -> bool:
    """Read what stats() says of a column: a text in 1.5, a struct in 2.0."""
    if isinstance(what, dict):
        return what.get("has_no_null") is False
    return isinstance(what, str) and "Has No Null: false" in what


def remove(
    con: duckdb.DuckDBPyConnection, entity: str, place: str, where: str, *, header: bool = True
) -> None:
    """Delete the stored rows that `change` names under `where`, and their children."""
    for child in children_of(entity):
        con.execute(
            f"delete from {ddl.source_table(child.entity).full} where {place}"
            f" and parent_key in (select source_key from change where {where})"
        )
    if header:
        con.execute(
            f"delete from {ddl.source_table(entity).full}"
            f" where rowid in (select old from change where {where})"
        )
