"""The loader: landed batches into `source.*`, one transaction for one or several, in order.

A batch is applied together with its row in ops.batches, so a killed load is rolled back and applied
again, and a batch that was applied is not applied twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import duckdb
import msgspec

from warehouse import bounds, crashpoints, intake, links, ops_tables, stage, temptables
from warehouse.apply import Load, apply, count_left_out, quarantine_lines, references
from warehouse.batch import Batch
from warehouse.bounds import with_more
from warehouse.clock import iso
from warehouse.ddl import quote
from warehouse.erase.erasures import ALL
from warehouse.intake import Intake
from warehouse.landing import Landing
from warehouse.model.plan import StreamPlan
from warehouse.pending import Pending, find, trust
from warehouse.session import (
    Now,
    checkpoint_at_commit,
    moment,
    next_load,
    session,
)
from warehouse.settle import discard_entries, expect_decisions
from warehouse.stage import Staged
from warehouse.store import Store
from warehouse.tombstones import apply_deletions, apply_outside, apply_vanished

MAX_RECORDS = 100_000  # records a transaction takes, unless one batch alone has more
MAX_ROWS = 2 * 122_880
"""The same for rows of tables: whole row groups of DuckDB, which an insert of more than one writes
as they are, while rows in smaller numbers go to the log first and wait in memory."""


@dataclass(slots=True)
class LoadReport:
    """What a load did. `read` are records of the batches; `batches` their number.

    read = inserted + updated + unchanged + quarantined + deleted + refused + skipped, counted by
    rows: a record that makes rows of several entities counts once for each. `held` are deletions
    that wait for a decision; `void` are decisions that were not applied (see `pending.find`).
    """

    batches: int = 0
    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    quarantined: int = 0
    deleted: int = 0
    refused: int = 0
    held: int = 0
    load_ids: list[int] = field(default_factory=list)
    warnings: dict[str, int] = field(default_factory=dict)
    void: dict[str, int] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """Rows of the store that are other than before."""
        return self.inserted + self.updated + self.deleted


def load_pending(
    store: Store,
    landing: Landing,
    plan: StreamPlan,
    *,
    now: Now,
    trust_source: bool = False,
    report: LoadReport | None = None,
) -> LoadReport:
    """Apply all landed batches of the plan's stream that are not in ops.batches.

    `trust_source` takes older versions too (after a restore at the source); that is a decision and
    is written down as one. `report` is one to go on with: it has what was committed, also where a
    later transaction failed. Raises LandingDamaged, DecisionError, MappingMismatch or LoadError;
    then nothing of the failing transaction is written.
    """
    report = report or LoadReport()
    load = partial(
        _load_pending, landing=landing, plan=plan, now=now, trust_source=trust_source,
        report=report,
    )  # fmt: skip
    try:
        load(store)
    except duckdb.Error as error:
        if not bounds.is_committed(error) and not bounds.is_undone(error):
            raise
        store.reopen()
        load(store)
    return report


def _load_pending(
    store: Store,
    landing: Landing,
    plan: StreamPlan,
    now: Now,
    trust_source: bool,
    report: LoadReport,
) -> None:
    expect_decisions(store, landing)
    with session(store, plan):
        work = find(store, landing, plan)
        report.held = work.held
        report.void |= work.void
        pending = work.batches
        if trust_source:
            pending = trust(landing, plan, pending, moment(now))
            expect_decisions(store, landing)
        discarded = {
            (int(r["batch"]), int(r["position"]), str(r["entity"])) for r in work.discarded
        }
        if pending:
            with bounds.transaction(store) as con:
                stage.make_room(con, plan)
        groups = list(_groups(pending))
        for group in groups:
            if group is groups[-1]:
                checkpoint_at_commit(store)
            apply = partial(_apply_group, store, plan, group, moment(now), discarded, report)
            with_more(store, apply, unless=bounds.is_undone)
        if not pending:
            with bounds.transaction(store) as con:
                references(Load(con, plan, 0, moment(now)))
        changed = discard_entries(
            store, plan.connection, plan.stream, work.discarded, moment(now)
        ) if work.discarded else 0  # fmt: skip
        if pending or changed:
            bounds.checkpoint(store)
            crashpoints.reach("load.checkpointed")


def _groups(pending: Sequence[Pending]) -> Iterator[list[Pending]]:
    """Yield runs of batches that one transaction takes: of one content and encoding."""
    group: list[Pending] = []
    rows = 0
    for one in pending:
        side = one.batch.sidecar
        if group:
            last = group[-1].batch.sidecar
            other = (side.content, side.encoding) != (last.content, last.encoding)
            most = MAX_ROWS if side.encoding == "parquet" else MAX_RECORDS
            if other or rows + side.rows > most:
                yield group
                group, rows = [], 0
        group.append(one)
        rows += side.rows
    if group:
        yield group


def _apply_group(
    store: Store,
    plan: StreamPlan,
    group: Sequence[Pending],
    at: datetime,
    discarded: set[tuple[int, int, str]],
    report: LoadReport,
) -> None:
    batches = [p.batch for p in group]
    full = [b for b in batches if b.sidecar.rows and b.sidecar.content == "records"]
    con = store.con
    taken = intake.read(con, plan, full) if full else None
    rows = stage_records(con, plan, taken, discarded) if taken else StagedRecords()
    con.execute("drop table if exists temp.record_paths")  # as large as the batches themselves
    try:
        with bounds.transaction(store, bounds.for_commit(store)):
            crashpoints.reach("load.begun")
            load = Load(
                con, plan, next_load(con), at,
                frozenset(p.batch.sequence for p in group if p.trusted),
            )  # fmt: skip
            apply_records(load, rows)
            for one in group:
                if one.batch.sidecar.content == "deletions":
                    apply_deletions(load, one.batch, one.left_out)
            references(load)
            _enter(load, batches)
            crashpoints.reach("load.written")
    except duckdb.FatalException as error:
        if bounds.is_committed(error):
            _tell(report, load, batches, rows.warnings)
        raise
    crashpoints.reach("load.committed")
    _tell(report, load, batches, rows.warnings)


@dataclass(slots=True)
class StagedRecords:
    """Everything staged of some batches.

    `bad` gives (entity, rule) the unreadable records with a reason; `discarded` counts, by batch,
    those that a person discarded.
    """

    targets: list[Staged] = field(default_factory=list)
    bad: dict[tuple[str, str], dict[tuple[int, int], str]] = field(default_factory=dict)
    discarded: Counter[int] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)


def stage_records(
    con: duckdb.DuckDBPyConnection,
    plan: StreamPlan,
    taken: Intake,
    discarded: Set[tuple[int, int, str]] = frozenset(),
    entities: Set[str] | None = None,
) -> StagedRecords:
    """Stage what was taken in, for every target or those of `entities`; no transaction is open."""
    found = StagedRecords()
    plan = plan.over(taken.types)
    found.warnings.update(taken.warnings)
    main: Staged | None = None
    for number, target in enumerate(plan.targets):
        left_out = {(b, p) for b, p, e in discarded if e == target.entity}
        erased = _erased(taken.batches, target.entity)
        if number == 0:
            lines = {(b.batch, b.position): b.reason for b in taken.bad}
            found.bad[target.entity, "malformed"] = {
                place: why for place, why in lines.items() if place not in left_out | erased
            }
            found.discarded.update(batch for batch, _ in lines.keys() & left_out)
        if entities is not None and target.entity not in entities:
            continue
        staged = stage.stage(
            con,
            target,
            f"staged_{number}",
            main=main,
            further=number > 0,
            records=plan.records if number == 0 else "",
            step=0 if taken.slow else plan.step,
        )
        main = main or (staged if number == 0 else None)
        if staged.failed:
            places = _places(con, staged.failed)
            said = f"the mapping's SQL raises on this record ({staged.reason})"
            found.bad[target.entity, "statement"] = {
                p: said for p in places if p not in left_out | erased
            }
        stage.leave_out(con, staged, erased)
        found.discarded.update(stage.leave_out(con, staged, left_out))
        found.warnings += stage.count_warnings(con, staged)
        found.targets.append(staged)
    return found


def _erased(batches: Sequence[Batch], entity: str) -> set[tuple[int, int]]:
    """Return the records of which no row is made any more: a person's that was erased."""
    return {
        (batch.sequence, position)
        for batch in batches
        for position, entities in batch.sidecar.erased.items()
        if ALL in entities or entity in entities
    }


