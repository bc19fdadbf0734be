"""Orders of shop, OMS and ERP in the store: one row an order as placed, its documents beside it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import publish_parts
import pytest
from publish_parts import bring
from source_rows import MOMENT, Loader
from unified_rows import unified_rows

from warehouse.home import Home
from warehouse.identity import golden_id
from warehouse.store import Store, open_store
from warehouse.unify import unify


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    with open_store(home) as opened:
        yield opened


def ask(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return store.con.execute(sql).fetchall()


def order(key: str, number: str, total: int, claims: str | None = None, **more: Any) -> Any:
    lines = [{"key": "1", "sku": "A", "quantity": Decimal(total)}]
    return {"key": key, "number": number, "platform_order_no": claims, "currency": "CNY",
            "total": Decimal(total), "lines": lines, **more}  # fmt: skip


DOCUMENTS = """
select o.number, d.connection, d.source_key, d.role, d.share
from unified.order_documents d join unified.orders o using (order_id) order by all
"""


def test_an_order_and_what_carries_it_out_are_one_row(store: Store) -> None:
    load = Loader(store.con)
    load.put("order", [order("e1", "SO1", 10, "T1", status="processing")], connection="erp")
    unify(store, now=MOMENT)
    first = golden_id("order", "erp", "orders", "e1")
    assert ask(store, "SELECT order_id, connection FROM unified.orders") == [(first, "erp")]
    load.put("order", [order("s1", "T1", 12, channel="web"), order("s2", "T2", 5, channel="web")])
    unify(store, now=MOMENT)
    second = golden_id("order", "shop", "orders", "s2")
    told = "SELECT order_id, connection, number, total, status FROM unified.orders ORDER BY number"
    assert ask(store, told) == [
        (first, "shop", "T1", Decimal(12), "processing"), (second, "shop", "T2", Decimal(5), None),
    ]  # fmt: skip
    assert ask(store, DOCUMENTS) == [
        ("T1", "erp", "e1", "processed", Decimal("0.833333")),
        ("T1", "shop", "s1", "placed", Decimal(1)),
        ("T2", "shop", "s2", "placed", Decimal(1)),
    ]  # fmt: skip
    # The lines are those of the order as it was placed.
    assert ask(store, "SELECT connection, count(*) FROM unified.order_lines GROUP BY 1") == [
        ("shop", 2)
    ]


def test_sums_and_kind_are_those_of_what_was_placed(store: Store) -> None:
    load = Loader(store.con)
    load.put("order", [order("s1", "T1", 100, channel="web", lines=[])])
    parts = [order("e1", "E1", 40, "T1", tax_total=Decimal(4), kind="return"),
             order("e2", "E2", 60, "T1", tax_total=Decimal(6), status="processing")]  # fmt: skip
    load.put("order", parts, connection="erp")
    unify(store, now=MOMENT, priority={"order.total": ["erp"], "order": ["erp"]})
    told = "SELECT total, tax_total, kind, status FROM unified.orders"
    assert ask(store, told) == [(Decimal(100), None, None, "processing")]


def test_a_merged_document_is_no_order_and_serves_both(store: Store) -> None:
    load = Loader(store.con)
    load.put("order", [order("s1", "T1", 12, channel="web"), order("s2", "T2", 5, channel="web")])
    load.put("order", [order("e1", "SO1", 17, "T1,T2")], connection="erp")
    unify(store, now=MOMENT)
    assert ask(store, "SELECT sum(total) FROM unified.orders") == [(Decimal(17),)]
    assert [row[:4] for row in ask(store, DOCUMENTS)] == [
        ("T1", "erp", "e1", "processed"), ("T1", "shop", "s1", "placed"),
        ("T2", "erp", "e1", "processed"), ("T2", "shop", "s2", "placed"),
    ]  # fmt: skip
    load.delete("order", "s2")
    unify(store, now=MOMENT)
    assert ask(store, "SELECT sum(total) FROM unified.orders") == [(Decimal(12),)]
    unify(store, now=MOMENT, whole=True)
    assert ask(store, "SELECT sum(total) FROM unified.orders") == [(Decimal(12),)]


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 9))]
)
def test_steps_end_where_one_whole_run_ends(store: Store, home: Home, seed: int) -> None:
    chance = random.Random(seed)
    load = Loader(store.con)
    for _ in range(16):
        number = str(chance.randrange(5))
        match chance.randrange(6):
            case 0:
                load.delete("order", number, connection=chance.choice(["shop", "erp", "oms"]))
            case 1 | 2:
                load.put("order", [order(number, f"T{number}", chance.randrange(1, 9))])
            case 3:
                claims = ",".join(
                    {f"T{chance.randrange(5)}" for _ in range(chance.randrange(1, 3))}
                )
                load.put("order", [order(number, f"E{number}", 3, claims)], connection="erp")
            case 4:
                load.put("order", [order(number, f"O{number}", 3, f"T{chance.randrange(6)}")],
                         connection="oms")  # fmt: skip
            case _:
                paid = {"key": number, "order_key": number, "amount": Decimal(1)}
                load.put("payment", [paid], connection=chance.choice(["shop", "erp"]))
        if chance.random() < 0.6:
            bring(store, home)
    bring(store, home)
    stepwise, shown = unified_rows(store), publish_parts.everything(home.public)
    unify(store, now=MOMENT, whole=True)
    assert unified_rows(store) == stepwise
    home.public.unlink()
    bring(store, home)
    again = publish_parts.everything(home.public)
    assert [n for n in shown if shown[n] != again[n]] == ["ops.unifications"]
