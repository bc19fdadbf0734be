"""Keeps superseded versions with the time they stood, their children with them.

Both functions work on the temp table `change`: old (rowid of the stored row), source_key, synced_at
(of the stored row) and ended_at (of the batch that replaces it).
"""

from __future__ import annotations

import duckdb

from warehouse import ddl
from warehouse.ddl import columns_of
from warehouse.model import children_of


def keep(con: duckdb.DuckDBPyConnection, entity: str, place: str, where: str) -> None:
    """Copy the stored rows that `change` names under `where`, and their children, to history."""
    table = ddl.source_table(entity)
    names = columns_of(table.names)
    con.execute(
        f"""
        insert into {ddl.history_table(entity).full} ({names}, valid_from, valid_to)
        select {columns_of(table.names, "o")}, c.synced_at, c.ended_at
        from {table.full} as o join change as c on c.old = o.rowid
        where {where}
        """
    )
    for child in children_of(entity):
        kids = ddl.source_table(child.entity)
        con.execute(
            f"""
            insert into {ddl.history_table(child.entity).full}
                ({columns_of(kids.names)}, valid_from, valid_to)
            select {columns_of(kids.names, "k")}, c.synced_at, c.ended_at
            from (select * from {kids.full} where {place}) as k
            join change as c on c.source_key = k.parent_key
            where {where}
            """
        )


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
