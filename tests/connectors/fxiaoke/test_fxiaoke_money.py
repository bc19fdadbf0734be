"""The ready mappings through the whole path: counts, sums of money, lines, references, days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fxiaoke_world import World
from mapping_runs import Result, run

from connectors.fxiaoke.catalogue import STREAMS
from connectors.fxiaoke.sample import line, oid, record
from pipelines.workspace import PROJECT

D = Decimal
DAY = 1763568000000
"""2025-11-20 in China, which is the 19th in UTC."""
READ = (
    "customers", "products", "warehouses", "stock", "orders", "deliveries", "payments", "refunds",
    "invoices", "quotes",
)  # fmt: skip
"""Streams that go the whole way here; the others' mappings run on records alone."""
MAPPINGS = PROJECT / "mappings" / "fxiaoke"


def mapped(stream: str, folder: Path, *records: dict[str, Any]) -> Result:
    """Map records of a connection in another zone than China's: no day may shift."""
    made = [{"create_time": DAY, "last_modified_time": DAY, **one} for one in records]
    return run((MAPPINGS / f"{stream}.yaml").read_text("utf-8"), made, folder, zone="UTC")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A company whose streams were read, loaded and published once; tests only ask."""
    made = World(tmp_path_factory.mktemp("company"))
    fill(made)
    made.done = made.sync_all(*READ)  # type: ignore[attr-defined]
    made.publish()
    yield made
    made.close()


def lined(world: World, api: str, number: int, lines: str, link: str, *each: dict[str, Any],
          **members: Any) -> None:  # fmt: skip
    head = world.put(api, number, **members)
    for place, one in enumerate(each, 1):
        world.crm.put(lines, line(lines, head, link, place, **one))


def fill(world: World) -> None:
    """One company: customers and what they ordered, got, paid, gave back and asked for."""
    account, product, warehouse = oid("AccountObj", 1), oid("ProductObj", 1), oid("WarehouseObj", 1)
    order = oid("SalesOrderObj", 1)
    who: dict[str, Any] = {"account_id": account}
    goods: dict[str, Any] = {"product_id": product}
    place = {"address": "钱江路1366号", "city": "330100"}
    lined(world, "AccountObj", 1, "AccountAddrObj", "account_id",
          {"address": "钱江路1366号2幢", "is_ship_to_add": True, "contact_way": "13800138000"},
          {"address": "已停用", "life_status": "invalid"},
          name="杭州晴川贸易有限公司", account_no="KH-0001", tel="0571-85555000",
          area_location=place, industry_level1="42")  # fmt: skip
    world.put("AccountObj", 2, name="已作废的客户", life_status="invalid")
    world.put("AccountObj", 3, name="审批中的客户", life_status="someday")
    world.put("ProductObj", 1, name="A4复印纸 70g", product_code="A4-70", price="26.00",
              product_status="1", unit="18")  # fmt: skip
    world.put("ProductObj", 2, name="坏价格", product_code="BAD", price="26 元")
    world.put("WarehouseObj", 1, name="杭州仓", number="CK01", is_enable="1")
    world.put("StockObj", 1, warehouse_id=warehouse, real_stock="120.50", blocked_stock="20.00",
              field_avail__c="100.50", **goods)  # fmt: skip
    lines = [(product, "50.00", "25.601"), (product, "2", "0.005")]
    world.order(1, *lines, delivery_date=DAY, payment_amount="500.00", logistics_status="2", **who)
    world.order(2, (product, "1", "9.99"), order_amount="九元", **who)
    world.order(3, (product, "1", "7"), life_status="under_review", **who)
    lined(world, "DeliveryNoteObj", 1, "DeliveryNoteProductObj", "note_ref__c",
          {"delivery_num": "10", "sales_order_id": order, **goods},
          sales_order_id=order, delivery_date=DAY, status="has_delivered",
          waybill__c="SF1234567890",
          delivery_warehouse_id=warehouse, consignee="王芳", **who)  # fmt: skip
    for number, to in ((1, [1, 1]), (2, [1, 3])):
        lined(world, "PaymentObj", number, "OrderPaymentObj", "payment_id",
              *({"order_id": oid("SalesOrderObj", one), "payment_amount": "250.00"} for one in to),
              payment_amount="500.00", payment_time=DAY, payment_term="1", **who)  # fmt: skip
    world.put("RefundObj", 1, refunded_amount="12.30", refunded_time=DAY, order_id=order,
              reason__c="破损", **who)  # fmt: skip
    lined(world, "InvoiceApplicationObj", 1, "InvoiceApplicationLinesObj", "invoice_id",
          {"order_id": order, "invoiced_amount": "1280.05", "tax_rate": "13.00", **goods},
          invoice_applied_amount="1280.05", invoice_date=DAY, title="杭州晴川贸易有限公司",
          tax_id="91330100MA28000000", **who)  # fmt: skip
    world.put("QuoteObj", 1, **who)
    world.time.wait(hours=1)


def one(world: World, sql: str) -> tuple[Any, ...]:
    (row,) = world.ask(sql)
    return row


def test_every_stream_has_a_mapping_and_only_broken_records_are_held_back(company: World) -> None:
    done = company.done  # type: ignore[attr-defined]
    assert {name: d.quarantined for name, d in done.items() if d.quarantined} == {
        "products": 1, "orders": 1,
    }  # fmt: skip
    assert [name for name, d in done.items() if not d.read] == []
    assert [name for name, d in done.items() if not d.inserted] == ["quotes"]  # makes no row
    assert {path.stem for path in MAPPINGS.glob("*.yaml")} == set(STREAMS)


def test_an_order_is_the_tenant_s_to_the_cent_and_to_the_day(company: World) -> None:
    sql = (
        "select number, total, paid_total, payment_status, fulfillment_status, o.status,"
        " order_date, promised_at, o.currency, p.name"
        " from unified.orders o join unified.parties p using (party_id)"
        " where number = '20261120-000001'"
    )
    assert one(company, sql) == (
        "20261120-000001", D("1280.06"), D("500"), "partially_paid", "partial", "confirmed",
        date(2025, 11, 20), datetime.fromtimestamp(DAY / 1000, UTC), "CNY", "杭州晴川贸易有限公司",
    )  # fmt: skip
    sql = (
        "select sum(l.gross), sum(l.quantity), max(l.unit_price), min(r.sku) from"
        " unified.order_lines l join unified.orders o using (order_id)"
        " join unified.products r using (product_id) where o.number = '20261120-000001'"
    )
    assert one(company, sql) == (D("1280.06"), D("52"), D("25.601"), "A4-70")
    assert company.ask("select status from unified.orders where number like '%3'") == [
        ("pending_approval",)
    ]


def test_a_broken_amount_is_told_by_field_and_an_unknown_word_stays(company: World) -> None:
    held = company.ask("select stream, field from ops.quarantine order by stream")
    assert held == [("orders", "total"), ("products", "price")]
    assert company.ask(
        "select status_raw from source.parties where status = 'unknown'"
    ) == [("someday",)]  # fmt: skip
    assert (
        company.ask("select method, method_raw from source.payments where kind = 'payment'")
        == [("unknown", "1")] * 2
    )


def test_the_voided_are_deleted_and_addresses_stand_with_their_customer(company: World) -> None:
    sql = "select count(*) from source.parties where stream = 'customers' and is_deleted"
    assert one(company, sql) == (1,)
    sql = "select role, full_address from source.addresses where stream = 'customers'"
    assert company.ask(sql) == [("shipping", "钱江路1366号2幢")]
    sql = "select address, phone from source.parties where code = 'KH-0001'"
    assert one(company, sql) == ("钱江路1366号", "0571-85555000")


def test_stock_and_deliveries(company: World) -> None:
    sql = (
        "select on_hand, reserved, available, r.sku, l.code from unified.stock_levels s"
        " join unified.products r using (product_id) join unified.locations l using (location_id)"
    )
    assert one(company, sql) == (D("120.5"), D("20"), D("100.5"), "A4-70", "CK01")
    sql = (
        "select tracking_number, s.status, o.number, n.quantity from unified.shipments s"
        " join unified.orders o using (order_id) join unified.shipment_lines n using (shipment_id)"
    )
    assert one(company, sql) == ("SF1234567890", "shipped", "20261120-000001", D("10"))


def test_a_payment_says_which_orders_it_is_for(company: World) -> None:
    sql = (
        "select p.number, o.number, a.amount, a.currency from unified.payment_allocations a"
        " join unified.payments p using (payment_id)"
        " left join unified.orders o on o.order_id = a.order_id order by all"
    )
    assert company.ask(sql) == [
        ("PaymentObj-1", "20261120-000001", 250, "CNY"),
        ("PaymentObj-1", "20261120-000001", 250, "CNY"),
        ("PaymentObj-2", "20261120-000001", 250, "CNY"),
        ("PaymentObj-2", "20261120-000003", 250, "CNY"),
    ]


def test_money_is_counted_once(company: World) -> None:
    sql = (
        "select kind, amount, value_date::varchar, order_id is not null from unified.payments"
        " order by kind, 4"
    )
    assert company.ask(sql) == [
        ("payment", D("500"), "2025-11-20", False), ("payment", D("500"), "2025-11-20", True),
        ("refund", D("12.3"), "2025-11-20", True),
    ]  # fmt: skip
    assert one(company, "select amount, reason, status from source.refunds")[::2] == (
        D("12.3"), "succeeded",
    )  # fmt: skip
    sql = (
        "select i.gross, issue_date::varchar, buyer_tax_number, l.tax_rate, o.number"
        " from unified.invoices i join unified.invoice_lines l using (invoice_id)"
        " join unified.orders o on o.order_id = i.order_id"
    )
    assert one(company, sql) == (
        D("1280.05"), "2025-11-20", "91330100MA28000000", D("0.13"), "20261120-000001",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stream", "api", "each"),
    [("payments", "PaymentObj", "allocations"), ("invoices", "InvoiceApplicationObj", "lines")],
)
def test_money_of_several_orders_is_none_s(
    tmp_path: Path, stream: str, api: str, each: str
) -> None:
    """The order in the middle counts as those at the ends do; a voided part does not."""
    void = {"life_status": "invalid"}
    divided = [
        [{"order_id": "a"}, {"order_id": "b"}, {"order_id": "a"}],
        [{"order_id": "a"}, {"order_id": "a"}],
        [{"order_id": "b", **void}, {"order_id": "a"}, {"order_id": "b", "is_deleted": True}],
        [],
    ]
    made = [
        record(api, number, order_id="head", payment_amount="1", **{each: [
            {"_id": f"l{place}", **one} for place, one in enumerate(parts)
        ]})
        for number, parts in enumerate(divided, 1)
    ]  # fmt: skip
    assert mapped(stream, tmp_path, *made).column("order_key") == [None, "a", "a", "head"]


def test_sales_and_service(tmp_path: Path) -> None:
    new = record("NewOpportunityObj", 1, name="年度采购", amount="88000.00", sales_status="1",
                 probability="30", close_date=DAY)  # fmt: skip
    (row,) = mapped("opportunities", tmp_path, new).rows
    assert [row[n] for n in ("status", "amount", "expected_close", "probability")] == [
        "open", 88000, date(2025, 11, 20), D("0.3"),
    ]  # fmt: skip
    old = record("OpportunityObj", 1, expected_deal_amount="100", status="2",
                 expected_deal_closed_date=DAY)  # fmt: skip
    (row,) = mapped("old_opportunities", tmp_path, old).rows
    assert (row["status"], row["amount"], row["expected_close"]) == ("won", 100, date(2025, 11, 20))
    leads = [
        record("LeadsObj", 1, company="上海某某", mobile="13700137000", biz_status="un_assigned"),
        record("LeadsObj", 2, company="北京某某", tel="010-1", biz_status="option9"),
    ]
    found = mapped("leads", tmp_path, *leads)
    assert found.column("status") == ["new", "unknown"]
    assert found.column("status_raw") == ["un_assigned", "option9"]
    assert found.column("phone") == ["13700137000", "010-1"]
    case = record("CasesObj", 1, subject="少了一箱", case_status="处理中", priority="高",
                  account_id="a1", finish_time=DAY + 3_600_000)  # fmt: skip
    (row,) = mapped("tickets", tmp_path, case).rows
    assert [row[n] for n in ("subject", "status", "priority", "customer_key", "owner_key")] == [
        "少了一箱", "in_progress", "high", "a1", "1003",
    ]  # fmt: skip
    assert row["closed_at"] == datetime(2025, 11, 19, 17, tzinfo=UTC)


def test_what_was_done_with_a_customer(tmp_path: Path) -> None:
    about = [{"describe_api_name": "machine__c", "id": "m1"},
             {"describe_api_name": "AccountObj", "id": "a2", "name": "杭州晴川"},
             {"describe_api_name": "LeadsObj", "id": "l2"}]  # fmt: skip
    kinds = [{"active_record_type__r": "电话沟通"}, {"interactive_types": ["微信"]},
             {"active_record_type": "other_3"}, {}]  # fmt: skip
    text = {"active_record_content": "谈了续约", "related_object_data": about}
    made = [record("ActiveRecordObj", n, **text, **kind) for n, kind in enumerate(kinds, 1)]
    made.append(record("ActiveRecordObj", 9, account_id="a1", new_opportunity_id="o1"))
    found = mapped("activities", tmp_path, *made)
    assert found.errors == [[]] * 5
    assert found.column("kind") == ["call", "wechat", "unknown", None, None]
    assert found.column("kind_raw")[2] == "other_3"
    assert found.column("party_key") == ["a2"] * 4 + ["a1"]
    assert found.column("lead_key") == ["l2"] * 4 + [None]
    assert found.column("opportunity_key") == [None] * 4 + ["o1"]
    row = found.rows[0]
    assert (row["body"], row["owner_key"], row["status"]) == ("谈了续约", "1003", "done")


def test_prices_and_goods_that_moved(tmp_path: Path) -> None:
    prices = [record("PriceBookProductObj", 1, pricebook_id="b1", product_id="p1",
                     pricebook_price="26.00", pricebook_sellingprice="25.5"),
              record("PriceBookProductObj", 2, pricebook_id="b1", pricebook_id__r="大客户价",
                     pricebook_price="3.1415926535", life_status="invalid"),
              record("PriceBookProductObj", 3, pricebook_price="面议")]  # fmt: skip
    found = mapped("price_book_products", tmp_path, *prices)
    assert [(r["price_list"], r["product_key"], r["price"], r["currency"], r["deleted"])
            for r in found.rows[:2]] == [
        ("b1", "p1", D("25.5"), "CNY", False),
        ("大客户价", None, D("3.1415926535"), "CNY", True),
    ]  # fmt: skip
    assert [bool(errors) for errors in found.errors] == [False, False, True]
    moves = [record("StockDetailsObj", 1, warehouse_id="w1", product_id="p1",
                    modified_real_num="12.5"),
             record("StockDetailsObj", 2, warehouse_id="w1", product_id="p1",
                    modified_real_num="-3")]  # fmt: skip
    rows = mapped("stock_details", tmp_path, *moves).rows
    fields = ("quantity", "from_location_key", "to_location_key", "product_key", "status")
    assert [tuple(row[name] for name in fields) for row in rows] == [
        (D("12.5"), None, "w1", "p1", "done"), (D(3), "w1", None, "p1", "done"),
    ]  # fmt: skip
    assert rows[0]["occurred_at"] == datetime.fromtimestamp(DAY / 1000, UTC)


def test_returns(tmp_path: Path) -> None:
    part = {"_id": "l1", "product_id": "p1", "quantity": "1", "subtotal": "25.60"}
    back = record("ReturnedGoodsInvoiceObj", 1, order_id="o1", returned_goods_inv_amount="25.60",
                  returned_goods_time=DAY, life_status="under_review", lines=[part])  # fmt: skip
    found = mapped("returns", tmp_path, back)
    (row,) = found.rows
    assert [row[n] for n in ("status", "refund_amount", "order_key")] == [
        "requested", D("25.6"), "o1",
    ]  # fmt: skip
    assert row["requested_at"] == datetime.fromtimestamp(DAY / 1000, UTC)
    assert [(one["quantity"], one["amount"]) for one in found.children["lines"]] == [(1, D("25.6"))]


def test_purchasing_people_and_heads_of_products(tmp_path: Path) -> None:
    lines = [{"_id": "l1", "product_id": "p1", "quantity": "100", "subtotal": "2000"},
             {"_id": "l2", "quantity": "x", "is_deleted": True}]  # fmt: skip
    buy = record("PurchaseOrderObj", 1, supplier_id="s1", purchase_amount="2000.00",
                 purchase_date=DAY, lines=lines)  # fmt: skip
    bad = record("PurchaseOrderObj", 2, purchase_amount="-", lines=[])
    found = mapped("purchase_orders", tmp_path, buy, bad)
    row = found.rows[0]
    assert (row["total"], row["order_date"], row["supplier_key"]) == (
        2000,
        date(2025, 11, 20),
        "s1",
    )
    assert [bool(one) for one in found.errors] == [False, True]
    assert [(one["quantity"], one["gross"]) for one in found.children["lines"]] == [(100, 2000)]
    people = [record("PersonnelObj", 1, user_id="1003", status="0", phone="13600136000"),
              record("PersonnelObj", 2, user_id="1004", status="1")]  # fmt: skip
    found = mapped("users", tmp_path, *people)
    assert found.column("code") == ["1003", "1004"]
    assert found.column("status") == ["active", "inactive"]
    contact = record("ContactObj", 1, mobile1="13900139000", account_id="a1")
    (row,) = mapped("contacts", tmp_path, contact).rows
    assert (row["kind"], row["phone"], row["parent_party_key"]) == ("person", "13900139000", "a1")
    (row,) = mapped("suppliers", tmp_path, record("SupplierObj", 1, supplier_no="GYS-1")).rows
    assert (row["code"], row["is_supplier"], row["status"]) == ("GYS-1", True, "active")
    (row,) = mapped("product_heads", tmp_path, record("SPUObj", 1, unit="18")).rows
    assert (row["name"], row["unit"], row["status"]) == ("SPUObj-1", "18", "active")
