"""Which shipment records of several systems are one parcel.

One: the same tracking number, carriers that do not differ as far as both are named alike, at most
90 days between (numbers are used again), and each the other's only one in its connection; of
several the one with the same order number. Inside a connection rows with one tracking number are
one parcel only where they are of one order.

The lead is the carrier's own record: it tells status and events. It has no lines; those are to be
taken from the record of OMS, shop or ERP, by `children_rank`.
"""

from __future__ import annotations

import duckdb

from warehouse.matching import common, keyed

_READ = (
    "order_key", "order_number", "carrier_name", "tracking_number", "shipped_at",
    "source_created_at",
)  # fmt: skip
# 圆通速递, 圆通快递 and 圆通 are one; so are YTO and YTO Express.
_CARRIER = (
    "nullif(regexp_replace(lower({0}), "
    "'(速递|快递|速运|快运|物流|express|logistics|有限公司|[^\\p{{L}}0-9])', '', 'g'), '')"
)

_TRACKING = (
    "CASE WHEN length(s.tracking_number) >= 6 AND regexp_matches(s.tracking_number, '[1-9]') THEN "
    "nullif(lower(regexp_replace(s.tracking_number, '[^A-Za-z0-9]', '', 'g')), '') END"
)
_ORDER = "coalesce(s.order_key, s.order_number)"
_COLUMNS = f"""
    {_TRACKING}, {_ORDER}, lower(trim(s.order_number, ' #')),
    {_CARRIER.format("s.carrier_name")}, coalesce(s.shipped_at, s.source_created_at)
"""
# One connection alone matches where one order has a tracking number twice.
_TWICE = f"""
s.tracking_number IS NOT NULL AND {_ORDER} IS NOT NULL
GROUP BY s.connection, {_TRACKING}, {_ORDER} HAVING count(*) > 1 AND any_value({_TRACKING}) <> ''
"""
_ORDERS = f"""
SELECT {_ORDER} FROM source.shipments s JOIN {{changed}} c ON c.connection = s.connection
    AND c.stream = s.stream AND c.source_key = s.source_key
"""

_UNITS = """
CREATE OR REPLACE TEMP TABLE keyed_unit AS
SELECT r.id, CASE WHEN k.value IS NULL OR r.order_ref IS NULL THEN r.id
    ELSE min(r.id) OVER (PARTITION BY r.connection, k.value, r.order_ref) END AS unit,
    r.connection
FROM match_near r LEFT JOIN match_keys k ON k.id = r.id AND k.what = 'tracking'
WHERE r.is_alive AND r.id IN (SELECT id FROM match_scope)
"""

_ALIKE = """coalesce(a.carrier = b.carrier OR contains(a.carrier, b.carrier)
        OR contains(b.carrier, a.carrier)
        OR regexp_matches(a.carrier, '\\p{Han}') <> regexp_matches(b.carrier, '\\p{Han}'), true)
    AND coalesce(abs(epoch(a.moment) - epoch(b.moment)) <= 90 * 86400, true)"""

_HITS = f"""
CREATE OR REPLACE TEMP TABLE keyed_hit AS
WITH known AS (
    SELECT r.*, k.value FROM match_near r
    JOIN match_keys k ON k.id = r.id AND k.what = 'tracking' WHERE r.is_alive
)
SELECT a.id AS a, b.id AS b, coalesce(a.order_no = b.order_no, false) AS strong
FROM known a JOIN known b ON b.value = a.value AND b.connection <> a.connection
WHERE {_ALIKE}
"""

_DEAD = f"""
CREATE OR REPLACE TEMP TABLE match_dead AS
SELECT a.id AS dead, b.id AS living, 'tracking number' AS rule, 'tracking_number' AS evidence
FROM match_near a JOIN match_keys k ON k.id = a.id
JOIN match_keys o ON o.what = k.what AND o.value = k.value
JOIN match_near b ON b.id = o.id AND b.is_alive
WHERE NOT a.is_alive AND (b.connection <> a.connection OR b.order_ref = a.order_ref)
    AND {_ALIKE}
"""


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of the shipments' matcher."""
    keyed.create(
        con, "shipment",
        "tracking VARCHAR, order_ref VARCHAR, order_no VARCHAR, carrier VARCHAR, "
        "moment TIMESTAMPTZ",
    )  # fmt: skip


def group_shipments(con: duckdb.DuckDBPyConnection, *, changed: str | None = None) -> None:
    """Bring the links of shipments up to date; as `group_orders`."""
    create(con)
    # While it was alone no order had one twice: a new pair has one of what changed.
    new = f"{_ORDER} IN ({_ORDERS.format(changed=changed)}) AND " if changed else ""
    if common.is_alone(con, "shipment", new + _TWICE):
        return
    keyed.take(con, "shipment", _READ, _COLUMNS, {"tracking": "r.tracking"}, changed)
    for sql in (_UNITS, _HITS, _DEAD):
        con.execute(sql)
    keyed.join(
        con, "shipment", ("tracking number", "tracking_number + order"),
        ("tracking number", "tracking_number"),
    )  # fmt: skip


def lead_rank(alias: str) -> str:
    """Return the SQL of a row's rank to lead its parcel, least first: the carrier's record.

    `alias` names a row of `source.shipments`. A carrier knows parcels, no orders and customers.
    """
    return (
        f"if(coalesce({alias}.order_key, {alias}.order_number, {alias}.customer_key) IS NULL, 0, 1)"
    )


def children_rank(alias: str) -> str:
    """Return the SQL of a row's rank to give the parcel its lines, least first; as `lead_rank`."""
    return f"if({alias}.order_key IS NOT NULL, 0, if({alias}.order_number IS NOT NULL, 1, 2))"
