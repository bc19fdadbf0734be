"""Applies staged rows to `source.*`: guard, history, children as owned sets, quarantine.

Runs inside the load's transaction. What is to be done with each staged row is decided once, in the
temp table `change`, which carries the stored row's rowid so that no table is scanned twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from warehouse import crashpoints, ddl, history, temptables, versions
from warehouse.ddl import columns_of
from warehouse.model.plan import StreamPlan, TargetPlan
from warehouse.stage import Staged

Counts = dict[int, Counter[str]]
"""batch -> inserted, updated, unchanged, quarantined, deleted, refused."""

_COUNTED = {
    "insert": "inserted", "update": "updated", "delete": "deleted", "same": "unchanged",
    "touch": "unchanged", "late": "refused", "bad": "quarantined", "bad late": "quarantined",
}  # fmt: skip


@dataclass(slots=True)
class Load:
    """One transaction under way. `trusted` batches are taken though their versions are older."""

    con: duckdb.DuckDBPyConnection
    plan: StreamPlan
    load_id: int
    loaded_at: datetime
    trusted: frozenset[int] = frozenset()
    counts: Counts = field(default_factory=lambda: defaultdict(Counter))

    @property
    def place(self) -> str:
        """The condition of this stream's rows; connection and stream are the only parameters."""
        return (
            f"connection = {ddl.literal(self.plan.connection)}"
            f" and stream = {ddl.literal(self.plan.stream)}"
        )


def apply(load: Load, staged: Staged, rows: str = "true", *, verdicts: bool = False) -> None:
    """Write the staged rows of one target; `rows` is the condition (over `s`) of those meant.

    No key may stand twice among them. `verdicts` keeps what was decided of each record in the temp
    table of that name: its other rows follow its main one.
    """
    _decide(load, staged, rows)
    if verdicts:
        load.con.execute(
            f"""
            create or replace temp table verdicts as
            select c.n, c.source_key, s.record_key, c.late, c.bad, c.deleted, c.version, c.of_batch,
                c.of_position, c.ended_at
            from change as c join {staged.table} as s on s.n = c.n
            """
        )
    crashpoints.reach("load.staged")
    done = _count(load)
    if done["update"] or done["delete"]:
        _set_aside(load, staged)
    if done["insert"] or done["update"] or done["delete"]:
        _insert(load, staged)
    if done["touch"] or done["bad"]:
        _touch(load, staged.target)
    if done["bad"] or done["bad late"]:
        _quarantine(load, staged)
    _supersede(load, staged.target.entity)
    load.con.execute("drop table change")


def count_left_out(load: Load, staged: Staged) -> None:
    """Count the older versions and repetitions that staging left out."""
    for batch, count in staged.older.items():
        load.counts[batch]["refused"] += count
    for batch, count in staged.same.items():
        load.counts[batch]["unchanged"] += count


def _decide(load: Load, staged: Staged, rows: str) -> None:
    """Fill `change`: what is to be done with each of the rows, beside the stored one."""
    target = staged.target
    table = ddl.source_table(target.entity).full
    order, restamped = "0", "false"
    if target.has_version:
        order = versions.order("version", "old_version", target.version_as)
    if load.trusted:
        is_trusted = f"of_batch in ({', '.join(map(str, sorted(load.trusted)))})"
        order = f"(case when {is_trusted} then 0 else {order} end)"
        # Else a later change at the source would be refused as older than the stamp it has left.
        restamped = f"({is_trusted} and version is distinct from old_version)"
    load.con.execute(
        f"""
        create or replace temp table change as
        with beside as (
            select s.n, s.source_key, s.of_batch, s.of_position, s.version, s.row_hash, s.deleted,
                len(s.errors) > 0 as bad, o.old, o.old_hash, o.old_version, o.old_batch,
                o.old_position, coalesce(o.is_deleted, false) as old_deleted, o.delete_reason,
                coalesce(o.newer_in_quarantine, false) as flagged, o.first_seen_at, o.synced_at,
                f.ended_at
            from {staged.table} as s
            join (select distinct batch, ended_at from landed_files) as f on f.batch = s.of_batch
            left join (
                select rowid as old, source_key, row_hash as old_hash, version as old_version,
                    batch as old_batch, position as old_position, is_deleted, delete_reason,
                    newer_in_quarantine, first_seen_at, synced_at
                from {table}
                where {load.place} and source_key in (select source_key from {staged.table})
            ) as o on o.source_key = s.source_key
            where {rows}
        ),
        ordered as (
            select *, case when old is null then 1 else {order} end as moved,
                (of_batch, of_position) < (old_batch, old_position) as before
            from beside
        ),
        judged as (
            select *,
                case
                    when old is null then false
                    -- The log of the stream is the order in which the source was looked at: what
                    -- was seen before the absence does not undo it, what was seen later does,
                    -- also with an older stamp: a record that was put back as it once was.
                    when old_deleted and delete_reason <> 'source_flag'
                        then of_batch < old_batch
                    when moved <> 0 then moved < 0
                    else before
                end as late
            from ordered
        )
        select *,
            case
                when bad and late then 'bad late'
                when bad then 'bad'
                when old is null then 'insert'
                when row_hash = old_hash
                    and (moved > 0 or (not late and (flagged or {restamped}))) then 'touch'
                when row_hash = old_hash then 'same'
                when late then 'late'
                when deleted and not old_deleted then 'delete'
                else 'update'
            end as action
        from judged
        """
    )


