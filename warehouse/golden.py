"""Writes golden rows of single records: all of an entity at once, or those whose owners changed.

Changed rows go through in slices of so many owners, all in the caller's transaction: what a slice
needs of memory does not grow with what was loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from warehouse import ddl, lazy
from warehouse.ddl import columns_of, literal, quote
from warehouse.grouping import temp
from warehouse.identity import child_id_sql, golden_id_sql
from warehouse.model import ENTITIES
from warehouse.resolve import resolve

SLICE = 50_000
"""Owners (order, party, …) whose golden rows are made in one go."""


@dataclass(slots=True)
class Written:
    """Golden rows of an entity: `rewritten`, `removed`, and `rebound` of the rewritten ones."""

    rewritten: int = 0
    removed: int = 0
    rebound: int = 0


def count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """Return the number of rows of a table or subquery."""
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def make_room(con: duckdb.DuckDBPyConnection) -> None:
    """Make the golden columns real that `source` fills; inside a transaction of its own."""
    for entity, cls in ENTITIES.items():
        source = ddl.source_table(entity).full
        if con.execute(f"SELECT 1 FROM {source} LIMIT 1").fetchone() is None:
            continue
        filled = lazy.real_columns(con, source)
        found = {c.resolved for name, c in cls.columns().items() if c.resolved and name in filled}
        lazy.make_room(con, ddl.unified_table(entity), filled | found)


def write_all(con: duckdb.DuckDBPyConnection, entity: str, run: int) -> Written | None:
    """Write the golden rows of single records of `entity` into its empty table.

    None where `source` has none.
    """
    con.execute(f"INSERT INTO ops.changes VALUES ({run}, {literal(entity)}, NULL)")
    source = ddl.source_table(entity).full
    if con.execute(f"SELECT 1 FROM {source} LIMIT 1").fetchone() is None:
        return None
    owner = ENTITIES[entity].parent or entity
    key = "r.source_key" if owner == entity else "r.parent_key"
    # Apart, so that the id of the owner is computed once a row and not once more in its own id.
    rows = f"(SELECT r.*, {golden_id_sql(owner, 'r', key)} AS owner_id FROM {source} r)"
    single = f"s.owner_id NOT IN (SELECT id FROM {temp('grouped', owner)})"
    where = [single] if count(con, temp("grouped", owner)) else []
    where += ["NOT coalesce(s.is_deleted, false)"] if owner == entity else []
    chosen = f" WHERE {' AND '.join(where)}" if where else ""
    return Written(
        insert(con, entity, f"({select_golden(entity, run, 's.owner_id', rows)}{chosen})")
    )


def write_changed(
    con: duckdb.DuckDBPyConnection, entity: str, run: int, last: int
) -> Written | None:
    """Replace the golden rows of `entity` whose owner was loaded since `last` or that are rebound.

    Reads the temp tables `alone` of the owner and `rebound` of the entity, whose column `number`
    counts from 1. None where both are empty.
    """
    owner = ENTITIES[entity].parent or entity
    alone, rebound = temp("alone", owner), temp("rebound", entity)
    sizes = count(con, alone), count(con, rebound)
    if not any(sizes):
        return None
    done = Written(rebound=sizes[1])
    for start in range(0, sizes[0], SLICE):
        _slice(con, alone, start)
        _make_fresh(con, entity, run, last)
        replace(con, entity, run, done)
    fresh = temp("fresh", entity)
    for start in range(0, sizes[1], SLICE):
        _slice(con, rebound, start)
        con.execute("CREATE OR REPLACE TEMP TABLE unify_gone (id UUID, owner UUID)")
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {fresh} AS SELECT u.* REPLACE ({run} AS unify_run) "
            f"FROM {ddl.unified_table(entity).full} u "
            f"WHERE u.{quote(f'{entity}_id')} IN (SELECT id FROM unify_slice)"
        )
        replace(con, entity, run, done)
    con.execute(f"DROP TABLE IF EXISTS {fresh}")
    return done


def _slice(con: duckdb.DuckDBPyConnection, table: str, start: int) -> None:
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE unify_slice AS SELECT * FROM {table} "
        f"WHERE number > {start} AND number <= {start + SLICE}"
    )


def _make_fresh(con: duckdb.DuckDBPyConnection, entity: str, run: int, last: int) -> None:
    """Make the golden rows of the slice's owners, and the list of those that stand now."""
    owner, fresh = ENTITIES[entity].parent or entity, temp("fresh", entity)
    table = ddl.unified_table(entity).full
    own, of_owner = quote(f"{entity}_id"), quote(f"{owner}_id")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE unify_gone AS SELECT u.{own} AS id, u.{of_owner} AS owner "
        f"FROM {table} u WHERE u.{of_owner} IN (SELECT id FROM unify_slice)"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {fresh} AS {_fresh_sql(entity, run)} AND s.load_id > {last}"
    )
    if owner == entity:
        return
    # Owners that were loaded again without their children: only a version moved.
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_touched AS SELECT * FROM unify_slice WHERE is_alive "
        "AND id IN (SELECT owner FROM unify_gone) "
        f"AND id NOT IN (SELECT {of_owner} FROM {fresh})"
    )
    if count(con, "unify_touched"):
        con.execute(f"INSERT INTO {fresh} BY NAME {_fresh_sql(entity, run, 'unify_touched')}")


