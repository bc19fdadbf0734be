"""Finds what the `*_key` fields refer to: in one connection, by key or by another unique field."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from warehouse import ddl
from warehouse.ddl import literal, quote
from warehouse.model import ENTITIES
from warehouse.model.base import Column

Rule = list[str | None]
"""connection, stream, entity, field, target entity, target stream, by field (ops.refs)."""


def references(entity: str) -> list[tuple[str, Column]]:
    """Return the fields of `entity` that refer to another, with their columns."""
    return [(n, c) for n, c in ENTITIES[entity].columns().items() if c.ref and c.resolved]


def rules(con: duckdb.DuckDBPyConnection) -> list[Rule]:
    """Return the rules of ops.refs in a fixed order."""
    rows = con.execute(
        "SELECT DISTINCT connection, stream, entity, field, target_entity, target_stream, by_field "
        "FROM ops.refs ORDER BY ALL"
    ).fetchall()
    return [list(row) for row in rows]


def by_fields(said: Iterable[Rule], entity: str) -> list[str]:
    """Return the fields other than the key by which `entity` is referred to."""
    known = ENTITIES[entity].columns()
    return sorted({r[6] for r in said if r[4] == entity and r[6] and r[6] in known})


def resolve(con: duckdb.DuckDBPyConnection, entity: str, fresh: str) -> tuple[dict[str, str], str]:
    """Find the golden ids for the rows of the table or subquery `fresh` (alias n).

    Returns the expressions of the resolved columns and the joins that they need. A reference that
    finds nothing, or several things, stays null: a wrong link is worse than none.
    """
    columns: dict[str, str] = {}
    joins: list[str] = []
    for number, (name, col) in enumerate(references(entity)):
        value = f"n.{quote(name)}"
        if not _any(con, f"{fresh} n WHERE {value} IS NOT NULL"):
            continue
        columns[str(col.resolved)] = "CAST(NULL AS UUID)"
        hits = list(_hits(con, entity, name, col))
        if not hits:
            continue
        found = f"unify_found_{entity}_{number}"
        # By value, not by row: a million lines name a few thousand articles.
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {found} AS "
            f"WITH asked AS (SELECT DISTINCT n.connection, n.stream, {value} AS value "
            f"FROM {fresh} n WHERE {value} IS NOT NULL), "
            f"rules AS ({_rules_sql(entity, name, col)}), "
            f"hits AS ({' UNION ALL '.join(hits)}) "
            "SELECT connection, stream, value, min(target) AS target FROM hits GROUP BY ALL "
            "HAVING min(target) = max(target)"
        )
        if _any(con, found):
            r = f"r{number}"
            joins.append(
                f"LEFT JOIN {found} {r} ON {r}.connection = n.connection "
                f"AND {r}.stream = n.stream AND {r}.value = {value}"
            )
            columns[str(col.resolved)] = f"{r}.target"
    return columns, " ".join(joins)


def _any(con: duckdb.DuckDBPyConnection, rows: str) -> bool:
    return con.execute(f"SELECT 1 FROM {rows} LIMIT 1").fetchone() is not None


def _rules_sql(entity: str, name: str, col: Column) -> str:
    """Return the rules of one field; a stream without one looks in all streams by key."""
    said = (
        "SELECT connection, stream, target_entity, target_stream, by_field FROM ops.refs "
        f"WHERE entity = {literal(entity)} AND field = {literal(name)}"
    )
    return (
        f"SELECT * FROM ({said}) UNION ALL "
        f"SELECT DISTINCT a.connection, a.stream, {literal(str(col.ref))}, NULL, NULL FROM asked a "
        f"ANTI JOIN ({said}) r ON r.connection = a.connection AND r.stream = a.stream"
    )


def _hits(con: duckdb.DuckDBPyConnection, entity: str, name: str, col: Column) -> list[str]:
    used = con.execute(
        "SELECT DISTINCT target_entity, by_field FROM ops.refs WHERE entity = ? AND field = ?",
        [entity, name],
    ).fetchall()
    wanted = {(str(t), None if b is None else str(b)) for t, b in used} | {(str(col.ref), None)}
    parts: list[str] = []
    for target, by in sorted(wanted, key=str):
        if target not in ENTITIES or (by is not None and by not in ENTITIES[target].columns()):
            continue
        if not _any(con, f"unified.xref WHERE entity = {literal(target)}"):
            continue
        if by is None:
            things = (
                "SELECT connection, stream, source_key AS value, golden_id FROM unified.xref "
                f"WHERE entity = {literal(target)}"
            )
        else:
            things = (
                f"SELECT t.connection, t.stream, t.{quote(by)}::varchar AS value, x.golden_id "
                f"FROM {ddl.source_table(target).full} t JOIN unified.xref x "
                f"ON x.entity = {literal(target)} AND x.connection = t.connection "
                "AND x.stream = t.stream AND x.source_key = t.source_key "
                "WHERE NOT coalesce(t.is_deleted, false)"
            )
        parts.append(
            "SELECT a.connection, a.stream, a.value, t.golden_id AS target FROM asked a "
            "JOIN rules r ON r.connection = a.connection AND r.stream = a.stream "
            f"AND r.target_entity = {literal(target)} AND r.by_field IS NOT DISTINCT FROM "
            f"{'NULL' if by is None else literal(by)} "
            f"JOIN ({things}) t ON t.connection = a.connection AND t.value = a.value "
            "WHERE r.target_stream IS NULL OR r.target_stream = t.stream"
        )
    return parts
