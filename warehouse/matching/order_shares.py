"""Which part of a placed order each of its documents carries: `identity.order_documents`.

A share is of the order's lines, by quantity matched through the SKU; where documents have no SKU
in common by their sums, else evenly among the documents of a connection. A document of the whole
sum that is alone in its connection carries all. What comes back (kind return, exchange) carries
nothing out: its share is 0.
"""

from __future__ import annotations

import duckdb

from warehouse.ddl import source_table
from warehouse.matching.common import some

_DOCUMENTS = """
CREATE OR REPLACE TEMP TABLE order_share AS
WITH pairs AS (
    SELECT o.root AS order_id, o.id, d.is_return, d.connection, d.total, p.total AS placed,
        d.currency IS NOT DISTINCT FROM p.currency AS one_currency,
        count(*) OVER (PARTITION BY o.id) AS orders,
        sum(p.total) OVER (PARTITION BY o.id) AS claimed,
        count(*) FILTER (NOT d.is_return) OVER (PARTITION BY o.root, d.connection) AS documents
    FROM order_root o JOIN match_near d ON d.id = o.id
    JOIN match_near p ON p.id = o.root
)
SELECT *, CASE WHEN is_return THEN 0.0
    WHEN orders = 1 AND documents = 1 AND one_currency AND total = placed THEN 1.0 END::DOUBLE
    AS share
FROM pairs
"""

_BY_LINES = f"""
CREATE OR REPLACE TEMP TABLE order_asked AS
WITH asked AS (
    SELECT order_id, id FROM order_share WHERE share IS NULL
), lines AS (
    SELECT r.id, lower(trim(l.sku)) AS sku, sum(l.quantity)::DOUBLE AS quantity
    FROM {source_table("order_line").full} l JOIN match_near r
        ON r.connection = l.connection AND r.stream = l.stream AND r.source_key = l.parent_key
    WHERE l.quantity > 0 AND l.sku IS NOT NULL AND coalesce(l.kind, 'product') = 'product'
        AND r.id IN (SELECT order_id FROM asked UNION SELECT id FROM asked)
    GROUP BY ALL
), wanted AS (
    SELECT a.order_id, a.id, o.sku, o.quantity AS needed,
        sum(o.quantity) OVER (PARTITION BY a.id, o.sku) AS of_all
    FROM asked a JOIN lines o ON o.id = a.order_id
)
SELECT w.order_id, w.id,
    -- least() passes over nulls.
    sum(least(w.needed, coalesce(d.quantity, 0) * w.needed / w.of_all)) / sum(w.needed) AS share
FROM wanted w LEFT JOIN lines d ON d.id = w.id AND d.sku = w.sku
GROUP BY ALL HAVING count(d.id) > 0
"""

_OTHERWISE = """
UPDATE order_share SET share = CASE
    WHEN total IS NOT NULL AND one_currency AND claimed > 0 THEN least(1.0, total / claimed)
    WHEN (order_id, connection) IN (
        SELECT (order_id, connection) FROM order_share WHERE share IS NOT NULL AND NOT is_return
    ) THEN 0.0
    ELSE 1.0 / greatest(documents, 1) END
WHERE share IS NULL
"""


def write(con: duckdb.DuckDBPyConnection) -> None:
    """Write the documents of the orders in `match_scope`, led by `order_root`."""
    con.execute(
        "DELETE FROM identity.order_documents WHERE order_id IN (SELECT id FROM match_scope) "
        "OR id IN (SELECT id FROM match_scope)"
    )
    if not some(con, "order_root"):
        return
    con.execute(_DOCUMENTS)
    if some(con, "order_share WHERE share IS NULL"):
        con.execute(_BY_LINES)
        con.execute(
            "UPDATE order_share s SET share = a.share FROM order_asked a "
            "WHERE a.order_id = s.order_id AND a.id = s.id AND s.share IS NULL"
        )
        con.execute(_OTHERWISE)
    con.execute(
        "INSERT INTO identity.order_documents "
        "SELECT order_id, id, 'processed', round(share, 6)::DECIMAL(9, 6) FROM order_share "
        "UNION ALL SELECT DISTINCT order_id, order_id, 'placed', 1::DECIMAL(9, 6) FROM order_share"
    )
