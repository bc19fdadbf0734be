"""Makes golden rows of what the loads changed: identity, links, references, late arrival.

One source row is one thing here (trivial identity); the tables have the form that several rows a
thing need. A run touches the rows loaded since the last one and those that refer to what appeared,
vanished or changed the field it is referred by.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from warehouse import ddl
from warehouse.crashpoints import reach
from warehouse.ddl import columns_of, literal, quote
from warehouse.identity import child_id_sql, golden_id_sql
from warehouse.model import ENTITIES, HEADERS
from warehouse.resolve import by_fields, references, resolve, rules
from warehouse.store import Store

LAST_LOAD = "unified_load_id"
LAST_RUN = "unified_run"
LAST_AT = "unified_at"
LAST_RULES = "unified_rules"


@dataclass(slots=True)
class UnifyReport:
    """What one unification did.

    `rewritten` counts golden rows written by entity, `removed` those that left, `rebound` those
    written only because what they refer to moved. `changed` is false when nothing was to be done.
    """

    run: int
    rewritten: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    rebound: dict[str, int] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether any golden row was written or removed."""
        return bool(sum(self.rewritten.values()) + sum(self.removed.values()))


def unify(store: Store, *, now: datetime, whole: bool = False) -> UnifyReport:
    """Bring `unified` up to what `source` holds, in one transaction.

    `whole` makes it anew from all rows. Checkpoints the store if anything was written.
    """
    con = store.con
    last = 0 if whole else int(store.meta(LAST_LOAD) or 0)
    run = int(store.meta(LAST_RUN) or 0) + 1
    upto = _newest_load(con)
    said = rules(con)
    before = json.loads(store.meta(LAST_RULES) or "[]")
    if not whole and upto <= last and said == before:
        return UnifyReport(run - 1)
    first = whole or last == 0
    report = UnifyReport(run)
    with store.transaction():
        _forget_projected(store)
        if first:
            _empty(con)
        for entity in HEADERS:
            _changed(con, entity, last)
        _moved(con, said, first=first)
        _link(con, first=first)
        other = [r for r in said if r not in before] + [r for r in before if r not in said]
        for entity in HEADERS:
            for member in ddl.families(entity):
                _affected(con, member, other, first=first)
        for entity in HEADERS:
            for member in ddl.families(entity):
                _write(con, member, report, last=last, first=first)
        store.set_meta(LAST_LOAD, str(upto))
        store.set_meta(LAST_RUN, str(run))
        store.set_meta(LAST_AT, now.isoformat())
        store.set_meta(LAST_RULES, json.dumps(said))
        reach("unify.written")
    reach("unify.committed")
    _drop(con)
    store.checkpoint()
    return report


def _newest_load(con: duckdb.DuckDBPyConnection) -> int:
    parts = " UNION ALL ".join(
        f"SELECT max(load_id) AS load_id FROM {ddl.source_table(e).full}" for e in HEADERS
    )
    row = con.execute(f"SELECT coalesce(max(load_id), 0) FROM ({parts})").fetchone()
    return int(row[0]) if row else 0


def _forget_projected(store: Store) -> None:
    done = int(store.meta("projected_run") or 0)
    store.con.execute("DELETE FROM ops.changes WHERE run <= ?", [done])


def _empty(con: duckdb.DuckDBPyConnection) -> None:
    for entity in ENTITIES:
        con.execute(f"DELETE FROM {ddl.unified_table(entity).full}")
    for name in ("xref", "order_documents", "payment_evidence"):
        con.execute(f"DELETE FROM unified.{name}")


def _changed(con: duckdb.DuckDBPyConnection, entity: str, last: int) -> None:
    """Make the temp table of the source rows of `entity` that were loaded since."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_temp('changed', entity)} AS "
        f"SELECT s.connection, s.stream, s.source_key, {golden_id_sql(entity, 's')} AS id, "
        f"NOT coalesce(s.is_deleted, false) AS is_alive, s.first_seen_at "
        f"FROM {ddl.source_table(entity).full} s WHERE s.load_id > {last}"
    )


def _moved(con: duckdb.DuckDBPyConnection, said: list[list[str | None]], *, first: bool) -> None:
    """Collect what appeared or vanished, and the values by which others may refer to it."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_moved (entity VARCHAR, connection VARCHAR, "
        "stream VARCHAR, source_key VARCHAR, id UUID, is_alive BOOLEAN, first_seen_at TIMESTAMPTZ)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_keys "
        "(entity VARCHAR, connection VARCHAR, value VARCHAR)"
    )
    for entity in HEADERS:
        name = literal(entity)
        con.execute(
            f"INSERT INTO unify_moved SELECT {name}, c.connection, c.stream, c.source_key, c.id, "
            f"c.is_alive, c.first_seen_at FROM {_temp('changed', entity)} c "
            f"LEFT JOIN (SELECT golden_id FROM unified.xref WHERE entity = {name}) x "
            "ON x.golden_id = c.id WHERE c.is_alive <> (x.golden_id IS NOT NULL)"
        )
        if first:
            continue
        con.execute(
            "INSERT INTO unify_keys SELECT DISTINCT entity, connection, source_key "
            f"FROM unify_moved WHERE entity = {name}"
        )
        for by in by_fields(said, entity):
            _moved_values(con, entity, by)


