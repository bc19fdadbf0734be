"""Keeps which record made which row, for mappings that make several rows of a record (`also:`).

Such a row may change its key, be shared by several records, or stand in one table with other rows
of its record: the row alone does not say whether anything makes it still. `ops.made` says it, and
for the record's own row too where a further target fills the same table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from warehouse import ddl, versions
from warehouse.apply import Load
from warehouse.model.plan import StreamPlan, TargetPlan
from warehouse.stage import Staged

_VERDICTS = (
    "n bigint, source_key varchar, record_key varchar, late boolean, bad boolean, deleted boolean,"
    " version varchar, of_batch bigint, of_position bigint, ended_at timestamptz"
)


def is_shared(plan: StreamPlan) -> bool:
    """Return whether a further target fills the table of the record's own row."""
    return plan.targets[0].entity in {t.entity for t in plan.targets[1:]}


def adopt(load: Load) -> None:
    """Link the rows of a stream that has no links: they were loaded before links were kept.

    Where two targets fill one table nothing tells whose a row is; a rebuild does.
    """
    if load.con.execute(f"select 1 from ops.made where {load.place} limit 1").fetchone():
        return
    uses = Counter(t.entity for t in load.plan.targets)
    for target in load.plan.targets[1:]:
        if uses[target.entity] == 1:
            load.con.execute(
                "insert into ops.made (connection, stream, target, entity, record_key, source_key,"
                f" load_id) select connection, stream, {_name(target)}, record_key, source_key,"
                f" {load.load_id} from {ddl.source_table(target.entity).full}"
                f" where {load.place} and not is_deleted"
            )


def judge(load: Load, main: Staged | None, also: Sequence[Staged], rows: str) -> None:
    """Complete `verdicts` by the records whose own row was not applied beside the others.

    It was put aside, or a replay did not choose it. What the store holds of the record decides; its
    older rows may only go when that is of this very version.
    """
    if main is None:
        load.con.execute(f"create or replace temp table verdicts ({_VERDICTS})")
    first = load.plan.targets[0]
    moved = "0"
    if first.has_version:
        moved = versions.order("s.version", "o.version", first.version_as)
    for other in also:
        load.con.execute(
            f"""
            insert into verdicts
            select s.n, s.record_key, s.record_key,
                o.source_key is not null and (
                    (o.is_deleted and o.delete_reason <> 'source_flag' and s.of_batch < o.batch)
                    or {moved} < 0
                    or ({moved} = 0 and (s.of_batch, s.of_position) < (o.batch, o.position))),
                (s.of_batch, s.of_position) is distinct from (o.batch, o.position),
                coalesce(o.is_deleted, false)
                    and (s.of_batch, s.of_position) = (o.batch, o.position),
                s.version, s.of_batch, s.of_position, f.ended_at
            from (
                select * from {other.table}_made as s
                where {rows} and s.n not in (select n from verdicts)
            ) as s
            join (select distinct batch, ended_at from landed_files) as f on f.batch = s.of_batch
            left join (
                select * from {ddl.source_table(first.entity).full} where {load.place}
            ) as o on o.source_key = s.record_key
            """
        )


def counted(load: Load, other: Staged, rows: str) -> str:
    """Return the condition of the rows that count, and count the others as refused.

    What a late version of a record makes was overtaken with it, under whatever key; a record that
    is gone makes nothing.
    """
    late = "s.n in (select n from verdicts where late)"
    for batch, count in load.con.execute(
        f"select of_batch, count(*) from {other.table} as s where {rows} and {late} group by all"
    ).fetchall():
        load.counts[batch]["refused"] += count
    return f"{rows} and not s.deleted and s.n not in (select n from verdicts where late or deleted)"


