"""Which warehouses and shops of several systems are one place.

One: the same name (without case, blanks and full-width forms), where each connection has it once;
of several the one with the same code. The same code alone says nothing: systems count from 1.
"""

from __future__ import annotations

import duckdb

from warehouse.matching import common, keyed
from warehouse.matching.products import sku_sql as plain_sql

_HITS = """
CREATE OR REPLACE TEMP TABLE keyed_hit AS
WITH known AS (
    SELECT r.*, k.value FROM match_near r JOIN match_keys k ON k.id = r.id WHERE r.is_alive
)
SELECT a.id AS a, b.id AS b, coalesce(a.code = b.code, false) AS strong
FROM known a JOIN known b ON b.value = a.value AND b.connection <> a.connection
"""
_UNITS = """
CREATE OR REPLACE TEMP TABLE keyed_unit AS
SELECT id, id AS unit, connection FROM match_near
WHERE is_alive AND id IN (SELECT id FROM match_scope)
"""
_DEAD = """
CREATE OR REPLACE TEMP TABLE match_dead AS
SELECT d.id AS dead, r.id AS living, '{rule}' AS rule, '{evidence}' AS evidence
FROM match_near d JOIN match_keys k ON k.id = d.id
JOIN match_keys o ON o.value = k.value
JOIN match_near r ON r.id = o.id AND r.is_alive AND r.connection <> d.connection
WHERE NOT d.is_alive
"""


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of the places' matcher."""
    keyed.create(con, "location", "name VARCHAR, code VARCHAR")


def group_locations(con: duckdb.DuckDBPyConnection, *, changed: str | None = None) -> None:
    """Bring the links of locations up to date; as `group_orders`."""
    create(con)
    if common.is_alone(con, "location"):
        return
    columns = f"{plain_sql('s.name')}, {plain_sql('s.code')}"
    keyed.take(con, "location", ("name", "code"), columns, {"name": "r.name"}, changed)
    join_plain(con, "location", "name")


def join_plain(con: duckdb.DuckDBPyConnection, entity: str, evidence: str) -> None:
    """Join rows of several connections that share their one key, each the only one there."""
    con.execute(_UNITS)
    con.execute(_HITS)
    con.execute(_DEAD.format(rule=evidence, evidence=evidence))
    keyed.join(con, entity, (evidence, evidence), (evidence, evidence))