def _moved_values(con: duckdb.DuckDBPyConnection, entity: str, by: str) -> None:
    source, unified = ddl.source_table(entity).full, ddl.unified_table(entity).full
    own, col = quote(f"{entity}_id"), quote(by)
    changed = _temp("changed", entity)
    con.execute(
        "INSERT INTO unify_keys "
        "WITH now AS (SELECT c.id, c.connection, "
        f"CASE WHEN c.is_alive THEN s.{col}::varchar END AS value FROM {changed} c "
        f"JOIN {source} s ON s.connection = c.connection AND s.stream = c.stream "
        "AND s.source_key = c.source_key), "
        f"was AS (SELECT u.{own} AS id, u.{col}::varchar AS value FROM {unified} u "
        f"WHERE u.{own} IN (SELECT id FROM {changed})), "
        "pairs AS (SELECT now.connection, now.value AS new_value, was.value AS old_value "
        "FROM now LEFT JOIN was ON was.id = now.id "
        "WHERE now.value IS DISTINCT FROM was.value) "
        f"SELECT {literal(entity)}, connection, unnest([new_value, old_value]) FROM pairs"
    )


def _link(con: duckdb.DuckDBPyConnection, *, first: bool) -> None:
    """Keep xref and the grain tables: they change only where something appeared or vanished."""
    if not first:
        for table, column in (
            ("xref", "golden_id"),
            ("order_documents", "order_id"),
            ("payment_evidence", "payment_id"),
        ):
            con.execute(
                f"DELETE FROM unified.{table} WHERE {column} IN (SELECT id FROM unify_moved)"
            )
    con.execute(
        "INSERT INTO unified.xref (entity, connection, stream, source_key, golden_id, method, "
        "score, evidence, valid_from) SELECT entity, connection, stream, source_key, id, "
        "'founder', 1.0, NULL, first_seen_at FROM unify_moved WHERE is_alive"
    )
    con.execute(
        "INSERT INTO unified.order_documents (order_id, connection, stream, source_key, role, "
        "share) SELECT id, connection, stream, source_key, 'placed', 1 FROM unify_moved "
        "WHERE is_alive AND entity = 'order'"
    )
    con.execute(
        "INSERT INTO unified.payment_evidence (payment_id, connection, stream, source_key) "
        "SELECT id, connection, stream, source_key FROM unify_moved "
        "WHERE is_alive AND entity = 'payment'"
    )


def _affected(
    con: duckdb.DuckDBPyConnection,
    entity: str,
    rules_changed: list[list[str | None]],
    *,
    first: bool,
) -> None:
    """Make the temp table of golden rows that are not reloaded but refer to what moved."""
    temp, own = _temp("rebound", entity), quote(f"{entity}_id")
    table = ddl.unified_table(entity).full
    con.execute(f"CREATE OR REPLACE TEMP TABLE {temp} (id UUID)")
    if first:
        return
    cls = ENTITIES[entity]
    owner = cls.parent or entity
    # What is reloaded anyway is no business of this table.
    known = f"u.{quote(f'{owner}_id')} NOT IN (SELECT id FROM {_temp('changed', owner)})"
    for name, col in references(entity):
        moved = con.execute(
            "SELECT count(*) FROM unify_keys WHERE entity = ? AND value IS NOT NULL", [col.ref]
        ).fetchone()
        if moved and moved[0]:
            con.execute(
                f"INSERT INTO {temp} SELECT u.{own} FROM {table} u SEMI JOIN "
                f"(SELECT connection, value FROM unify_keys WHERE entity = '{col.ref}') k "
                f"ON k.connection = u.connection AND k.value = u.{quote(name)} WHERE {known}"
            )
    streams = {(str(r[0]), str(r[1])) for r in rules_changed if r[2] == entity}
    for connection, stream in sorted(streams):
        con.execute(
            f"INSERT INTO {temp} SELECT u.{own} FROM {table} u "
            f"WHERE u.connection = ? AND u.stream = ? AND {known}",
            [connection, stream],
        )


