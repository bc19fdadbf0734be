"""Makes golden rows of what the loads changed: identity, links, references, late arrival.

A run touches the rows loaded since the last one, the things that they are and were part of, and
those that refer to what appeared, vanished or changed the field it is referred by.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from warehouse import bounds, ddl, golden, merged, ties
from warehouse.bounds import sparingly
from warehouse.crashpoints import reach
from warehouse.ddl import literal, quote
from warehouse.golden import Written, count
from warehouse.grouping import Work, group_all, group_changed, temp
from warehouse.identity import golden_id_sql
from warehouse.matchers import MATCHERS, VERSION, take_aliases
from warehouse.matching import results
from warehouse.matching.rulings import Rulings
from warehouse.model import ENTITIES, HEADERS
from warehouse.resolve import Rule, by_fields, references, rules
from warehouse.store import Store
from warehouse.survive import Priority

LAST_LOAD = "unified_load_id"
LAST_RUN = "unified_run"
LAST_AT = "unified_at"
LAST_RULES = "unified_rules"
LAST_FORM = "unified_form"
LAST_RULINGS = "unified_rulings"


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
            for counts, number in (
                (self.rewritten, written.rewritten),
                (self.removed, written.removed),
                (self.rebound, written.rebound),
            ):
                counts[entity] = counts.get(entity, 0) + number


def unify(
    store: Store,
    *,
    now: datetime,
    whole: bool = False,
    priority: Priority | None = None,
    rulings: Mapping[str, Rulings] | None = None,
    sku_aliases: Mapping[str, Mapping[str, str]] | None = None,
) -> UnifyReport:
    """Bring `unified` up to what `source` holds, in one transaction.

    `priority` and `sku_aliases` (connection -> its SKU -> the one others know) are the company's,
    `rulings` are people's by entity. `whole` makes it anew from all rows, as another priority,
    other aliases or other matchers do. Checkpoints the store where everything was written; what
    changed waits for the checkpoint of the projection, which reads it first.
    """
    con = store.con
    wins, ruled, aliases = priority or {}, dict(rulings or {}), sku_aliases or {}
    form = json.dumps([VERSION, wins, aliases], sort_keys=True, default=list)
    whole = whole or store.meta(LAST_FORM) != form
    last = 0 if whole else int(store.meta(LAST_LOAD) or 0)
    upto = _newest_load(con)
    said = rules(con)
    before = json.loads(store.meta(LAST_RULES) or "[]")
    newly = _newly_ruled(store, ruled)
    if not whole and upto <= last and said == before and not newly:
        return UnifyReport(int(store.meta(LAST_RUN) or 0))

    def write() -> UnifyReport:
        report = UnifyReport(int(store.meta(LAST_RUN) or 0) + 1)
        work = Work(con, report.run, now, ruled, MATCHERS)
        with bounds.transaction(store):
            golden.make_room(con)
        with bounds.transaction(store):
            _forget_projected(store)
            if last == 0:
                take_aliases(con, aliases)
                _write_all(work, report, wins)
            else:
                other = [r for r in said if r not in before] + [r for r in before if r not in said]
                _write_changed(work, report, wins, said, other, last, newly)
            _tie(store, report.run, whole=last == 0)
            con.execute(
                "INSERT INTO ops.unifications (run, unified_at, load_id) VALUES (?, ?, ?)",
                [report.run, now, upto],
            )
            store.set_meta(LAST_LOAD, str(upto))
            store.set_meta(LAST_RUN, str(report.run))
            store.set_meta(LAST_AT, now.isoformat())
            store.set_meta(LAST_RULES, json.dumps(said))
            store.set_meta(LAST_FORM, form)
            store.set_meta(LAST_RULINGS, _as_text(ruled))
            reach("unify.written")
        reach("unify.committed")
        _drop(con)
        if last == 0:
            bounds.checkpoint(store)
        return report

    with contextlib.nullcontext() if last == 0 else bounds.paired(store):
        return sparingly(store, write)


def _tie(store: Store, run: int, *, whole: bool) -> None:
    """Write down what hangs together and what of it this run touched, where that is worth it."""
    form = "" if ties.is_small(store.con) else ties.form(store.con)
    known = store.meta(ties.FORM) or ""
    if form and known == form and not whole:
        ties.write_changed(store.con, run)
    elif form:
        ties.write_all(store.con, run)
    elif known:
        ties.leave(store.con)
    if form != known:
        store.set_meta(ties.FORM, form)


def _as_text(rulings: Mapping[str, Rulings]) -> str:
    """Return the rulings as they are remembered: [entity, same or apart, id, id], sorted."""
    return json.dumps(sorted(_pairs(rulings)))


def _pairs(rulings: Mapping[str, Rulings]) -> Iterator[tuple[str, str, str, str]]:
    for entity, ruled in rulings.items():
        for how, pairs in (("same", ruled.same), ("apart", ruled.apart)):
            for a, b in pairs:
                low, high = sorted((str(a), str(b)))
                yield entity, how, low, high


def _newly_ruled(store: Store, rulings: Mapping[str, Rulings]) -> dict[str, set[str]]:
    """Return by entity the ids that people ruled about otherwise than at the last run."""
    known = {tuple(p) for p in json.loads(store.meta(LAST_RULINGS) or "[]")}
    found: dict[str, set[str]] = {}
    for entity, _, a, b in known ^ set(_pairs(rulings)):
        found.setdefault(entity, set()).update((a, b))
    return found


def _write_all(work: Work, report: UnifyReport, priority: Priority) -> None:
    """Make everything anew: no joins by key but for things of several records."""
    con = work.con
    for entity in ENTITIES:
        con.execute(f"DELETE FROM {ddl.unified_table(entity).full}")
    group_all(work)
    for entity in HEADERS:
        joined = f"(SELECT * FROM unified.xref WHERE entity = {literal(entity)})"
        several = f"SELECT golden_id FROM {joined} WHERE own_id <> golden_id"
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {temp('regrouped', entity)} AS "
            f"SELECT DISTINCT golden_id AS id FROM ({several})"
        )
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {temp('grouped', entity)} AS "
            f"SELECT own_id AS id FROM {joined} WHERE golden_id IN ({several})"
        )
    for entity in ddl.families():
        report.take(entity, golden.write_all(con, entity, report.run))
    _write_merged(work, report, priority)


def _write_changed(
    work: Work,
    report: UnifyReport,
    priority: Priority,
    said: list[Rule],
    other: list[Rule],
    last: int,
    newly: Mapping[str, set[str]],
) -> None:
    """Bring up to date what was loaded since `last` and what refers to it by the rules `said`."""
    con = work.con
    for entity in HEADERS:
        _changed(con, entity, last, newly.get(entity, set()))
    _keys_of_values(con, said)
    looked = {e for e in HEADERS if count(con, temp("changed", e)) or e in newly}
    group_changed(work, looked | ({"payment"} if "order" in looked else set()))
    con.execute(
        "INSERT INTO unify_keys SELECT DISTINCT entity, connection, source_key FROM unify_moved"
    )
    moved = _entities(con, "unify_keys WHERE value IS NOT NULL")
    for entity in ddl.families():
        _affected(con, entity, other, said, moved)
    for entity in ddl.families():
        report.take(entity, golden.write_changed(con, entity, report.run, last))
    _write_merged(work, report, priority)


def _write_merged(work: Work, report: UnifyReport, priority: Priority) -> None:
    for header in HEADERS:
        for entity, written in merged.write(work.con, header, report.run, priority).items():
            report.take(entity, written)


def _newest_load(con: duckdb.DuckDBPyConnection) -> int:
    parts = " UNION ALL ".join(
        f"SELECT max(load_id) AS load_id FROM {ddl.source_table(e).full}" for e in HEADERS
    )
    row = con.execute(f"SELECT coalesce(max(load_id), 0) FROM ({parts})").fetchone()
    return int(row[0]) if row else 0


def _forget_projected(store: Store) -> None:
    done = int(store.meta("projected_run") or 0)
    store.con.execute("DELETE FROM ops.changes WHERE run <= ?", [done])
    ties.forget(store.con, done)
    store.set_meta(ties.SINCE, str(done))


def _changed(
    con: duckdb.DuckDBPyConnection, entity: str, last: int, ruled: Collection[str]
) -> None:
    """Make the temp table of the source rows of `entity` that were loaded since, or ruled about."""
    source = ddl.source_table(entity).full
    select = (
        f"SELECT s.connection, s.stream, s.source_key, {golden_id_sql(entity, 's')} AS id, "
        f"NOT coalesce(s.is_deleted, false) AS is_alive, s.first_seen_at AS since, "
        f"s.load_id > {last} AS is_loaded FROM {source} s"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {temp('changed', entity)} AS {select} "
        f"WHERE s.load_id > {last}"
    )
    if ruled:
        ids = ", ".join(f"({literal(i)}::UUID)" for i in sorted(ruled))
        con.execute(
            f"INSERT INTO {temp('changed', entity)} SELECT * FROM ({select} "
            f"WHERE s.load_id <= {last}) WHERE id IN (SELECT * FROM (VALUES {ids}))"
        )


def _keys_of_values(con: duckdb.DuckDBPyConnection, said: list[Rule]) -> None:
    """Collect the values of fields by which others may refer to what changed: old and new ones."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_keys "
        "(entity VARCHAR, connection VARCHAR, value VARCHAR)"
    )
    for entity in HEADERS:
        if count(con, temp("changed", entity)):
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
        # The golden row of a group may have its value from another record.
        "WHERE now.value IS DISTINCT FROM was.value OR now.id IN (SELECT id FROM identity.links "
        f"WHERE entity = {literal(entity)})) "
        f"SELECT {literal(entity)}, connection, unnest([new_value, old_value]) FROM pairs"
    )