def _count(load: Load) -> Counter[str]:
    done: Counter[str] = Counter()
    for batch, action, deleted, count in load.con.execute(
        "select of_batch, action, deleted, count(*) from change group by all"
    ).fetchall():
        done[action] += count
        counted = "deleted" if action == "insert" and deleted else _COUNTED[action]
        load.counts[batch][counted] += count
    return done


def _set_aside(load: Load, staged: Staged) -> None:
    """Move the rows that are replaced to history, with their children."""
    where = "action in ('update', 'delete')"
    history.keep(load.con, staged.target.entity, load.place, where)
    history.remove(load.con, staged.target.entity, load.place, where)


def _insert(load: Load, staged: Staged) -> None:
    target = staged.target
    header = columns_of(staged.columns)
    values = columns_of(staged.columns, "s")
    comma = ", " if staged.columns else ""
    said = "null"
    if target.version_as in (None, "instant"):
        said = "try_cast(s.version as timestamptz)"
    load.con.execute(
        f"""
        insert into {ddl.source_table(target.entity).full}
            (connection, stream, source_key{comma}{header}, ext, record_key, version, row_hash,
            batch, position, mapping, first_seen_at, synced_at, load_id, is_deleted, deleted_at,
            delete_reason, newer_in_quarantine)
        select {ddl.literal(load.plan.connection)}, {ddl.literal(load.plan.stream)},
            s.source_key{comma}{values}, s.ext, s.record_key, s.version, s.row_hash, s.of_batch,
            s.of_position, {ddl.literal(load.plan.version)}, coalesce(c.first_seen_at, c.ended_at),
            c.ended_at, {load.load_id}, s.deleted,
            case when s.deleted then coalesce({said}, c.ended_at) end,
            case when s.deleted then 'source_flag' end, false
        from {staged.table} as s join change as c on c.n = s.n
        where c.action in ('insert', 'update', 'delete')
        """
    )
    for table, (entity, columns) in staged.children.items():
        head = columns_of(columns)
        body = columns_of(columns, "k")
        comma = ", " if columns else ""
        load.con.execute(
            f"""
            insert into {ddl.source_table(entity).full}
                (connection, stream, parent_key, source_key, line{comma}{head}, ext, load_id)
            select {ddl.literal(load.plan.connection)}, {ddl.literal(load.plan.stream)},
                c.source_key, k.source_key, k.line{comma}{body}, k.ext, {load.load_id}
            from {table} as k join change as c on c.n = k.n
            where c.action in ('insert', 'update') and not c.deleted
            """
        )


def _touch(load: Load, target: TargetPlan) -> None:
    """Note newer versions of equal content, and stored rows whose newer version is broken."""
    table = ddl.source_table(target.entity).full
    load.con.execute(
        f"""
        update {table} as o
        set version = c.version, batch = c.of_batch, position = c.of_position,
            newer_in_quarantine = false, load_id = {load.load_id}
        from change as c where c.action = 'touch' and o.rowid = c.old
        """
    )
    load.con.execute(
        f"""
        update {table} as o set newer_in_quarantine = true, load_id = {load.load_id}
        from change as c
        where c.action = 'bad' and not c.flagged and o.rowid = c.old
        """
    )


def _quarantine(load: Load, staged: Staged) -> None:
    """Put broken records aside: where they stand and why, never their content."""
    entity, errors = ddl.literal(staged.target.entity), "s.errors"
    load.con.execute(
        f"""
        create or replace temp table put_aside as
        select c.of_batch as batch, c.of_position as position, {entity} as entity, c.source_key,
            case when contains({errors}[1], ': ') then split_part({errors}[1], ': ', 1) end
                as field,
            case when c.source_key is null then 'key'
                when contains({errors}[1], ': stands twice') then 'unique' else 'check' end as rule,
            case when contains({errors}[1], ': ')
                then {errors}[1][strpos({errors}[1], ': ') + 2 :] else {errors}[1] end
                || case when len({errors}) > 1
                    then '; ' || array_to_string({errors}[2:], '; ') else '' end as reason,
            c.ended_at as aside_at,
            case when c.action = 'bad' then 'open' else 'superseded' end as status
        from change as c join {staged.table} as s on s.n = c.n
        where c.action in ('bad', 'bad late')
        """
    )
    _put_aside(load)


