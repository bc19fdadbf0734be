"""Finds groups of rows that share keys: payments, products, shipments.

A matcher keeps `identity.<entity>_keys`, the normalised values by which its rows may be known.
Rows that share a value hang together; what hangs together with a change is matched anew, by these
steps: rows that are surely one become a **unit**; pairs of units that may be one are joined where
each is the other's only one in its connection; a row of which a unit has two connections' worth
twice joins nothing. A value that more rows have than `HEAVY` says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from warehouse.ddl import literal, quote
from warehouse.matching import common
from warehouse.matching.common import some

HEAVY = 50
"""Rows with one value from which it is a placeholder."""

_PLACES = """
CREATE OR REPLACE TEMP TABLE keyed_place AS
SELECT unit, list(DISTINCT connection) AS systems FROM keyed_unit
WHERE id IN (SELECT a FROM keyed_hit) OR unit IN (
    SELECT unit FROM keyed_unit WHERE id IN (SELECT a FROM keyed_hit))
GROUP BY unit
"""

# Three steps of one join each: in one statement the planner compares all units with all others.
_STEPS = (
    """
CREATE OR REPLACE TEMP TABLE keyed_from AS
SELECT a.unit AS u, p.b, p.strong FROM keyed_hit p JOIN keyed_unit a ON a.id = p.a
""",
    """
CREATE OR REPLACE TEMP TABLE keyed_named AS
SELECT f.u, b.unit AS v, bool_or(f.strong) AS strong
FROM keyed_from f JOIN keyed_unit b ON b.id = f.b AND b.unit <> f.u GROUP BY ALL
""",
    """
CREATE OR REPLACE TEMP TABLE keyed_from AS
SELECT n.*, x.systems AS mine FROM keyed_named n JOIN keyed_place x ON x.unit = n.u
""",
    # A row a pair, in both directions, and each connection that the second unit has.
    """
CREATE OR REPLACE TEMP TABLE keyed_pair AS
SELECT n.u, n.v, n.strong, unnest(y.systems) AS connection
FROM keyed_from n JOIN keyed_place y ON y.unit = n.v AND NOT list_has_any(n.mine, y.systems)
""",
)

# Where some of the candidates in a connection are strong, the others are none.
_ALLOWED = """
CREATE OR REPLACE TEMP TABLE keyed_edge AS
WITH counted AS (
    SELECT u, v, strong, count(*) OVER w AS hits, count(*) FILTER (strong) OVER w AS strongest
    FROM keyed_pair WINDOW w AS (PARTITION BY u, connection)
), allowed AS (
    SELECT u, v FROM counted GROUP BY u, v
    HAVING bool_and(if(strongest > 0, strong AND strongest = 1, hits = 1))
)
SELECT a.u, a.v FROM allowed a JOIN allowed b ON b.u = a.v AND b.v = a.u
"""

_ATTACHED = """
INSERT INTO match_member
WITH asked AS (
    SELECT d.dead, coalesce(m.grp, d.living) AS grp, d.rule, d.evidence
    FROM match_dead d LEFT JOIN match_member m ON m.id = d.living
), members AS (
    SELECT grp, id FROM match_member WHERE grp IN (SELECT grp FROM asked)
    UNION SELECT grp, grp FROM asked
), founded AS (
    SELECT m.grp, min({'a': r.first_seen_at, 'b': r.connection, 'c': r.stream,
        'd': r.source_key}) AS founder
    FROM members m JOIN match_near r ON r.id = m.id GROUP BY m.grp
), chosen AS (
    SELECT a.dead, arg_min({'grp': a.grp, 'rule': a.rule, 'evidence': a.evidence},
        {'a': f.founder, 'b': a.rule}) AS c
    FROM asked a JOIN founded f ON f.grp = a.grp GROUP BY a.dead
)
SELECT dead, c.grp, c.rule, c.evidence FROM chosen
UNION
SELECT DISTINCT c.grp, c.grp, NULL, NULL FROM chosen
WHERE c.grp NOT IN (SELECT id FROM match_member)
"""


def keys_of(entity: str) -> str:
    """Return the quoted name of the table of an entity's keys."""
    return f"identity.{quote(f'{entity}_keys')}"


def create(con: duckdb.DuckDBPyConnection, entity: str, columns: str) -> None:
    """Make the tables of a matcher by keys; `columns` are the entity's own."""
    common.create(con, entity, columns)
    con.execute(
        f"CREATE TABLE IF NOT EXISTS {keys_of(entity)} (id UUID, what VARCHAR, value VARCHAR)"
    )


def take(
    con: duckdb.DuckDBPyConnection,
    entity: str,
    read: Sequence[str],
    columns: str,
    keys: dict[str, str],
    changed: str | None,
) -> None:
    """Bring rows and keys up to date and collect what is to be matched anew.

    `keys` are SQL expressions over the entity's row by their names. Leaves `match_scope`,
    `match_near` and `match_keys(id, what, value)` of it.
    """
    changed = common.take_rows(con, entity, read, columns, changed)
    table, rows = keys_of(entity), common.rows_of(entity)
    made = " UNION ALL ".join(
        f"SELECT id, {literal(what)}, value FROM (SELECT id, {sql} AS value FROM {rows} r "
        f"{'' if changed is None else 'WHERE id IN (SELECT id FROM match_changed)'}) "
        "WHERE value IS NOT NULL"
        for what, sql in keys.items()
    )
    held = f"FROM {table} WHERE id IN (SELECT id FROM match_changed)"
    if changed is None:
        con.execute(f"DELETE FROM {table}")
        con.execute(f"INSERT INTO {table} {made}")
        con.execute("CREATE OR REPLACE TEMP TABLE match_scope AS SELECT id FROM match_changed")
    else:
        con.execute(f"CREATE OR REPLACE TEMP TABLE match_values AS SELECT what, value {held}")
        con.execute(f"DELETE {held}")
        con.execute(f"INSERT INTO {table} {made}")
        con.execute(f"INSERT INTO match_values SELECT what, value {held}")
        _close(con, table)
    common.see_near(con, entity, whole=changed is None)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE match_keys AS SELECT * FROM {table} "
        f"{'' if changed is None else 'WHERE id IN (SELECT id FROM match_scope)'}"
    )
    con.execute(
        "DELETE FROM match_keys WHERE (what, value) IN (SELECT (what, value) FROM "
        f"{table} WHERE value IN (SELECT value FROM match_keys) GROUP BY what, value "
        f"HAVING count(*) > {HEAVY})"
    )


