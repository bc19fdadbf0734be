"""The ready mappings through the whole path: rows and sums that were worked out by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jushuitan_world import SECRET, World
from mapping_runs import Result, run

from connectors.jushuitan import sample as make
from connectors.jushuitan.simulator import KINDS
from pipelines.workspace import PROJECT

D = Decimal
MAPPINGS = PROJECT / "mappings" / "jushuitan"
TABLES = (
    "parties", "products", "locations", "stock_levels", "orders", "order_lines", "payments",
    "shipments", "shipment_lines", "returns", "return_lines", "refunds", "purchase_orders",
    "purchase_order_lines",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


ALIKE = ("received_returns", "purchase_ins")
"""Streams that make no row, as a third that is read."""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A company that was read, read again in vain, changed and read; tests only ask."""
    made = World(tmp_path_factory.mktemp("company"), warehouses=["11", "12"])
    fill(made)
    made.first = made.sync_all(*(name for name in KINDS if name not in ALIKE))  # type: ignore[attr-defined]
    made.time.wait(days=2)
    made.quiet = made.sync_all("orders", "products")  # type: ignore[attr-defined]
    change(made)
    made.time.wait(minutes=1)
    made.again = made.sync_all("orders", "suppliers")  # type: ignore[attr-defined]
    made.again |= made.sync_all("products", sweep=True)  # type: ignore[attr-defined]
    made.publish()
    yield made
    made.close()


def fill(world: World) -> None:
    """Three orders, of which two become one; what is sent, what comes back, what is bought."""
    put = world.oms.put
    put("shops", make.shop(10890234, "小程序旗舰店"))
    put("warehouses", make.warehouse(11, "北仓"))
    put("warehouses", make.warehouse(12, "南仓"))
    put("suppliers", make.supplier(501, "供应商甲"))
    put("suppliers", make.supplier(502, "供应商乙"))
    put("styles", make.style("A-1001", "纯棉T恤"))
    put("products", make.product("A-1001-R", "纯棉T恤 红", supplier_id=501))
    put("products", make.product("A-1001-B", "纯棉T恤 蓝", enabled=-1))
    put("products", make.product("A-1001-X", "纯棉T恤 无"))
    put("stock", make.stock("A-1001-R", 320, order_lock=12, lock_qty=3, virtual_qty=50), wms=11)
    put("stock", make.stock("A-1001-R", 5, order_lock=9), wms=12)  # sold more than there is
    red = make.item(2011, "A-1001-R", 2, "99.50")
    gift = make.item(2012, "A-1001-B", 1, "0.00", base_price="59.1234", is_gift="true")
    pays = [
        {"pay_id": n, "outer_pay_id": f"P{n}", "amount": amount, "payment": word,
         "pay_date": "2026-02-20 09:12:58"}
        for n, amount, word in ((1, "150.0000", "支付宝"), (2, 49, "白条"), (4, -10, "支付宝"))
    ]  # fmt: skip
    sent = make.order(1528134, [red, gift], status="Sent", pays=pays, wms_co_id=11,
                      free_amount="10.00", paid_amount="189.00",
                      send_date="2026-02-21 15:00:00")  # fmt: skip
    put("orders", sent)
    first = make.order(1, [make.item(21, "A-1001-R", 1, "30.00")], so_id="X1", status="Merged")
    second = make.order(2, [make.item(22, "A-1001-B", 1, "40.00")], so_id="X2", status="Merged")
    both = make.order(3, [*first["items"], *second["items"]], so_id="X1,X2", merge_so_id="X1,X2",
                      status="WaitConfirm", paid_amount="30.00")  # fmt: skip
    fourth = make.order(4, [make.item(41, "A-1001-R", 1, "8.00")], pays=[])
    for one in (first, second, both, fourth):
        put("orders", one)
    put("shipments", make.shipment(900, sent, wms_co_id=11))
    put("shipments", make.shipment(901, both, status="WaitConfirm", l_id=""))
    back = make.after_sale(700, sent, "99.50", wms_co_id=12)
    put("after_sales", back)
    put("after_sales", make.after_sale(701, sent, "0.00", type="换货", shop_status="",
                                       status="WaitConfirm", good_status=""))  # fmt: skip
    put("received_returns", make.received(800, back))
    buys = [("A-1001-R", 100, "35.5000"), ("A-1001-B", 10, "30")]
    bought = make.purchase_order(600, buys, receive_status="Part_Received", wms_co_id=11)
    put("purchase_orders", bought)
    put("purchase_ins", make.purchase_in(601, bought))
    world.time.wait(hours=1)


def change(world: World) -> None:
    """An order is cancelled, a SKU and a supplier go, another supplier comes."""
    lines = [make.item(41, "A-1001-R", 1, "8.00")]
    world.oms.put("orders", make.order(4, lines, status="Cancelled", pays=[]))
    world.oms.delete("products", "A-1001-X")
    world.oms.delete("suppliers", 502)
    world.oms.put("suppliers", make.supplier(503, "供应商丙"))


