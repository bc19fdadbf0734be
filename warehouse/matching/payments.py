"""Which records of several systems are one movement of money.

Surely one: the same transaction number, kind and currency, once in each connection within thirty
days, if the number is so long that no counter reaches it; else those of one amount (of a mere
counter's number within thirty days), paired in the order of time if every connection has as many.
Where a currency or amount is not said, the only one that others say with the number is meant.

Else one, where order number, kind, currency and amount are the same within seven days, the money
has moved, each is the other's only one in its connection (of as many on both sides, the one of its
place in time), and the numbers do not say otherwise: one has none, or they are of two numberings
(a shop's and a gateway's).

By its number they are one only where both are of one order, or one of them is of none and no two
orders bear the number: two shops count from 1001. One of 12 digits may be of two records of orders
that were not found to be one.

The order's number is the record's own, or else that of the order its key names in its connection.
Refunds and their like are matched as payments are, each kind by itself. Refund, return and invoice
documents are left alone: a shop's refund and a gateway's are two documents of one movement, which
is matched here, and the model has no number that both would carry.
"""

from __future__ import annotations

import duckdb

from warehouse.ddl import literal, source_table
from warehouse.identity import golden_id_sql
from warehouse.matching import common, keyed, order_claims
from warehouse.matching import orders as order_matcher
from warehouse.matching.results import MERGED

_READ = (
    "kind", "order_key", "amount", "currency", "status", "paid_at", "authorized_at", "value_date",
    "source_created_at", "provider_transaction_id", "merchant_order_no",
)  # fmt: skip
_BLANKS = "E' \\t\\r\\n　#'"


def _clean(sql: str) -> str:
    return f"nullif(lower(trim({sql}, {_BLANKS})), '')"


_COLUMNS = f"""
    CASE WHEN length({_clean("s.provider_transaction_id")}) >= 6
        AND regexp_matches(s.provider_transaction_id, '[1-9]')
        THEN {_clean("s.provider_transaction_id")} END,
    coalesce({_clean("s.merchant_order_no")}, (
        SELECT any_value(o.number) FROM payment_order o
        WHERE o.connection = s.connection AND o.source_key = s.order_key)),
    s.order_key, (
        SELECT any_value(o.id) FROM payment_order o
        WHERE o.connection = s.connection AND o.source_key = s.order_key),
    coalesce(s.kind, 'payment'), s.amount, coalesce(s.currency, ''),
    coalesce(s.paid_at, s.value_date::timestamptz, s.authorized_at, s.source_created_at),
    coalesce(s.status, 'succeeded') = 'succeeded'
"""

# What the order handed to the gateway; else the platform's number that it claims; else its own.
_ORDERS = f"""
CREATE OR REPLACE TEMP TABLE payment_order AS
SELECT o.connection, o.source_key, min(coalesce({_clean("o.merchant_order_no")},
    CASE WHEN {_clean("o.platform_order_no")} = lower(o.source_key)
        OR suffix(lower(o.source_key), '/' || {_clean("o.platform_order_no")})
        OR regexp_matches(o.platform_order_no, '[,;，；、\\s]') THEN NULL
    ELSE {_clean("o.platform_order_no")} END, {_clean("o.number")})) AS number,
    min({golden_id_sql("order", "o")}) AS id
FROM {source_table("order").full} o
JOIN (SELECT DISTINCT s.connection, s.order_key FROM {source_table("payment").full} s
    {{changed}} WHERE s.order_key IS NOT NULL) p
    ON p.connection = o.connection AND p.order_key = o.source_key
GROUP BY o.connection, o.source_key
"""

