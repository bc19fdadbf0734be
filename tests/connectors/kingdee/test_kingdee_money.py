"""The ready mappings through the whole path: counts, sums of money, lines, references, status."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from kingdee_world import READ, World
from mapping_runs import run

from connectors.kingdee.catalogue import STREAMS
from pipelines.workspace import PROJECT

D = Decimal
TABLES = (
    "organizations", "parties", "products", "locations", "stock_levels", "orders", "order_lines",
    "shipments", "invoices", "payments", "refunds", "returns", "return_lines", "purchase_orders",
    "purchase_order_lines",
)  # fmt: skip


ALIKE = ("units", "currencies", "departments", "return_notices")
"""Streams that make no row, as two others that are read."""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A company whose every stream was read, loaded and published once; tests only ask."""
    made = World(tmp_path_factory.mktemp("company"), rows=7)
    fill(made)
    made.done = made.sync_all(*(s for s in READ if s not in ALIKE))  # type: ignore[attr-defined]
    made.publish()
    yield made
    made.close()


def fill(world: World) -> None:
    """One company: two customers of two organisations, goods, orders, what became of them."""
    for key in (1, 2):
        for row, org in ((key * 10, "100"), (key * 10 + 1, "200")):
            world.put("BD_Customer", row, FMasterId=key * 10, FNumber=f"CUST000{key}",
                      FName=f"华东贸易{key}有限公司", FShortName=f"华东{key}", FTEL="021-5555000",
                      FUseOrgId__FNumber=org)  # fmt: skip
        world.put("BD_Supplier", 50 + key, FNumber=f"VEN000{key}", FName=f"供应商{key}")
        world.put("BD_MATERIAL", 60 + key, FNumber=f"A-100{key}", FName=f"螺栓 M{key}",
                  FSpecification="8x40", FBARCODE="6901234567892")  # fmt: skip
    world.put("BD_MATERIAL", 63, FNumber="S-1", FName="安装", FErpClsID="6", FForbidStatus="B")
    world.put("BD_STOCK", 7, FNumber="CK01", FName="成品仓")
    world.put("BD_Empinfo", 8, FNumber="001", FName="测试员")
    world.put("ORG_Organizations", 1, FNumber="100", FName="总部")
    world.order(1, ("A-1001", "10", "113"), ("A-1002", "2", "56.5"))
    world.order(2, *(("A-1001", str(n), "1.13") for n in range(1, 10)), FDocumentStatus="B")
    world.order(3, ("A-1002", "0.333333", "3.1415926535"), FCloseStatus="B",
                FSettleCurrId__FNumber="PRE007")  # fmt: skip
    world.order(4, ("A-1001", "1", "1"), FCancelStatus="B", FDocumentStatus="A")
    goods = {"FMaterialID__FNumber": "A-1001", "FStockID__FNumber": "CK01", "FLot__FNumber": "L1"}
    world.put("SAL_OUTSTOCK", 5, [{**goods, "FRealQty": 4, "FSoorDerno": "XSDD0000001"}],
              FBillNo="XSCKD1", FDate="2026-03-02T00:00:00", FCarriageNo="SF100",
              FCustomerID__FNumber="CUST0001", FLinkMan="收货人")  # fmt: skip
    world.put("SAL_DELIVERYNOTICE", 5, [{"FQty": 4}], FBillNo="FHTZD1")
    back = {"FMaterialId__FNumber": "A-1001", "FRealQty": 1, "FAllAmount": 113,
            "FOrderNo": "XSDD0000001", "FTaxPrice": 113}  # fmt: skip
    world.put("SAL_RETURNSTOCK", 6, [back], FBillNo="XSTHD1", FBillAllAmount=113,
              FRetcustId__FNumber="CUST0001", FDate="2026-03-03T00:00:00")  # fmt: skip
    for key, sign, off in ((11, 1, "B"), (12, -1, "A")):
        line = {"FMATERIALID__FNumber": "A-1001", "FPriceQty": 4 * sign, "FTaxPrice": 113,
                "FNoTaxAmountFor_D": 400 * sign, "FTAXAMOUNTFOR_D": 52 * sign,
                "FALLAMOUNTFOR_D": 452 * sign, "FSOURCETYPE": "SAL_OUTSTOCK"}  # fmt: skip
        world.put("AR_receivable", key, [line], FBillNo=f"AR{key}", FALLAMOUNTFOR=452 * sign,
                  FNOTAXAMOUNTFOR=400 * sign, FDATE="2026-03-02T00:00:00",
                  FENDDATE_H="2026-04-01T00:00:00", FWRITTENOFFSTATUS=off,
                  FCUSTOMERID__FNumber="CUST0001")  # fmt: skip
    world.put("AP_Payable", 13, [], FBillNo="AP1", FALLAMOUNTFOR=D("99.99"),
              FNOTAXAMOUNTFOR=D("88.49"), FSUPPLIERID__FNumber="VEN0001")  # fmt: skip
    world.put("AR_RECEIVEBILL", 14, FBillNo="SKD1", FDATE="2026-03-05T00:00:00",
              FCONTACTUNIT__FNumber="CUST0001", FREALRECAMOUNTFOR=D("452.10"))  # fmt: skip
    world.put("AP_PAYBILL", 15, FBillNo="FKD1", FDATE="2026-03-06T00:00:00",
              FCONTACTUNIT__FNumber="VEN0001", FREALPAYAMOUNTFOR_H=50)  # fmt: skip
    bought = {"FMaterialId__FNumber": "A-1001", "FQty": 10, "FStockInQty": 4, "FTaxPrice": 113,
              "FAllAmount": 1130, "FDeliveryDate": "2026-03-20T00:00:00"}  # fmt: skip
    more = {"FMaterialId__FNumber": "A-1002", "FQty": D("0.5"), "FTaxPrice": 1,
            "FAllAmount": D("0.5")}  # fmt: skip
    world.put("PUR_PurchaseOrder", 16, [bought, more], FBillNo="CGDD1", FBillAllAmount=D("1130.5"),
              FSupplierId__FNumber="VEN0001", FDate="2026-03-01T00:00:00")  # fmt: skip
    came = [{"FMaterialId__FNumber": "A-1001", "FRealQty": 4, "FStockId__FNumber": "CK01",
             "FPOOrderNo": "CGDD1"},
            {"FMaterialId__FNumber": "A-1002", "FRealQty": D("0.25")}]  # fmt: skip
    for key, state in ((17, "C"), (18, "B")):
        world.put("STK_InStock", key, came, FBillNo=f"CGRK{key}", FDocumentStatus=state,
                  FSupplierId__FNumber="VEN0001", FDate="2026-03-04T00:00:00")  # fmt: skip
    world.put("BD_Rate", 19, FExchangeRate=D("7.1234"), FReverseExRate=D("0.1404"),
              FBegDate="2026-03-01T00:00:00", FEndDate="2026-03-31T00:00:00")  # fmt: skip
    world.put("BD_Rate", 20, FExchangeRate=D("7.3"), FBegDate="2026-04-01T00:00:00",
              FEndDate="9999-12-31T00:00:00", FRATETYPEID__FNumber="HL2",
              FForbidStatus="B")  # fmt: skip
    for n in (1, 2):
        world.put("STK_Inventory", f"guid-{n}", FMaterialId__FNumber=f"A-100{n}",
                  FStockId__FNumber="CK01", FStockId__FName="成品仓", FBaseQty=D("12.5") * n,
                  FAVBQty=10, FLot__FNumber=f"L{n}")  # fmt: skip
    world.time.wait(hours=1)


