"""Finds what the claims of order documents hold: `identity.order_edges`, a row a claim that holds.

Living rows connect living rows. An edge with a dead end connects nothing; it says where the dead
row may attach.
"""

from __future__ import annotations

import duckdb

from warehouse.matching.common import some

LONG = 12
"""Digits from which a number is a marketplace's, which no other counter reaches by chance."""


def digits(sql: str) -> str:
    """Return the SQL of how many digits a number has."""
    return f"length(regexp_replace({sql}, '[^0-9]', '', 'g'))"


_NAMES = "n.what IN ('number', 'own', 'alias')"
_SAME = "a.currency = b.currency AND a.total = b.total AND a.day BETWEEN b.day - 3 AND b.day + 3"

_FOUND = f"""
CREATE OR REPLACE TEMP TABLE order_found AS
WITH hits AS (
    SELECT c.nr, n.id AS target, n.connection AS system, n.is_alive,
        CASE n.what WHEN 'number' THEN 1 WHEN 'own' THEN 2 ELSE 3 END AS level
    FROM order_claims c JOIN identity.order_numbers n
        ON n.value = c.value AND n.connection <> c.connection AND {_NAMES}
    WHERE c.what <> 'parent' AND (n.is_alive OR c.is_alive)
        AND (n.what = 'number' OR c.what NOT IN ('twin', 'po'))
), levels AS (
    SELECT nr, is_alive, level, count(*) AS hits, min(target) AS target, min(system) AS system
    FROM hits GROUP BY ALL
), best AS (
    -- A dead row is found only where no living one is.
    SELECT nr, arg_min(
        {{'is_alive': is_alive, 'level': level, 'hits': hits, 'target': target, 'system': system}},
        if(is_alive, 0, 10) + level) AS b
    FROM levels GROUP BY nr
)
SELECT c.nr, c.id, c.what, c.is_alive AND b.is_alive AS is_living, b.level, b.hits,
    if(b.hits = 1, b.target, NULL) AS target, if(b.hits = 1, b.system, NULL) AS system,
    b.is_alive AS target_alive
FROM best JOIN order_claims c ON c.nr = best.nr
"""

# Of several rows with the number, that of the shop which the claiming row names.
_FITS = """(b.shop IN (a.shop, a.channel) OR b.channel IN (a.shop, a.channel)
    OR lower(b.connection) IN (a.shop, a.channel))"""

_FITTING = f"""
CREATE OR REPLACE TEMP TABLE order_asked AS
SELECT f.nr, min(b.id) AS target, min(b.connection) AS system
FROM order_found f
JOIN order_claims c ON c.nr = f.nr
JOIN identity.order_numbers n ON n.value = c.value AND n.connection <> c.connection AND {_NAMES}
    AND n.is_alive = f.target_alive
    AND CASE n.what WHEN 'number' THEN 1 WHEN 'own' THEN 2 ELSE 3 END = f.level
JOIN identity.order_rows a ON a.id = c.id
JOIN identity.order_rows b ON b.id = n.id
WHERE f.hits > 1 AND {_FITS}
GROUP BY f.nr HAVING count(*) = 1
"""

# Documents of several systems that carry one platform number which no row here has: one of them
# stands for the order, of a system that has it once.
_SHARED = f"""
CREATE OR REPLACE TEMP TABLE order_pair AS
WITH asked AS (
    SELECT c.nr, c.id, c.connection, c.value FROM order_claims c
    WHERE c.what = 'platform' AND c.is_alive
        AND c.nr NOT IN (SELECT nr FROM order_found WHERE target_alive)
        AND (c.id, c.value) NOT IN (
            SELECT (p.id, p.whole) FROM order_claims p JOIN order_found f ON f.nr = p.nr
            WHERE p.what = 'part')
), bearers AS (
    SELECT n.value, n.connection, min(n.id) AS id
    FROM identity.order_numbers n
    WHERE n.what = 'platform' AND n.is_single AND n.is_alive
        AND n.value IN (SELECT value FROM asked)
    GROUP BY n.value, n.connection HAVING count(*) = 1
), several AS (
    SELECT value FROM (
        SELECT value, connection FROM bearers UNION SELECT value, connection FROM asked
    ) GROUP BY value HAVING count(*) > 1
), chosen AS (
    SELECT b.value, arg_min(b.id, {{'a': coalesce(k.place, 1000000), 'b': r.channel IS NULL,
        'c': b.connection}}) AS id, count(*) AS rivals
    FROM bearers b JOIN identity.order_rows r ON r.id = b.id
    LEFT JOIN identity.order_ranks k ON k.connection = b.connection
    WHERE b.value IN (SELECT value FROM several)
    GROUP BY b.value
)
SELECT q.id, h.id AS target, b.connection AS system, h.rivals, q.connection <> b.connection
    AND ({digits("q.value")} >= {LONG} OR ({_SAME})) AS holds
FROM asked q JOIN chosen h ON h.value = q.value
JOIN identity.order_rows a ON a.id = q.id
JOIN identity.order_rows b ON b.id = h.id
"""