# A number that no counter reaches holds for itself, others with what they are numbers of.
_UNITS = """
CREATE OR REPLACE TEMP TABLE keyed_unit AS
WITH known AS (
    SELECT r.*, k.value, min(nullif(currency, '')) OVER w AS least,
        max(nullif(currency, '')) OVER w AS most,
        length(k.value) >= 16 OR (length(k.value) >= 12 AND regexp_matches(k.value, '[a-z]'))
            AS is_long,
        NOT regexp_matches(k.value, '[^0-9]') AS is_counter
    FROM match_near r JOIN match_keys k ON k.id = r.id AND k.what = 'tx'
    WHERE r.is_alive WINDOW w AS (PARTITION BY k.value, kind)
), said AS (
    SELECT * EXCLUDE (currency), if(currency = '' AND least = most, least, currency) AS currency
    FROM known
), counted AS (
    SELECT *, count(*) OVER (PARTITION BY value, kind, currency, connection) AS of_place FROM said
), judged AS (
    SELECT *, max(of_place) OVER w = 1
            AND is_long AND coalesce(epoch(max(moment) OVER w) - epoch(min(moment) OVER w)
                <= 30 * 86400, true) AS is_sure,
        if(is_counter AND NOT is_long, amount, coalesce(amount,
            if(min(amount) OVER w = max(amount) OVER w, min(amount) OVER w, NULL))) AS sum
    FROM counted WINDOW w AS (PARTITION BY value, kind, currency)
), timed AS (
    SELECT *, coalesce(is_counter AND NOT is_long AND epoch(moment)
        - epoch(lag(moment) OVER w) > 30 * 86400, false)::INT AS is_later
    FROM judged WHERE NOT is_sure AND sum IS NOT NULL
    WINDOW w AS (PARTITION BY value, kind, currency, sum ORDER BY moment, stream, source_key)
), parted AS (
    SELECT *, sum(is_later) OVER (PARTITION BY value, kind, currency, sum
        ORDER BY moment, stream, source_key ROWS UNBOUNDED PRECEDING) AS part
    FROM timed
), numbered AS (
    SELECT *, count(*) OVER w AS of_connection, row_number() OVER (w
        ORDER BY moment, stream, source_key) AS nth
    FROM parted WINDOW w AS (PARTITION BY value, kind, currency, sum, part, connection)
), even AS (
    SELECT * FROM numbered WINDOW w AS (PARTITION BY value, kind, currency, sum, part)
    QUALIFY min(of_connection) OVER w = max(of_connection) OVER w
), united AS (
    SELECT id, min(id) OVER (PARTITION BY value, kind, currency) AS unit, connection
    FROM judged WHERE is_sure
    UNION ALL
    SELECT id, min(id) OVER (PARTITION BY value, kind, currency, sum, part, nth), connection
    FROM even
)
SELECT * FROM united
UNION ALL
SELECT id, id, connection FROM match_near
WHERE is_alive AND id IN (SELECT id FROM match_scope) AND id NOT IN (SELECT id FROM united)
"""

# Of a document that carries out several orders none is the payment's own.
_GOLDEN = (
    f"CASE WHEN l.rule IS DISTINCT FROM {literal(MERGED)} THEN coalesce(l.golden_id, {{id}}) END"
)

_KNOWN = f"""
CREATE OR REPLACE TEMP TABLE payment_known AS
WITH units AS (
    SELECT u.unit, min(r.moment) AS since, list(r.connection) AS systems
    FROM keyed_unit u JOIN match_near r ON r.id = u.id GROUP BY u.unit HAVING count(*) > 1
), known AS (
    SELECT r.*, k.value, {_GOLDEN.format(id="r.order_id")} AS of_order,
        coalesce(s.since, r.moment) AS since,
        coalesce(s.systems, []) AS systems,
        {order_claims.digits("k.value")} >= {order_claims.LONG} AS is_long,
        regexp_extract(r.tx, '^[^0-9]*') || length(r.tx) AS numbering
    FROM match_near r JOIN keyed_unit u ON u.id = r.id
    JOIN match_keys k ON k.id = r.id AND k.what = 'order' LEFT JOIN units s ON s.unit = u.unit
    LEFT JOIN identity.links l ON l.entity = 'order' AND l.id = r.order_id
    WHERE r.has_moved AND r.amount IS NOT NULL
), said AS (
    SELECT *, min(nullif(currency, '')) OVER w AS least, max(nullif(currency, '')) OVER w AS most
    FROM known WINDOW w AS (PARTITION BY value, kind, amount)
)
SELECT * EXCLUDE (currency, least, most),
    if(currency = '' AND least = most, least, currency) AS currency
FROM said
"""

