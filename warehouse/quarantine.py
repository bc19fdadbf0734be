"""Records that a rule kept out: list them, look at them, replay them, discard them.

The store holds where a record stands and why it was put aside; the record itself is read from the
landing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import duckdb

from warehouse import bounds, intake, temptables
from warehouse.apply import Load
from warehouse.clock import iso
from warehouse.ddl import literal, source_table
from warehouse.errors import DecisionError
from warehouse.landing import Landing
from warehouse.load import MAX_RECORDS, apply_records, stage_records
from warehouse.model.plan import StreamPlan
from warehouse.pending import sums_of
from warehouse.session import Now, moment, next_load, session
from warehouse.settle import discard_entries, expect_decisions
from warehouse.stage import make_room
from warehouse.store import Store

_COLUMNS = (
    "id", "connection", "stream", "batch", "position", "entity", "source_key", "field", "rule",
    "reason", "mapping", "first_at", "last_at", "status",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of ops.quarantine."""

    id: str
    connection: str
    stream: str
    batch: int
    position: int
    entity: str
    source_key: str | None
    field: str | None
    rule: str
    reason: str
    mapping: str
    first_at: datetime
    last_at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What became of replayed entries: `superseded` ones met a newer version in the store."""

    replayed: int = 0
    superseded: int = 0
    still_broken: int = 0


def list_(
    con: duckdb.DuckDBPyConnection,
    *,
    connection: str | None = None,
    stream: str | None = None,
    status: str | None = "open",
    ids: Sequence[str] | None = None,
    limit: int | None = None,
) -> list[Entry]:
    """Return entries, the latest first. Works on the store and on the published file."""
    wanted = {"connection": connection, "stream": stream, "status": status}
    where = [f"{name} = {literal(value)}" for name, value in wanted.items() if value is not None]
    if ids is not None:
        where.append(f"id in ({', '.join(map(literal, ids)) or 'null'})")
    sql = f"select {', '.join(_COLUMNS)} from ops.quarantine"
    sql += f" where {' and '.join(where)}" if where else ""
    sql += " order by last_at desc, id"
    sql += f" limit {int(limit)}" if limit is not None else ""
    return [Entry(*row) for row in con.execute(sql).fetchall()]


def show(con: duckdb.DuckDBPyConnection, landing: Landing, id: str) -> tuple[Entry, bytes]:
    """Return an entry and its record as it was landed. Raises DecisionError, LandingError."""
    found = list_(con, status=None, ids=[id])
    if not found:
        raise DecisionError(
            f"there is no entry {id!r} in quarantine.", "list the quarantine and take an id."
        )
    (entry,) = found
    return entry, landing.record(entry.connection, entry.stream, entry.batch, entry.position)


def replay(
    store: Store,
    landing: Landing,
    plan: StreamPlan,
    ids: Sequence[str] | None = None,
    *,
    now: Now,
) -> ReplayReport:
    """Run open entries of the plan's stream (all, or those of `ids`) under the mapping of now.

    The version guard holds: a record that a newer one has overtaken is not applied. Rows keep the
    batch and position of their record, so a rebuild under the same mapping makes the same rows.
    """
    chosen = list_(store.con, connection=plan.connection, stream=plan.stream, ids=ids)
    report = ReplayReport()
    with session(store, plan):
        for some in _chunks(landing, plan, chosen):
            done = _replay(store, landing, plan, some, moment(now))
            report = replace(report, **{k: v + asdict(report)[k] for k, v in asdict(done).items()})
        if chosen:
            bounds.checkpoint(store)
    return report


def discard(
    store: Store,
    landing: Landing,
    ids: Sequence[str],
    *,
    why: str,
    now: Now,
    who: str = "",
) -> int:
    """Decide that open entries are never to be loaded; returns how many. Raises DecisionError."""
    found = list_(store.con, ids=ids)
    missing = sorted(set(ids) - {e.id for e in found})
    if missing:
        raise DecisionError(
            f"{missing[0]!r} is no open entry of the quarantine.",
            "list the quarantine: it may have been replayed or discarded already.",
        )
    at = moment(now)
    expect_decisions(store, landing)
    for place in sorted({(e.connection, e.stream) for e in found}):
        sums = sums_of(store.con, place)
        records = [
            asdict(e)
            | {"first_at": iso(e.first_at), "last_at": iso(e.last_at), "sha256": sums[e.batch]}
            for e in found if (e.connection, e.stream) == place
        ]  # fmt: skip
        about = {"connection": place[0], "stream": place[1], "records": records}
        landing.decisions.append("discard", why=why, who=who, at=at, about=about)
        discard_entries(store, *place, records, at)
    expect_decisions(store, landing)
    store.checkpoint()
    return len(found)


def _chunks(landing: Landing, plan: StreamPlan, entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Yield entries by batches that one transaction takes, one encoding at a time."""
    some: list[Entry] = []
    rows, encoding = 0, ""
    for number in sorted({e.batch for e in entries}):
        side = landing.batch(plan.connection, plan.stream, number).sidecar
        if some and (rows + side.rows > MAX_RECORDS or side.encoding != encoding):
            yield some
            some, rows = [], 0
        some += [e for e in entries if e.batch == number]
        rows, encoding = rows + side.rows, side.encoding
    if some:
        yield some