def test_every_stream_has_a_mapping_and_nothing_goes_to_quarantine(company: World) -> None:
    done = company.first  # type: ignore[attr-defined]
    assert {name: one.quarantined for name, one in done.items() if one.quarantined} == {}
    assert {name: one.warnings for name, one in done.items() if one.warnings} == {}
    assert {path.stem for path in MAPPINGS.iterdir()} == set(KINDS)
    counts = [company.ask(f"select count(*) from unified.{table}")[0][0] for table in TABLES]
    assert dict(zip(TABLES, counts, strict=True)) == {
        "parties": 2, "products": 3, "locations": 2, "stock_levels": 2, "orders": 5,
        "order_lines": 5, "payments": 4, "shipments": 2, "shipment_lines": 4, "returns": 2,
        "return_lines": 2, "refunds": 1, "purchase_orders": 1, "purchase_order_lines": 2,
    }  # fmt: skip


def test_merged_orders_count_once(company: World) -> None:
    assert company.ask(
        "select number, platform_order_no, status, status_raw, payment_status, total, paid_total,"
        " currency from unified.orders order by number::int"
    ) == [
        ("1", "X1", "closed", "Merged", None, None, None, "CNY"),
        ("2", "X2", "closed", "Merged", None, None, None, "CNY"),
        ("3", "X1,X2", "pending_approval", "WaitConfirm", "partially_paid", 70, 30, "CNY"),
        ("4", "D4", "cancelled", "Cancelled", "paid", 8, 8, "CNY"),
        ("1528134", "D1528134", "completed", "Sent", "paid", 199, 189, "CNY"),
    ]
    assert company.ask("select sum(total), sum(paid_total) from unified.orders") == [(277, 227)]
    assert company.ask("select sum(gross), sum(quantity) from unified.order_lines") == [(277, 6)]
    assert company.ask(
        "select p.amount, p.kind, p.method, p.provider_transaction_id, o.number"
        " from unified.payments p join unified.orders o using (order_id) order by 1"
    ) == [
        (10, "refund", "alipay", "P4", "1528134"),
        (49, "payment", "other", "P2", "1528134"),
        (70, "payment", "wechat_pay", "P3", "3"),
        (150, "payment", "alipay", "P1", "1528134"),
    ]


def test_times_are_beijing_s_and_lines_find_their_goods(company: World) -> None:
    assert company.ask(
        "select placed_at, order_date, shipped_at, fulfillment_status, ship_to_city, w.code"
        " from unified.orders o join unified.locations w on w.location_id = o.location_id"
    ) == [(
        datetime(2026, 2, 20, 1, 12, 33, tzinfo=UTC), date(2026, 2, 20),
        datetime(2026, 2, 21, 7, 0, tzinfo=UTC), "shipped", "杭州市", "11",
    )]  # fmt: skip
    assert company.ask(
        "select l.sku, l.quantity, l.unit_price, l.list_price, l.gross, l.is_gift, l.status,"
        " p.status, h.code from unified.order_lines l join unified.products p using (product_id)"
        " join unified.products h on h.product_id = p.parent_product_id"
        " join unified.orders o using (order_id) where o.number = '1528134' order by l.sku desc"
    ) == [
        ("A-1001-R", 2, D("99.5"), D("99.5"), 199, False, "shipped", "active", "A-1001"),
        ("A-1001-B", 1, 0, D("59.1234"), 0, True, "shipped", "inactive", "A-1001"),
    ]


def test_stock_is_of_a_place_and_may_be_oversold(company: World) -> None:
    assert company.ask(
        "select w.code, on_hand, reserved, available, sellable, p.sku from unified.stock_levels s"
        " join unified.locations w using (location_id) join unified.products p using (product_id)"
        " order by 1"
    ) == [("11", 320, 15, 305, 355, "A-1001-R"), ("12", 5, 9, -4, -4, "A-1001-R")]


def test_shipments_returns_refunds_and_purchases(company: World) -> None:
    assert company.ask(
        "select s.number, o.number, s.status, s.tracking_number, s.carrier_name, s.shipped_at"
        " from unified.shipments s join unified.orders o using (order_id) order by 1"
    ) == [
        ("900", "1528134", "shipped", "SF900", "顺丰速运", datetime(2026, 2, 21, 7, 0, tzinfo=UTC)),
        ("901", "3", "pending", None, "顺丰速运", None),
    ]
    assert company.ask(
        "select r.number, r.kind, r.status, r.refund_amount, o.number, f.amount, f.status, w.code"
        " from unified.returns r join unified.orders o using (order_id)"
        " left join unified.refunds f using (refund_id)"
        " left join unified.locations w on w.location_id = r.location_id order by 1"
    ) == [
        ("700", "return_refund", "received", D("99.5"), "1528134", D("99.5"), "succeeded", "12"),
        ("701", "exchange", "requested", 0, "1528134", None, None, None),
    ]
    assert company.ask("select distinct kind, quantity, received_quantity from"
                       " unified.return_lines") == [("returned", 2, 2)]  # fmt: skip
    assert company.ask(
        "select o.number, o.status, p.code, sum(l.quantity * l.unit_price)"
        " from unified.purchase_orders o join unified.parties p using (party_id)"
        " join unified.purchase_order_lines l using (purchase_order_id) group by all"
    ) == [("600", "partially_received", "S0501", 3850)]


