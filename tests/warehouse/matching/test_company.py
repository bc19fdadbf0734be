"""What customers placed is summed once, whatever systems carry it out."""

from __future__ import annotations

from collections import Counter

import pytest
from company import found
from matched import Play, playing
from source_rows import MOMENT

from warehouse.home import Home
from warehouse.matching.orders import group_orders, lead_rank
from warehouse.store import open_store
from warehouse.unify import unify

play = playing("order", group_orders)


LEADS = f"""
SELECT r.connection, r.source_key, r.total::int
FROM identity.order_rows r LEFT JOIN identity.links l ON l.id = r.id AND l.entity = 'order'
WHERE r.is_alive AND l.rule IS DISTINCT FROM 'merged document'
QUALIFY row_number() OVER (PARTITION BY coalesce(l.golden_id, r.id) ORDER BY {lead_rank("r")}) = 1
"""


@pytest.mark.parametrize(
    ("seed", "orders", "batches"),
    [(1, 60, 6), (2, 120, 1), pytest.param(3, 2000, 25, marks=pytest.mark.slow)],
)
def test_the_sum_of_orders_is_what_was_placed(
    play: Play, seed: int, orders: int, batches: int
) -> None:
    company = found(seed, orders)
    for batch in range(batches):
        for connection in ("shop", "oms", "erp", "crm"):
            rows = [row for c, row in company.rows[batch::batches] if c == connection]
            play.bulk(connection, rows)
        play.run()
    leads = {(c, k): total for c, k, total in play.con.execute(LEADS).fetchall()}
    assert leads == company.placed
    ((naive,),) = play.con.execute("SELECT sum(total) FROM source.orders").fetchall()
    assert sum(leads.values()) == sum(company.placed.values()) < naive / 2
    of_oms: Counter[str] = Counter()
    for order, document, role, share in play.documents():
        assert (role == "placed") == (order == document)
        if document.startswith("oms/"):
            of_oms[order] += round(share * 1000)
    assert len(of_oms) == orders
    assert all(abs(share - 1000) <= 3 for share in of_oms.values())


@pytest.mark.parametrize(
    ("seed", "orders", "batches"), [(4, 60, 3), pytest.param(3, 2000, 10, marks=pytest.mark.slow)]
)
def test_unified_orders_sum_up_to_what_was_placed(
    home: Home, seed: int, orders: int, batches: int
) -> None:
    """Each order stands in shop, OMS, ERP and CRM: split, merged, and partly given back."""
    company = found(seed, orders)
    with open_store(home) as store:
        play = Play(store.con, "order", group_orders)
        for batch in range(batches):
            for connection in ("crm", "erp", "shop", "oms"):
                rows = [row for c, row in company.rows[batch::batches] if c == connection]
                play.bulk(connection, rows)
                unify(store, now=MOMENT)
        ((total, count),) = store.con.execute(
            "SELECT sum(total)::int, count(*) FROM unified.orders"
        ).fetchall()
        said = store.con.execute(
            "SELECT role, count(*) FROM unified.order_documents GROUP BY 1 ORDER BY 1"
        ).fetchall()
        ((naive, rows_),) = store.con.execute(
            "SELECT sum(total)::int, count(*) FROM source.orders"
        ).fetchall()
    print(f"{rows_} documents of {naive} are {count} orders of {total}; {said}")
    assert (total, count) == (sum(company.placed.values()), len(company.placed))