def test_every_stream_has_a_mapping_and_nothing_goes_to_quarantine(company: World) -> None:
    world, done = company, company.done  # type: ignore[attr-defined]
    assert {name: one.quarantined for name, one in done.items() if one.quarantined} == {}
    assert {name: one.warnings for name, one in done.items() if one.inserted and one.warnings} == {
        "suppliers": {"Fields that this account does not have are left out: FSOCIALCRECODE.": 1},
        "exchange_rates": {"kind: unknown word: HL2": 1},
    }
    assert set(READ) == set(STREAMS) - {
        "vat_invoices", "plain_invoices", "vouchers", "opportunities", "leads",
    }  # fmt: skip
    for stream in STREAMS:
        assert (PROJECT / "mappings" / "kingdee" / f"{stream}.yaml").is_file()
    counts = {table: world.ask(f"select count(*) from unified.{table}")[0][0] for table in TABLES}
    assert counts == {
        "organizations": 1, "parties": 5, "products": 3, "locations": 1, "stock_levels": 2,
        "orders": 4, "order_lines": 13, "shipments": 1, "invoices": 3, "payments": 2, "refunds": 0,
        "returns": 1, "return_lines": 1, "purchase_orders": 1, "purchase_order_lines": 2,
    }  # fmt: skip


def test_documents_say_whose_they_are(company: World) -> None:
    """By the organisation's code; one of another organisation than those that are read waits."""
    tables = ("orders", "shipments", "invoices", "payments", "returns", "purchase_orders")
    for table in (*tables, "locations", "stock_levels"):
        assert company.ask(f"select distinct o.name from unified.{table} t"
                           " left join unified.organizations o using (organization_id)") == [
            ("总部",)
        ], table  # fmt: skip


