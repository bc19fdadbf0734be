"""Checks of the store that must find nothing: keys that stand twice, rows that nothing explains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from warehouse import ddl
from warehouse.model import ENTITIES, HEADERS, children_of
from warehouse.model.plan import StreamPlan


@dataclass(frozen=True, slots=True)
class Finding:
    """`count` rows of a table break a check."""

    check: str
    table: str
    connection: str
    stream: str
    count: int


def check_store(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Return what is wrong in `source.*`; an empty list is right."""
    found: list[Finding] = []
    for entity in HEADERS:
        table = ddl.source_table(entity).full
        for name, sql in _queries(entity, table):
            found += [Finding(name, table, *row) for row in con.execute(sql).fetchall()]
    found += [
        Finding("a batch stands twice", "ops.batches", *row)
        for row in con.execute(
            "select connection, stream, count(*) from (select connection, stream, batch from"
            " ops.batches group by all having count(*) > 1) group by all"
        ).fetchall()
    ]
    return found


def _queries(entity: str, table: str) -> Iterator[tuple[str, str]]:
    yield (
        "a key stands twice",
        f"select connection, stream, count(*) from (select connection, stream, source_key"
        f" from {table} group by all having count(*) > 1) group by all",
    )
    yield (
        "no batch explains the row",
        f"select connection, stream, count(*) from {table} as o where not exists"
        " (select 1 from ops.batches as b where b.connection = o.connection"
        " and b.stream = o.stream and b.batch = o.batch) group by all",
    )
    for child in children_of(entity):
        kids = ddl.source_table(child.entity).full
        yield (
            f"a key stands twice inside its parent ({ENTITIES[child.entity].table})",
            f"select connection, stream, count(*) from (select connection, stream, parent_key,"
            f" source_key from {kids} group by all having count(*) > 1) group by all",
        )
        yield (
            f"a row without a living parent ({ENTITIES[child.entity].table})",
            f"select connection, stream, count(*) from {kids} as k where not exists"
            f" (select 1 from {table} as o where o.connection = k.connection"
            " and o.stream = k.stream and o.source_key = k.parent_key and not o.is_deleted)"
            " group by all",
        )


def loaded_under_another_mapping(con: duckdb.DuckDBPyConnection, plan: StreamPlan) -> int:
    """Count the batches of records of a stream that were loaded under another mapping.

    Their rows keep what that mapping said until the record changes or the store is rebuilt.
    """
    row = con.execute(
        "select count(*) from ops.batches where connection = ? and stream = ?"
        " and content = 'records' and rows > 0 and mapping is distinct from ?",
        [plan.connection, plan.stream, plan.version],
    ).fetchone()
    return int(row[0]) if row else 0
