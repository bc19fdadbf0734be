"""Writes the golden rows of things that several records tell of: values by survivorship.

The children of such a thing are those of the best placed record that has any; identifiers and
addresses of a party are those of all its records, what two of them say once.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from warehouse import ddl, golden, lazy, survive
from warehouse.ddl import columns_of, literal, quote
from warehouse.golden import SLICE, Written, count
from warehouse.grouping import temp
from warehouse.matching.results import MERGED
from warehouse.model import ENTITIES
from warehouse.resolve import resolve
from warehouse.survive import Priority

OF_ALL = frozenset({"party_identifier", "address"})
"""Children that a thing has from all its records."""


def write(
    con: duckdb.DuckDBPyConnection, entity: str, run: int, priority: Priority
) -> Mapping[str, Written]:
    """Make the things of the header `entity` anew whose ids are in the temp table `regrouped`.

    Returns what was written of it and of its children.
    """
    ids = temp("regrouped", entity)
    size = count(con, ids)
    family = (entity, *ENTITIES[entity].children.values())
    done = {member: Written() for member in family}
    if not size:
        return {}
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_numbered AS "
        f"SELECT id, row_number() OVER (ORDER BY id) AS number FROM (SELECT DISTINCT id FROM {ids})"
    )
    for start in range(0, size, SLICE):
        con.execute(
            "CREATE OR REPLACE TEMP TABLE unify_slice AS SELECT * FROM unify_numbered "
            f"WHERE number > {start} AND number <= {start + SLICE}"
        )
        _members(con, entity, run)
        for member in family:
            con.execute(
                f"CREATE OR REPLACE TEMP TABLE unify_gone AS SELECT {quote(f'{member}_id')} AS id "
                f"FROM {ddl.unified_table(member).full} "
                f"WHERE {quote(f'{entity}_id')} IN (SELECT id FROM unify_slice)"
            )
            if member == entity:
                _fresh(con, entity, priority)
            else:
                _fresh_children(con, entity, member, run)
            golden.replace(con, member, run, done[member], resolved=member == entity)
            if member == entity:
                # Also what is no thing any more: its links and its forwarding changed.
                con.execute(
                    f"INSERT INTO ops.changes SELECT {run}, {literal(entity)}, id "
                    "FROM unify_slice ANTI JOIN unify_ids USING (id)"
                )
    for name in ("numbered", "members", "ranked"):
        con.execute(f"DROP TABLE IF EXISTS unify_{name}")
    return done


def _members(con: duckdb.DuckDBPyConnection, entity: str, run: int) -> None:
    """Make the temp table of the slice's records with their places, references resolved."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unify_member_keys AS SELECT golden_id AS id, own_id, "
        f"is_lead, connection, stream, source_key FROM unified.xref WHERE entity = "
        f"{literal(entity)} AND rule IS DISTINCT FROM {literal(MERGED)} "
        "AND golden_id IN (SELECT id FROM unify_slice)"
    )
    source = ddl.source_table(entity).full
    select = golden.select_golden(entity, run, "k.id", source, also=("k.own_id", "k.is_lead"))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE unify_members AS {select} "
        "JOIN unify_member_keys k ON s.connection = k.connection AND s.stream = k.stream "
        "AND s.source_key = k.source_key WHERE NOT coalesce(s.is_deleted, false)"
    )


def _fresh(con: duckdb.DuckDBPyConnection, entity: str, priority: Priority) -> None:
    """Make the golden rows of the slice out of its members."""
    names = _names(con, entity)
    replaced, joins = resolve(con, entity, "unify_members")
    found = ", ".join(f"{value} AS {quote(name)}" for name, value in replaced.items())
    rows = (
        f"SELECT n.* REPLACE ({found}) FROM unify_members n {joins}"
        if found
        else ("SELECT * FROM unify_members")
    )
    ranked = survive.ranked(entity, f"({rows})", priority, names)
    con.execute(f"CREATE OR REPLACE TEMP TABLE unify_ranked AS {ranked}")
    own = quote(f"{entity}_id")
    values = survive.values(entity, priority, names)
    said = ", ".join(f"{value} AS {quote(name)}" for name, value in values.items())
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {temp('fresh', entity)} AS "
        f"SELECT {own}, {said} FROM unify_ranked GROUP BY {own}"
    )


def _fresh_children(con: duckdb.DuckDBPyConnection, entity: str, child: str, run: int) -> None:
    """Make the slice's children of one kind: of the best placed record that has any, or of all."""
    source, own = ddl.source_table(child), quote(f"{entity}_id")
    key = "s.connection = o.connection AND s.stream = o.stream AND s.parent_key = o.source_key"
    select = golden.select_golden(child, run, f"o.{own}", source.full, child_owner="o.own_id")
    if child in OF_ALL:
        known = columns_of(ENTITIES[child].columns(), "s")
        told = _may_be_told(con, entity, child)
        chosen = (
            f"{told} QUALIFY rank() OVER (PARTITION BY o.{own}, {known} "
            "ORDER BY o.survive_rank) = 1"
        )
    else:
        chosen = f"QUALIFY rank() OVER (PARTITION BY o.{own} ORDER BY o.survive_rank) = 1"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {temp('fresh', child)} AS "
        f"{select} JOIN unify_ranked o ON {key} {chosen}"
    )


def _may_be_told(con: duckdb.DuckDBPyConnection, entity: str, child: str) -> str:
    """Leave out what a person's record tells and the mask of an organisation would show."""
    if "kind" not in survive.deciding(entity, _names(con, entity)):
        return ""
    said = survive.of_the_kind("kind", "o")
    if child == "party_identifier":
        said += " OR coalesce(s.scheme NOT IN ('tax_number', 'bank_account'), true)"
    return f"WHERE {said}"


def _names(con: duckdb.DuckDBPyConnection, entity: str) -> list[str]:
    """Return the columns of the unified table that rows carry."""
    table = ddl.unified_table(entity)
    real = lazy.real_columns(con, table.full)
    return [n for n in table.names if n in real]