def replace(
    con: duckdb.DuckDBPyConnection, entity: str, run: int, done: Written, *, resolved: bool = False
) -> None:
    """Put the fresh rows into the place of those that are gone, and remember their ids.

    `resolved`: they know what they refer to.
    """
    own, fresh, table = quote(f"{entity}_id"), temp("fresh", entity), ddl.unified_table(entity).full
    ids = f"SELECT {own} AS id FROM {fresh}"
    done.removed += count(con, f"(SELECT id FROM unify_gone EXCEPT {ids})")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_ids AS "
        f"SELECT id FROM unify_gone UNION SELECT id FROM ({ids})"
    )
    con.execute(f"INSERT INTO ops.changes SELECT {run}, {literal(entity)}, id FROM unify_ids")
    con.execute(f"DELETE FROM {table} WHERE {own} IN (SELECT id FROM unify_ids)")
    done.rewritten += insert(con, entity, fresh, resolved=resolved)


def insert(
    con: duckdb.DuckDBPyConnection, entity: str, fresh: str, *, resolved: bool = False
) -> int:
    """Insert the rows of `fresh`, their references resolved if they are not; returns how many."""
    table = ddl.unified_table(entity)
    real = lazy.real_columns(con, table.full)
    names = [n for n in table.names if n in real]
    replaced, joins = ({}, "") if resolved else resolve(con, entity, fresh)
    row = con.execute(
        f"INSERT INTO {table.full} ({columns_of(names)}) "
        f"SELECT {', '.join(replaced.get(n, 'n.' + quote(n)) for n in names)} "
        f"FROM {fresh} n {joins}"
    ).fetchone()
    return int(row[0]) if row else 0


def _fresh_sql(entity: str, run: int, changed: str = "unify_slice") -> str:
    """Return the SELECT of golden rows made of the changed source rows, references empty."""
    owner = ENTITIES[entity].parent or entity
    key = "parent_key" if owner != entity else "source_key"
    return (
        f"{select_golden(entity, run, 'c.id', ddl.source_table(entity).full)} JOIN {changed} c "
        f"ON s.connection = c.connection AND s.stream = c.stream AND s.{key} = c.source_key "
        "WHERE c.is_alive"
    )


def select_golden(
    entity: str,
    run: int,
    owner_id: str,
    source: str,
    child_owner: str = "",
    also: Sequence[str] = (),
) -> str:
    """Return SELECT … FROM `source` (alias s) of golden rows, given the SQL of the owner's id.

    `child_owner` is the id that a child's own is made of, where that is not the owner's. `also` are
    further columns of what the caller joins.
    """
    known, table = ddl.source_table(entity).names, ddl.unified_table(entity)
    owner = ENTITIES[entity].parent or entity
    made = {f"{owner}_id": owner_id, ddl.RUN.name: str(run)}
    if owner != entity:
        made[f"{entity}_id"] = child_id_sql(entity, child_owner or owner_id, "s.source_key")
    columns = [
        f"{made[f.name]} AS {quote(f.name)}"
        if f.name in made
        else f"s.{quote(f.name)}"
        if f.name in known
        else f"CAST(NULL AS {f.sql_type}) AS {quote(f.name)}"
        for f in table.fields
    ]
    return f"SELECT {', '.join([*columns, *also])} FROM {source} s"
