"""What each side says of an order: split, merged, in another currency, allocated, typed in."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from source_rows import MOMENT, Loader

from warehouse import roles
from warehouse.home import Home
from warehouse.project import project
from warehouse.store import Store, open_store
from warehouse.unify import unify

ROLES = [("shop", "orders", "shop"), ("oms", "orders", "oms"), ("erp", "orders", "erp"),
         ("gate", "payments", "gateway"), ("bank", "payments", "bank")]  # fmt: skip


def order(key: str, number: str, total: int, claims: str | None = None, **more: Any) -> Any:
    lines = [{"key": "1", "sku": "A", "quantity": Decimal(total)}]
    return {"key": key, "number": number, "platform_order_no": claims, "currency": "CNY",
            "total": Decimal(total), "placed_at": MOMENT, "lines": lines, **more}  # fmt: skip


def paid(key: str, number: str, amount: int, **more: Any) -> Any:
    return {"key": key, "kind": "payment", "status": "succeeded", "amount": Decimal(amount),
            "currency": "CNY", "merchant_order_no": number, "paid_at": MOMENT, **more}  # fmt: skip


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    home = Home(tmp_path_factory.mktemp("home")).make()
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("order", [
            order("1", "T1", 12), order("2", "T2", 6), order("3", "T3", 40), order("4", "T4", 9),
            order("5", "T5", 7, is_test=True),
        ])  # fmt: skip
        load.put("order", [order("m", "O9", 18, "T1,T2")], connection="oms")
        load.put("order", [
            order("e3a", "E3a", 30, "T3"), order("e3b", "E3b", 10, "T3"),
            order("e3x", "E3x", 40, "T3", status="cancelled"),
            order("e3r", "E3r", 5, "T3", kind="return"), order("b", "B1", 100),
        ], connection="erp")  # fmt: skip
        load.put("payment", [
            paid("g1", "T1", 12), paid("g2", "T2", 6), paid("g3", "T3", 8, currency="USD"),
            paid("g3r", "T3", 3, kind="refund"), paid("g4", "T4", 9, status="failed"),
        ], connection="gate")  # fmt: skip
        load.put("payment", [{**paid("x", "", 109, paid_at=MOMENT), "merchant_order_no": None,
            "allocations": [{"order_key": "b", "amount": Decimal(100)}]}],
            connection="erp")  # fmt: skip
        load.put("shipment", [
            {"key": "p", "order_key": "m", "tracking_number": "YT1", "status": "shipped",
             "shipped_at": MOMENT},
        ], connection="oms")  # fmt: skip
        load.put("invoice", [{"key": "i", "number": "AR1", "direction": "receivable",
                              "order_number": "B1"}], connection="erp")  # fmt: skip
        unify(store, now=MOMENT)
        roles.write(store, ROLES)
        project(store, home, privacy="masked", key=b"0" * 32, now=MOMENT)
    with duckdb.connect(str(home.public), read_only=True) as opened:
        yield opened


def test_one_row_an_order_as_placed(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "SELECT number, is_of_shop, is_of_erp, total FROM mart.order_to_cash ORDER BY number"
    ).fetchall()
    assert [row[:3] for row in rows] == [
        ("B1", False, True), ("T1", True, False), ("T2", True, False), ("T3", True, False),
        ("T4", True, False),
    ]  # fmt: skip


def test_documents_are_shared_among_the_orders_that_they_serve(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """A merged one by the orders' totals, split ones added; cancelled and returned are none."""
    rows = con.execute(
        "SELECT number, oms_documents, oms_total, erp_documents, erp_numbers, erp_total "
        "FROM mart.order_to_cash ORDER BY number"
    ).fetchall()
    assert rows == [
        ("B1", 0, None, 0, None, None), ("T1", 1, Decimal(12), 0, None, None),
        ("T2", 1, Decimal(6), 0, None, None), ("T3", 0, None, 2, "E3a, E3b", Decimal(40)),
        ("T4", 0, None, 0, None, None),
    ]  # fmt: skip


def test_money_parcels_and_invoices(con: duckdb.DuckDBPyConnection) -> None:
    """Other currencies are not added; a merged document's parcel is both orders'."""
    rows = con.execute(
        "SELECT number, gateway_paid_amount, paid_amount, refunded_amount, parcel_count, "
        "invoice_count FROM mart.order_to_cash ORDER BY number"
    ).fetchall()
    assert rows == [
        ("B1", 0, 100, 0, 0, 1), ("T1", 12, 12, 0, 1, 0), ("T2", 6, 6, 0, 1, 0),
        ("T3", 0, 0, 3, 0, 0), ("T4", 0, 0, 0, 0, 0),
    ]  # fmt: skip
    assert con.execute("SELECT is_gateway, sum(amount) FROM mart.order_payments GROUP BY 1 "
                       "ORDER BY 1").fetchall() == [(False, 100), (True, 29)]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(Home(tmp_path).make()) as opened:
        yield opened


def test_roles_of_a_connection_that_is_broken_today_stand(store: Store) -> None:
    assert roles.write(store, [("a", "x", "shop"), ("b", "y", "erp")])
    assert not roles.write(store, [("b", "y", "erp"), ("a", "x", "shop")])
    assert roles.write(store, [("b", "y", "oms")], keep=["a"])
    rows = store.con.execute("SELECT * FROM recon.roles ORDER BY ALL").fetchall()
    assert rows == [("a", "x", "shop"), ("b", "y", "oms")]