def _replay(
    store: Store, landing: Landing, plan: StreamPlan, entries: Sequence[Entry], at: datetime
) -> ReplayReport:
    con = store.con
    numbers = sorted({e.batch for e in entries})
    batches = [landing.batch(plan.connection, plan.stream, n) for n in numbers]
    taken = intake.read(con, plan, batches)
    first = plan.targets[0].entity if plan.targets else ""
    places = {(e.batch, e.position) for e in entries}
    # A record that could not be read had no rows of any entity.
    unread = {(e.batch, e.position) for e in entries if e.rule == "malformed"}
    _keep(con, places)
    taken.bad = [b for b in taken.bad if (b.batch, b.position) in places]
    entities = {e.entity for e in entries}
    if unread:
        entities |= {t.entity for t in plan.targets}
    others = {
        (*place, t.entity)
        for t in plan.targets
        for place in places - {(e.batch, e.position) for e in entries if e.entity == t.entity}
        if place not in unread
    }
    with bounds.transaction(store):
        make_room(con, plan)
    rows = stage_records(con, plan, taken, others, entities)
    with bounds.transaction(store):
        load = Load(con, plan, next_load(con), at)
        apply_records(load, rows, vanished=False)
        counts = _close(load, entries, first)
    return counts


def _keep(con: duckdb.DuckDBPyConnection, places: set[tuple[int, int]]) -> None:
    temptables.fill(con, "chosen", {"batch": "bigint", "position": "bigint"}, sorted(places))
    con.execute(
        """
        delete from record_paths where n not in (
            select p.n from record_paths as p join landed_files as f using (file_no)
            join chosen as c on c.batch = f.batch and c.position = p.position)
        """
    )


def _close(load: Load, entries: Sequence[Entry], first: str) -> ReplayReport:
    """Close the entries that are not broken any more."""
    con = load.con
    broken = {
        i
        for (i,) in con.execute(
            f"select id from ops.quarantine where {load.place} and load_id = {load.load_id}"
            " and status = 'open'"
        ).fetchall()
    }
    done = {"replayed": 0, "superseded": 0, "still_broken": 0}
    for entry in entries:
        if entry.id in broken:
            done["still_broken"] += 1
            continue
        entity = entry.entity or first
        held = con.execute(
            f"select 1 from {source_table(entity).full} where {load.place}"
            f" and batch = {entry.batch} and position = {entry.position} limit 1"
        ).fetchone()
        status = "replayed" if held else "superseded"
        done[status] += 1
        con.execute(
            "update ops.quarantine set status = ?, last_at = ?, mapping = ?, load_id = ?"
            " where id = ?",
            [status, load.loaded_at, load.plan.version, load.load_id, entry.id],
        )
    return ReplayReport(**done)
