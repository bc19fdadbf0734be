"""Which records are one thing: asks the matchers, keeps `unified.xref` and the links beside it.

A matcher leaves its groups in `identity.links`. The golden id is that of the founder, the member
that was first here, so the same landing and decisions give the same ids in any order of work, and
an id once published resolves for ever: through `xref` where its record founds the thing, through
`forwardings` where it became part of another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from warehouse import ddl
from warehouse.ddl import literal
from warehouse.identity import golden_id_sql
from warehouse.matching import results
from warehouse.matching.results import MERGED
from warehouse.matching.rulings import Rulings
from warehouse.model import HEADERS
from warehouse.ops_tables import LINKS, XREF

Matcher = Callable[[duckdb.DuckDBPyConnection, Rulings, str | None], None]
"""Brings `identity.links` of one entity up to date: for the rows of a relation, or all (None)."""


@dataclass(slots=True)
class Work:
    """What one unification is about.

    Its connection, number and moment, what people ruled by entity, and who matches.
    """

    con: duckdb.DuckDBPyConnection
    run: int
    now: datetime
    rulings: Mapping[str, Rulings]
    matchers: Mapping[str, Matcher]

    def match(self, entity: str, changed: str | None) -> None:
        """Let the matcher of `entity` look at the changed rows, or at all."""
        if entity in self.matchers:
            self.matchers[entity](self.con, self.rulings.get(entity, Rulings()), changed)


def temp(what: str, entity: str) -> str:
    """Return the name of a temp table of the unification."""
    return f"unify_{what}_{entity}"


def group_all(work: Work) -> None:
    """Match every row anew and write `xref`, `forwardings` and the links."""
    con = work.con
    _begin(con)
    # A store of an older release does not say who founds what: nothing is known of before.
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_before AS "
        "SELECT * FROM unified.xref WHERE own_id IS NOT NULL"
    )
    for table in LINKS:
        con.execute(f"DELETE FROM {table.full}")
    for entity in HEADERS:
        work.match(entity, None)
        rows = (
            f"(SELECT s.connection, s.stream, s.source_key, {golden_id_sql(entity, 's')} AS id, "
            f"s.first_seen_at AS since FROM {ddl.source_table(entity).full} s "
            "WHERE NOT coalesce(s.is_deleted, false))"
        )
        _place(work, entity, rows)
        _bury(work, entity)
    _outdate(work, "unified.xref")
    con.execute(
        "INSERT INTO unified.forwardings SELECT entity, id, golden_id FROM identity.links "
        "WHERE id <> golden_id"
    )
    _link(con, whole=True)


def group_changed(work: Work, entities: Collection[str]) -> None:
    """Match what changed (temp tables `changed` of the `entities`) and bring the links up to date.

    Leaves the temp tables `unify_moved`, records whose thing came, went or is another one,
    `unify_placed`, the rows of `xref` that were written, and per entity `regrouped`, ids of things
    of several records, to be made anew, and `alone`, those of the changed records that are a thing
    by themselves, numbered from 1.
    """
    con = work.con
    _begin(con)
    con.execute("CREATE OR REPLACE TEMP TABLE unify_placed AS FROM unified.xref LIMIT 0")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_moved (entity VARCHAR, connection VARCHAR, "
        "stream VARCHAR, source_key VARCHAR, golden_id UUID)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE unify_plain (id UUID)")
    for entity in HEADERS:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {temp('regrouped', entity)} (id UUID)")
        if entity in entities:
            work.match(entity, temp("changed", entity))
            _replace(work, entity)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {temp('alone', entity)} AS "
            f"SELECT *, row_number() OVER () AS number FROM {temp('changed', entity)} "
            f"SEMI JOIN unify_plain USING (id) ANTI JOIN {temp('regrouped', entity)} r USING (id)"
        )
    _link(con, whole=False)


def _begin(con: duckdb.DuckDBPyConnection) -> None:
    results.forget(con)
    results.create(con)


def _replace(work: Work, entity: str) -> None:
    """Put the changed and moved rows of `entity` to their places in `xref`."""
    con, name, changed = work.con, literal(entity), temp("changed", entity)
    # Who is new and alone is plain.
    moved = f"SELECT * FROM matching_moved WHERE entity = {name} AND (was IS NOT NULL OR now <> id)"
    # Of the records that are looked at, which are in a group or change it.
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE unify_looked AS SELECT id FROM {changed} "
        f"UNION SELECT id FROM matching_rewritten WHERE entity = {name}"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_links AS SELECT id, golden_id FROM identity.links "
        f"WHERE entity = {name} AND id IN (SELECT id FROM unify_looked)"
    )
    documents = (
        " UNION SELECT order_id FROM identity.order_documents WHERE order_id IN "
        "(SELECT id FROM unify_looked) UNION SELECT id FROM identity.order_documents "
        "WHERE id IN (SELECT id FROM unify_looked)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_groups AS SELECT id FROM unify_links "
        "WHERE golden_id IN (SELECT golden_id FROM identity.links "
        f"WHERE entity = {name} AND id <> golden_id "
        "AND golden_id IN (SELECT golden_id FROM unify_links)) "
        f"UNION SELECT unnest([id, was, now]) FROM ({moved})"
        + (documents if entity == "order" else "")
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE unify_plain AS SELECT id FROM {changed} ANTI JOIN "
        "unify_groups USING (id) WHERE is_loaded"
    )
    mine = f"FROM unified.xref WHERE entity = {name}"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_mates AS "
        f"SELECT DISTINCT golden_id AS id {mine} AND own_id IN "
        f"(SELECT id FROM {changed} ANTI JOIN unify_plain USING (id) "
        f"UNION SELECT id FROM ({moved}) UNION SELECT id FROM matching_rewritten "
        f"SEMI JOIN unify_groups USING (id) WHERE entity = {name})"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE unify_before AS SELECT *, rowid AS place {mine} AND "
        f"(own_id IN (SELECT id FROM {changed} UNION SELECT id FROM ({moved})) "
        "OR golden_id IN (SELECT id FROM unify_mates))"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE unify_rows AS SELECT connection, stream, source_key, id, "
        f"since FROM {changed} WHERE is_alive UNION ALL SELECT DISTINCT connection, stream, "
        "source_key, own_id, NULL::TIMESTAMPTZ FROM unify_before "
        f"WHERE own_id NOT IN (SELECT id FROM {changed})"
    )
    con.execute("DELETE FROM unified.xref WHERE rowid IN (SELECT place FROM unify_before)")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_documents AS SELECT id, order_id "
        "FROM identity.order_documents WHERE id IN (SELECT id FROM unify_rows)"
        if entity == "order"
        else "CREATE OR REPLACE TEMP TABLE unify_documents (id UUID, order_id UUID)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_links AS SELECT * FROM identity.links "
        f"WHERE entity = {name} AND id IN (SELECT id FROM unify_rows "
        "UNION SELECT order_id FROM unify_documents UNION SELECT own_id FROM unify_before "
        f"UNION SELECT id FROM ({moved}))"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE unify_after AS FROM unified.xref LIMIT 0")
    _place(work, entity, "unify_rows", "unify_after", "unify_links", "unify_documents")
    for table in ("unified.xref", "unify_placed"):
        con.execute(f"INSERT INTO {table} FROM unify_after")
    _outdate(work, "unify_after")
    _tell(con, entity, moved)


def _tell(con: duckdb.DuckDBPyConnection, entity: str, moved: str) -> None:
    """Say what moved and which things are to be made anew, and keep `forwardings`."""
    name, regrouped = literal(entity), temp("regrouped", entity)
    for here, there in (("unify_before", "unify_after"), ("unify_after", "unify_before")):
        con.execute(
            "INSERT INTO unify_moved SELECT entity, connection, stream, source_key, golden_id "
            f"FROM {here} h ANTI JOIN {there} t ON t.own_id = h.own_id "
            "AND t.golden_id = h.golden_id"
        )
    places = " UNION ".join(
        f"SELECT golden_id AS id FROM {rows} WHERE own_id NOT IN (SELECT id FROM unify_plain)"
        for rows in ("unify_before", "unify_after")
    )
    con.execute(
        f"INSERT INTO {regrouped} SELECT id FROM ({places} UNION SELECT unnest([was, now]) "
        f"FROM ({moved})) WHERE id IS NOT NULL"
    )
    those = (
        f"(SELECT id FROM ({moved}) UNION SELECT own_id FROM unify_before "
        "UNION SELECT id FROM unify_rows)"
    )
    con.execute(f"DELETE FROM unified.forwardings WHERE entity = {name} AND old_id IN {those}")
    con.execute(
        "INSERT INTO unified.forwardings SELECT entity, id, golden_id FROM unify_links "
        f"WHERE id <> golden_id AND id IN {those}"
    )


def _place(
    work: Work,
    entity: str,
    rows: str,
    into: str = "unified.xref",
    links: str = "identity.links",
    documents: str = "identity.order_documents",
) -> None:
    """Insert the living `rows` (connection, stream, source_key, id, since) `into` a kind of `xref`.

    Who stays part of the same thing (`unify_before`) keeps since when. `links` and `documents` have
    at least what `rows` are in, and the links of the orders of these documents.
    """
    name, now = literal(entity), f"{literal(work.now.isoformat())}::TIMESTAMPTZ"
    golden, lead, joins = "coalesce(l.golden_id, r.id)", "CASE WHEN l.id IS NULL THEN true END", ""
    linked = f"(SELECT * FROM {links} WHERE entity = {name})"
    if entity == "order":
        golden = "coalesce(d.golden_id, l.golden_id, r.id)"
        lead = "l.id IS NULL OR p.id IS NOT NULL"
        joins = (
            "LEFT JOIN (SELECT d.id, coalesce(o.golden_id, d.order_id) AS golden_id "
            f"FROM {documents} d JOIN {linked} m ON m.id = d.id AND m.rule = {literal(MERGED)} "
            f"LEFT JOIN {linked} o ON o.id = d.order_id) d ON d.id = r.id "
            f"LEFT JOIN (SELECT DISTINCT id FROM {documents} WHERE id = order_id) p ON p.id = r.id "
        )
    among = "AND own_id IN (SELECT id FROM unify_rows)" if rows == "unify_rows" else ""
    # What was part of a thing before, or leads now, is so since now; what is new, since it was
    # seen.
    work.con.execute(
        f"INSERT INTO {into} (entity, connection, stream, source_key, golden_id, own_id, "
        "is_lead, method, score, rule, evidence, valid_from) "
        f"SELECT {name}, r.connection, r.stream, r.source_key, {golden}, r.id, {lead}, "
        "coalesce(l.method, 'founder'), coalesce(l.score, 1.0), l.rule, l.evidence, "
        f"coalesce(b.valid_from, if(k.own_id IS NULL, r.since, {now}), {now}) FROM {rows} r "
        f"LEFT JOIN {linked} l ON l.id = r.id {joins}"
        f"LEFT JOIN unify_before b ON b.entity = {name} AND b.own_id = r.id "
        f"AND {_same_part(golden, lead, 'l.rule')} "
        "LEFT JOIN (SELECT DISTINCT own_id FROM unify_before "
        f"WHERE entity = {name} UNION SELECT own_id FROM history.xref WHERE entity = {name} "
        f"{among}) k ON k.own_id = r.id"
    )


def _outdate(work: Work, after: str) -> None:
    """Keep in history what stood before (`unify_before`) and does not in these rows of `xref`."""
    names = ", ".join(f.name for f in XREF.fields)
    work.con.execute(
        f"INSERT INTO history.xref ({names}, valid_to, unify_run) SELECT {names}, "
        f"{literal(work.now.isoformat())}::TIMESTAMPTZ, {work.run} FROM unify_before b "
        f"ANTI JOIN {after} x "
        f"ON x.own_id = b.own_id AND {_same_part('x.golden_id', 'x.is_lead', 'x.rule')}"
    )


def _same_part(golden: str, lead: str, rule: str) -> str:
    """Return the condition that a record was (alias b) the same part of the same thing as it is."""
    merged = literal(MERGED)
    return (
        f"b.golden_id = {golden} AND b.is_lead IS NOT DISTINCT FROM ({lead}) "
        f"AND (b.rule IS NOT DISTINCT FROM {merged}) = ({rule} IS NOT DISTINCT FROM {merged})"
    )


def _bury(work: Work, entity: str) -> None:
    """Keep in history which thing the dead rows were that it does not know: after a rebuild all."""
    names = ", ".join(f.name for f in XREF.fields)
    work.con.execute(
        f"INSERT INTO history.xref ({names}, valid_to, unify_run) "
        f"SELECT {literal(entity)}, s.connection, s.stream, s.source_key, "
        "coalesce(l.golden_id, s.id), s.id, CASE WHEN l.id IS NULL THEN true END, "
        "coalesce(l.method, 'founder'), coalesce(l.score, 1.0), l.rule, l.evidence, "
        f"s.first_seen_at, s.synced_at, {work.run} FROM (SELECT *, {golden_id_sql(entity, 's')} "
        f"AS id FROM {ddl.source_table(entity).full} s WHERE s.is_deleted) s LEFT JOIN "
        f"(SELECT * FROM identity.links WHERE entity = {literal(entity)}) l ON l.id = s.id "
        f"WHERE s.id NOT IN (SELECT own_id FROM history.xref WHERE entity = {literal(entity)} "
        f"UNION SELECT own_id FROM unify_before WHERE entity = {literal(entity)})"
    )


def _link(con: duckdb.DuckDBPyConnection, *, whole: bool) -> None:
    """Write the documents of orders and the evidence of payments, of all or of those touched."""

    def among(entity: str, column: str) -> str:
        moved = f"SELECT golden_id FROM unify_moved WHERE entity = {literal(entity)}"
        touched = f"{moved} UNION SELECT id FROM {temp('regrouped', entity)}"
        return "true" if whole else f"{column} IN ({touched})"

    con.execute(f"DELETE FROM unified.order_documents WHERE {among('order', 'order_id')}")
    con.execute(
        "INSERT INTO unified.order_documents (order_id, connection, stream, source_key, role, "
        "share) WITH orders AS (SELECT * FROM unified.xref "
        f"WHERE entity = 'order' AND {among('order', 'golden_id')}), "
        "said AS (SELECT DISTINCT o.golden_id, x.connection, x.stream, x.source_key, d.role, "
        "d.share FROM orders o JOIN identity.order_documents d ON d.order_id = o.own_id "
        "JOIN unified.xref x ON x.entity = 'order' AND x.own_id = d.id) "
        "SELECT * FROM said UNION ALL SELECT golden_id, connection, stream, source_key, 'placed', "
        "1 FROM orders WHERE golden_id NOT IN (SELECT golden_id FROM said)"
    )
    con.execute(f"DELETE FROM unified.payment_evidence WHERE {among('payment', 'payment_id')}")
    con.execute(
        "INSERT INTO unified.payment_evidence (payment_id, connection, stream, source_key) "
        "SELECT golden_id, connection, stream, source_key FROM unified.xref "
        f"WHERE entity = 'payment' AND {among('payment', 'golden_id')}"
    )