# Numbers that orders bear which are not one; a short one also if payments of such orders say it.
_DISPUTED = f"""
CREATE OR REPLACE TEMP TABLE payment_disputed AS
SELECT value FROM (
    SELECT n.value, {_GOLDEN.format(id="n.id")} AS of_order FROM identity.order_numbers n
    LEFT JOIN identity.links l ON l.entity = 'order' AND l.id = n.id
    WHERE n.is_alive AND n.what IN ('number', 'own', 'alias')
        AND n.value IN (SELECT value FROM payment_known)
    UNION
    SELECT value, of_order FROM payment_known WHERE NOT is_long
) GROUP BY value HAVING count(of_order) > 1
"""

_HITS = """
CREATE OR REPLACE TEMP TABLE keyed_hit AS
SELECT a.id AS a, b.id AS b, false AS strong
FROM payment_known a JOIN payment_known b ON b.value = a.value AND b.kind = a.kind
    AND b.amount = a.amount AND b.currency = a.currency AND b.connection <> a.connection
WHERE coalesce(abs(epoch(a.moment) - epoch(b.moment)) <= 7 * 86400, true)
    AND coalesce(a.numbering <> b.numbering, true)
    AND (coalesce(a.of_order = b.of_order, false) OR (
        (a.is_long OR a.of_order IS NULL OR b.of_order IS NULL)
        AND a.value NOT IN (SELECT value FROM payment_disputed)))
    AND NOT list_contains(a.systems, b.connection) AND NOT list_contains(b.systems, a.connection)
"""

_MANY = "keyed_hit h JOIN payment_known a ON a.id = h.a JOIN payment_known b ON b.id = h.b"
_ONE_SUM = "a.value, a.kind, a.amount, a.currency, a.connection, b.connection"

# Equal sums, as many on both sides: each with the other of its place in time, if all these fit.
_PAIRED = f"""
DELETE FROM keyed_hit WHERE (a, b) IN (
    WITH several AS (
        SELECT a.value FROM {_MANY} GROUP BY {_ONE_SUM} HAVING count(*) > 1
    ), numbered AS (
        SELECT h.a, h.b, row({_ONE_SUM}) AS one,
            dense_rank() OVER (PARTITION BY {_ONE_SUM}
                ORDER BY a.since, a.moment, a.stream, a.source_key) AS of_a,
            dense_rank() OVER (PARTITION BY {_ONE_SUM}
                ORDER BY b.since, b.moment, b.stream, b.source_key) AS of_b
        FROM {_MANY} WHERE a.value IN (SELECT value FROM several)
    ), judged AS (
        SELECT a, b, of_a, of_b, max(of_a) OVER w AS all_a, max(of_b) OVER w AS all_b,
            count(*) FILTER (of_a = of_b) OVER w AS fit
        FROM numbered WINDOW w AS (PARTITION BY one)
    )
    SELECT (a, b) FROM judged WHERE all_a = all_b AND fit = all_a AND of_a <> of_b
)
"""

_DEAD = """
CREATE OR REPLACE TEMP TABLE match_dead AS
WITH dead AS (
    SELECT r.*, k.what, k.value FROM match_near r JOIN match_keys k ON k.id = r.id
    WHERE NOT r.is_alive
)
SELECT d.id AS dead, r.id AS living, 'transaction' AS rule,
    'provider_transaction_id' AS evidence
FROM dead d JOIN match_keys k ON k.what = d.what AND k.value = d.value
JOIN match_near r ON r.id = k.id AND r.is_alive AND r.connection <> d.connection
    AND r.kind = d.kind AND r.currency = d.currency AND r.amount = d.amount
WHERE d.what = 'tx'
"""


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of the payments' matcher."""
    keyed.create(
        con, "payment",
        "tx VARCHAR, order_no VARCHAR, order_key VARCHAR, order_id UUID, kind VARCHAR, "
        "amount DECIMAL(28, 6), currency VARCHAR, moment TIMESTAMPTZ, has_moved BOOLEAN",
    )  # fmt: skip


