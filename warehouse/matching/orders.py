"""Which order documents of several systems are one order as its customer placed it.

A row names itself (its number, the platform's number where that is its own key) and claims others:
by `platform_order_no` (several numbers where documents were merged; behind | + / only where each
part is an order's number and the whole is none), by `merchant_order_no`, by
`parent_order_key` inside its connection, by `po_number` where it says nothing else. A claim holds
where it finds exactly one row of one other connection; of several the one whose shop fits. Chains
lead to the **placed** row; of rows that claim each other the one in the system that others claim
more is it, then the one whose channel is known, then the least connection name.

A number that its row gives itself is no claim: two shops count from 1001. Only where it is as long
as marketplaces' numbers (12 digits), or where both rows are of one sum and day, it is. So it is
with `po_number`, which holds where no other row that says it contradicts. A short platform number
is none where both rows name their shops, the shops differ, and sum or day do too.
"""

from __future__ import annotations

import duckdb

from warehouse.matching import common, order_claims, order_groups, order_shares

_TRIM = "E' \\t\\r\\n　#'"


def _number(sql: str) -> str:
    return f"nullif(lower(trim({sql}, {_TRIM})), '')"


_READ = (
    "number", "platform_order_no", "merchant_order_no", "parent_order_key", "po_number", "channel",
    "shop_name", "kind", "currency", "total", "order_date", "placed_at", "customer_key",
)  # fmt: skip

_COLUMNS = f"""
    coalesce(s.kind IN ('return', 'exchange'), false), {_number("s.channel")},
    {_number("s.shop_name")}, s.currency, s.total,
    coalesce(s.order_date, (s.placed_at AT TIME ZONE 'UTC')::date),
    nullif(s.customer_key, '')
"""

_NUMBERS = f"""
INSERT INTO {{into}} (id, connection, is_alive, what, value, is_single)
WITH said AS (
    SELECT s.id, s.connection, s.is_alive, {_number("s.number")} AS number,
        {_number("s.merchant_order_no")} AS merchant, nullif(s.parent_order_key, '') AS parent,
        {_number("s.po_number")} AS po, {_number("s.source_key")} AS key,
        {_number("s.platform_order_no")} AS claimed,
        coalesce(regexp_matches(claimed, '[,;，；、\\s]'), false) AS is_several
    FROM match_fresh s
), told AS (
    SELECT *, coalesce(NOT is_several AND (claimed = key OR suffix(key, '/' || claimed)), false)
            AS is_own,
        coalesce(merchant <> coalesce(number, ''), false) AS is_merchant
    FROM said
), listed AS (
    SELECT id, connection, is_alive, number, list_distinct(list_filter(list_transform(
        regexp_split_to_array(claimed, '[,;，；、\\s]+'), lambda x: {_number("x")}),
        lambda x: x IS NOT NULL)) AS claims
    FROM told WHERE is_several
), claims AS (
    SELECT id, connection, is_alive, number, claimed AS value, true AS is_single
    FROM told WHERE claimed IS NOT NULL AND NOT is_several AND NOT is_own
    UNION ALL
    SELECT id, connection, is_alive, number, unnest(claims), len(claims) = 1 FROM listed
)
SELECT id, connection, is_alive, 'number', number, NULL FROM told WHERE number IS NOT NULL
UNION ALL
SELECT id, connection, is_alive, 'own', claimed, NULL FROM told
WHERE is_own AND claimed IS DISTINCT FROM number
UNION ALL
SELECT id, connection, is_alive, unnest(['alias', 'merchant']), merchant, NULL
FROM told WHERE is_merchant
UNION ALL
SELECT id, connection, is_alive,
    if(value = number AND length(regexp_replace(value, '[^0-9]', '', 'g')) < {{long}},
        'twin', 'platform'), value, is_single
FROM claims
UNION ALL
SELECT id, connection, is_alive, 'parent', parent, NULL FROM told WHERE parent IS NOT NULL
UNION ALL
SELECT id, connection, is_alive, 'po', po, NULL FROM told
WHERE po <> coalesce(number, '') AND (is_own OR claimed IS NULL) AND NOT is_merchant
    AND parent IS NULL
"""


