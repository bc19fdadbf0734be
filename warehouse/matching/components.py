"""Groups of living rows: connected components in SQL, cut where they contradict themselves."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

import duckdb
import pyarrow as pa

from warehouse.matching import compare
from warehouse.matching.cut import MANUAL, Cutter, Edge, Member

_NAME = (
    "core, form, branch, said_city, said_province, sound, look, trade, pattern, alias, formal, "
    "region_place, han, keys, surname, given, person_look, person_soft, person_text"
)


def touch(con: duckdb.DuckDBPyConnection, *, whole: bool) -> None:
    """Leave `matching_touched (id)`: the rows whose group may be another now.

    They are the ends of pairs that came, went or were ruled on, and all that they were or are
    connected with before conflicts cut.
    """
    if whole:
        con.execute(
            "create or replace temp table matching_touched as select id from identity.party_rows"
        )
        return
    con.execute("""
        create or replace temp table matching_touched as
        with ends as (
            select id from matching_dirty union select id from matching_ruled
            union select id from matching_partners
            union select unnest([a, b]) from identity.party_pairs p
            where a in (select id from matching_dirty) or b in (select id from matching_dirty)
            union select unnest([a, b]) from identity.party_rulings
            where a in (select id from matching_dirty) or b in (select id from matching_dirty))
        select id from ends
        union
        select id from identity.party_components where component in (
            select component from identity.party_components where id in (select id from ends))
    """)


def label(con: duckdb.DuckDBPyConnection, edges: str, into: str) -> None:
    """Make the temp table `into` (id, label): the least id that each row of an edge reaches.

    `edges`: relation (a, b). Each round a row takes the least label around it, then the label of
    its label, so long chains shrink by halves.
    """
    con.execute(
        f"create or replace temp table matching_both as select a, b from {edges} "
        f"union all select b, a from {edges}"
    )
    con.execute(
        f"create or replace temp table {into} as "
        "select a as id, least(a, min(b)) as label from matching_both group by a"
    )
    while True:
        con.execute(f"""
            create or replace temp table matching_round as
            with near as (
                select e.a as id, min(l.label) as label
                from matching_both e join {into} l on l.id = e.b group by e.a)
            select l.id, least(l.label, n.label, up.label) as label, l.label as was
            from {into} l join near n on n.id = l.id join {into} up on up.id = l.label
        """)
        con.execute(f"create or replace temp table {into} as select id, label from matching_round")
        moved = con.execute("select count(*) from matching_round where label <> was").fetchone()
        if moved == (0,):
            return


def regroup(con: duckdb.DuckDBPyConnection) -> None:
    """Leave `matching_groups (id, label)`: the living touched rows and the group of each."""
    con.execute(f"""
        create or replace temp table matching_edges as
        select a, b, max(score) as score from (
            select a, b, score from identity.party_pairs
            where auto and a in (select id from matching_touched)
            union all
            select a, b, {MANUAL} from identity.party_rulings
            where same and a in (select id from matching_touched)
                and b in (select id from matching_touched)
                and a in (select id from identity.party_rows)
                and b in (select id from identity.party_rows)) group by a, b
    """)
    label(con, "matching_edges", "matching_labels")
    con.execute(
        "delete from identity.party_components where id in (select id from matching_touched) "
        "or id not in (select id from identity.party_rows)"
    )
    con.execute("insert into identity.party_components from matching_labels")
    con.execute("""
        create or replace temp table matching_living as
        select e.* from matching_edges e
        semi join (select id from identity.party_rows where alive) l on l.id = e.a
        semi join (select id from identity.party_rows where alive) r on r.id = e.b
    """)
    label(con, "matching_living", "matching_labels")
    _cut(con)
    con.execute("""
        create or replace temp table matching_groups as
        select r.id, coalesce(c.label, l.label, r.id) as label
        from identity.party_rows r semi join matching_touched t on t.id = r.id
        left join matching_labels l on l.id = r.id left join matching_cut c on c.id = r.id
        where r.alive
    """)


def _cut(con: duckdb.DuckDBPyConnection) -> None:
    """Leave `matching_cut (id, label)` for the components that contradict themselves."""
    con.execute(f"""
        create or replace temp table matching_members as
        select l.label, r.id, r.kind, if(r.guessed, null, r.kind) as sure_kind,
            r.uscc, r.citizen, {_NAME}, city, province
        from matching_labels l join identity.party_rows r on r.id = l.id
    """)
    # Whole names only: a short form fits two companies, so it contradicts none.
    con.execute(f"""
        create or replace temp table matching_names as
        select row_number() over (order by label, first) as name, * exclude (first) from (
            select label, kind, {_NAME}, min(id) as first,
                null::varchar as city, null::varchar as province
            from matching_members
            where (kind = 'O' and form <> '') or (kind = 'P' and len(keys) > 0)
            group by label, kind, {_NAME})
    """)
    sides = ", ".join(
        f"{s}.{c.strip()} as {c.strip()}_{s}"
        for s in ("l", "r")
        for c in (*_NAME.split(","), "kind", "city", "province")
    )
    con.execute(f"""
        create or replace temp table matching_unlike as
        with pairs as (
            select l.label, l.name as a, r.name as b, {sides}
            from matching_names l join matching_names r
            on r.label = l.label and r.kind = l.kind and l.name < r.name)
        select label, a, b from pairs
        where if(kind_l = 'O', {compare.COMPANY}, {compare.PERSON}) = -1
    """)
    con.execute("""
        create or replace temp table matching_doubtful as
        select label from matching_members group by label
        having count(distinct uscc) > 1 or count(distinct citizen) > 1
            or count(distinct sure_kind) > 1
        union select label from matching_unlike
        union select m.label from identity.party_rulings a
            join matching_members m on m.id = a.a join matching_members n on n.id = a.b
            where not a.same and m.label = n.label
    """)
    found = _groups_of_doubtful(con)
    table = pa.table(
        {
            "id": pa.array([i.bytes for i in found], pa.binary(16)),
            "label": pa.array([i.bytes for i in found.values()], pa.binary(16)),
        }
    )
    con.register("matching_batch", table)
    con.execute(
        "create or replace temp table matching_cut as "
        "select hex(id)::uuid as id, hex(label)::uuid as label from matching_batch"
    )
    con.unregister("matching_batch")


def _groups_of_doubtful(con: duckdb.DuckDBPyConnection) -> dict[UUID, UUID]:
    members: dict[UUID, list[Member]] = defaultdict(list)
    for row_label, *rest in con.execute(f"""
        select m.label, m.id, m.sure_kind, m.uscc, m.citizen, n.name
        from matching_members m semi join matching_doubtful using (label)
        left join matching_names n on n.label = m.label and n.kind = m.kind
            and ({_same_name()})
        order by m.id
    """).fetchall():
        members[row_label].append(Member(*rest))
    edges: dict[UUID, list[Edge]] = defaultdict(list)
    for row_label, *rest in con.execute(
        "select l.label, e.a, e.b, e.score from matching_living e join matching_labels l "
        "on l.id = e.a semi join matching_doubtful d on d.label = l.label"
    ).fetchall():
        edges[row_label].append(Edge(*rest))
    unlike: dict[UUID, set[tuple[int, int]]] = defaultdict(set)
    for row_label, a, b in con.execute("select label, a, b from matching_unlike").fetchall():
        unlike[row_label] |= {(a, b), (b, a)}
    apart: dict[UUID, set[UUID]] = defaultdict(set)
    for a, b in con.execute("select a, b from identity.party_rulings where not same").fetchall():
        apart[a].add(b)
        apart[b].add(a)
    found: dict[UUID, UUID] = {}
    for row_label, rows in members.items():
        found |= Cutter(rows, apart, unlike[row_label]).groups(edges[row_label])
    return found


def _same_name() -> str:
    return " and ".join(
        f"n.{c.strip()} is not distinct from m.{c.strip()}" for c in _NAME.split(",")
    )