def relink(
    load: Load, main: Staged | None, also: Sequence[Staged], rows: str, *, partial: bool
) -> None:
    """Replace the links of the records in `verdicts`; rows that lost their last are in `unlinked`.

    A row that went to quarantine leaves the older ones of its record and target as they are.
    `partial`: only the targets of `also` are looked at.
    """
    made = [
        f"select s.n, s.of_batch, s.record_key, {_name(t.target)}, s.source_key, s.bad"
        f" from {t.table}_made as s where {rows}"
        for t in also
    ]
    if main is not None and is_shared(load.plan):
        made.append(
            f"select n, of_batch, record_key, {_name(main.target)}, source_key, bad from verdicts"
        )
    con = load.con
    con.execute(
        "create or replace temp table made_now (n bigint, of_batch bigint, record_key varchar,"
        " target varchar, entity varchar, source_key varchar, bad boolean)"
    )
    for select in made:
        con.execute(f"insert into made_now {select}")
    for staged in also:
        if staged.failed:
            con.execute(
                "insert into made_now select n, of_batch, record_key,"
                f" {_name(staged.target)}, null, true from verdicts"
                f" where n in ({', '.join(map(str, staged.failed))})"
            )
    con.execute(
        """
        create or replace temp table wanted_links as
        select distinct m.record_key, m.target, m.entity, m.source_key
        from made_now as m join verdicts as v on v.n = m.n
        where not m.bad and m.source_key is not null and v.source_key is not null
            and not v.late and not v.deleted
        """
    )
    con.execute(
        f"""
        insert into ops.made
            (connection, stream, target, entity, record_key, source_key, load_id)
        select {ddl.literal(load.plan.connection)}, {ddl.literal(load.plan.stream)}, w.target,
            w.entity, w.record_key, w.source_key, {load.load_id}
        from wanted_links as w
        where not exists (select 1 from (select * from ops.made where {load.place}) as l
            where l.record_key = w.record_key and l.target = w.target and l.entity = w.entity
                and l.source_key = w.source_key)
        """
    )
    meant = "true"
    if partial:
        places = ", ".join(f"({_name(t.target)})" for t in also)
        meant = f"(l.target, l.entity) in ({places})" if also else "false"
    first = load.plan.targets[0]
    said = "null"
    if first.version_as in (None, "instant"):
        said = "try_cast(v.version as timestamptz)"
    con.execute(
        f"""
        create or replace temp table lost_links as
        select l.link, l.entity, l.source_key, v.of_batch, v.of_position, v.ended_at,
            case when v.deleted then coalesce({said}, v.ended_at) else v.ended_at end as gone_at
        from (select rowid as link, * from ops.made where {load.place}) as l
        join verdicts as v on v.record_key = l.record_key
        where {meant} and not v.late and not v.bad
            and not exists (select 1 from wanted_links as w
                where w.record_key = l.record_key and w.target = l.target
                    and w.entity = l.entity and w.source_key = l.source_key)
            and (v.deleted or not exists (select 1 from made_now as m
                where m.bad and m.record_key = l.record_key and m.target = l.target
                    and m.entity = l.entity))
        """
    )
    _unlink(load)


def unlink_ceased(load: Load) -> None:
    """Take the links of the records in `ceased`; rows that lost their last are in `unlinked`."""
    load.con.execute(
        f"""
        create or replace temp table lost_links as
        select l.link, l.entity, l.source_key, g.of_batch, g.of_position, g.ended_at, g.gone_at
        from (select rowid as link, * from ops.made where {load.place}) as l
        join ceased as g on g.record_key = l.record_key
        """
    )
    _unlink(load)


def _unlink(load: Load) -> None:
    load.con.execute("delete from ops.made where rowid in (select link from lost_links)")
    load.con.execute(
        f"""
        create or replace temp table unlinked as
        select distinct on (x.entity, x.source_key) x.* exclude (link)
        from lost_links as x
        where not exists (select 1 from (select * from ops.made where {load.place}) as l
            where l.entity = x.entity and l.source_key = x.source_key)
        order by x.entity, x.source_key, x.of_batch desc, x.of_position desc
        """
    )


def _name(target: TargetPlan) -> str:
    """Return the SQL of the two columns that name a target."""
    return f"{ddl.literal(target.name)}, {ddl.literal(target.entity)}"
