"""Holds the systems against each other: runs the rules, keeps `recon.breaks` and `recon.rules`.

What several rules stand on is made once, in tables. Where a rule can, it is looked at only for what
hangs together with what changed (`recon_part.py`): what it finds is the same. A break is the same
thing as long as its rule and subject are, so it appears, ages, is explained, goes and comes back.
Nothing is done where nothing could have changed.

A rule that raises on odd data is told of and its breaks stay as they were: the others run.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

import duckdb

from warehouse import bounds, left_out, recon_rules
from warehouse.clock import iso
from warehouse.crashpoints import reach
from warehouse.ddl import columns_of, literal, quote
from warehouse.explained import FIGURES, Said, sides
from warehouse.recon_find import find
from warehouse.recon_part import Part
from warehouse.recon_rules import Rule, Setting, Settings
from warehouse.recon_tables import BREAKS, FOUND, RULES
from warehouse.store import Store
from warehouse.temptables import fill

MARK = "recon_mark"
RESTS = "recon_rests_until"
LONG, REST = 5.0, 20
"""A reconciliation that took so many seconds is not repeated before `REST` times as long."""
_KEY = "(f.rule || chr(31) || f.subject)"
_LEFT = "recon_found", "recon_next", "recon_said", "recon_set", left_out.FOUND


@dataclass(slots=True)
class Reconciled:
    """What a reconciliation found: `counts` of breaks by rule and status, resolved ones left out.

    `open` counts the open ones by severity and rule. `changed` is false where nothing was looked
    at; `appeared` and `resolved` count breaks of this run. `opens_at` is when there is something to
    do without a load, as ISO-8601: a break that is under way becomes open, a rest ends. `failed`
    names by severity the rules that could not run and the kind of their error; `left_out` what
    rules do not compare.
    """

    changed: bool = False
    appeared: int = 0
    resolved: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    open: dict[str, dict[str, int]] = field(default_factory=dict)
    opens_at: str | None = None
    failed: dict[str, dict[str, str]] = field(default_factory=dict)
    left_out: dict[str, dict[str, list[str]]] = field(default_factory=dict)


def reconcile(
    store: Store,
    *,
    now: datetime,
    settings: Settings | None = None,
    said: Mapping[tuple[str, str], Said] | None = None,
    rules: Sequence[Rule] | None = None,
) -> Reconciled:
    """Bring `recon.breaks` up to the store's golden and source rows, in one transaction.

    `said` is what people decided of breaks, `rules` are those of the project unless given. Looks at
    nothing where golden rows, roles, settings and decisions are as they were and no break has left
    its transit window; nor, where only rows changed, while it rests from a reconciliation that took
    long: all that is published waits for it.
    """
    settings, said = settings or Settings(), said or {}
    rules = recon_rules.rules() if rules is None else rules
    mark, run = _mark(store, settings, said, rules), str(store.meta("unified_run"))
    con, began = store.con, time.perf_counter()
    before, _, looked_at = (store.meta(MARK) or "").partition(" ")
    if (before, looked_at) == (mark, run) and not _is_due(con, now):
        return _counted(con, Reconciled())
    rests = store.meta(RESTS)
    if before == mark and rests and now < datetime.fromisoformat(rests):
        done = _counted(con, Reconciled())
        done.opens_at = min(filter(None, (done.opens_at, rests)), key=datetime.fromisoformat)
        return done

    def work() -> Reconciled:
        part: Part | None = None
        try:
            form = _form(store, settings, rules)
            applies, failed, part = find(store, rules, settings, now, form)
            habits = part.habits() if part.keeps and not failed else ""
            if not failed:
                part.keep()
            _take_said(con, said)
            _live(con, now, failed)
            with bounds.transaction(store):
                done = _write(con)
                left_out.write(con)
                _tell_rules(con, rules, settings, applies, failed, now)
                store.set_meta(MARK, f"{mark} {run}")
                if failed:
                    part.forget()
                else:
                    part.remember(habits)
                seconds = time.perf_counter() - began
                # After the first one the next need not look at everything.
                is_long = seconds > LONG and not (part.is_first and part.keeps and not failed)
                rest = timedelta(seconds=REST * seconds if is_long else 0)
                store.set_meta(RESTS, iso(now + rest))
                reach("reconcile.written")
            return done
        finally:
            if part is not None:
                part.end()
            _drop(con)

    with bounds.paired(store):
        return _counted(con, work())


def _mark(
    store: Store, settings: Settings, said: Mapping[tuple[str, str], Said], rules: Sequence[Rule]
) -> str:
    """Return what the outcome is a function of, but for time and the rows themselves."""
    said_last = max((one.sequence for one in said.values()), default=0)
    form = [*_form(store, settings, rules), said_last]
    return hashlib.sha256(json.dumps(form, default=str).encode()).hexdigest()


def _form(store: Store, settings: Settings, rules: Sequence[Rule]) -> list[object]:
    """Return what is found is a function of, but for the rows."""
    roles = store.con.execute(
        "SELECT coalesce(string_agg(concat_ws('/', connection, stream, role), ',' ORDER BY ALL), "
        "'') FROM recon.roles"
    ).fetchall()
    texts = [rule.sql for rule in rules] + [reason.sql for reason in left_out.reasons()]
    texts += [f"{n}{s}" for n, s in recon_rules.steps().items()]
    return [str(store.meta("store_id")), roles, texts, asdict(settings)]


def _is_due(con: duckdb.DuckDBPyConnection, now: datetime) -> bool:
    row = con.execute(
        "SELECT 1 FROM recon.breaks WHERE status = 'timing' AND timing_until <= ? LIMIT 1", [now]
    ).fetchall()
    return bool(row)


def _take_said(con: duckdb.DuckDBPyConnection, said: Mapping[tuple[str, str], Said]) -> None:
    columns = {"rule": "VARCHAR", "subject": "VARCHAR", "sequence": "BIGINT", "who": "VARCHAR",
               "why": "VARCHAR", "is_explained": "BOOLEAN", "expected": "DECIMAL(28,6)",
               "actual": "DECIMAL(28,6)", "expected_said": "VARCHAR",
               "actual_said": "VARCHAR", "sides": "VARCHAR"}  # fmt: skip
    fill(
        con, "recon_said", columns,
        ([*key, s.sequence, s.who, s.why, s.is_explained, *s.figures, s.sides]
         for key, s in said.items()),
    )  # fmt: skip


def _live(con: duckdb.DuckDBPyConnection, now: datetime, failed: Collection[str]) -> None:
    """Make the temp table `recon_next`: what `recon.breaks` is to be.

    Nobody knows whether breaks of rules that `failed` are gone: they stay, only time goes on.
    """
    found = {f.name: f"f.{quote(f.name)}" for f in FOUND}
    same = " AND ".join(f"f.{n} IS NOT DISTINCT FROM d.{n}" for n in FIGURES)
    same += f" AND coalesce(d.sides = {sides('f')}, true)"
    moment = f"TIMESTAMPTZ {literal(now.isoformat())}"
    # A record that keeps changing, or says a day to come, keeps its break under way no longer than
    # the window lasts from when it appeared.
    window = "(f.timing_until - f.happened_at)"
    until = (
        "CASE WHEN f.timing_until IS NULL THEN NULL "
        "WHEN o.status = 'timing' AND o.occurrences > 1 "
        "THEN least(f.timing_until, o.timing_until) ELSE least(f.timing_until, "
        f"if(o.status = 'resolved', NULL, o.first_seen) + {window}, {moment} + {window}) END"
    )
    new = found | {
        "break_id": "f.break_id",
        "kind": "f.kind",
        "severity": "f.severity",
        "difference": "f.actual - f.expected",
        "tolerance": "f.tolerance",
        "timing_until": until,
        "first_seen": f"coalesce(o.first_seen, {moment})",
        "last_seen": moment,
        "occurrences": "coalesce(o.occurrences, 0) + (o.status IS NULL OR o.status = 'resolved')"
        "::INT",
        # What was open once stays so until it is gone or explained.
        "status": f"CASE WHEN f.holds THEN 'explained' WHEN o.status IN ('open', "
        f"'explained') THEN 'open' WHEN {until} > {moment} THEN 'timing' ELSE 'open' END",
        "resolved_at": "NULL",
        "explained_by": "if(f.holds, f.who, NULL)",
        "explanation": "if(f.holds, f.why, NULL)",
        "decision": "if(f.holds, f.sequence, NULL)",
    }
    stays = f"o.rule IN ({', '.join(literal(name) for name in sorted(failed))})"
    stays = stays if failed else "false"
    gone = {f.name: f"o.{quote(f.name)}" for f in BREAKS.fields} | {
        "status": f"CASE WHEN NOT {stays} THEN 'resolved' WHEN o.status = 'timing' AND "
        f"o.timing_until <= {moment} THEN 'open' ELSE o.status END",
        "resolved_at": f"if({stays}, o.resolved_at, coalesce(o.resolved_at, {moment}))",
    }
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE recon_next AS WITH f AS (SELECT f.*, md5{_KEY}::UUID AS "
        f"break_id, coalesce(d.is_explained AND {same}, false) AS holds, d.who, d.why, d.sequence "
        "FROM recon_found f LEFT JOIN recon_said d ON d.rule = f.rule AND d.subject = f.subject "
        # One row a subject, whatever a source says twice.
        "QUALIFY row_number() OVER (PARTITION BY f.rule, f.subject ORDER BY f.happened_at, "
        "f.left_key, f.right_key, f.actual) = 1) "
        f"SELECT {', '.join(f'{new[n]} AS {n}' for n in BREAKS.names)} FROM f "
        f"LEFT JOIN {BREAKS.full} o ON o.break_id = f.break_id UNION ALL "
        f"SELECT {', '.join(gone[n] for n in BREAKS.names)} FROM {BREAKS.full} o "
        "WHERE o.break_id NOT IN (SELECT break_id FROM f)"
    )


def _write(con: duckdb.DuckDBPyConnection) -> Reconciled:
    rows = con.execute(
        f"SELECT count(*) FILTER (n.status <> 'resolved' AND coalesce(o.status, 'resolved') = "
        "'resolved'), count(*) FILTER (n.status = 'resolved' AND o.status <> 'resolved') "
        f"FROM recon_next n LEFT JOIN {BREAKS.full} o ON o.break_id = n.break_id"
    ).fetchall()
    con.execute(f"DELETE FROM {BREAKS.full}")
    con.execute(
        f"INSERT INTO {BREAKS.full} ({columns_of(BREAKS.names)}) SELECT * FROM recon_next "
        "ORDER BY rule, subject"
    )
    return Reconciled(True, int(rows[0][0]), int(rows[0][1]))


def _tell_rules(
    con: duckdb.DuckDBPyConnection,
    rules: Sequence[Rule],
    settings: Settings,
    applies: Mapping[str, bool],
    failed: Mapping[str, str],
    now: datetime,
) -> None:
    """Write `recon.rules`: settings and texts, when each ran last, and how many it has found."""
    names = RULES.names[:-3]  # but for the counts
    kinds = {f.name: f.sql_type for f in RULES.fields if f.name in names}
    told = [_told(r, settings.of(r), applies[r.name], now, failed.get(r.name)) for r in rules]
    fill(con, "recon_set", kinds, told)
    counts = ", ".join(
        f"count(*) FILTER (b.status = '{word}') AS {word}_count"
        for word in ("open", "timing", "explained")
    )
    before = "(SELECT max(r.ran_at) FROM recon.rules r WHERE r.rule = s.rule)"
    ran = f"if(s.is_on AND s.applies AND s.failed IS NULL, s.ran_at, {before})"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE recon_told AS SELECT s.* REPLACE ({ran} AS ran_at), "
        f"{counts} FROM recon_set s LEFT JOIN {BREAKS.full} b ON b.rule = s.rule GROUP BY ALL"
    )
    con.execute(f"DELETE FROM {RULES.full}")
    con.execute(f"INSERT INTO {RULES.full} BY NAME SELECT * FROM recon_told ORDER BY rule")
    con.execute("DROP TABLE recon_told")


def _told(
    rule: Rule, own: Setting, applies: bool, now: datetime, failed: str | None
) -> list[object]:
    seconds = int(own.transit.total_seconds()) if own.transit is not None else 0
    return [
        rule.name, rule.kind, own.severity, rule.en, rule.zh, rule.do_en, rule.do_zh,
        rule.needs_said, str(own.tolerance), seconds, own.since and own.since.isoformat(),
        not own.is_off, applies, now.isoformat(), failed,
    ]  # fmt: skip


def _counted(con: duckdb.DuckDBPyConnection, done: Reconciled) -> Reconciled:
    """Add how many breaks there are, and what could not run."""
    for severity, rule, why in con.execute(
        "SELECT severity, rule, failed FROM recon.rules WHERE failed IS NOT NULL ORDER BY ALL"
    ).fetchall():
        done.failed.setdefault(severity, {})[rule] = why
    done.left_out = left_out.by_rule(con)
    for rule, severity, status, many in con.execute(
        "SELECT rule, severity, status, count(*) FROM recon.breaks WHERE status <> 'resolved' "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        done.counts.setdefault(rule, {})[status] = int(many)
        if status == "open":
            done.open.setdefault(severity, {})[rule] = int(many)
    ((opens_at,),) = con.execute(
        "SELECT min(timing_until) FROM recon.breaks WHERE status = 'timing'"
    ).fetchall()
    done.opens_at = iso(opens_at) if opens_at else None
    return done


def _drop(con: duckdb.DuckDBPyConnection) -> None:
    for name in (*_LEFT, *(recon_rules.temp_name(*one) for one in recon_rules.steps())):
        con.execute(f"DROP TABLE IF EXISTS temp.{name}")
    for name in ("now", "tolerance", "transit"):
        con.execute(f"RESET VARIABLE recon_{name}")