def test_goods_that_came_stand_by_line_and_rates_in_both_currencies(company: World) -> None:
    assert company.ask("select m.number, m.status, p.sku, m.quantity, l.code, s.code, o.number,"
                       " m.reason, m.occurred_at::varchar from unified.stock_movements m"
                       " join unified.products p using (product_id)"
                       " join unified.parties s on s.party_id = m.party_id"
                       " left join unified.locations l on l.location_id = m.to_location_id"
                       " left join unified.purchase_orders o using (purchase_order_id)"
                       " order by 1, 3") == [
        (number, status, sku, amount, place, "VEN0001", order, "receipt", "2026-03-03 16:00:00+00")
        for number, status in (("CGRK17", "done"), ("CGRK18", "draft"))
        for sku, amount, place, order in (
            ("A-1001", 4, "CK01", "CGDD1"), ("A-1002", D("0.25"), None, None)
        )
    ]  # fmt: skip
    assert company.ask("select from_currency, to_currency, rate, kind, status, valid_from_date,"
                       " valid_to_date from unified.exchange_rates order by rate") == [
        ("USD", "CNY", D("7.1234"), "fixed", "active", date(2026, 3, 1), date(2026, 3, 31)),
        ("USD", "CNY", D("7.3"), "unknown", "inactive", date(2026, 4, 1), None),
    ]  # fmt: skip


def test_sums_are_those_of_the_account(company: World) -> None:
    world = company
    there = world.erp.living("SAL_SaleOrder").values()
    total = sum(D(str(one["FBillAllAmount"])) for one in there)
    lines = [line for one in there for line in one["lines"]]
    rounded = sum(round(D(str(line["FAllAmount"])), 4) for line in lines)
    assert world.ask("select sum(total) from unified.orders") == [(round(total, 4),)]
    assert world.ask("select sum(gross), sum(quantity), count(*) from unified.order_lines") == [
        (rounded, sum(D(str(line["FQty"])) for line in lines), len(lines))
    ]
    assert world.ask("select r.number, o.number, r.status, r.refund_amount, r.currency, sku,"
                     " l.quantity, l.amount from unified.returns r"
                     " join unified.orders o using (order_id)"
                     " join unified.return_lines l using (return_id)") == [
        ("XSTHD1", "XSDD0000001", "received", 113, "CNY", "A-1001", 1, 113)
    ]  # fmt: skip
    assert world.ask("select p.number, s.name, p.status, total, order_date, l.sku, l.quantity,"
                     " l.received_quantity, l.unit_price, l.gross, l.expected_date"
                     " from unified.purchase_orders p"
                     " join unified.parties s on s.party_id = p.party_id"
                     " join unified.purchase_order_lines l using (purchase_order_id)"
                     " order by l.line_no") == [
        ("CGDD1", "供应商1", "confirmed", D("1130.5"), date(2026, 3, 1), "A-1001", 10, 4, 113,
         1130, date(2026, 3, 20)),
        ("CGDD1", "供应商1", "confirmed", D("1130.5"), date(2026, 3, 1), "A-1002", D("0.5"), 0,
         1, D("0.5"), None),
    ]  # fmt: skip
    assert world.ask("select direction, kind, status, net, tax, gross from unified.invoices"
                     " order by number") == [
        ("payable", "standard", "issued", D("88.49"), D("11.5"), D("99.99")),
        ("receivable", "standard", "partially_paid", 400, 52, 452),
        ("receivable", "credit", "issued", 400, 52, 452),
    ]  # fmt: skip
    assert world.ask("select kind, amount, currency, status, paid_at::date from unified.payments"
                     " order by kind") == [
        ("payment", D("452.1"), "CNY", "succeeded", date(2026, 3, 4)),  # 00:00 in Shanghai
        ("payout", 50, "CNY", "succeeded", date(2026, 3, 5)),
    ]  # fmt: skip
    assert world.ask("select sku, on_hand, available, batch_no from unified.stock_levels"
                     " order by sku") == [
        ("A-1001", D("12.5"), 10, "L1"), ("A-1002", 25, 10, "L2"),
    ]  # fmt: skip


