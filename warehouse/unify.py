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

from warehouse import bounds, ddl, golden
from warehouse.bounds import sparingly
from warehouse.crashpoints import reach
from warehouse.ddl import literal, quote
from warehouse.golden import Written, count, temp
from warehouse.identity import golden_id_sql
from warehouse.model import ENTITIES, HEADERS
from warehouse.resolve import Rule, by_fields, references, rules
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

    def take(self, entity: str, written: Written | None) -> None:
        """Add what was written of an entity."""
        if written is not None:
            self.rewritten[entity] = written.rewritten
            self.removed[entity] = written.removed
            self.rebound[entity] = written.rebound


def unify(store: Store, *, now: datetime, whole: bool = False) -> UnifyReport:
    """Bring `unified` up to what `source` holds, in one transaction.

    `whole` makes it anew from all rows. Checkpoints the store if anything was written.
    """
    con = store.con
    last = 0 if whole else int(store.meta(LAST_LOAD) or 0)
    upto = _newest_load(con)
    said = rules(con)
    before = json.loads(store.meta(LAST_RULES) or "[]")
    if not whole and upto <= last and said == before:
        return UnifyReport(int(store.meta(LAST_RUN) or 0))

    def write() -> UnifyReport:
        report = UnifyReport(int(store.meta(LAST_RUN) or 0) + 1)
        with bounds.transaction(store):
            golden.make_room(con)
        with bounds.transaction(store):
            _forget_projected(store)
            if last == 0:
                _write_all(con, report)
            else:
                other = [r for r in said if r not in before] + [r for r in before if r not in said]
                _write_changed(con, report, said, other, last)
            store.set_meta(LAST_LOAD, str(upto))
            store.set_meta(LAST_RUN, str(report.run))
            store.set_meta(LAST_AT, now.isoformat())
            store.set_meta(LAST_RULES, json.dumps(said))
            reach("unify.written")
        reach("unify.committed")
        _drop(con)
        bounds.checkpoint(store)
        return report

    return sparingly(store, write)


def _write_all(con: duckdb.DuckDBPyConnection, report: UnifyReport) -> None:
    """Make everything anew: no temp tables, no joins by key."""
    _empty(con)
    for entity in HEADERS:
        con.execute(
            "INSERT INTO unified.xref (entity, connection, stream, source_key, golden_id, method, "
            f"score, evidence, valid_from) SELECT {literal(entity)}, s.connection, s.stream, "
            f"s.source_key, {golden_id_sql(entity, 's')}, 'founder', 1.0, NULL, s.first_seen_at "
            f"FROM {ddl.source_table(entity).full} s WHERE NOT coalesce(s.is_deleted, false)"
        )
    _link(con, "(SELECT *, golden_id AS id FROM unified.xref)")
    for entity in ddl.families():
        report.take(entity, golden.write_all(con, entity, report.run))


def _write_changed(
    con: duckdb.DuckDBPyConnection,
    report: UnifyReport,
    said: list[Rule],
    other: list[Rule],
    last: int,
) -> None:
    """Bring up to date what was loaded since `last` and what refers to it by the rules `said`."""
    for entity in HEADERS:
        _changed(con, entity, last)
    _moved(con, said)
    for table, column in (
        ("xref", "golden_id"),
        ("order_documents", "order_id"),
        ("payment_evidence", "payment_id"),
    ):
        con.execute(f"DELETE FROM unified.{table} WHERE {column} IN (SELECT id FROM unify_moved)")
    con.execute(
        "INSERT INTO unified.xref (entity, connection, stream, source_key, golden_id, method, "
        "score, evidence, valid_from) SELECT entity, connection, stream, source_key, id, "
        "'founder', 1.0, NULL, first_seen_at FROM unify_moved WHERE is_alive"
    )
    _link(con, "(SELECT * FROM unify_moved WHERE is_alive)")
    for entity in ddl.families():
        _affected(con, entity, other)
    for entity in ddl.families():
        report.take(entity, golden.write_changed(con, entity, report.run, last))


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
        f"CREATE OR REPLACE TEMP TABLE {temp('changed', entity)} AS "
        f"SELECT s.connection, s.stream, s.source_key, {golden_id_sql(entity, 's')} AS id, "
        "NOT coalesce(s.is_deleted, false) AS is_alive, s.first_seen_at, row_number() OVER () "
        f"AS number FROM {ddl.source_table(entity).full} s WHERE s.load_id > {last}"
    )


