"""Puts rows back that the store lost: their records are applied again from the landing.

Nobody asks the source: a record that equals the last landed one would not be landed again. Of the
records of a key the one is chosen that the loader kept: what the store still has of it, else the
newest version that breaks no rule. So a row comes back as it was; history stands as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import duckdb

from warehouse import bounds, intake, landed, temptables, versions
from warehouse.apply import Load
from warehouse.batch import Batch
from warehouse.bounds import with_more
from warehouse.ddl import literal, source_table
from warehouse.intake import Intake
from warehouse.landing import Landing
from warehouse.load import apply_records, stage_records
from warehouse.model.plan import StreamPlan
from warehouse.session import Now, moment, next_load, session
from warehouse.stage import Staged, make_room
from warehouse.stock import Place, keep
from warehouse.store import Store

SLICE = 50_000
"""Records that one transaction puts back, and the other records of their keys."""


def put_back(
    store: Store, landing: Landing, plan: StreamPlan, places: Sequence[Place], *, now: Now
) -> int:
    """Apply the landed records at `places` again; returns of how many records rows came back.

    `places` are `Stock.places()`: all records of the keys that are short of a row. The lock of the
    store is held by the caller. Raises LandingDamaged, MappingMismatch or LoadError; then nothing
    of the failing transaction is written.
    """
    named = landing.decisions.named(plan.connection, plan.stream, "trust_source")
    trusted = {n.batch for n in named}
    with session(store, plan):
        with bounds.transaction(store) as con:
            make_room(con, plan)
        for some in _slices(places):
            work = partial(_put, store, landing, plan, some, trusted, now)
            with_more(store, work, unless=bounds.is_undone)
        if places:
            bounds.checkpoint(store)
    return len({p.key for p in places})


def _put(
    store: Store,
    landing: Landing,
    plan: StreamPlan,
    places: Sequence[Place],
    trusted: set[int],
    now: Now,
) -> None:
    """Put the rows of one slice back; what of it was written is left as it is when done again."""
    numbers = sorted({p.batch for p in places})
    batches = [landing.batch(plan.connection, plan.stream, n) for n in numbers]
    trusted = trusted | {b.sequence for b in batches if b.sidecar.trust}
    columns = {"batch": "bigint", "position": "bigint", "key": "varchar",
               "first_at": "timestamptz"}  # fmt: skip
    rows = ((p.batch, p.position, p.key, p.first_at.isoformat()) for p in places)
    temptables.fill(store.con, "chosen", columns, rows)
    for taken in _read(store.con, plan, batches):
        _apply(store, plan, taken, trusted, now)


def _slices(places: Sequence[Place]) -> list[list[Place]]:
    """Return the places in slices that keep the records of a key together."""
    found: list[list[Place]] = []
    for place in sorted(places, key=lambda p: (p.key, p.batch, p.position)):
        if not found or (len(found[-1]) >= SLICE and found[-1][-1].key != place.key):
            found.append([])
        found[-1].append(place)
    return found


def _read(
    con: duckdb.DuckDBPyConnection, plan: StreamPlan, batches: Sequence[Batch]
) -> Iterator[Intake]:
    """Fill `record_paths` with the chosen records of all batches, file by file.

    More than one intake comes only where the landed tables changed their form on the way.
    """
    under_way: Intake | None = None
    files: list[tuple[int, int, str]] = []
    for some in landed.groups(batches):
        taken = intake.read(con, plan, some)
        keep(con, "chosen")
        taken.bad = _chosen(con, taken)
        # Numbers of files are those of the batches from here on, whatever group they came in.
        con.execute(
            "create or replace temp table some_paths as select p.* replace"
            f" (f.batch as file_no, f.batch * {plan.step} + p.n % {plan.step} as n)"
            " from record_paths as p join landed_files as f on f.file_no = p.file_no"
        )
        said = some[0].sidecar.encoding, taken.types
        if under_way is not None and said != (
            under_way.batches[0].sidecar.encoding, under_way.types
        ):  # fmt: skip
            yield _whole(con, under_way, files)
            under_way, files = None, []
        if under_way is None:
            con.execute("create or replace temp table all_chosen as select * from some_paths")
            under_way = Intake(list(some), taken.bad, slow=True, types=taken.types)
        else:
            con.execute("insert into all_chosen by name select * from some_paths")
            under_way.batches += some
            under_way.bad += taken.bad
        files += [(b.sequence, b.sequence, b.sidecar.ended_at) for b in some]
    if under_way is not None:
        yield _whole(con, under_way, files)
    for name in ("record_paths", "some_paths", "all_chosen"):
        con.execute(f"drop table if exists temp.{name}")


def _chosen(con: duckdb.DuckDBPyConnection, taken: Intake) -> list[intake.BadLine]:
    if not taken.bad:
        return []
    places = set(con.execute("select batch, position from chosen").fetchall())
    return [b for b in taken.bad if (b.batch, b.position) in places]


def _whole(
    con: duckdb.DuckDBPyConnection, taken: Intake, files: Sequence[tuple[int, int, str]]
) -> Intake:
    con.execute("create or replace temp table record_paths as select * from all_chosen")
    columns = {"file_no": "bigint", "batch": "bigint", "ended_at": "timestamptz"}
    temptables.fill(con, "landed_files", columns, files)
    return taken


def _apply(store: Store, plan: StreamPlan, taken: Intake, trusted: set[int], now: Now) -> None:
    con = store.con
    rows = stage_records(con, plan, taken)
    _choose(con, plan, rows.targets, trusted)
    with bounds.transaction(store, bounds.for_commit(store)):
        load = Load(con, plan, next_load(con), moment(now))
        for staged in rows.targets:
            _remove_short(load, staged)
            _remove_orphans(load, staged)
        apply_records(load, rows, vanished=False)
        _as_before(load)
        # No batch has this number: the next load must not take it again.
        store.set_meta("load_floor", str(load.load_id))


def _choose(
    con: duckdb.DuckDBPyConnection,
    plan: StreamPlan,
    targets: Sequence[Staged],
    trusted: set[int],
) -> None:
    """Leave one record of each key in what was staged: the one that the loader kept."""
    first = plan.targets[0]
    told = " union all ".join(
        f"select n, record_key, of_batch, of_position, version, len(errors) > 0 as bad"
        f" from {s.table}" for s in targets
    )  # fmt: skip
    place = f"connection = {literal(plan.connection)} and stream = {literal(plan.stream)}"
    later = f"of_batch in ({', '.join(map(str, sorted(trusted)))})" if trusted else "false"
    con.execute(
        f"""
        create or replace temp table kept as
        with told as (
            select n, record_key, of_batch, of_position, max(version) as version,
                bool_or(bad) as bad
            from ({told}) group by all
        ),
        beside as (
            select t.*, o.batch is not null as is_held,
                max(case when {later} then of_batch end) over (partition by t.record_key) as since
            from told as t
            left join (select * from {source_table(first.entity).full} where {place}) as o
                on o.record_key = t.record_key and o.batch = t.of_batch
                    and o.position = t.of_position
        )
        select n from beside
        qualify row_number() over (
            partition by record_key
            order by is_held desc, of_batch >= coalesce(since, 0) desc, bad,
                {versions.newest_first("version", first.version_as)},
                of_batch desc, of_position desc) = 1
        """
    )
    for staged in targets:
        con.execute(f"delete from {staged.table} where n not in (select n from kept)")
        con.execute(f"update {staged.table} set layer = 1")
        staged.layers = 1
        staged.older.clear()
        staged.same.clear()
        if staged.is_further:
            con.execute(f"delete from {staged.table}_made where n not in (select n from kept)")
    con.execute("drop table kept")


def _remove_short(load: Load, staged: Staged) -> None:
    """Remove rows that own fewer or more rows than their very record has: they come again whole."""
    table = source_table(staged.target.entity).full
    for child, (entity, _) in staged.children.items():
        load.con.execute(
            f"""
            delete from {table} where {load.place} and source_key in (
                select s.source_key from {staged.table} as s
                join (select source_key, row_hash from {table} where {load.place}) as o
                    on o.source_key = s.source_key and o.row_hash = s.row_hash
                left join (select n, count(*) as many from {child} group by n) as c on c.n = s.n
                left join (
                    select parent_key, count(*) as many from {source_table(entity).full}
                    where {load.place} group by parent_key
                ) as k on k.parent_key = s.source_key
                where not s.deleted and coalesce(c.many, 0) <> coalesce(k.many, 0))
            """
        )


def _remove_orphans(load: Load, staged: Staged) -> None:
    """Remove owned rows whose owner is gone: they come again with it."""
    table = source_table(staged.target.entity).full
    for entity, _ in staged.children.values():
        load.con.execute(
            f"delete from {source_table(entity).full} where {load.place}"
            f" and parent_key in (select source_key from {staged.table})"
            f" and parent_key not in (select source_key from {table} where {load.place})"
        )


def _as_before(load: Load) -> None:
    """Give the rows that came back the times and marks that they had."""
    for entity in dict.fromkeys(t.entity for t in load.plan.targets):
        table = source_table(entity).full
        mine = f"{load.place} and load_id = {load.load_id}"
        load.con.execute(
            f"""
            update {table} as o set first_seen_at = c.first_at
            from (select key, min(first_at) as first_at from chosen group by key) as c
            where {mine} and o.record_key = c.key and c.first_at < o.first_seen_at
            """
        )
        load.con.execute(
            f"""
            update {table} as o set newer_in_quarantine = true
            where {mine} and exists (
                select 1 from (select * from ops.quarantine where {load.place}) as q
                where q.status = 'open' and q.entity = {literal(entity)}
                    and q.source_key = o.source_key
                    and (q.batch, q.position) > (o.batch, o.position))
            """
        )
