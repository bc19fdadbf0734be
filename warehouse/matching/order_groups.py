"""Leads every order document to what was placed: groups out of `identity.order_edges`.

A row that claims nothing is placed. One that leads to several placed orders is a merged document
and stands beside their groups. A deleted row attaches to at most one group of living rows.
"""

from __future__ import annotations

import duckdb

from warehouse.ddl import literal
from warehouse.matching.common import see_near, some
from warehouse.matching.results import MERGED

_EVIDENCE = """
CASE rule WHEN 'platform number' THEN 'platform_order_no = number'
WHEN 'platform key' THEN 'platform_order_no = platform_order_no'
WHEN 'platform merchant number' THEN 'platform_order_no = merchant_order_no'
WHEN 'merchant number' THEN 'merchant_order_no = number'
WHEN 'merchant key' THEN 'merchant_order_no = platform_order_no'
WHEN 'merchant merchant number' THEN 'merchant_order_no = merchant_order_no'
WHEN 'shared platform number' THEN 'platform_order_no = platform_order_no'
WHEN 'parent' THEN 'parent_order_key = source_key'
WHEN 'po number' THEN 'po_number = number' END
"""

_STEPS = """
CREATE OR REPLACE TEMP TABLE order_step AS
SELECT e.id, e.target, e.rule FROM identity.order_edges e
WHERE NOT e.is_dead AND e.id IN (SELECT id FROM match_scope)
"""

# A parent that was split up may have given its money away: then its parts are what was placed,
# unless it leads on to an order that has the sum.
_GIVEN_AWAY = """
DELETE FROM order_step WHERE rule = 'parent'
    AND target NOT IN (SELECT id FROM match_near WHERE total IS NOT NULL)
    AND target NOT IN (SELECT id FROM order_step)
"""

_ROOTS = """
CREATE OR REPLACE TEMP TABLE order_root AS
WITH RECURSIVE reach AS (
    SELECT id, target FROM order_step WHERE target IN (SELECT id FROM order_step)
    UNION
    SELECT r.id, s.target FROM reach r JOIN order_step s ON s.id = r.target
)
SELECT id, target AS root FROM order_step WHERE target NOT IN (SELECT id FROM order_step)
UNION
SELECT id, target FROM reach WHERE target NOT IN (SELECT id FROM order_step)
"""

# Rows that claim each other in a circle and lead nowhere else: the first of them was placed.
_CIRCLES = """
CREATE OR REPLACE TEMP TABLE order_pair AS
WITH RECURSIVE lost AS (
    SELECT id, target FROM order_step WHERE id NOT IN (SELECT id FROM order_root)
), reach AS (
    SELECT id, target FROM lost
    UNION
    SELECT r.id, l.target FROM reach r JOIN lost l ON l.id = r.target
), inside AS (
    SELECT a.id, a.target FROM reach a JOIN reach b ON b.id = a.target AND b.target = a.id
    WHERE a.id NOT IN (
        SELECT o.id FROM reach o WHERE NOT EXISTS (
            SELECT 1 FROM reach back WHERE back.id = o.target AND back.target = o.id)
    )
), chosen AS (
    SELECT i.id, arg_min(r.id, {'a': coalesce(k.place, 1000000), 'b': r.channel IS NULL,
        'c': r.connection, 'd': r.stream, 'e': r.source_key}) AS root
    FROM inside i JOIN match_near r ON r.id = i.target
    LEFT JOIN identity.order_ranks k ON k.connection = r.connection
    GROUP BY i.id
)
SELECT DISTINCT r.id, c.root FROM reach r JOIN chosen c ON c.id = r.target
"""

_MEMBERS = f"""
CREATE OR REPLACE TEMP TABLE match_member AS
WITH led AS (
    SELECT id, min(root) AS grp FROM order_root GROUP BY id HAVING count(*) = 1
), rules AS (
    SELECT id, min(rule) AS rule FROM order_step GROUP BY id
)
SELECT l.id, l.grp, r.rule, {_EVIDENCE} AS evidence FROM led l JOIN rules r ON r.id = l.id
UNION ALL
SELECT DISTINCT grp, grp, 'placed', NULL FROM led
"""