# Which claims are to be tested, and those of them (`order_asked` a) that are none.
_GUARDS = (
    (
        "what = 'twin'",
        "SELECT a.nr FROM order_asked a JOIN identity.order_rows b ON b.id = a.target "
        f"WHERE coalesce(NOT ({_SAME}), true)",
    ),
    (
        "what IN ('platform', 'part')",
        "SELECT a.nr FROM order_asked a JOIN identity.order_rows b ON b.id = a.target "
        f"WHERE NOT a.is_long AND a.shop <> b.shop AND NOT coalesce({_FITS}, false) "
        f"AND coalesce(NOT ({_SAME}), true)",
    ),
    (
        "what = 'po'",
        # Of rows that say one number, those of the order's whole sum stand alone in their
        # connection, and others do not contradict each other.
        f"""
WITH judged AS (
    SELECT a.*, b.connection AS place, b.total AS placed, b.currency AS unit,
        coalesce({_SAME}, false) AS is_same
    FROM order_asked a JOIN identity.order_rows b ON b.id = a.target
), rivals AS (
    SELECT n.value, r.* FROM identity.order_numbers n JOIN identity.order_rows r ON r.id = n.id
    WHERE n.what = 'po' AND n.is_alive AND NOT r.is_return
        AND n.value IN (SELECT value FROM order_asked)
)
SELECT nr FROM judged WHERE NOT is_same AND NOT is_long
UNION ALL
SELECT j.nr FROM judged j JOIN rivals r
    ON r.value = j.value AND r.id <> j.id AND r.connection <> j.place
WHERE CASE WHEN j.is_same
    THEN r.connection = j.connection AND r.total = j.placed AND r.currency = j.unit
    ELSE r.total <> j.total OR r.currency <> j.currency
        OR (r.connection = j.connection AND r.party <> j.party) END
""",
    ),
)

# What stands between | + / is a claim where each part finds an order and the whole finds none.
_PARTS = """
DELETE FROM order_found WHERE what = 'part' AND nr NOT IN (
    WITH held AS (
        SELECT p.id, p.whole FROM order_claims p LEFT JOIN order_found f ON f.nr = p.nr
        WHERE p.what = 'part' GROUP BY ALL HAVING count(*) = count(f.nr)
    ), singly AS (
        SELECT c.id, c.value FROM order_claims c JOIN order_found f ON f.nr = c.nr
        WHERE c.what IN ('platform', 'twin')
    )
    SELECT c.nr FROM order_claims c JOIN held h ON h.id = c.id AND h.whole = c.whole
    ANTI JOIN singly s ON s.id = c.id AND s.value = c.whole
    WHERE c.what = 'part'
)
"""

_PARENTS = """
INSERT INTO identity.order_edges
SELECT c.id, min(r.id), 'parent', NOT (c.is_alive AND r.is_alive), c.connection
FROM order_claims c JOIN identity.order_rows r
    ON r.connection = c.connection AND r.source_key = c.value AND r.id <> c.id
WHERE c.what = 'parent' AND (c.is_alive OR r.is_alive) AND c.id NOT IN (
    SELECT id FROM identity.order_edges
    WHERE NOT is_dead AND id IN (SELECT id FROM match_look)
)
GROUP BY c.id, c.connection, c.is_alive, r.is_alive HAVING count(*) = 1
"""


def find(con: duckdb.DuckDBPyConnection, *, whole: bool) -> None:
    """Bring the edges of what changed and of those that claim its numbers up to date.

    Leaves `match_look`, the rows whose edges were found anew, and `order_old`, the ends of the
    edges that those had.
    """
    if whole:
        con.execute("CREATE OR REPLACE TEMP TABLE match_look AS SELECT id FROM match_changed")
        for name in ("edges", "elections", "ranks"):
            con.execute(f"DELETE FROM identity.order_{name}")
    else:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE match_look AS SELECT id FROM match_changed UNION "
            "SELECT id FROM identity.order_numbers "
            "WHERE what IN ('platform', 'twin', 'part', 'merchant', 'parent', 'po') "
            "AND value IN (SELECT value FROM match_values)"
        )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE order_old AS SELECT id, target FROM identity.order_edges "
        "WHERE id IN (SELECT id FROM match_look)"
    )
    _platform(con)
    if _rank(con) and not whole and some(con, "identity.order_elections"):
        con.execute("INSERT INTO match_look SELECT id FROM identity.order_elections")
        con.execute(
            "INSERT INTO order_old SELECT id, target FROM identity.order_edges "
            "WHERE id IN (SELECT id FROM identity.order_elections)"
        )
        _platform(con)
    _shared(con)
    _insert(con, "'merchant'", only_without=True)
    if some(con, "order_claims WHERE what = 'parent'"):
        con.execute(_PARENTS)
    _insert(con, "'po'", only_without=True)