def apply_records(load: Load, rows: StagedRecords, *, vanished: bool = True) -> None:
    """Write what was staged, inside the transaction.

    `vanished` looks for rows of every further target that their record does not make any more; a
    replay stages some targets only, and looks at those.
    """
    for batch, count in rows.discarded.items():
        load.counts[batch]["quarantined"] += count
    for (entity, rule), lines in rows.bad.items():
        quarantine_lines(load, lines, rule, entity)
    for staged in rows.targets:
        count_left_out(load, staged)
    several = len(load.plan.targets) > 1
    if several:
        links.adopt(load)
    also = [t for t in rows.targets if t.is_further]
    main = next((t for t in rows.targets if not t.is_further), None)
    for some in _passes(load.con, rows.targets):
        if main is not None:
            apply(load, main, some, verdicts=several)
        if several:
            links.judge(load, main, also, some)
        for other in also:
            apply(load, other, links.counted(load, other, some))
        if several:
            apply_vanished(load, main, also, some, partial=not vanished)
        if vanished and main is not None and main.outside:
            apply_outside(load, main.target, some)


def _passes(con: duckdb.DuckDBPyConnection, targets: Sequence[Staged]) -> list[str]:
    """Return the conditions of passes in which no key stands twice, in the batches' order."""
    if not any(t.is_further or t.outside for t in targets):
        layers = max((t.layers for t in targets), default=1)
        return ["true"] if layers == 1 else [f"s.layer = {n}" for n in range(1, layers + 1)]
    # Rows of one record stand under several keys, and a row may go over from one record to another:
    # batch by batch keeps them together and history the same however many batches came at once.
    batches = con.execute("select distinct batch from landed_files order by 1").fetchall()
    return [f"s.of_batch = {batch}" for (batch,) in batches]