def quarantine_lines(
    load: Load, lines: Mapping[tuple[int, int], str], rule: str, entity: str
) -> None:
    """Put aside records that could not even be read: (batch, position) -> reason."""
    if not lines:
        return
    columns = {"batch": "bigint", "position": "bigint", "reason": "varchar"}
    rows = ((batch, position, why) for (batch, position), why in lines.items())
    temptables.fill(load.con, "unread_lines", columns, rows)
    load.con.execute(
        f"""
        create or replace temp table put_aside as
        select u.batch, u.position, {ddl.literal(entity)} as entity, null::varchar as source_key,
            null::varchar as field, {ddl.literal(rule)} as rule, u.reason,
            f.ended_at as aside_at, 'open' as status
        from unread_lines as u join landed_files as f using (batch)
        """
    )
    _put_aside(load)
    for batch, _ in lines:
        load.counts[batch]["quarantined"] += 1


def _put_aside(load: Load) -> None:
    """Write `put_aside` to ops.quarantine; a record that was there keeps the time it came."""
    name = ddl.literal(f"{load.plan.connection}/{load.plan.stream}/")
    con = load.con
    con.execute(
        f"""
        create or replace temp table put_aside as
        select a.*, {name} || a.batch || '/' || a.position || '/' || a.entity as id,
            coalesce(q.first_at, a.aside_at) as first_at
        from put_aside as a
        left join ops.quarantine as q
            on q.id = {name} || a.batch || '/' || a.position || '/' || a.entity
        """
    )
    con.execute("delete from ops.quarantine where id in (select id from put_aside)")
    con.execute(
        f"""
        insert into ops.quarantine (id, connection, stream, batch, position, entity, source_key,
            field, rule, reason, mapping, first_at, last_at, status, load_id)
        select id, {ddl.literal(load.plan.connection)}, {ddl.literal(load.plan.stream)}, batch,
            position, entity, source_key, field, rule, reason, {ddl.literal(load.plan.version)},
            first_at, aside_at, status, {load.load_id}
        from put_aside
        """
    )
    con.execute("drop table put_aside")


def _supersede(load: Load, entity: str) -> None:
    """Close the quarantined versions of keys of which a later one was applied or put aside."""
    mine = f"{load.place} and entity = {ddl.literal(entity)} and status = 'open'"
    found = load.con.execute(f"select 1 from ops.quarantine where {mine} limit 1").fetchone()
    if found is None:
        return
    load.con.execute(
        f"""
        update ops.quarantine as q
        set status = 'superseded', last_at = c.ended_at, load_id = {load.load_id}
        from change as c
        where q.id in (select id from ops.quarantine where {mine}) and q.source_key = c.source_key
            and c.action in ('insert', 'update', 'delete', 'touch', 'bad')
            and (q.batch, q.position) < (c.of_batch, c.of_position)
        """
    )


def references(load: Load) -> None:
    """Replace the stream's rows of ops.refs where the mapping says something else."""
    plan = load.plan
    makers = [(t.entity, t.references) for t in plan.targets]
    makers += [(c.entity, c.references) for t in plan.targets for c in t.children]
    wanted = sorted(
        (plan.connection, plan.stream, entity, r.field, r.entity, r.stream or "", r.by or "")
        for entity, said in makers
        for r in said
    )
    kept = load.con.execute(
        "select connection, stream, entity, field, target_entity, coalesce(target_stream, ''),"
        f" coalesce(by_field, '') from ops.refs where {load.place} order by all"
    ).fetchall()
    if sorted(kept) != wanted:
        load.con.execute(f"delete from ops.refs where {load.place}")
        if wanted:
            names = (
                "connection", "stream", "entity", "field", "target_entity", "target_stream",
                "by_field",
            )  # fmt: skip
            temptables.fill(load.con, "wanted_refs", dict.fromkeys(names, "varchar"), wanted)
            load.con.execute(
                f"insert into ops.refs ({', '.join(names)}) select {', '.join(names[:5])},"
                " nullif(target_stream, ''), nullif(by_field, '') from wanted_refs"
            )