def _platform(con: duckdb.DuckDBPyConnection) -> None:
    """Write the edges of platform numbers; `order_found` has what every claim finds."""
    for name in ("edges", "elections"):
        con.execute(f"DELETE FROM identity.order_{name} WHERE id IN (SELECT id FROM match_look)")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE order_claims AS SELECT row_number() OVER () AS nr, id, "
        "connection, is_alive, what, value, is_single, whole FROM identity.order_numbers "
        "WHERE what IN ('platform', 'twin', 'part', 'merchant', 'parent', 'po') "
        "AND id IN (SELECT id FROM match_look)"
    )
    con.execute(_FOUND)
    if some(con, "order_claims WHERE what = 'part'"):
        con.execute(_PARTS)
    if some(con, "order_found WHERE hits > 1"):
        con.execute(_FITTING)
        con.execute(
            "UPDATE order_found f SET target = a.target, system = a.system FROM order_asked a "
            "WHERE a.nr = f.nr"
        )
    _guard(con)
    _insert(con, "'platform', 'twin', 'part'", only_without=False)


def _guard(con: duckdb.DuckDBPyConnection) -> None:
    """Take out of `order_found` what was found by a number that another counter reached too."""
    for which, against in _GUARDS:
        if not some(con, f"order_found WHERE target IS NOT NULL AND {which}"):
            continue
        # A join at a time: by sums and days alone millions of rows are alike.
        con.execute(
            "CREATE OR REPLACE TEMP TABLE order_asked AS SELECT f.nr, f.target, c.value, "
            f"{digits('c.value')} >= {LONG} AS is_long, a.id, a.connection, a.shop, a.channel, "
            "a.currency, a.total, a.day, a.party FROM order_found f "
            "JOIN order_claims c ON c.nr = f.nr JOIN identity.order_rows a ON a.id = f.id "
            f"WHERE f.target IS NOT NULL AND f.{which}"
        )
        con.execute(f"DELETE FROM order_found WHERE nr IN ({against})")


def _insert(con: duckdb.DuckDBPyConnection, whats: str, *, only_without: bool) -> None:
    """Write the edges that the claims of these kinds found, for rows that have none yet or all."""
    where = f"what IN ({whats}) AND target IS NOT NULL"
    if not some(con, f"order_found WHERE {where}"):
        return
    without = (
        "AND id NOT IN (SELECT id FROM identity.order_edges WHERE NOT is_dead "
        "AND id IN (SELECT id FROM match_look))"
    )
    con.execute(
        "INSERT INTO identity.order_edges "
        "SELECT id, target, arg_min(CASE what WHEN 'merchant' THEN 'merchant' WHEN 'po' THEN 'po' "
        "ELSE 'platform' END || CASE level WHEN 1 THEN ' number' WHEN 2 THEN ' key' "
        "ELSE ' merchant number' END, level), "
        f"NOT bool_or(is_living), any_value(system) FROM order_found WHERE {where} "
        f"{without if only_without else ''} GROUP BY id, target"
    )


def _rank(con: duckdb.DuckDBPyConnection) -> bool:
    """Rank the systems by how often others claim their orders; return whether that changed."""
    now = con.execute(
        "SELECT system, dense_rank() OVER (ORDER BY count(*) DESC) FROM identity.order_edges "
        "WHERE NOT is_dead AND rule LIKE 'platform %' GROUP BY system ORDER BY ALL"
    ).fetchall()
    was = con.execute("SELECT connection, place FROM identity.order_ranks ORDER BY ALL").fetchall()
    if now == was:
        return False
    con.execute("DELETE FROM identity.order_ranks")
    if now:
        con.executemany("INSERT INTO identity.order_ranks VALUES (?, ?)", now)
    return True


def _shared(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(_SHARED)
    con.execute(
        "INSERT INTO identity.order_edges SELECT DISTINCT id, target, 'shared platform number', "
        "false, system FROM order_pair WHERE holds"
    )
    con.execute(
        "INSERT INTO identity.order_elections "
        "SELECT id FROM order_pair WHERE rivals > 1 UNION "
        "SELECT target FROM order_pair WHERE rivals > 1 AND target IN (SELECT id FROM match_look)"
    )
