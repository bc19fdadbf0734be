"""Which product records of several systems are one sellable item.

Surely one: the same GTIN (8, 12, 13 or 14 digits with a right check digit, no in-store code), where
each connection has it once. Else one, where the SKU is the same after normalisation, each
connection has it once and no two valid GTINs differ. A connection may call an item by another code:
`identity.product_aliases(connection, sku, alias)` puts its `sku` under `alias`; after a change of
that table everything is to be looked at anew.

Heads (SPU) have neither SKU nor barcode in any mapping, so they match nothing: variants and heads
are never one.
"""

from __future__ import annotations

import duckdb

from warehouse.ddl import literal
from warehouse.matching import common, keyed

_READ = ("sku", "barcode")
_WIDE = "".join(chr(code) for code in range(0xFF01, 0xFF5F))
_NARROW = "".join(chr(code) for code in range(0x21, 0x7F))


def sku_sql(sql: str) -> str:
    """Return the SQL of a SKU without blanks and case, full-width characters made narrow."""
    narrow = f"translate({sql}, {literal(_WIDE)}, {literal(_NARROW)})"
    return f"nullif(lower(regexp_replace({narrow}, '[\\s　]', '', 'g')), '')"


def gtin_sql(sql: str) -> str:
    """Return the SQL of a valid GTIN as 14 digits, null for anything else.

    GS1 General Specifications: GTIN-8, -12, -13, -14 with the check digit of weights 3 and 1 from
    the right; prefixes 2 (and 0 of GTIN-8, 4 of GTIN-12) are for use inside a store.
    """
    digits = f"trim({sql}, E' \\t\\r\\n　')"
    odd = " + ".join(f"(g // {10**n}) % 10" for n in range(1, 14, 2))
    even = " + ".join(f"(g // {10**n}) % 10" for n in range(0, 14, 2))
    inside = f"regexp_matches({digits}, '^(2[0-9]{{12}}|[24][0-9]{{11}}|[02][0-9]{{7}}|0+)$')"
    # The list gives the number a name, so that it is computed once a row.
    return (
        f"CASE WHEN regexp_matches({digits}, '^([0-9]{{8}}|[0-9]{{12,14}})$') AND NOT {inside} "
        f"THEN list_transform([try_cast({digits} AS BIGINT)], lambda g: "
        f"if((3 * ({odd}) + {even}) % 10 = 0 AND g // 1000000000000 <> 2, "
        "lpad(g::varchar, 14, '0'), NULL))[1] END"
    )


_UNITS = """
CREATE OR REPLACE TEMP TABLE keyed_unit AS
WITH known AS (
    SELECT r.id, r.connection, k.value,
        count(*) OVER (PARTITION BY k.value, r.connection) AS of_connection
    FROM match_near r JOIN match_keys k ON k.id = r.id AND k.what = 'gtin' WHERE r.is_alive
), united AS (
    SELECT id, min(id) OVER (PARTITION BY value) AS unit, connection
    FROM known WHERE of_connection = 1
)
SELECT * FROM united
UNION ALL
SELECT id, id, connection FROM match_near
WHERE is_alive AND id IN (SELECT id FROM match_scope) AND id NOT IN (SELECT id FROM united)
"""

_HITS = """
CREATE OR REPLACE TEMP TABLE keyed_hit AS
WITH known AS (
    SELECT r.id, r.connection, r.gtin, k.value
    FROM match_near r JOIN match_keys k ON k.id = r.id AND k.what = 'sku' WHERE r.is_alive
    QUALIFY count(*) OVER (PARTITION BY k.value, r.connection) = 1
)
SELECT a.id AS a, b.id AS b, false AS strong
FROM known a JOIN known b ON b.value = a.value AND b.connection <> a.connection
WHERE coalesce(a.gtin = b.gtin, true)
"""

_DEAD = """
CREATE OR REPLACE TEMP TABLE match_dead AS
SELECT d.id AS dead, r.id AS living, if(k.what = 'gtin', 'gtin', 'sku') AS rule,
    if(k.what = 'gtin', 'barcode', 'sku') AS evidence
FROM match_near d JOIN match_keys k ON k.id = d.id
JOIN match_keys o ON o.what = k.what AND o.value = k.value
JOIN match_near r ON r.id = o.id AND r.is_alive AND r.connection <> d.connection
WHERE NOT d.is_alive AND coalesce(r.gtin = d.gtin, true)
"""


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of the products' matcher."""
    keyed.create(con, "product", "sku VARCHAR, gtin VARCHAR")


def group_products(con: duckdb.DuckDBPyConnection, *, changed: str | None = None) -> None:
    """Bring the links of products up to date; as `group_orders`."""
    create(con)
    if common.is_alone(con, "product"):
        return
    own = sku_sql("s.sku")
    columns = f"{own}, {gtin_sql('s.barcode')}"
    if common.some(con, "identity.product_aliases"):
        columns = (
            f"coalesce((SELECT min({sku_sql('a.alias')}) FROM identity.product_aliases a "
            f"WHERE a.connection = s.connection AND {sku_sql('a.sku')} = {own}), {own}), "
            f"{gtin_sql('s.barcode')}"
        )
    keyed.take(con, "product", _READ, columns, {"sku": "r.sku", "gtin": "r.gtin"}, changed)
    for sql in (_UNITS, _HITS, _DEAD):
        con.execute(sql)
    keyed.join(con, "product", ("gtin", "barcode"), ("sku", "sku"), "count(DISTINCT r.gtin) > 1")