def _entities(con: duckdb.DuckDBPyConnection, rows: str) -> set[str]:
    return {entity for (entity,) in con.execute(f"SELECT DISTINCT entity FROM {rows}").fetchall()}


def _affected(
    con: duckdb.DuckDBPyConnection,
    entity: str,
    rules_changed: list[Rule],
    said: list[Rule],
    moved: Collection[str],
) -> None:
    """Make the temp table of golden rows that are not reloaded but refer to what moved.

    Those that several records tell of go to `regrouped` instead. `moved` are the entities of which
    something came, went or changed a field that it is referred by.
    """
    name, own = temp("rebound", entity), quote(f"{entity}_id")
    table, owner = ddl.unified_table(entity).full, ENTITIES[entity].parent or entity
    refers = _refers(entity, rules_changed, moved)
    bound = [
        f"u.{quote(str(col.resolved))} IN (SELECT id FROM {temp('regrouped', str(col.ref))})"
        for _, col in references(entity)
        if by_fields(said, str(col.ref)) and count(con, temp("regrouped", str(col.ref)))
    ]
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} (id UUID, number BIGINT)")
    if not refers and not bound:
        return
    several = (
        f"SELECT golden_id AS id FROM unified.xref WHERE entity = {literal(entity)} "
        "AND own_id <> golden_id"
    )
    if owner == entity and count(con, f"({several} LIMIT 1)"):
        regrouped = temp("regrouped", entity)
        records = (
            f"(SELECT s.*, x.golden_id FROM {ddl.source_table(entity).full} s JOIN unified.xref x "
            f"ON x.entity = {literal(entity)} AND x.connection = s.connection "
            "AND x.stream = s.stream AND x.source_key = s.source_key)"
        )
        parts = [f"SELECT u.golden_id FROM {records} u WHERE {c}" for c in refers]
        parts += [f"SELECT u.{own} FROM {table} u WHERE {c}" for c in bound]
        con.execute(
            f"INSERT INTO {regrouped} SELECT * FROM ({' UNION '.join(parts)}) p(id) "
            f"SEMI JOIN ({several}) USING (id) ANTI JOIN {regrouped} r USING (id)"
        )
    # What is made anew anyway is no business of this table.
    known = " AND ".join(
        f"u.{quote(f'{owner}_id')} NOT IN (SELECT id FROM {temp(what, owner)})"
        for what in ("alone", "regrouped")
    )
    parts = [f"SELECT u.{own} AS id FROM {table} u WHERE {c} AND {known}" for c in refers + bound]
    con.execute(
        f"INSERT INTO {name} SELECT id, row_number() OVER () AS number "
        f"FROM ({' UNION '.join(parts)})"
    )


def _refers(entity: str, rules_changed: list[Rule], moved: Collection[str]) -> list[str]:
    """Return the conditions of the records (alias u) whose references are to be looked at again."""
    found = [
        f"(u.connection, u.{quote(name)}) IN (SELECT connection, value FROM unify_keys "
        f"WHERE entity = {literal(str(col.ref))} AND value IS NOT NULL)"
        for name, col in references(entity)
        if str(col.ref) in moved
    ]
    streams = {(str(r[0]), str(r[1])) for r in rules_changed if r[2] == entity}
    return found + [
        f"(u.connection = {literal(connection)} AND u.stream = {literal(stream)})"
        for connection, stream in sorted(streams)
    ]


def _drop(con: duckdb.DuckDBPyConnection) -> None:
    results.forget(con)
    made = con.execute(
        "SELECT table_name FROM duckdb_tables() "
        "WHERE temporary AND starts_with(table_name, 'unify_')"
    ).fetchall()
    for (name,) in made:
        con.execute(f"DROP TABLE temp.{quote(name)}")
