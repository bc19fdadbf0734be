"""Applies batches of deletions: the row stays as a tombstone, its children go.

Deletions are ordered by the log, not by version: a key that a proved scan did not see was gone at
its start, whatever stamp its last version carries (clocks differ), and a record that was read later
is there again. So only rows of earlier batches are marked.
"""

from __future__ import annotations

from collections.abc import Collection

from warehouse import ddl, history, temptables, versions
from warehouse.apply import Load
from warehouse.batch import Batch
from warehouse.stage import Staged


def apply_deletions(load: Load, batch: Batch, left_out: Collection[str] = ()) -> None:
    """Mark the rows made of the records that `batch` names as gone, in every target's table."""
    batch.verify()
    rows = [(k, at, n) for n, (k, at) in enumerate(batch.deletions(), 1) if k not in left_out]
    columns = {"record_key": "varchar", "gone_at": "timestamptz", "position": "bigint"}
    temptables.fill(load.con, "gone", columns, rows)
    side = batch.sidecar
    reason = "absent_in_full_scan" if side.complete else "tombstone_feed"
    for entity in dict.fromkeys(t.entity for t in load.plan.targets):
        table = ddl.source_table(entity).full
        load.con.execute(
            f"""
            create or replace temp table change as
            select o.rowid as old, o.source_key, o.synced_at, o.version,
                {ddl.literal(side.ended_at)}::timestamptz as ended_at,
                g.gone_at, {batch.sequence} as of_batch,
                g.position as of_position
            from {table} as o join gone as g on g.record_key = o.record_key
            where {load.place} and not o.is_deleted and o.batch < {batch.sequence}
            """
        )
        load.counts[batch.sequence]["deleted"] += _bury(load, entity, reason)
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


def apply_vanished(load: Load, main: Staged, other: Staged, rows: str) -> None:
    """Mark rows of a further target as gone whose record does not make them any more.

    `also: {payment: {where: date_paid is not null}}` and the date was taken back. `rows` is the
    condition (over `s`) of the records meant.
    """
    order = "0"
    if main.target.has_version:
        order = versions.order("s.version", "o.version", main.target.version_as)
    load.con.execute(
        f"""
        create or replace temp table change as
        select o.rowid as old, o.source_key, o.synced_at, f.ended_at, f.ended_at as gone_at,
            s.version, s.of_batch, s.of_position
        from {ddl.source_table(other.target.entity).full} as o
        join {main.table} as s on s.record_key = o.record_key
        join (select distinct batch, ended_at from landed_files) as f on f.batch = s.of_batch
        where o.connection = {ddl.literal(load.plan.connection)}
            and o.stream = {ddl.literal(load.plan.stream)} and not o.is_deleted
            and {rows} and len(s.errors) = 0 and s.n not in (select n from {other.table})
            and (s.of_batch, s.of_position) > (o.batch, o.position) and {order} >= 0
        """
    )
    batches = load.con.execute("select of_batch, count(*) from change group by all").fetchall()
    _bury(load, other.target.entity, "source_flag")
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