def group_payments(
    con: duckdb.DuckDBPyConnection, *, changed: str | None = None, orders: str | None = None
) -> None:
    """Bring the links of payments up to date.

    `changed`: a relation (connection, stream, source_key, id) of rows new, changed or gone since
    the last call; None looks at all anew. `orders`: the same of orders, whose numbers payments
    are known by; those whose links or numbers moved stand in temp tables `matching_rewritten` and
    `matching_order_numbers` where `group_orders` ran before. Adds to temp tables `matching_moved`
    and `matching_rewritten`.
    """
    create(con)
    order_matcher.create(con)
    if common.is_alone(con, "payment"):
        return
    if changed is not None:
        changed = _take_changed(con, changed, orders)
    only = "" if changed is None or not common.some(con, "identity.payment_rows") else (
        f"JOIN (SELECT DISTINCT connection, stream, source_key FROM {changed}) c "
        "ON c.connection = s.connection AND c.stream = s.stream AND c.source_key = s.source_key"
    )  # fmt: skip
    con.execute(_ORDERS.format(changed=only))
    keyed.take(con, "payment", _READ, _COLUMNS, {"tx": "r.tx", "order": "r.order_no"}, changed)
    for sql in (_UNITS, _KNOWN, _DISPUTED, _HITS, _DEAD):
        con.execute(sql)
    if common.some(con, "(SELECT a FROM keyed_hit GROUP BY a HAVING count(*) > 1)"):
        con.execute(_PAIRED)
    keyed.join(
        con, "payment", ("transaction", "provider_transaction_id"),
        ("order and amount", "merchant_order_no + amount + currency + kind"),
        conflict="count(DISTINCT nullif(r.currency, '')) > 1",
    )  # fmt: skip
    common.drop(con, "payment_order", "payment_changed", "payment_known", "payment_disputed")


def _take_changed(con: duckdb.DuckDBPyConnection, changed: str, orders: str | None) -> str:
    """Return the relation of payments that changed or whose order, or its number, did."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE payment_changed AS "
        f"SELECT connection, stream, source_key, id FROM {changed}"
    )
    moved = "SELECT id FROM matching_rewritten WHERE entity = 'order'"
    named = ""
    if orders is not None:
        moved = f"{moved} UNION SELECT id FROM {orders}"
        named = (
            "UNION SELECT id FROM identity.payment_rows WHERE (connection, order_key) IN "
            f"(SELECT (connection, source_key) FROM {orders})"
        )
    con.execute(f"CREATE OR REPLACE TEMP TABLE payment_order_moved AS {moved}")
    con.execute(
        "INSERT INTO payment_changed SELECT connection, stream, source_key, id "
        "FROM identity.payment_rows WHERE id IN (SELECT id FROM identity.payment_rows "
        "WHERE order_id IN (SELECT id FROM payment_order_moved) "
        "UNION SELECT id FROM identity.payment_keys WHERE what = 'order' AND value IN ("
        "SELECT value FROM matching_order_numbers UNION SELECT value FROM identity.order_numbers "
        f"WHERE id IN (SELECT id FROM payment_order_moved)) {named}) "
        "AND id NOT IN (SELECT id FROM payment_changed)"
    )
    con.execute("DROP TABLE payment_order_moved")
    return "payment_changed"


def lead_rank(alias: str) -> str:
    """Return the SQL of a row's rank to lead its movement, least first.

    `alias` names a row of `source.payments`. A gateway or bank names its provider and no order of
    its own, and knows fee, net or balance; a shop knows the order and the transaction.
    """
    a = alias
    return (
        f"CASE WHEN {a}.provider IS NOT NULL AND {a}.order_key IS NULL AND coalesce({a}.fee, "
        f"{a}.net, {a}.balance) IS NOT NULL THEN 0 "
        f"WHEN {a}.provider IS NOT NULL AND {a}.order_key IS NULL THEN 1 "
        f"WHEN {a}.order_key IS NOT NULL AND coalesce({a}.provider, {a}.provider_transaction_id) "
        "IS NOT NULL THEN 2 ELSE 3 END"
    )
