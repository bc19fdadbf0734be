"""Finds in the store which records a person means: by an id, a key, or an identifier."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

import duckdb

from warehouse import ddl
from warehouse.ddl import literal, quote
from warehouse.identity import golden_id, golden_id_sql
from warehouse.mask import normal_sql
from warehouse.model import ENTITIES
from warehouse.ruled import Record

_TELLING = frozenset({"phone", "email", "id_no", "openid"})
_DIGITS = 7
"""Digits from which a word is looked for among phone numbers."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A record by its clear key, the id that it founds, and that of the thing it is part of."""

    record: Record
    own_id: UUID
    golden_id: UUID


@dataclass(frozen=True, slots=True)
class Size:
    """How much hangs on a thing."""

    records: int
    orders: int


def find(con: duckdb.DuckDBPyConnection, entity: str, word: str) -> list[Meant]:
    """Return the records that `word` may mean, those of one thing together.

    `word` is an id that was ever published, `connection/stream/key`, or an identifier in any of
    its spellings. An id and a key mean one record, of living and deleted ones.
    """
    word = word.strip()
    if (id := as_id(word)) is not None:
        return of_ids(con, entity, [id])
    parts = word.split("/", 2)
    if len(parts) == 3:
        record = Record(*parts)
        if _is_there(con, entity, record):
            return _with_things(con, entity, {golden_id(entity, *record): record})
    rows = con.execute(_search(entity, word), {"word": word}).fetchall()
    return _with_things(
        con, entity, {golden_id(entity, *row): Record(*map(str, row)) for row in rows}
    )


def of_ids(con: duckdb.DuckDBPyConnection, entity: str, ids: Collection[UUID]) -> list[Meant]:
    """Return the records that found `ids`; ids of no record are left out."""
    found: dict[UUID, Record] = {}
    source, own = ddl.source_table(entity).full, golden_id_sql(entity, "s")
    for rows in (  # the ids of the living stand there; those of others have to be computed
        f"(SELECT *, own_id AS id FROM unified.xref WHERE entity = {literal(entity)})",
        f"(SELECT s.*, {own} AS id FROM {source} s WHERE s.is_deleted)",
        f"(SELECT s.*, {own} AS id FROM {source} s)",
    ):
        missing = [i for i in ids if i not in found]
        if missing:
            told = con.execute(
                f"SELECT id, connection, stream, source_key FROM {rows} "
                "WHERE id IN (SELECT unnest($1::UUID[]))",
                [[str(i) for i in missing]],
            ).fetchall()
            found |= {id: Record(*map(str, row)) for id, *row in told}
    return _with_things(con, entity, found)


def members(con: duckdb.DuckDBPyConnection, entity: str, golden: UUID) -> list[Meant]:
    """Return all records of a thing, deleted ones too; its founder comes first."""
    rows = con.execute(
        "SELECT id FROM identity.links WHERE entity = ? AND golden_id = ?", [entity, golden]
    ).fetchall()
    found = of_ids(con, entity, {golden, *(id for (id,) in rows)})
    return sorted(found, key=lambda m: (m.own_id != golden, m.record))


def founder(con: duckdb.DuckDBPyConnection, entity: str, among: Iterable[UUID]) -> UUID:
    """Return which of the things `among` gives its id to all of them as one: the first seen."""
    founders = of_ids(con, entity, set(among))
    source = ddl.source_table(entity).full
    seen = {}
    for one in founders:
        row = con.execute(
            f"SELECT first_seen_at FROM {source} "
            "WHERE connection = ? AND stream = ? AND source_key = ?",
            list(one.record),
        ).fetchone()
        seen[one.own_id] = (row[0] if row else None, one.record)
    return min(seen, key=lambda id: seen[id])


def size(con: duckdb.DuckDBPyConnection, golden: UUID) -> Size:
    """Return how many living records a party has, and how many orders."""
    row = con.execute(
        "SELECT (SELECT count(*) FROM unified.xref WHERE entity = 'party' AND golden_id = $1), "
        "(SELECT count(*) FROM unified.orders WHERE party_id = $1)",
        [golden],
    ).fetchone()
    return Size(*row) if row else Size(0, 0)


def as_id(word: str) -> UUID | None:
    """Return the id that `word` is written as, None where it is none."""
    try:
        return uuid.UUID(word) if len(word) == 36 else None
    except ValueError:
        return None


def _is_there(con: duckdb.DuckDBPyConnection, entity: str, record: Record) -> bool:
    sql = (
        f"SELECT 1 FROM {ddl.source_table(entity).full} "
        "WHERE connection = ? AND stream = ? AND source_key = ?"
    )
    return con.execute(sql, list(record)).fetchone() is not None


def _search(entity: str, word: str) -> str:
    """Return the SQL of the living records that `word` (parameter) identifies."""
    tests = ["s.source_key = $word"]
    for name, column in ENTITIES[entity].columns().items():
        kind = column.privacy or "code"
        if (column.natural or kind in _TELLING) and _may_be(kind, word):
            tests.append(_equal(kind, f"s.{quote(name)}"))
    known = f"SELECT s.* FROM {ddl.source_table(entity).full} s WHERE {' OR '.join(tests)}"
    child = f"{entity}_identifier"
    if child in ENTITIES:
        kinds = [k for k in ("phone", "email", "code") if _may_be(k, word)]
        cases = [
            f"CASE WHEN i.scheme {scheme} THEN {_equal(kind, 'i.value')} ELSE false END"
            for kind, scheme in (
                ("phone", "= 'phone'"), ("email", "= 'email'"),
                ("code", "NOT IN ('phone', 'email')"),
            )
            if kind in kinds
        ]  # fmt: skip
        known += (
            f" UNION BY NAME SELECT s.* FROM {ddl.source_table(entity).full} s "
            f"SEMI JOIN (SELECT connection, stream, parent_key AS source_key "
            f"FROM {ddl.source_table(child).full} i WHERE {' OR '.join(cases)}) "
            "USING (connection, stream, source_key)"
        )
    return (
        f"SELECT DISTINCT connection, stream, source_key FROM ({known}) "
        "WHERE NOT coalesce(is_deleted, false)"
    )


def _may_be(kind: str, word: str) -> bool:
    if kind == "phone":
        return sum(c.isdigit() for c in word) >= _DIGITS
    return "@" in word or kind != "email"


def _equal(kind: str, value: str) -> str:
    return f"coalesce({normal_sql(kind, value)} = {normal_sql(kind, '$word')}, false)"


def _with_things(
    con: duckdb.DuckDBPyConnection, entity: str, found: dict[UUID, Record]
) -> list[Meant]:
    rows = con.execute(
        "SELECT id, golden_id FROM identity.links WHERE entity = ? "
        "AND id IN (SELECT unnest(?::UUID[]))",
        [entity, [str(i) for i in found]],
    ).fetchall()
    golden = dict(rows)
    told = [Meant(record, id, golden.get(id, id)) for id, record in found.items()]
    return sorted(told, key=lambda m: (m.golden_id, m.record))
