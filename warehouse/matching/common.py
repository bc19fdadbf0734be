"""What the matchers of documents share: their rows, the links they leave, which ids moved.

A matcher keeps `identity.<entity>_rows`, one row a source row, and writes `identity.links` for the
members of groups of two and more. What it looked at again stands in temp table `match_scope`.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from warehouse import ddl
from warehouse.ddl import literal, quote
from warehouse.identity import golden_id_sql
from warehouse.matching import results

FRAME = (
    "id UUID, connection VARCHAR, stream VARCHAR, source_key VARCHAR, is_alive BOOLEAN, "
    "first_seen_at TIMESTAMPTZ"
)
"""The columns that `identity.<entity>_rows` has for every entity."""

_SETTLED = """
CREATE OR REPLACE TEMP TABLE match_settled AS
WITH named AS (
    SELECT m.grp, m.id, m.rule, m.evidence, r.first_seen_at, r.connection, r.stream, r.source_key
    FROM match_member m JOIN match_near r ON r.id = m.id
), founders AS (
    SELECT grp, min(first_seen_at) AS first_seen_at FROM named GROUP BY grp
), firsts AS (
    -- Two rows of one load have one moment: only then the names decide.
    SELECT n.grp, count(*) AS rivals, min(n.id) AS id, arg_min(
        n.id, {'a': n.connection, 'b': n.stream, 'c': n.source_key}) AS least
    FROM named n JOIN founders f ON f.grp = n.grp AND f.first_seen_at = n.first_seen_at
    GROUP BY n.grp
)
SELECT n.id, n.grp, if(f.rivals = 1, f.id, f.least) AS golden_id, n.rule, n.evidence
FROM named n JOIN firsts f ON f.grp = n.grp
"""


def scalar(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    """Return the one number that a query gives, 0 where it gives none."""
    row = con.execute(sql).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def some(con: duckdb.DuckDBPyConnection, rows: str) -> bool:
    """Return whether a table or subquery (with its WHERE) has a row."""
    return con.execute(f"SELECT 1 FROM {rows} LIMIT 1").fetchone() is not None


def rows_of(entity: str) -> str:
    """Return the quoted name of the table of an entity's rows."""
    return f"identity.{quote(f'{entity}_rows')}"


def create(con: duckdb.DuckDBPyConnection, entity: str, columns: str) -> None:
    """Make the tables that every matcher has; `columns` are the entity's own, behind FRAME."""
    results.create(con)
    con.execute(f"CREATE TABLE IF NOT EXISTS {rows_of(entity)} ({FRAME}, {columns})")


def is_alone(con: duckdb.DuckDBPyConnection, entity: str, inner: str = "false") -> bool:
    """Return whether nothing can match: one connection alone, and no row with `inner`.

    Never while the matcher holds rows: what they were linked by has to be taken back.
    """
    if some(con, rows_of(entity)):
        return False
    source = ddl.source_table(entity).full
    row = con.execute(
        f"SELECT min(connection) IS NOT DISTINCT FROM max(connection) FROM {source}"
    ).fetchone()
    return bool(row and row[0]) and not some(con, f"{source} s WHERE {inner}")


def take_rows(
    con: duckdb.DuckDBPyConnection,
    entity: str,
    read: Sequence[str],
    columns: str,
    changed: str | None,
) -> str | None:
    """Bring `identity.<entity>_rows` up to date; `columns` are SQL over the source row `s`.

    Leaves temp tables `match_fresh` (FRAME and the source's columns `read` of the rows taken),
    `match_changed` (ids looked at: all where `changed` is None) and `match_known` (those of them
    that were there before). Returns `changed`, or None where nothing was kept yet, so that all
    rows were taken.
    """
    rows, source = rows_of(entity), ddl.source_table(entity).full
    if changed is not None and not some(con, rows):
        changed = None
    taken = (
        "s.connection, s.stream, s.source_key, NOT coalesce(s.is_deleted, false) AS is_alive, "
        f"s.first_seen_at, {ddl.columns_of(read, 's')} FROM {source} s"
    )
    if changed is None:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE match_fresh AS "
            f"SELECT {golden_id_sql(entity, 's')} AS id, {taken}"
        )
        con.execute(
            "CREATE OR REPLACE TEMP TABLE match_changed AS "
            f"SELECT id FROM match_fresh UNION SELECT id FROM {rows}"
        )
    else:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE match_fresh AS SELECT c.id, {taken} "
            f"JOIN (SELECT DISTINCT connection, stream, source_key, id FROM {changed}) c "
            "ON c.connection = s.connection AND c.stream = s.stream "
            "AND c.source_key = s.source_key"
        )
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE match_changed AS SELECT DISTINCT id FROM {changed}"
        )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE match_known AS "
        f"SELECT id, rowid AS place FROM {rows} WHERE id IN (SELECT id FROM match_changed)"
    )
    con.execute(f"DELETE FROM {rows} WHERE rowid IN (SELECT place FROM match_known)")
    con.execute(
        f"INSERT INTO {rows} SELECT id, connection, stream, source_key, is_alive, first_seen_at, "
        f"{columns} FROM match_fresh s"
    )
    return changed


