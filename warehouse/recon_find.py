"""Runs the rules of reconciliation: what each finds, and which could not run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import duckdb

from warehouse import left_out, recon_rules
from warehouse.ddl import literal, quote
from warehouse.model import ENTITIES
from warehouse.recon_part import Part
from warehouse.recon_rules import Need, Rule, Setting, Settings
from warehouse.recon_tables import FOUND
from warehouse.store import Store
from warehouse.ties import things


def find(
    store: Store, rules: Sequence[Rule], settings: Settings, now: datetime, form: object
) -> tuple[dict[str, bool], dict[str, str], Part]:
    """Fill the temp table `recon_found`; returns which rules apply, and why which ones failed.

    Looks at what was touched since the last time, at everything where that is not enough, or where
    the `form` (what is found is a function of, but for the rows) is another one.
    """
    con = store.con
    there: dict[Need, bool] = {}
    # A list: what is not there is told of every side.
    applies = {r.name: all([_is_there(con, need, there) for need in r.needs]) for r in rules}
    chosen = [r for r in rules if applies[r.name] and not settings.of(r).is_off]
    names = {rule.name for rule in chosen}
    sqls = [rule.sql for rule in chosen] + [reason.sql for reason in left_out.of(names)]
    wanted = recon_rules.wanted(sqls)
    con.execute("SET VARIABLE recon_now = ?::TIMESTAMPTZ", [now])
    _place(store, settings.zone)
    part = Part(store, chosen, wanted, form)
    if not part.is_whole:
        _begin(con)
        if _tried_all(part) or (failed := _look(con, chosen, wanted, settings, part)) is None:
            part.to_whole()
    if part.is_whole:
        _begin(con)
        failed = _look(con, chosen, wanted, settings, part)
    failed = failed or {}
    on = [rule for rule in rules if not settings.of(rule).is_off]
    left_out.find(con, on, there, names - failed.keys(), lambda sql: _tried(con, sql))
    return applies, failed, part


def _place(store: Store, zone: str) -> None:
    """Let rules and steps, and the marts that they read, know the company's time zone."""
    store.con.execute("SET VARIABLE recon_zone = ?", [zone])
    if store.meta("timezone") != zone:
        store.set_meta("timezone", zone)


def _begin(con: duckdb.DuckDBPyConnection) -> None:
    body = ", ".join(f"{quote(f.name)} {f.sql_type}" for f in FOUND)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE recon_found ({body}, kind VARCHAR, severity VARCHAR, "
        "tolerance DECIMAL(28,6), timing_until TIMESTAMPTZ, thing UBIGINT)"
    )


def _tried_all(part: Part) -> str:
    """Begin with the touched things; returns the kind of an error, "" where there was none."""
    return _said(part.begin)


def _look(
    con: duckdb.DuckDBPyConnection,
    chosen: Sequence[Rule],
    wanted: Sequence[tuple[str, str]],
    settings: Settings,
    part: Part,
) -> dict[str, str] | None:
    """Run the rules; returns which failed and why, None where touched things do not tell all."""
    shared, broken = recon_rules.steps(), dict[tuple[str, str], str]()
    known = {rule.name: rule for rule in chosen}
    for schema, name in wanted:
        if part.skips(schema, name):
            continue
        if owner := known.get(recon_rules.told_for(name)):
            _tolerate(con, settings.of(owner))
        table = recon_rules.temp_name(schema, name)
        sql = recon_rules.private(shared[schema, name])
        lost = {one: broken[one] for one in recon_rules.reads(shared[schema, name]) & broken.keys()}
        why = min(lost.values()) if lost else _tried(
            con, f"CREATE OR REPLACE TEMP TABLE {table} AS {sql}"
        )  # fmt: skip
        if why:
            broken[schema, name] = why
    if not part.is_whole and (broken or not part.holds()):
        return None
    failed: dict[str, str] = {}
    for rule in chosen:
        lost = {one: broken[one] for one in recon_rules.reads(rule.sql) & broken.keys()}
        if why := min(lost.values()) if lost else _run(con, rule, settings.of(rule), part):
            failed[rule.name] = why
    return None if failed and not part.is_whole else failed


def _tried(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Run a statement of a rule; returns the kind of its error, "" where there was none.

    The words of an error hold values of records, and what is told of a rule is published. What
    spoils more than the one statement (disk, interruption, a file that broke) is raised.
    """
    return _said(lambda: con.execute(sql))


def _said(work: Callable[[], object]) -> str:
    try:
        work()
    except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException,
            duckdb.InterruptException):  # fmt: skip
        raise
    except duckdb.Error as error:
        return type(error).__name__.removesuffix("Exception")
    return ""


def _is_there(con: duckdb.DuckDBPyConnection, need: Need, known: dict[Need, bool]) -> bool:
    if need not in known:
        table = f"source.{quote(ENTITIES[need.entity].table)}"
        roles = ", ".join(literal(role) for role in need.roles)
        # Stream by stream: where a table has none of it, its blocks are passed over unread.
        streams = con.execute(
            f"SELECT DISTINCT connection, stream FROM recon.roles WHERE role IN ({roles})"
        ).fetchall() if need.roles else [()]  # fmt: skip
        known[need] = any(
            con.execute(
                f"SELECT 1 FROM {table} {'WHERE connection = ? AND stream = ?' if place else ''} "
                "LIMIT 1",
                place,
            ).fetchall()
            for place in streams
        )
    return known[need]


def _tolerate(con: duckdb.DuckDBPyConnection, own: Setting) -> None:
    con.execute(f"SET VARIABLE recon_tolerance = {own.tolerance}::DECIMAL(18,4)")


def _run(con: duckdb.DuckDBPyConnection, rule: Rule, own: Setting, part: Part) -> str:
    """Add what a rule finds to `recon_found`; returns the kind of its error, "" for none."""
    seconds = own.transit.total_seconds() if own.transit else 0
    _tolerate(con, own)
    con.execute(f"SET VARIABLE recon_transit = to_seconds({seconds})")
    began = f"timezone(getvariable('recon_zone'), TIMESTAMP '{own.since}')"
    since = f"WHERE happened_at IS NULL OR happened_at >= {began}" if own.since else ""
    known = {f.name for f in FOUND}
    own_columns = {part.split()[1] for part in rule.among.split(",") if part} - known
    least = f"* EXCLUDE ({', '.join(sorted(own_columns))})" if own_columns else "*"
    thing = things(rule.among) if rule.among else "NULL"
    return _tried(
        con,
        f"INSERT INTO recon_found BY NAME SELECT {least}, {thing} AS thing, "
        f"{literal(rule.name)} AS rule, "
        f"{literal(rule.kind)} AS kind, {literal(str(own.severity))} AS severity, "
        f"{own.tolerance} AS tolerance, happened_at + to_seconds({seconds}) AS timing_until "
        f"FROM ({part.text(rule)}) {since}",
    )
