"""Applies batches of deletions: the row stays as a tombstone, its children go.

Deletions are ordered by the log, not by version: a key that a proved scan did not see was gone at
its start, whatever stamp its last version carries (clocks differ), and a record that was read later
is there again. So only rows of earlier batches are marked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from warehouse import ddl, history, links, temptables, versions
from warehouse.apply import Load
from warehouse.batch import Batch
from warehouse.model.plan import TargetPlan
from warehouse.stage import Staged


def apply_deletions(load: Load, batch: Batch, left_out: Collection[str] = ()) -> None:
    """Mark the rows that only the records named by `batch` made as gone, in every table."""
    batch.verify()
    rows = [(k, at, n) for n, (k, at) in enumerate(batch.deletions(), 1) if k not in left_out]
    columns = {"record_key": "varchar", "gone_at": "timestamptz", "position": "bigint"}
    temptables.fill(load.con, "gone", columns, rows)
    side = batch.sidecar
    reason = "absent_in_full_scan" if side.complete else "tombstone_feed"
    if len(load.plan.targets) > 1:
        links.adopt(load)
    first = load.plan.targets[0]
    load.con.execute(
        f"""
        create or replace temp table ceased as
        select record_key, null::varchar as version, {batch.sequence} as of_batch,
            position as of_position, {ddl.literal(side.ended_at)}::timestamptz as ended_at, gone_at
        from gone where record_key not in (
            select {_own(load)} from {ddl.source_table(first.entity).full}
            where {load.place} and not is_deleted and batch >= {batch.sequence})
        """
    )
    _bury_ceased(load, reason)
    load.con.execute(
        f"""
        update ops.quarantine as q
        set status = 'superseded', last_at = {ddl.literal(side.ended_at)}::timestamptz,
            load_id = {load.load_id}
        from gone as g
        where {load.place} and q.source_key = g.record_key and q.status = 'open'
            and q.batch < {batch.sequence}
        """
    )


def apply_outside(load: Load, main: TargetPlan, rows: str) -> None:
    """Mark what records made as gone that fail the main `where` now: a draft again, a test order.

    `rows` is the condition (over `s`) of the records meant.
    """
    moved = versions.order("s.version", "o.version", main.version_as) if main.has_version else "0"
    if load.trusted:
        trusted = ", ".join(map(str, sorted(load.trusted)))
        moved = f"(case when s.of_batch in ({trusted}) then 0 else {moved} end)"
    load.con.execute(
        f"""
        create or replace temp table ceased as
        select s.record_key, s.version, s.of_batch, s.of_position, s.ended_at,
            s.ended_at as gone_at
        from outside as s
        join (select * from {ddl.source_table(main.entity).full} where {load.place}) as o
            on o.{_own(load)} = s.record_key
        where {rows} and not o.is_deleted and ({moved} > 0 or ({moved} = 0
            and (s.of_batch, s.of_position) > (o.batch, o.position)))
        """
    )
    _bury_ceased(load, "source_flag")
    load.con.execute(
        f"""
        update ops.quarantine as q
        set status = 'superseded', last_at = s.ended_at, load_id = {load.load_id}
        from outside as s
        where {load.place} and q.source_key = s.record_key and q.status = 'open' and {rows}
            and q.entity = {ddl.literal(main.entity)}
            and (q.batch, q.position) < (s.of_batch, s.of_position)
        """
    )


def _own(load: Load) -> str:
    """Return the column of the main table that names the record which a row belongs to.

    Where others make rows of this table too, the row belongs to the record of its own key.
    """
    return "source_key" if links.is_shared(load.plan) else "record_key"


def _bury_ceased(load: Load, reason: str) -> None:
    """Mark the rows that only the records of `ceased` made as gone."""
    links.unlink_ceased(load)
    entity = load.plan.targets[0].entity
    unlinked = ""
    if links.is_shared(load.plan):
        unlinked = (
            f" and o.source_key not in (select source_key from ops.made where {load.place}"
            f" and entity = {ddl.literal(entity)})"
        )
    load.con.execute(
        f"""
        create or replace temp table change as
        select o.rowid as old, o.source_key, o.synced_at, coalesce(g.version, o.version) as version,
            g.ended_at, g.gone_at, g.of_batch, g.of_position
        from {ddl.source_table(entity).full} as o join ceased as g on g.record_key = o.{_own(load)}
        where {load.place} and not o.is_deleted{unlinked}
        """
    )
    _bury_counted(load, entity, reason)
    _bury_unlinked(load, reason)


def apply_vanished(
    load: Load, main: Staged | None, also: Sequence[Staged], rows: str, *, partial: bool = False
) -> None:
    """Mark rows as gone that no record makes any more.

    `also: {payment: {where: date_paid is not null}}` and the date was taken back, or the payment
    has another key now. `rows` is the condition (over `s`) of the records meant.
    """
    links.relink(load, main, also, rows, partial=partial)
    _bury_unlinked(load, "source_flag")


def _bury_unlinked(load: Load, reason: str) -> None:
    """Mark the rows of `unlinked` as gone.

    Their version goes: it is the one of a record that does not make them, and would keep another
    record, or an older one, from making them again.
    """
    entities = load.con.execute("select distinct entity from unlinked order by 1").fetchall()
    for (entity,) in entities:
        load.con.execute(
            f"""
            create or replace temp table change as
            select o.rowid as old, o.source_key, o.synced_at, null::varchar as version, u.ended_at,
                u.gone_at, u.of_batch, u.of_position
            from {ddl.source_table(entity).full} as o join unlinked as u using (source_key)
            where {load.place} and not o.is_deleted and u.entity = {ddl.literal(entity)}
            """
        )
        _bury_counted(load, entity, reason)


def _bury_counted(load: Load, entity: str, reason: str) -> None:
    batches = load.con.execute("select of_batch, count(*) from change group by all").fetchall()
    _bury(load, entity, reason)
    for batch, count in batches:
        load.counts[batch]["deleted"] += count


def _bury(load: Load, entity: str, reason: str) -> int:
    """Keep the rows of `change` in history, take their children, mark them; return how many."""
    (count,) = load.con.execute("select count(*) from change").fetchone() or (0,)
    if count:
        history.keep(load.con, entity, load.place, "true")
        history.remove(load.con, entity, load.place, "true", header=False)
        load.con.execute(
            f"""
            update {ddl.source_table(entity).full} as o
            set is_deleted = true, deleted_at = c.gone_at, delete_reason = '{reason}',
                version = c.version, batch = c.of_batch, position = c.of_position,
                synced_at = c.ended_at, load_id = {load.load_id},
                row_hash = hash(o.row_hash, 'gone'), newer_in_quarantine = false
            from change as c where o.rowid = c.old
            """
        )
    return int(count)