def _write(
    con: duckdb.DuckDBPyConnection, entity: str, report: UnifyReport, *, last: int, first: bool
) -> None:
    """Replace the golden rows of `entity` that are reloaded or refer to what moved."""
    run, owner = report.run, ENTITIES[entity].parent or entity
    table, own = ddl.unified_table(entity), quote(f"{entity}_id")
    changed, rebound = _temp("changed", owner), _temp("rebound", entity)
    if first:
        _write_all(con, entity, report)
        return
    if not _any(con, changed) and not _any(con, rebound):
        return
    fresh = _temp("fresh", entity)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {fresh} AS {_fresh_sql(entity, run)} AND s.load_id > {last}"
    )
    if owner != entity:
        _untouched_children(con, entity, run)
    con.execute(
        f"INSERT INTO {fresh} BY NAME SELECT u.* REPLACE ({run} AS unify_run) FROM {table.full} u "
        f"WHERE u.{own} IN (SELECT id FROM {rebound})"
    )
    ids = f"SELECT {own} AS id FROM {fresh}"
    gone = (
        f"SELECT {own} AS id FROM {table.full} "
        f"WHERE {quote(f'{owner}_id')} IN (SELECT id FROM {changed})"
    )
    row = con.execute(f"SELECT count(*) FROM ({gone} EXCEPT {ids})").fetchone()
    report.removed[entity] = int(row[0]) if row else 0
    con.execute(
        f"INSERT INTO ops.changes SELECT {run}, {literal(entity)}, id FROM ({gone} UNION {ids})"
    )
    con.execute(
        f"DELETE FROM {table.full} WHERE {own} IN "
        f"(SELECT id FROM ops.changes WHERE run = {run} AND entity = {literal(entity)})"
    )
    report.rewritten[entity] = _insert(con, entity, fresh)
    report.rebound[entity] = _count(con, rebound)


def _write_all(con: duckdb.DuckDBPyConnection, entity: str, report: UnifyReport) -> None:
    """Write every golden row of `entity` into its empty table: no temp table, no join by key."""
    con.execute(f"INSERT INTO ops.changes VALUES ({report.run}, {literal(entity)}, NULL)")
    if not _any(con, ddl.source_table(entity).full):
        return
    owner = ENTITIES[entity].parent or entity
    key = "s.parent_key" if owner != entity else "s.source_key"
    alive = "" if owner != entity else " WHERE NOT coalesce(s.is_deleted, false)"
    body = _select_golden(entity, report.run, golden_id_sql(owner, "s", key))
    report.rewritten[entity] = _insert(con, entity, f"({body}{alive})")
    report.removed[entity] = report.rebound[entity] = 0


def _insert(con: duckdb.DuckDBPyConnection, entity: str, fresh: str) -> int:
    """Insert the rows of `fresh` with their references resolved; returns how many."""
    table = ddl.unified_table(entity)
    replaced, joins = resolve(con, entity, fresh)
    row = con.execute(
        f"INSERT INTO {table.full} ({columns_of(table.names)}) "
        f"SELECT {', '.join(replaced.get(n, 'n.' + quote(n)) for n in table.names)} "
        f"FROM {fresh} n {joins}"
    ).fetchone()
    return int(row[0]) if row else 0


def _untouched_children(con: duckdb.DuckDBPyConnection, entity: str, run: int) -> None:
    """Add the children of owners that were loaded again without them (only a version moved)."""
    fresh, owner = _temp("fresh", entity), str(ENTITIES[entity].parent)
    changed, own = _temp("changed", owner), quote(f"{owner}_id")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE unify_touched AS SELECT * FROM {changed} WHERE is_alive "
        f"AND id IN (SELECT {own} FROM {ddl.unified_table(entity).full}) "
        f"AND id NOT IN (SELECT {own} FROM {fresh})"
    )
    if _any(con, "unify_touched"):
        con.execute(f"INSERT INTO {fresh} BY NAME {_fresh_sql(entity, run, 'unify_touched')}")


def _fresh_sql(entity: str, run: int, changed: str = "") -> str:
    """Return the SELECT of golden rows made of the changed source rows, references empty."""
    owner = ENTITIES[entity].parent or entity
    key = "parent_key" if owner != entity else "source_key"
    return (
        f"{_select_golden(entity, run, 'c.id')} JOIN {changed or _temp('changed', owner)} c "
        f"ON s.connection = c.connection AND s.stream = c.stream AND s.{key} = c.source_key "
        "WHERE c.is_alive"
    )


def _select_golden(entity: str, run: int, owner_id: str) -> str:
    """Return SELECT … FROM source (alias s) of golden rows, given the SQL of the owner's id."""
    source, table = ddl.source_table(entity), ddl.unified_table(entity)
    owner = ENTITIES[entity].parent or entity
    made = {f"{owner}_id": owner_id, ddl.RUN.name: str(run)}
    if owner != entity:
        made[f"{entity}_id"] = child_id_sql(entity, owner_id, "s.source_key")
    columns = [
        f"{made[f.name]} AS {quote(f.name)}"
        if f.name in made
        else f"s.{quote(f.name)}"
        if f.name in source.names
        else f"CAST(NULL AS {f.sql_type}) AS {quote(f.name)}"
        for f in table.fields
    ]
    return f"SELECT {', '.join(columns)} FROM {source.full} s"


def _any(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    return con.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _temp(what: str, entity: str) -> str:
    return f"unify_{what}_{entity}"


def _drop(con: duckdb.DuckDBPyConnection) -> None:
    for entity in ENTITIES:
        for what in ("changed", "rebound", "fresh"):
            con.execute(f"DROP TABLE IF EXISTS {_temp(what, entity)}")
        for number in range(len(references(entity))):
            con.execute(f"DROP TABLE IF EXISTS {_temp('found', entity)}_{number}")
    for name in ("moved", "keys", "touched"):
        con.execute(f"DROP TABLE IF EXISTS unify_{name}")
