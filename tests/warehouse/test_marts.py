from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from source_rows import MOMENT, Loader
from sqlglot import exp

from warehouse import marts
from warehouse.errors import StoreError
from warehouse.home import Home
from warehouse.project import project
from warehouse.reader import run_query
from warehouse.store import open_store
from warehouse.unify import unify


def order(key: str, sku: str, quantity: int, **more: Any) -> dict[str, Any]:
    lines = [{"key": 1, "sku": sku, "name": f"Item {sku}", "quantity": quantity}]
    return {"key": key, "number": f"N{key}", "currency": "CNY", "total": 10 * quantity,
            "status": "confirmed", "placed_at": MOMENT, "lines": lines, **more}  # fmt: skip


def charge(key: str, number: str, amount: int, **more: Any) -> dict[str, Any]:
    return {"key": key, "kind": "payment", "status": "succeeded", "amount": amount,
            "currency": "CNY", "merchant_order_no": number, "paid_at": MOMENT, **more}  # fmt: skip


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    home = Home(tmp_path_factory.mktemp("home")).make()
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("party", [{"key": "c1", "kind": "organization", "name": "明远公司"}])
        load.put("order", [
            order("1", "A", 5, customer_key="c1"),
            order("2", "B", 1),
            order("3", "A", 1, status="cancelled"),
            order("4", "A", 9, fulfillment_status="shipped"),
            order("5", "A", 9),
            order("6", "Z", 9),
            order("7", "A", 2, lines=[{"key": 1, "sku": "A", "quantity": 2,
                                        "fulfilled_quantity": 2},
                                       {"key": 2, "sku": "A", "quantity": 10,
                                        "current_quantity": 7, "fulfilled_quantity": 4,
                                        "refunded_quantity": 3}]),
            order("8", "A", 9, is_test=True, payment_status="paid"),
        ])  # fmt: skip
        load.put("payment", [
            charge("p1", "N1", 30), charge("p2", "N1", 20), charge("p3", "N2", 10),
            charge("p4", "N3", 10), charge("p5", "N4", 90), charge("p6", "N6", 90),
            charge("p7", "N7", 20), charge("p8", "N5", 90, status="failed"),
            charge("r1", "N2", 4, kind="refund"), charge("x", "nobody", 1),
        ], connection="gateway")  # fmt: skip
        # The shop's own record of the same money is no second payment.
        load.put("payment", [
            {"key": key, "order_key": "1", "amount": amount, "currency": "CNY",
             "merchant_order_no": "N1", "status": "succeeded", "kind": "payment",
             "paid_at": MOMENT}
            for key, amount in (("s1", 30), ("s2", 20))
        ])  # fmt: skip
        load.put("location", [{"key": "w1", "name": "深圳仓"}], connection="office")
        load.put("stock_level", [
            {"key": "A1", "sku": "A", "location_key": "w1", "on_hand": 3, "reserved": 1},
            {"key": "A2", "sku": "A", "location_name": "广州仓", "available": 1, "on_hand": 9},
            {"key": "A3", "sku": "A", "location_name": "广州仓", "available": 5,
             "quality": "defective"},
            {"key": "B1", "sku": "B", "available": 4},
        ], connection="office")  # fmt: skip
        unify(store, now=MOMENT)
        project(store, home, privacy="masked", key=b"0" * 32, now=MOMENT + timedelta(days=1))
    with duckdb.connect(str(home.public), read_only=True) as opened:
        yield opened


def test_orders(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "SELECT number, party_name, line_count, paid_amount, refunded_amount, open_amount, is_paid,"
        " payment_sources FROM mart.orders ORDER BY number"
    ).fetchall()
    assert rows[0] == ("N1", "明远公司", 1, 50, 0, 0, True, "gateway, shop")
    assert rows[1] == ("N2", None, 1, 10, 4, 0, True, "gateway")
    assert rows[4] == ("N5", None, 1, 0, 0, 90, False, None)
    assert len(rows) == 7
    assert (
        con.execute("SELECT sum(total) FROM mart.orders").fetchall()
        == con.execute("SELECT sum(total) FROM unified.orders WHERE is_test IS NOT TRUE").fetchall()
    )


def test_stock_position(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "SELECT sku, location_name, on_hand, available FROM mart.stock_position ORDER BY ALL"
    ).fetchall()
    assert rows == [
        ("A", "广州仓", Decimal(9), Decimal(1)),
        ("A", "深圳仓", Decimal(3), Decimal(2)),
        ("B", None, None, Decimal(4)),
    ]


