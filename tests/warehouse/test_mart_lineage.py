from __future__ import annotations

from typing import Any

import pytest

from warehouse import marts
from warehouse.mart_lineage import Origin, bases, of_sql

SCHEMA: dict[str, Any] = {
    "main": {"orders": {"order_id": "text", "total": "text", "status": "text"},
             "payments": {"order_id": "text", "amount": "text", "kind": "text"}},
    "mart": {"orders": {"order_id": "text", "paid": "text"}},
}  # fmt: skip
ORDERS = Origin("unified", "orders")


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        pytest.param(
            "with a as (select order_id, total as t from main.orders) "
            "select sum(t) as x from a where order_id > ''",
            {"x": (Origin("unified", "orders", "total"),)}, id="through a named query",
        ),
        pytest.param(
            "select coalesce(o.total, p.amount) as x from main.orders as o "
            "join main.payments as p on o.order_id = p.order_id",
            {"x": (Origin("unified", "orders", "total"), Origin("unified", "payments", "amount"))},
            id="of two tables",
        ),
        pytest.param(
            "with a as (select * from main.orders), b as (select * from a) "
            "select count(*) as x from b",
            {"x": (ORDERS,)}, id="rows counted",
        ),
        pytest.param(
            "select total as a, status as b from main.orders union all by name "
            "select kind as b, 1 as c from main.payments",
            {"a": (Origin("unified", "orders", "total"),),
             "b": (Origin("unified", "orders", "status"), Origin("unified", "payments", "kind")),
             "c": ()}, id="union by name",
        ),
        pytest.param("select 'word' as x from main.orders", {"x": ()}, id="a constant"),
        pytest.param(
            "select paid from mart.orders", {"paid": (Origin("mart", "orders", "paid"),)},
            id="of another mart",
        ),
    ],
)  # fmt: skip
def test_a_column_is_made_from(sql: str, wanted: dict[str, tuple[Origin, ...]]) -> None:
    assert of_sql(sql, SCHEMA) == wanted


def test_marts_are_followed_down_to_other_tables() -> None:
    of = {
        "a": {"x": (Origin("mart", "b", "y"),)},
        "b": {"y": (Origin("unified", "orders", "total"), Origin("mart", "a", "x"))},
    }
    assert bases(Origin("mart", "a", "x"), of) == (Origin("unified", "orders", "total"),)
    rows = bases(Origin("mart", "order_steps"), {})
    assert Origin("source", "orders") in rows
    assert all(origin.schema != "mart" for origin in rows)


def test_marts_say_their_key() -> None:
    """That no two rows have it is held against the sample company (test_sample_sync)."""
    keys = {mart.name: mart.key for mart in marts.in_order()}
    assert keys["orders"] == ("order_id",)
    assert keys["kpis"] == ("kpi", "period", "part", "currency")
    # A place may be counted by several records: a number of stock has no key of its own.
    assert keys["stock_position"] == ()