# Signs that stand between numbers, and inside some: the parts count where each is an order's.
_PARTS = f"""
INSERT INTO {{into}}
SELECT id, connection, is_alive, 'part', unnest(parts), false, value FROM (
    SELECT *, list_distinct(list_filter(list_transform(
        regexp_split_to_array(value, '[|+/｜＋／]+'), lambda x: {_number("x")}),
        lambda x: x IS NOT NULL)) AS parts
    FROM {{into}} WHERE what IN ('platform', 'twin') AND regexp_matches(value, '[|+/｜＋／]')
) WHERE len(parts) > 1
"""


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of the orders' matcher."""
    common.create(
        con, "order",
        "is_return BOOLEAN, channel VARCHAR, shop VARCHAR, currency VARCHAR, "
        "total DECIMAL(28, 6), day DATE, party VARCHAR",
    )  # fmt: skip
    con.execute("CREATE TEMP TABLE IF NOT EXISTS matching_order_numbers (value VARCHAR)")
    for table, columns in (
        (
            "order_numbers",
            "id UUID, connection VARCHAR, is_alive BOOLEAN, what VARCHAR, value VARCHAR, "
            "is_single BOOLEAN, whole VARCHAR",
        ),
        ("order_edges", "id UUID, target UUID, rule VARCHAR, is_dead BOOLEAN, system VARCHAR"),
        ("order_elections", "id UUID"),
        ("order_ranks", "connection VARCHAR, place BIGINT"),
    ):
        con.execute(f"CREATE TABLE IF NOT EXISTS identity.{table} ({columns})")


def group_orders(con: duckdb.DuckDBPyConnection, *, changed: str | None = None) -> None:
    """Bring links and documents of orders up to date.

    `changed`: a relation (connection, stream, source_key, id) of rows new, changed or gone since
    the last call; None looks at all anew. Leaves `identity.links` (entity order) and
    `identity.order_documents`; adds to temp tables `matching_moved` the rows whose golden id moved,
    to `matching_rewritten` all whose links or documents were written again. Temp table
    `matching_order_numbers` has the numbers, old and new, of what changed, or
    none where it looked at all.
    """
    create(con)
    if common.is_alone(con, "order", "parent_order_key IS NOT NULL"):
        return
    changed = common.take_rows(con, "order", _READ, _COLUMNS, changed)
    _take_numbers(con, changed)
    con.execute("DELETE FROM matching_order_numbers")
    if changed is not None:
        con.execute("INSERT INTO matching_order_numbers SELECT DISTINCT value FROM match_values")
    order_claims.find(con, whole=changed is None)
    order_groups.group(con, whole=changed is None)
    order_shares.write(con)
    common.settle(con, "order")
    common.drop(
        con, "order_claims", "order_found", "order_old", "order_root", "order_step", "order_share",
        "order_asked", "order_pair",
    )  # fmt: skip


def lead_rank(alias: str) -> str:
    """Return the SQL of a row's rank to lead its group, least first: placed before all others.

    `alias` names a relation with the column `id`, the own id of a row. What was placed, its lines
    and sums are the lead's.
    """
    return (
        f"if({alias}.id IN (SELECT id FROM identity.order_documents WHERE role <> 'placed'), 1, 0)"
    )


def _take_numbers(con: duckdb.DuckDBPyConnection, changed: str | None) -> None:
    """Bring the numbers up to date; `match_values` has those, old and new, of what changed."""
    into = "identity.order_numbers" if changed is None else "temp.order_said"
    numbers = [sql.format(into=into, long=order_claims.LONG) for sql in (_NUMBERS, _PARTS)]
    if changed is None:
        con.execute("DELETE FROM identity.order_numbers")
        for sql in numbers:
            con.execute(sql)
        return
    held = "FROM identity.order_numbers WHERE id IN (SELECT id FROM match_changed)"
    con.execute(f"CREATE OR REPLACE TEMP TABLE order_held AS SELECT rowid AS place, value {held}")
    con.execute("DELETE FROM identity.order_numbers WHERE rowid IN (SELECT place FROM order_held)")
    con.execute("CREATE OR REPLACE TEMP TABLE order_said AS FROM identity.order_numbers LIMIT 0")
    for sql in numbers:
        con.execute(sql)
    con.execute("INSERT INTO identity.order_numbers FROM order_said")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE match_values AS SELECT value FROM order_held UNION ALL "
        "SELECT value FROM order_said UNION ALL SELECT source_key FROM match_fresh"
    )
    for name in ("held", "said"):
        con.execute(f"DROP TABLE order_{name}")
