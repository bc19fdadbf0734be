"""Writes what the groups mean: golden ids, links, suggestions, and which rows moved."""

from __future__ import annotations

import duckdb

from warehouse.matching.cut import MANUAL

# Of two groups no more pairs of rows are asked about than these, beside those that share something.
CROSSED = 60
_ORDER = "(r.first_seen_at is null, r.first_seen_at, r.connection, r.stream, r.source_key, r.id)"


def write(con: duckdb.DuckDBPyConnection, *, whole: bool) -> None:
    """Bring `identity.links` and `ops.suggestions` up to `matching_groups`."""
    _attach_dead(con)
    _links(con)
    _moved(con, whole=whole)
    _suggest(con, whole=whole)


def _attach_dead(con: duckdb.DuckDBPyConnection) -> None:
    """Add dead rows: each joins the group with the least founder that it matches, or none."""
    con.execute(f"""
        create or replace temp table matching_seated as
        with dead as (
            select * from identity.party_rows r semi join matching_touched t on t.id = r.id
            where not r.alive),
        founders as (
            select g.label, min({_ORDER}) as founder
            from matching_groups g join identity.party_rows r on r.id = g.id group by g.label),
        ends as (
            select a as id, b as other, score from matching_edges
            union all select b, a, score from matching_edges),
        fits as (
            select d.id, g.label, max(e.score >= {MANUAL}) as by_people,
                any_value(f.founder) as founder
            from dead d join ends e on e.id = d.id join matching_groups g on g.id = e.other
            join founders f on f.label = g.label
            where not exists (
                select 1 from identity.party_rulings a join matching_groups n on n.label = g.label
                where not a.same and ((a.a = d.id and a.b = n.id) or (a.b = d.id and a.a = n.id)))
            group by d.id, g.label)
        select d.id, coalesce(arg_min(f.label, (not f.by_people, f.founder)), d.id) as label
        from dead d left join fits f on f.id = d.id group by d.id
    """)
    # Two dead rows that people ruled apart: the later one stands alone.
    con.execute("""
        insert into matching_groups
        select s.id, if(exists (
            select 1 from identity.party_rulings a
            join matching_seated o on o.id = if(a.a = s.id, a.b, a.a)
            where not a.same and s.id in (a.a, a.b) and o.label = s.label and o.id < s.id), s.id,
            s.label) as label
        from matching_seated s
    """)


def _links(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"""
        create or replace temp table matching_new as
        with founders as (
            select g.label, arg_min(r.id, {_ORDER}) as golden_id
            from matching_groups g join identity.party_rows r on r.id = g.id group by g.label),
        seats as (
            select g.id, g.label, f.golden_id from matching_groups g
            join founders f on f.label = g.label),
        edges as (
            select a, b, method, score, rule, evidence from identity.party_pairs
            where auto and a in (select id from matching_touched)
            union all
            select a, b, 'manual', 1.0, 'manual', 'decided by a person' from identity.party_rulings
            where same and a in (select id from matching_touched)),
        inside as (
            select e.*, unnest([e.a, e.b]) as id from edges e
            join seats l on l.id = e.a join seats r on r.id = e.b and r.label = l.label),
        best as (
            select id, arg_min({{method: method, score: score, rule: rule, evidence: evidence}},
                (method <> 'manual', -score, rule, a, b)) as edge
            from inside group by id)
        select 'party' as entity, s.id, s.golden_id,
            if(s.id = s.golden_id, 'founder', b.edge.method) as method,
            if(s.id = s.golden_id, 1.0, b.edge.score) as score,
            if(s.id = s.golden_id, 'founder', b.edge.rule) as rule,
            if(s.id = s.golden_id, '', b.edge.evidence) as evidence
        from seats s left join best b on b.id = s.id
    """)


def _moved(con: duckdb.DuckDBPyConnection, *, whole: bool) -> None:
    where = (
        "where entity = 'party'" if whole
        else "where entity = 'party' and id in (select id from matching_touched)"
    )  # fmt: skip
    con.execute("delete from matching_moved where entity = 'party'")
    con.execute(f"""
        insert into matching_moved
        select 'party', coalesce(o.id, n.id) as id, o.golden_id as was, n.golden_id as now
        from (select * from identity.links {where}) o full join matching_new n on n.id = o.id
        where o.golden_id is distinct from n.golden_id
    """)
    con.execute(f"delete from identity.links {where}")
    con.execute("insert into identity.links from matching_new")


def _suggest(con: duckdb.DuckDBPyConnection, *, whole: bool) -> None:
    """Write the pairs that a person should look at, none of a group that is one already.

    Accepting one pair joins two groups, so what is asked is about all their rows: each row of the
    one with each of the other, as long as these are few; a pair of its own evidence keeps it.
    """
    near = "" if whole else (
        "and (p.a in (select id from matching_touched) or p.b in (select id from matching_touched))"
    )  # fmt: skip
    gone = near.replace("p.a ", "a_id ").replace("p.b ", "b_id ")
    con.execute(f"delete from ops.suggestions where entity = 'party' {gone}")
    con.execute(f"""
        insert into ops.suggestions
        with asked as (
            select p.a, p.b, least(l.golden_id, r.golden_id) as one,
                greatest(l.golden_id, r.golden_id) as other, p.score, p.rule, p.evidence
            from identity.party_pairs p
            join identity.links l on l.entity = 'party' and l.id = p.a
            join identity.links r on r.entity = 'party' and r.id = p.b
            semi join (select id from identity.party_rows where alive) x on x.id = p.a
            semi join (select id from identity.party_rows where alive) y on y.id = p.b
            where l.golden_id <> r.golden_id {near}),
        codes as (
            select k.golden_id, list(distinct w.uscc) filter (w.uscc is not null) as usccs,
                list(distinct w.citizen) filter (w.citizen is not null) as citizens,
                list(w.id) as ids
            from identity.links k join identity.party_rows w on w.id = k.id and w.alive
            where k.entity = 'party' and k.golden_id in (
                select one from asked union select other from asked)
            group by k.golden_id),
        groups as (
            select one, other, arg_max({{score: score, rule: rule, evidence: evidence}},
                (score, rule, a, b)) as why
            from asked group by one, other),
        possible as (
            select one, other, why, l.ids as here, r.ids as there
            from groups join codes l on l.golden_id = one join codes r on r.golden_id = other
            where (l.usccs is null or r.usccs is null or list_has_any(l.usccs, r.usccs))
                and (l.citizens is null or r.citizens is null
                    or list_has_any(l.citizens, r.citizens))),
        crossed as (
            select least(a, b) as a, greatest(a, b) as b, why from (
                select unnest(here) as a, there, why from possible
                where len(here) * len(there) <= {CROSSED}), unnest(there) as t(b)),
        told as (
            select a, b, score, rule, evidence from asked
            semi join possible using (one, other)
            union all
            select a, b, why.score, why.rule, why.evidence from crossed
            anti join asked using (a, b))
        select 'party', a, b, score, rule, evidence from told
        anti join identity.party_rulings u on u.a = told.a and u.b = told.b
    """)