def _places(con: duckdb.DuckDBPyConnection, failed: Sequence[int]) -> list[tuple[int, int]]:
    return con.execute(
        "select f.batch, p.position from record_paths as p join landed_files as f using (file_no)"
        f" where p.n in ({', '.join(map(str, failed))})"
    ).fetchall()


_ENTERED = (
    "load_id", "connection", "stream", "batch", "content", "mode", "rows", "loaded", "inserted",
    "updated", "unchanged", "quarantined", "deleted", "refused", "mapping", "sha256", "read",
    "bookmark", "started_at", "ended_at", "loaded_at",
)  # fmt: skip


def _enter(load: Load, batches: Sequence[Batch]) -> None:
    """Write the rows of ops.batches."""
    rows = []
    for batch in batches:
        side, count = batch.sidecar, load.counts[batch.sequence]
        passed = ("inserted", "updated", "unchanged", "deleted", "refused")
        rows.append(
            (
                load.load_id, side.connection, side.stream, side.sequence, side.content, side.mode,
                side.rows, sum(count[name] for name in passed), count["inserted"],
                count["updated"], count["unchanged"], count["quarantined"], count["deleted"],
                count["refused"], load.plan.version, side.sha256, side.read,
                msgspec.json.encode(side.bookmark).decode() if side.bookmark is not None else None,
                side.started_at, side.ended_at, iso(load.loaded_at),
            )
        )  # fmt: skip
    types = {f.name: f.sql_type for f in ops_tables.BATCHES.fields}
    temptables.fill(load.con, "entered", {name: types[name] for name in _ENTERED}, rows)
    names = ", ".join(map(quote, _ENTERED))
    load.con.execute(f"insert into ops.batches ({names}) select {names} from entered")


def _tell(report: LoadReport, load: Load, batches: Sequence[Batch], warnings: Counter[str]) -> None:
    report.batches += len(batches)
    report.load_ids.append(load.load_id)
    report.read += sum(b.sidecar.rows for b in batches if b.sidecar.content == "records")
    for batch in batches:
        count = load.counts[batch.sequence]
        report.inserted += count["inserted"]
        report.updated += count["updated"]
        report.unchanged += count["unchanged"]
        report.quarantined += count["quarantined"]
        report.deleted += count["deleted"]
        report.refused += count["refused"]
    for text, number in warnings.items():
        report.warnings[text] = report.warnings.get(text, 0) + number