def _moved(con: duckdb.DuckDBPyConnection, said: list[Rule]) -> None:
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
        if not count(con, temp("changed", entity)):
            continue
        name = literal(entity)
        con.execute(
            f"INSERT INTO unify_moved SELECT {name}, c.connection, c.stream, c.source_key, c.id, "
            f"c.is_alive, c.first_seen_at FROM {temp('changed', entity)} c "
            f"LEFT JOIN (SELECT golden_id FROM unified.xref WHERE entity = {name}) x "
            "ON x.golden_id = c.id WHERE c.is_alive <> (x.golden_id IS NOT NULL)"
        )
        con.execute(
            "INSERT INTO unify_keys SELECT DISTINCT entity, connection, source_key "
            f"FROM unify_moved WHERE entity = {name}"
        )
        for by in by_fields(said, entity):
            _moved_values(con, entity, by)


def _moved_values(con: duckdb.DuckDBPyConnection, entity: str, by: str) -> None:
    source, unified = ddl.source_table(entity).full, ddl.unified_table(entity).full
    own, col = quote(f"{entity}_id"), quote(by)
    changed = temp("changed", entity)
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


def _link(con: duckdb.DuckDBPyConnection, appeared: str) -> None:
    """Add the grain rows of what appeared: each thing has one document here, its own."""
    con.execute(
        "INSERT INTO unified.order_documents (order_id, connection, stream, source_key, role, "
        "share) SELECT id, connection, stream, source_key, 'placed', 1 "
        f"FROM {appeared} WHERE entity = 'order'"
    )
    con.execute(
        "INSERT INTO unified.payment_evidence (payment_id, connection, stream, source_key) "
        f"SELECT id, connection, stream, source_key FROM {appeared} WHERE entity = 'payment'"
    )


def _affected(con: duckdb.DuckDBPyConnection, entity: str, rules_changed: list[Rule]) -> None:
    """Make the temp table of golden rows that are not reloaded but refer to what moved."""
    name, own = temp("rebound", entity), quote(f"{entity}_id")
    table, owner = ddl.unified_table(entity).full, ENTITIES[entity].parent or entity
    found: list[str] = []
    for field_name, col in references(entity):
        if count(con, f"unify_keys WHERE entity = {literal(str(col.ref))} AND value IS NOT NULL"):
            found.append(
                f"SELECT u.{own} AS id FROM {table} u SEMI JOIN "
                f"(SELECT connection, value FROM unify_keys WHERE entity = '{col.ref}') k "
                f"ON k.connection = u.connection AND k.value = u.{quote(field_name)} WHERE "
            )
    streams = {(str(r[0]), str(r[1])) for r in rules_changed if r[2] == entity}
    found += [
        f"SELECT u.{own} AS id FROM {table} u "
        f"WHERE u.connection = {literal(connection)} AND u.stream = {literal(stream)} AND "
        for connection, stream in sorted(streams)
    ]
    if not found:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} (id UUID, number BIGINT)")
        return
    # What is reloaded anyway is no business of this table.
    known = f"u.{quote(f'{owner}_id')} NOT IN (SELECT id FROM {temp('changed', owner)})"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT id, row_number() OVER () AS number "
        f"FROM ({' UNION '.join(f'{part}{known}' for part in found)})"
    )


def _drop(con: duckdb.DuckDBPyConnection) -> None:
    for entity in ENTITIES:
        for what in ("changed", "rebound", "fresh"):
            con.execute(f"DROP TABLE IF EXISTS {temp(what, entity)}")
        for number in range(len(references(entity))):
            con.execute(f"DROP TABLE IF EXISTS {temp('found', entity)}_{number}")
    for name in ("moved", "keys", "slice", "gone", "touched", "ids"):
        con.execute(f"DROP TABLE IF EXISTS unify_{name}")
