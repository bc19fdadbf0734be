# ruff: noqa: E501 - statements that fill tables read better with their columns on one line
"""How long analysts wait: marts and KPIs over a published file of so many orders.

`python -m tests.bench.marts [ORDERS]` fills an empty published file with a shop's orders, an ERP's
documents for them, lines, parcels, payments, returns and stock by SQL, and prints one line a
question. What is measured is the views: no system is read, nothing is matched.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from warehouse import kept, marts, public

ORDERS, ROUNDS = 1_000_000, 3
_ID = "md5('{0}' || {1})::uuid"
_PLACED = "timestamptz '2024-01-01 00:00:00+00' + interval (i * 63) second"


def fill(con: duckdb.DuckDBPyConnection, orders: int) -> None:
    """Fill the empty published file in `con`."""
    parties, skus = max(orders // 10, 1), max(orders // 50, 1)
    order, party = _ID.format("o", "i"), _ID.format("p", f"(i * 7919 % {parties})")

    def put(table: str, columns: str, select: str) -> None:
        con.execute(f"INSERT INTO {table} ({columns}) {select}")

    put("ops.meta", "name, value", "VALUES ('timezone', 'Asia/Shanghai')")
    put("recon.roles", "connection, stream, role",
        "VALUES ('shop', 'orders', 'shop'), ('shop', 'stock', 'shop'), ('erp', 'orders', 'erp'), "
        "('erp', 'stock', 'erp'), ('oms', 'stock', 'oms'), ('pay', 'charges', 'gateway')")  # fmt: skip
    put("main.parties", "party_id, connection, stream, source_key, kind, name",
        f"SELECT {_ID.format('p', 'i')}, 'shop', 'customers', i, 'organization', 'c' || i "
        f"FROM range({parties}) r(i)")  # fmt: skip
    put("main.xref", "entity, connection, stream, source_key, golden_id, own_id",
        f"SELECT 'party', s, 'customers', i, {_ID.format('p', 'i')}, {_ID.format('p', 'i')} "
        f"FROM range({parties}) r(i), (VALUES ('shop'), ('erp')) t(s)")  # fmt: skip
    common = f"'CNY', 100 + i % 900, 'confirmed', {_PLACED}"
    put("main.orders",
        "order_id, connection, stream, source_key, number, kind, party_id, currency, total, status,"
        " placed_at, payment_status, fulfillment_status",
        f"SELECT {order}, 'shop', 'orders', i, 'SO' || i, 'sale', {party}, {common}, 'paid', "
        f"'shipped' FROM range({orders}) r(i)")  # fmt: skip
    for name, key in (("shop", "'SO'"), ("erp", "'XS'")):
        put("source.orders",
            "connection, stream, source_key, number, currency, total, status, placed_at, is_deleted,"
            " platform_order_no",
            f"SELECT '{name}', 'orders', i, {key} || i, {common}, false, 'SO' || i "
            f"FROM range({orders}) r(i)")  # fmt: skip
        put("main.xref", "entity, connection, stream, source_key, golden_id, own_id",
            f"SELECT 'order', '{name}', 'orders', i, {order}, {order} "
            f"FROM range({orders}) r(i)")  # fmt: skip
        role = "placed" if name == "shop" else "processed"
        put("main.order_documents", "order_id, connection, stream, source_key, role, share",
            f"SELECT {order}, '{name}', 'orders', i, '{role}', 1 FROM range({orders}) r(i)")  # fmt: skip
    lines = f"FROM (SELECT k, k * 2 // 5 AS i FROM range({orders * 5 // 2}) l(k))"
    goods = f"'S' || (k * 31 % {skus}), 1 + k % 3"
    put("main.order_lines", "order_line_id, order_id, sku, quantity, kind, gross",
        f"SELECT {_ID.format('l', 'k')}, {order}, {goods}, 'product', 40 {lines}")  # fmt: skip
    shipment = _ID.format("s", "i")
    put("main.shipments",
        "shipment_id, connection, stream, source_key, order_id, status, shipped_at, delivered_at",
        f"SELECT {shipment}, 'oms', 'shipments', i, {order}, 'delivered', "
        f"{_PLACED} + interval (3600 * (3 + i % 40)) second, "
        f"{_PLACED} + interval (3600 * (60 + i % 50)) second FROM range({orders * 9 // 10}) r(i)")  # fmt: skip
    put("main.shipment_lines", "shipment_line_id, shipment_id, order_id, sku, quantity",
        f"SELECT {_ID.format('m', 'k')}, {shipment}, {order}, {goods} {lines} "
        f"WHERE i < {orders * 9 // 10}")  # fmt: skip
    put("main.payments",
        "payment_id, connection, stream, source_key, kind, status, amount, currency, "
        "merchant_order_no, paid_at, order_id, party_id",
        f"SELECT {_ID.format('y', 'i')}, 'pay', 'charges', i, 'payment', 'succeeded', "
        f"100 + i % 900, 'CNY', 'SO' || i, {_PLACED}, if(i % 4 = 0, NULL, {order}), {party} "
        f"FROM range({orders}) r(i)")  # fmt: skip
    put("main.payment_evidence", "payment_id, connection, stream, source_key",
        f"SELECT {_ID.format('y', 'i')}, 'pay', 'charges', i FROM range({orders}) r(i)")  # fmt: skip
    returns = f"FROM (SELECT i * 20 AS i FROM range({orders // 20}) r(i))"
    put("source.returns", "connection, stream, source_key, is_deleted",
        f"SELECT 'shop', 'returns', i, false {returns}")  # fmt: skip
    put("main.returns", "return_id, connection, stream, source_key, order_id, status, reason_code",
        f"SELECT {_ID.format('b', 'i')}, 'shop', 'returns', i, {order}, 'received', "
        f"['quality', 'missing', 'changed_mind'][1 + i // 20 % 3] {returns}")  # fmt: skip
    put("main.invoices",
        "invoice_id, connection, stream, source_key, direction, status, order_id, issue_date, gross,"
        " currency",
        f"SELECT {_ID.format('v', 'i')}, 'erp', 'receivables', i, 'receivable', 'issued', {order}, "
        f"({_PLACED})::date, 100 + i % 900, 'CNY' FROM range({orders // 5}) r(i)")  # fmt: skip
    put("main.products", "product_id, sku, name, cost, currency",
        f"SELECT {_ID.format('g', 'i')}, 'S' || i, 'Item', 20 + i % 50, 'CNY' "
        f"FROM range({skus}) r(i)")  # fmt: skip
    stock = ("connection, stream, source_key, sku, on_hand, reserved, available, as_of, synced_at,"
             " is_deleted")  # fmt: skip
    for name in ("shop", "erp", "oms"):
        put("source.stock_levels", stock,
            f"SELECT '{name}', 'stock', i, 'S' || i, 500, 10, 490, t, t, false FROM "
            f"(SELECT i, timestamptz '2025-12-01 00:00:00+00' AS t FROM range({skus}) r(i))")  # fmt: skip
    put("history.stock_levels", f"{stock}, valid_from, valid_to",
        f"SELECT 'erp', 'stock', i, 'S' || i, k * 40, 10, k * 40 - 10, t, t, false, t, t FROM "
        f"(SELECT i, k, timestamptz '2025-11-01 00:00:00+00' + interval (k) day AS t "
        f"FROM range({skus}) r(i), range(10) v(k))")  # fmt: skip
    put("main.leads", "lead_id, connection, stream, source_key, status, source_created_at",
        f"SELECT {_ID.format('d', 'i')}, 'crm', 'leads', i, if(i % 3 = 0, 'converted', 'new'), "
        f"{_PLACED} FROM range({orders // 20}) r(i)")  # fmt: skip
    con.execute("CHECKPOINT")  # over rows that are not, DuckDB plans joins of all with all
    for mart in marts.in_order():
        if mart.name in kept.NAMES:
            order = kept.NAMES[mart.name].order
            con.execute(f"INSERT INTO mart.{mart.name} BY NAME FROM ({mart.sql}) ORDER BY {order}")
    con.execute("CHECKPOINT")


def questions(orders: int) -> Iterator[tuple[str, str]]:
    """Yield what is asked, in words and in SQL."""
    party = f"md5('p' || {min(7, orders // 10 - 1)})::uuid"
    yield "one customer in mart.customer_360", f"FROM mart.customer_360 WHERE party_id = {party}"
    yield "all of mart.customer_360", "SELECT count(name), sum(revenue) FROM mart.customer_360"
    yield ("one month of mart.order_to_cash",
           "FROM mart.order_to_cash WHERE placed_at >= date '2025-03-01' "
           "AND placed_at < date '2025-04-01'")  # fmt: skip
    yield "all of mart.order_service", "SELECT count(is_right) FROM mart.order_service"
    yield "all of mart.cash_and_settlement", "SELECT sum(net) FROM mart.cash_and_settlement"
    yield "one SKU in mart.sku_stock", "FROM mart.sku_stock WHERE sku = 'S1'"
    yield "all of mart.sku_stock", "SELECT sum(days_on_hand) FROM mart.sku_stock"
    yield "mart.kpis: the page", "FROM mart.kpis"
    yield "mart.kpi_before_after", "FROM mart.kpi_before_after(date '2025-06-01', days := 90)"
    for name in ("order_accuracy", "perfect_order", "return_rate", "cycle_time", "repeat_purchase",
                 "retention", "dso", "days_on_hand", "inventory_turnover", "stock_outs",
                 "oversells", "lead_conversion", "win_rate"):  # fmt: skip
        yield f"mart.kpi_{name}", f"FROM mart.kpi_{name}"


def main(orders: int = ORDERS) -> None:
    """Print the median of ROUNDS for each question, in seconds, on a connection that is warm."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "isthmus.duckdb"
        path.write_bytes(public.empty_file({}))
        with duckdb.connect(str(path)) as con:
            fill(con, orders)
        print(f"{orders:,} orders, {path.stat().st_size / 1e6:,.0f} MB")
        with duckdb.connect(str(path), read_only=True) as con:
            for what, sql in questions(orders):
                took, rows = [], 0
                for _ in range(ROUNDS):
                    begun = time.perf_counter()
                    rows = len(con.execute(sql).fetchall())
                    took.append(time.perf_counter() - begun)
                print(f"{what:36} {statistics.median(took):8.3f} s {rows:8,} rows", flush=True)


if __name__ == "__main__":
    main(*(int(said) for said in sys.argv[1:2]))