_BESIDE = f"""
CREATE OR REPLACE TEMP TABLE match_beside AS
SELECT id, root AS grp, {literal(MERGED)} AS rule, 'several numbers' AS evidence
FROM order_root WHERE id IN (SELECT id FROM order_root GROUP BY id HAVING count(*) > 1)
"""

_ATTACHED = f"""
CREATE OR REPLACE TEMP TABLE order_pair AS
WITH ends AS (
    SELECT unnest([id, target]) AS dead, unnest([target, id]) AS living, rule
    FROM identity.order_edges WHERE is_dead AND id IN (SELECT id FROM match_scope)
), asked AS (
    SELECT e.dead, e.rule, coalesce(m.grp, e.living) AS grp
    FROM ends e JOIN match_near r ON r.id = e.dead AND NOT r.is_alive
    LEFT JOIN match_member m ON m.id = e.living
    WHERE e.living NOT IN (SELECT id FROM match_beside)
), members AS (
    SELECT grp, id FROM match_member WHERE grp IN (SELECT grp FROM asked)
    UNION SELECT grp, grp FROM asked
), founded AS (
    SELECT m.grp, min({{'a': r.first_seen_at, 'b': r.connection, 'c': r.stream,
        'd': r.source_key}}) AS founder
    FROM members m JOIN match_near r ON r.id = m.id GROUP BY m.grp
), chosen AS (
    SELECT a.dead, arg_min({{'grp': a.grp, 'rule': a.rule}},
        {{'a': f.founder, 'b': a.rule}}) AS c
    FROM asked a JOIN founded f ON f.grp = a.grp GROUP BY a.dead
)
SELECT dead AS id, c.grp AS grp, c.rule AS rule, {_EVIDENCE.replace("rule", "c.rule", 1)}
    AS evidence FROM chosen
"""


def group(con: duckdb.DuckDBPyConnection, *, whole: bool) -> None:
    """Make `match_scope`, `match_member`, `match_beside` and `order_root` of what may have moved.

    `order_root` has (id, root) of the documents that lead to what was placed, living ones alone.
    """
    _scope(con, whole=whole)
    see_near(con, "order", whole=whole)
    con.execute(_STEPS)
    if some(con, "order_step WHERE rule = 'parent'"):
        con.execute(_GIVEN_AWAY)
    con.execute(_ROOTS)
    if some(con, "order_step WHERE id NOT IN (SELECT id FROM order_root)"):
        con.execute(_CIRCLES)
        con.execute("INSERT INTO order_root SELECT id, root FROM order_pair WHERE id <> root")
        con.execute(
            "INSERT INTO identity.order_elections SELECT id FROM order_pair "
            "EXCEPT SELECT id FROM identity.order_elections"
        )
    con.execute(_MEMBERS)
    con.execute(_BESIDE)
    if some(con, "identity.order_edges WHERE is_dead"):
        con.execute(_ATTACHED)
        con.execute(
            "INSERT INTO match_member SELECT DISTINCT grp, grp, 'placed', NULL FROM order_pair "
            "WHERE grp NOT IN (SELECT id FROM match_member)"
        )
        con.execute("INSERT INTO match_member SELECT id, grp, rule, evidence FROM order_pair")


def _scope(con: duckdb.DuckDBPyConnection, *, whole: bool) -> None:
    """Collect all that hangs together with what changed."""
    con.execute("CREATE OR REPLACE TEMP TABLE match_scope AS SELECT id FROM match_look")
    if whole:
        return
    con.execute(
        "CREATE OR REPLACE TEMP TABLE order_asked AS "
        "SELECT unnest([id, target]) AS id FROM order_old UNION SELECT id FROM match_look"
    )
    while some(con, "order_asked"):
        con.execute(
            "INSERT INTO match_scope SELECT id FROM order_asked EXCEPT SELECT id FROM match_scope"
        )
        con.execute(
            "CREATE OR REPLACE TEMP TABLE order_asked AS WITH near AS ("
            "SELECT id, target FROM identity.order_edges WHERE id IN (SELECT id FROM order_asked) "
            "OR target IN (SELECT id FROM order_asked)) "
            "SELECT unnest([id, target]) AS id FROM near EXCEPT SELECT id FROM match_scope"
        )