def _close(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Collect in `match_scope` what hangs together with the values that came and went."""
    con.execute("CREATE OR REPLACE TEMP TABLE match_scope AS SELECT id FROM match_changed")
    # The values of what changed count before and after: with them one may have become heavy.
    con.execute(
        "CREATE OR REPLACE TEMP TABLE keyed_value AS SELECT what, value, "
        f"{HEAVY} + count(*) AS most FROM match_values GROUP BY ALL"
    )
    while some(con, "keyed_value"):
        con.execute(
            "CREATE OR REPLACE TEMP TABLE keyed_near AS WITH bearers AS ("
            f"SELECT k.id, k.what, k.value FROM {table} k JOIN keyed_value v "
            "ON v.what = k.what AND v.value = k.value), light AS ("
            "SELECT b.what, b.value FROM bearers b JOIN keyed_value v "
            "ON v.what = b.what AND v.value = b.value "
            "GROUP BY ALL HAVING count(*) <= any_value(v.most)) "
            "SELECT DISTINCT b.id FROM bearers b JOIN light l "
            "ON l.what = b.what AND l.value = b.value "
            "WHERE b.id NOT IN (SELECT id FROM match_scope)"
        )
        con.execute("INSERT INTO match_scope SELECT id FROM keyed_near")
        con.execute(
            "CREATE OR REPLACE TEMP TABLE keyed_value AS SELECT DISTINCT what, value, "
            f"{HEAVY} AS most FROM {table} WHERE id IN (SELECT id FROM keyed_near)"
        )


def join(
    con: duckdb.DuckDBPyConnection,
    entity: str,
    surely: tuple[str, str],
    maybe: tuple[str, str],
    conflict: str = "false",
) -> None:
    """Join units by pairs and write links.

    Reads temp tables `keyed_unit(id, unit, connection)`, every living row of `match_scope` once;
    `keyed_hit(a, b, strong)`: pairs of rows that may be one, in both directions;
    `match_dead(dead, living, rule, evidence)`. `surely` and `maybe` are rule and evidence of rows
    whose unit has several and of others. `conflict` is SQL over `match_near` r, true of a group
    that contradicts itself: its units stay apart.
    """
    for sql in (_PLACES, *_STEPS):
        con.execute(sql)
    con.execute(_ALLOWED)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE keyed_label AS "
        "SELECT unit, unit AS grp FROM (SELECT DISTINCT unit FROM keyed_unit)"
    )
    if some(con, "keyed_edge"):
        _spread(con, conflict)
    said = [literal(text) for text in (*surely, *maybe)]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE match_member AS "
        "SELECT u.id, l.grp, CASE WHEN u.rows > 1 "
        f"THEN {said[0]} ELSE {said[2]} END AS rule, CASE WHEN u.rows > 1 "
        f"THEN {said[1]} ELSE {said[3]} END AS evidence "
        "FROM (SELECT *, count(*) OVER (PARTITION BY unit) AS rows FROM keyed_unit) u "
        "JOIN keyed_label l ON l.unit = u.unit "
        "QUALIFY count(*) OVER (PARTITION BY l.grp) > 1"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE match_beside (id UUID, grp UUID)")
    if some(con, "match_dead"):
        con.execute(_ATTACHED)
    common.settle(con, entity)
    common.drop(
        con, "keyed_unit", "keyed_pair", "keyed_hit", "keyed_edge", "keyed_label", "keyed_near",
        "keyed_value", "keyed_place", "keyed_named", "keyed_from", "match_keys", "match_dead",
        "keyed_bad",
    )  # fmt: skip


def _spread(con: duckdb.DuckDBPyConnection, conflict: str) -> None:
    """Give the units that hang together by edges one name; those in conflict keep their own."""
    while True:
        moved = con.execute(
            "UPDATE keyed_label SET grp = n.grp FROM (SELECT e.u, min(l.grp) AS grp "
            "FROM keyed_edge e JOIN keyed_label l ON l.unit = e.v GROUP BY e.u) n "
            "WHERE n.u = keyed_label.unit AND n.grp < keyed_label.grp"
        ).fetchall()
        if not moved[0][0]:
            break
    con.execute(
        "CREATE OR REPLACE TEMP TABLE keyed_bad AS "
        "SELECT grp FROM (SELECT DISTINCT l.grp, u.unit, u.connection FROM keyed_unit u "
        "JOIN keyed_label l ON l.unit = u.unit) GROUP BY grp, connection HAVING count(*) > 1 "
        "UNION SELECT l.grp FROM keyed_unit u JOIN keyed_label l ON l.unit = u.unit "
        f"JOIN match_near r ON r.id = u.id GROUP BY l.grp HAVING {conflict}"
    )
    con.execute("UPDATE keyed_label SET grp = unit WHERE grp IN (SELECT grp FROM keyed_bad)")