def test_paid_not_in_stock(con: duckdb.DuckDBPyConnection) -> None:
    """Order 1 is paid and short; 3 is cancelled, 4 shipped, 5 unpaid, 8 a test.

    6 is counted nowhere. Of 7 one line was sent; of the other four pieces were, of which three came
    back, and six are still to be sent.
    """
    rows = con.execute(
        "SELECT order_number, order_source, payment_source, stock_source, sku, product_name, "
        "open_quantity, available FROM mart.paid_not_in_stock ORDER BY ALL"
    ).fetchall()
    assert rows == [
        ("N1", "shop", "gateway, shop", "office", "A", "Item A", Decimal(5), Decimal(3)),
        ("N7", "shop", "gateway", "office", "A", None, Decimal(6), Decimal(3)),
    ]


def test_several_systems_that_tell_of_one_order_and_one_stock(tmp_path: Path) -> None:
    """A document that names another system's order is no order more; the least stock counts."""
    home = Home(tmp_path).make()
    with open_store(home) as store:
        load = Loader(store.con)
        paid = {"payment_status": "paid"}
        load.put("order", [order("1", "A", 5, **paid), order("2", "B", 3, **paid)])
        load.put("order", [
            order("7", "A", 5, **paid, platform_order_no="N1"),
            order("8", "B", 9, **paid, platform_order_no="N2"),  # the customer ordered three
            order("9", "A", 5, **paid, platform_order_no="N404"),
            order("6", "B", 2, platform_order_no="N6"),
        ], connection="oms")  # fmt: skip
        twin = order("6", "B", 2, platform_order_no="N6")  # each of the two names the other
        load.put("order", [twin], connection="other")
        for connection, places in (("shop", (9,)), ("oms", (1, 2)), ("erp", (2, 1)), ("b", (4,))):
            load.put("stock_level", [
                {"key": f"{n}", "sku": "A", "location_name": f"{n}", "available": many}
                for n, many in enumerate(places)
            ], connection=connection)  # fmt: skip
        unify(store, now=MOMENT)
        project(store, home, privacy="masked", key=b"0" * 32, now=MOMENT + timedelta(days=1))
    with duckdb.connect(str(home.public), read_only=True) as con:
        rows = con.execute("SELECT connection, number FROM mart.orders ORDER BY ALL").fetchall()
        assert rows == [
            ("oms", "N6"), ("oms", "N9"), ("shop", "N1"), ("shop", "N2"),
        ]  # fmt: skip
        rows = con.execute(
            "SELECT order_number, available, stock_source FROM mart.paid_not_in_stock ORDER BY ALL"
        ).fetchall()
        assert rows == [("N1", Decimal(3), "erp, oms"), ("N9", Decimal(3), "erp, oms")]


def test_entity_counts(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute("SELECT * FROM mart.entity_counts").fetchall()
    assert ("order", "shop", "orders", 8) in rows
    assert ("payment", "gateway", "payments", 10) in rows
    assert ("stock_level", "office", "stock_levels", 4) in rows


def test_every_mart_has_its_grain_and_one_row_a_grain(con: duckdb.DuckDBPyConnection) -> None:
    names = [m.name for m in marts.in_order()]
    assert names.index("orders") < names.index("paid_not_in_stock")
    assert all(m.grain.startswith("grain: one row ") for m in marts.in_order())
    for name, grain in [
        ("orders", "order_id"),
        ("stock_position", "connection, sku, location_name"),
        ("paid_not_in_stock", "order_line_id"),
        ("entity_counts", "entity, connection, stream"),
    ]:
        assert con.execute(
            f"SELECT {grain} FROM mart.{name} GROUP BY ALL HAVING count(*) > 1"
        ).fetchall() == [], name  # fmt: skip


def test_the_tables_that_a_mart_reads_are_those_that_a_parser_finds() -> None:
    for mart in (*marts.in_order(), *marts.macros()):
        tree = sqlglot.parse_one(mart.sql, dialect="duckdb")
        found = {f"{t.db}.{t.name}" for t in tree.find_all(exp.Table) if t.db}
        assert set(mart.reads) == found, mart.name


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": "select 1"}, "grain"),
        ({"a": "-- grain: one row\nselect * from mart.b"}, "no other mart"),
        ({"a": "-- grain: one row\nselect * from mart.b",
          "b": "-- grain: one row\nselect * from mart.a"}, "read each other"),
    ],
)  # fmt: skip
def test_marts_that_cannot_stand_are_refused(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / f"{name}.sql").write_text(text)
    with pytest.raises(StoreError, match=message):
        marts.in_order(tmp_path)


PAGE = Path(__file__).parents[2] / "docs" / "analysts.md"
BLOCKS = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
QUESTIONS = [q.strip() for block in BLOCKS for q in re.split(r";\s*(?:--[^\n]*)?\n", block)]


@pytest.mark.parametrize("sql", [q for q in QUESTIONS if q and "company" not in q])
def test_the_questions_printed_for_analysts_are_answered(
    con: duckdb.DuckDBPyConnection, sql: str, tmp_path: Path
) -> None:
    path = con.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchall()[0][0]
    result = run_query(Path(path), sql)
    assert result.columns
    result.close()