def test_what_is_changed_cancelled_and_deleted_reaches_the_store(company: World) -> None:
    quiet, again = company.quiet, company.again  # type: ignore[attr-defined]
    assert {name: one.landed for name, one in quiet.items()} == {"orders": 0, "products": 0}
    assert {name: one.landed for name, one in again.items()} == {
        "orders": 1, "suppliers": 1, "products": 0,
    }  # fmt: skip
    sold = "select sku from unified.products where sku is not null order by 1"
    assert company.ask(sold) == [("A-1001-B",), ("A-1001-R",)]
    assert company.ask("select code from unified.parties order by 1") == [("S0501",), ("S0503",)]
    assert company.ask(
        "select l.status, l.gross from unified.orders o join unified.order_lines l using (order_id)"
        " where o.status = 'cancelled'"
    ) == [("cancelled", 8)]


# --- records that are not as they should be ----------------------------------------------------
def mapped(stream: str, folder: Path, *records: dict[str, Any]) -> Result:
    whole = [{"ts": 1, "modified": "2026-02-21 10:00:00.807", **record} for record in records]
    return run((MAPPINGS / f"{stream}.yaml").read_text("utf-8"), whole, folder, zone="UTC")


def test_a_broken_amount_goes_to_quarantine_and_an_unknown_word_stays(tmp_path: Path) -> None:
    good = make.order(1, [make.item(1, "A-1", 1, "1.2345")])
    broken = make.order(2, [], pay_amount="壹佰")
    finer = make.order(3, [], pay_amount="1.23456")
    odd = make.order(4, [], status="Archive")
    found = mapped("orders", tmp_path, good, broken, finer, odd)
    assert [bool(errors) for errors in found.errors] == [False, True, True, False]
    assert "total" in str(found.errors[1])
    assert "decimals" in str(found.errors[2])
    assert [(row["status"], row["status_raw"]) for row in found.rows][3] == ("unknown", "Archive")
    assert found.column("total")[0] == D("1.2345")
    at = found.rows[0]["source_updated_at"]
    assert at.astimezone(UTC) == datetime(2026, 2, 21, 2, 0, 0, 807000, tzinfo=UTC)


def test_what_costs_nothing_is_paid(tmp_path: Path) -> None:
    """An exchange that is sent again owes nothing: it does not wait for money."""
    free, due = (make.order(n, [make.item(n, "A-1", 1, p)]) for n, p in ((1, "0.00"), (2, "5.00")))
    found = mapped("orders", tmp_path, free, due | {"paid_amount": "0.00"})
    assert found.column("payment_status") == ["paid", "pending"]


def test_odd_after_sales_keep_their_words_and_numbers_may_be_texts(tmp_path: Path) -> None:
    order = make.order(1, [make.item(1, "A-1", 1, "5.00")])
    found = mapped(
        "after_sales", tmp_path,
        make.after_sale(1, order, "5.0000", type="其它", o_id=0),
        make.after_sale(2, order, "x"), make.after_sale(3, order, "0", status="Cancelled"),
    )  # fmt: skip
    assert [bool(errors) for errors in found.errors] == [False, True, False]
    row, _, cancelled = found.rows
    assert (row["kind"], row["kind_raw"], row["order_key"]) == ("unknown", "其它", None)
    assert (row["refund_amount"], row["refund_key"]) == (5, "1")
    assert (cancelled["status"], cancelled["refund_key"]) == ("cancelled", None)
    assert [each["amount"] for each in found.also["refund"] if each["source_key"] == "1"] == [5]


# --- kills, and what must not be told ----------------------------------------------------------
def test_a_read_that_is_killed_at_any_request_goes_on(tmp_path: Path) -> None:
    def put(world: World, key: int) -> None:
        world.oms.put("orders", make.order(key, [make.item(key, "A-1", 1, "1.00")]))

    place, killed = -1, True
    while killed:
        place += 3
        world = World(tmp_path / str(place), page_size=5)
        for key in range(1, 15):
            put(world, key)
        world.time.wait(hours=1)
        killed = world.killed_at(place, "orders", "full")
        put(world, 4)
        put(world, 15)
        world.time.wait(days=2)
        killed |= world.killed_at(place, "orders", "changed")
        for _ in range(2):  # what changed behind it is owed
            world.time.wait(minutes=1)
            world.read("orders")
        assert world.judge("orders") == [], place
        world.close()
    assert place >= 5


def test_no_secret_and_no_token_stands_anywhere(company: World) -> None:
    told = [SECRET, "access-canary", "refresh-canary", "canary-app"]
    for path in Path(company.environment["ISTHMUS_HOME"]).rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [text for text in told if text.encode() in data], path
    assert not re.search("canary", repr(company.first))  # type: ignore[attr-defined]