def see_near(con: duckdb.DuckDBPyConnection, entity: str, *, whole: bool) -> None:
    """Make `match_near`, the entity's rows that are in `match_scope`."""
    rows = rows_of(entity)
    if not whole:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE match_part AS "
            f"SELECT * FROM {rows} WHERE id IN (SELECT id FROM match_scope)"
        )
        rows = "temp.match_part"
    con.execute(f"CREATE OR REPLACE TEMP VIEW match_near AS SELECT * FROM {rows}")


def settle(con: duckdb.DuckDBPyConnection, entity: str) -> None:
    """Write the links of the rows in `match_scope`, and which golden ids moved.

    Reads `match_near` and temp tables `match_scope(id)`; `match_member(id, grp, rule, evidence)`:
    every row of a group, which `grp` names; `match_beside(id, grp, rule, evidence)`: rows that
    serve several groups and belong to none, once for each.
    """
    name = literal(entity)
    con.execute(_SETTLED)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE match_links AS "
        "SELECT id, golden_id, if(id = golden_id, 'founder', 'deterministic') AS method, rule, "
        "evidence FROM match_settled "
        "WHERE grp IN (SELECT grp FROM match_settled GROUP BY grp HAVING count(*) > 1)"
    )
    if some(con, "match_beside"):
        _settle_beside(con)
    con.execute(
        "INSERT INTO matching_moved "
        "WITH was AS (SELECT s.id, CASE WHEN s.id NOT IN (SELECT id FROM match_changed) "
        "OR s.id IN (SELECT id FROM match_known) THEN coalesce(l.golden_id, s.id) END AS was "
        "FROM match_scope s LEFT JOIN "
        f"(SELECT id, golden_id FROM identity.links WHERE entity = {name}) l ON l.id = s.id), "
        "held AS (SELECT s.id, coalesce(l.golden_id, r.id) AS now FROM match_scope s "
        "LEFT JOIN match_near r ON r.id = s.id LEFT JOIN match_links l ON l.id = s.id) "
        f"SELECT {name}, was.id, was.was, held.now FROM was JOIN held ON held.id = was.id "
        "WHERE was.was IS DISTINCT FROM held.now"
    )
    con.execute(f"INSERT INTO matching_rewritten SELECT {name}, id FROM match_scope")
    con.execute(
        f"DELETE FROM identity.links WHERE entity = {name} AND id IN (SELECT id FROM match_scope)"
    )
    con.execute(
        f"INSERT INTO identity.links SELECT {name}, id, golden_id, method, 1.0, rule, evidence "
        "FROM match_links"
    )


def _settle_beside(con: duckdb.DuckDBPyConnection) -> None:
    """Give a row that serves several groups the golden id of the one that was first."""
    con.execute(
        "INSERT INTO match_links WITH golden AS (SELECT b.id, b.rule, b.evidence, "
        "coalesce(s.golden_id, b.grp) AS golden_id FROM match_beside b "
        "LEFT JOIN match_settled s ON s.id = b.grp) "
        "SELECT g.id, arg_min(g.golden_id, {'a': r.first_seen_at, 'b': r.connection, "
        "'c': r.stream, 'd': r.source_key}), 'deterministic', any_value(g.rule), "
        "any_value(g.evidence) FROM golden g JOIN match_near r ON r.id = g.golden_id GROUP BY g.id"
    )


def drop(con: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Drop temp tables, those of all matchers and those named."""
    con.execute("DROP VIEW IF EXISTS temp.match_near")
    for name in (
        *names, "match_fresh", "match_changed", "match_known", "match_scope", "match_member",
        "match_beside", "match_settled", "match_links", "match_look", "match_values",
        "match_part",
    ):  # fmt: skip
        con.execute(f"DROP TABLE IF EXISTS temp.{quote(name)}")