def test_status_currency_and_references(company: World) -> None:
    world = company
    assert world.ask("select number, status, currency, order_date from unified.orders"
                     " where kind = 'sale' order by number") == [
        ("XSDD0000001", "confirmed", "CNY", date(2026, 3, 1)),
        ("XSDD0000002", "pending_approval", "CNY", date(2026, 3, 1)),
        ("XSDD0000003", "closed", "USD", date(2026, 3, 1)),
        ("XSDD0000004", "cancelled", "CNY", date(2026, 3, 1)),
    ]  # fmt: skip
    assert world.ask(
        "select o.number, p.name, p.code, c.sku from unified.orders o"
        " join unified.parties p using (party_id) join unified.order_lines l using (order_id)"
        " join unified.products c on c.product_id = l.product_id"
        " where o.number = 'XSDD0000001' union all"
        " select r.number, p.name, p.code, c.sku from unified.returns r"
        " join unified.parties p using (party_id) join unified.return_lines l using (return_id)"
        " join unified.products c on c.product_id = l.product_id order by all"
    ) == [
        ("XSDD0000001", "华东1", "CUST0001", "A-1001"),
        ("XSDD0000001", "华东1", "CUST0001", "A-1002"),
        ("XSTHD1", "华东1", "CUST0001", "A-1001"),
    ]
    assert world.ask(
        "select s.number, o.number, w.code, s.tracking_number, s.status from unified.shipments s"
        " join unified.orders o using (order_id)"
        " join unified.locations w on w.location_id = s.location_id"
    ) == [("XSCKD1", "XSDD0000001", "CK01", "SF100", "shipped")]
    assert world.ask(
        "select m.kind, c.code from unified.payments m join unified.parties c using (party_id)"
        " order by 1"
    ) == [("payment", "CUST0001"), ("payout", "VEN0001")]
    assert world.ask("select sku, kind, status, barcode from unified.products order by 1") == [
        ("A-1001", "inventory", "active", "6901234567892"),
        ("A-1002", "inventory", "active", "6901234567892"),
        ("S-1", "service", "inactive", None),
    ]


def test_what_is_changed_and_deleted_reaches_the_store(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world)
    world.sync_all("orders", "customers")
    world.time.wait(days=2)
    world.order(2, ("A-1001", "3", "2"))
    world.erp.delete("SAL_SaleOrder", 3)
    world.erp.change("BD_Customer", 10, FName="改名有限公司", FShortName=None)
    world.sync_all("orders", "customers")
    assert world.sync("orders", sweep=True).error is None
    world.publish()
    assert world.ask("select number, total from unified.orders order by 1") == [
        ("XSDD0000001", 1243), ("XSDD0000002", 6), ("XSDD0000004", 1),
    ]  # fmt: skip
    assert world.ask("select count(*), sum(gross) from unified.order_lines") == [(4, 1250)]
    assert world.ask("select name from unified.parties where code = 'CUST0001'") == [
        ("改名有限公司",)
    ]
    world.close()


@pytest.mark.parametrize(
    ("stream", "member"), [("returns", "FOrderNo"), ("shipments", "FSoorDerno")]
)
def test_a_document_of_several_orders_is_none_s(tmp_path: Path, stream: str, member: str) -> None:
    """The order in the middle counts as those at the ends do."""
    divided = [["A", "B", "A"], ["A", "A"], ["A", None], [None], []]
    made = [
        {"FID": number, "FBillNo": f"D{number}", "FModifyDate": "2026-03-02T00:00:00",
         "lines": [{"FEntity_FEntryId": n, member: one} for n, one in enumerate(orders, 1)]}
        for number, orders in enumerate(divided, 1)
    ]  # fmt: skip
    text = (PROJECT / "mappings" / "kingdee" / f"{stream}.yaml").read_text("utf-8")
    assert run(text, made, tmp_path).column("order_key") == [None, "A", None, None, None]


def test_goods_are_back_when_their_return_is_approved(tmp_path: Path) -> None:
    made = [
        {"FID": n, "FBillNo": f"D{n}", "FDate": "2026-03-02T00:00:00", "FDocumentStatus": status,
         "FCancelStatus": cancelled, "lines": [{"FEntity_FEntryId": 1, "FRealQty": 4}]}
        for n, (status, cancelled) in enumerate([("C", "A"), ("B", "A"), ("C", "B")], 1)
    ]  # fmt: skip
    text = (PROJECT / "mappings" / "kingdee" / "returns.yaml").read_text("utf-8")
    found = run(text, made, tmp_path)
    assert found.column("status") == ["received", "requested", "cancelled"]
    lines = found.children["lines"]
    assert [(one["quantity"], one["received_quantity"]) for one in lines] == [
        (4, 4), (4, None), (4, None),
    ]  # fmt: skip
