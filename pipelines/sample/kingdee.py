"""The ERP: the story as 金蝶云·星空 writes it.

Salesmen type their orders in; the shop's come over with the shop's number in the note (备注), for
this account has no field of its own for it. Persons who buy in the shop are one customer, 零售客户.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.base import utc_now
from connectors.kingdee.sample import Record, record
from connectors.kingdee.simulator import KingdeeSimulator
from connectors.kingdee.simulator_proof import Identity
from pipelines.sample import goods
from pipelines.sample.facts import Customer, Line, Order
from pipelines.sample.key import Bad
from pipelines.sample.story import NOW, START, Story

CONNECTION, PORT = "erp", 18802
SECRETS = {
    "ERP_APP_ID": "260501_dGhlIHNhbXBsZSBjb21wYW55LCBkZW1v",
    "ERP_APP_SECRET": "sample-erp-secret",
}
STREAMS = ("customers", "materials", "warehouses", "stock", "orders", "shipments", "receivables",
           "receipts")  # fmt: skip
ACCOUNT, USER = "66a1f0c2d3b4e5", "integration"
RETAIL = 90_000
"""The one customer that stands for all persons."""
_TAX = Decimal("1.13")
_CENT = Decimal("0.01")


def build(story: Story) -> KingdeeSimulator:
    """Return the account with all that it holds; names its wrong records in the key."""
    who = Identity(ACCOUNT, USER, SECRETS["ERP_APP_ID"], SECRETS["ERP_APP_SECRET"])
    account = KingdeeSimulator(who, now=utc_now)
    for form, at, made in _records(story):
        account.put(form, made, at=at)
    return account


def _records(story: Story) -> Iterator[tuple[str, datetime, Record]]:
    yield "BD_Customer", START, _customer(RETAIL, "零售客户")
    for one in story.customers:
        for entry in (e for e in one.entries if e.system == CONNECTION):
            yield "BD_Customer", one.since, _customer(
                one.number, entry.name, FTEL=entry.phone, FSOCIALCRECODE=entry.code,
                FADDRESS="".join(one.place[:3]) + one.street,
            )  # fmt: skip
    for key, (code, name) in enumerate((goods.ONLINE, goods.MAIN), 1):
        yield "BD_STOCK", START, record("BD_STOCK", key, FNumber=code, FName=name)
    for product in story.products:
        yield "BD_MATERIAL", product.since, record(
            "BD_MATERIAL", product.number, FNumber=product.sku, FName=product.name,
            FBARCODE=product.barcode, FBaseUnitId__FName=product.unit,
            FMaterialGroup__FName=product.category,
        )  # fmt: skip
    yield from _stock(story)
    for order in story.typed:
        yield from _typed(story, order)
    for claim in story.claims:
        yield _order(claim.key, claim.number, claim.order, claim.at, f"网店 {claim.claims}")
    yield from _wrong(story)


def _customer(number: int, name: str, **more: Any) -> Record:
    return record("BD_Customer", number, FNumber=f"C{number:05d}", FName=name, **more)


def _who(customer: Customer) -> Record:
    known = customer.entry(CONNECTION)
    number = customer.number if known else RETAIL
    return {"FNumber": f"C{number:05d}", "FName": known.name if known else "零售客户"}


def _stock(story: Story) -> Iterator[tuple[str, datetime, Record]]:
    for one in story.stock:
        for (code, name), (there, reserved) in zip(
            (goods.ONLINE, goods.MAIN), (one.online, one.main), strict=True
        ):
            yield "STK_Inventory", NOW, record(
                "STK_Inventory", f"{one.product.number:05d}-{code}",
                FMaterialId__FNumber=one.product.sku, FMaterialId__FName=one.product.name,
                FStockId__FNumber=code, FStockId__FName=name, FBaseQty=there,
                FAVBQty=there - reserved, FBaseUnitId__FName=one.product.unit,
            )  # fmt: skip


def _typed(story: Story, order: Order) -> Iterator[tuple[str, datetime, Record]]:
    """Yield an order of a salesman with the documents that follow it."""
    key, who = order.place, _who(order.customer)
    yield _order(key, order.number, order, order.placed, "")
    if order.parcel is None:
        return
    sent, number = order.parcel.sent, f"{key:06d}"
    yield "SAL_OUTSTOCK", sent, record(
        "SAL_OUTSTOCK", key,
        [
            {"FMaterialID__FNumber": line.product.sku, "FMaterialID__FName": line.product.name,
             "FStockID__FNumber": goods.MAIN[0], "FRealQty": line.quantity,
             "FTaxPrice": line.price, "FAllAmount": line.gross, "FSrcType": "SAL_SaleOrder",
             "FSrcBillNo": order.number, "FSoorDerno": order.number}
            for line in order.lines
        ],
        FBillNo=f"XSCKD{number}", FDate=_day(sent), FApproveDate=_moment(sent),
        FCustomerID__FNumber=who["FNumber"], FCustomerID__FName=who["FName"],
        FCarriageNo=order.parcel.tracking, FLinkMan=order.customer.contact,
        FLinkPhone=order.customer.phone, FReceiveAddress=order.customer.street,
    )  # fmt: skip
    due = sent + timedelta(days=30)
    yield "AR_receivable", sent, record(
        "AR_receivable", key,
        [
            {"FMATERIALID__FNumber": line.product.sku, "FMATERIALID__FName": line.product.name,
             "FPriceQty": line.quantity, "FTaxPrice": line.price, "FEntryTaxRate": 13,
             "FNoTaxAmountFor_D": net, "FTAXAMOUNTFOR_D": gross - net, "FALLAMOUNTFOR_D": gross,
             "FSOURCETYPE": "SAL_SaleOrder", "FSourceBillNo": order.number}
            for line, gross, net in _amounts(order)
        ],
        FBillNo=f"AR{number}", FDATE=_day(sent), FENDDATE_H=_day(due), FALLAMOUNTFOR=order.total,
        FNOTAXAMOUNTFOR=sum(net for _, _, net in _amounts(order)),
        FWRITTENOFFSTATUS="C" if order.paid else "A", FCUSTOMERID__FNumber=who["FNumber"],
        FCUSTOMERID__FName=who["FName"],
    )  # fmt: skip
    if order.paid is not None:
        yield "AR_RECEIVEBILL", order.paid, record(
            "AR_RECEIVEBILL", key, FBillNo=f"SKD{number}", FDATE=_day(order.paid),
            FCONTACTUNIT__FNumber=who["FNumber"], FCONTACTUNIT__FName=who["FName"],
            FREALRECAMOUNTFOR=order.total, FREMARK=f"货款 {order.number}",
        )  # fmt: skip


def _order(
    key: int, number: str, order: Order, at: datetime, note: str, **more: object
) -> tuple[str, datetime, Record]:
    who, sent = _who(order.customer), order.parcel is not None
    lines = [
        {"FMaterialId__FNumber": line.product.sku, "FMaterialId__FName": line.product.name,
         "FQty": line.quantity, "FTaxPrice": line.price, "FEntryTaxRate": 13,
         "FDiscount": line.gross - gross, "FAmount": net, "FEntryTaxAmount": gross - net,
         "FAllAmount": gross, "FStockOutQty": line.quantity if sent else 0}
        for line, gross, net in _amounts(order)
    ]  # fmt: skip
    given: dict[str, object] = {
        "FBillNo": number, "FDate": _day(at), "FApproveDate": _moment(at), "FNote": note,
        "FCloseStatus": "B" if sent else "A", "FBillAllAmount": order.total,
        "FCustId__FNumber": who["FNumber"], "FCustId__FName": who["FName"], **more,
    }  # fmt: skip
    return "SAL_SaleOrder", at, record("SAL_SaleOrder", key, lines, **given)


def _amounts(order: Order) -> Iterator[tuple[Line, Decimal, Decimal]]:
    """Yield each line with its sum after the order's discount, and that without tax."""
    left = order.discount
    for line in order.lines:
        share = (order.discount * line.gross / order.goods).quantize(_CENT)
        share = left if line is order.lines[-1] else share
        left -= share
        gross = line.gross - share
        yield line, gross, (gross / _TAX).quantize(_CENT)


def _wrong(story: Story) -> Iterator[tuple[str, datetime, Record]]:
    """Yield records that are wrong as people make them: copied drafts, codes with a slip."""
    day = NOW - timedelta(days=40)

    def bad(key: int, field: str, reason: str, *, kept: bool = False) -> None:
        story.key.bad.append(Bad(CONNECTION, "orders", str(key), "order", field, reason, kept))

    for number, code in ((3901, "91310115MA1K35H10X"), (3902, "91310115MA1K3")):
        yield "BD_Customer", day, _customer(number, f"待核实客户{number}", FSOCIALCRECODE=code)
        reason = "18 signs with a right check sign"
        story.key.bad.append(Bad(CONNECTION, "customers", str(number), "party", "uscc", reason))
    like = story.typed[0]
    for place, (name, value, field, reason) in enumerate(
        (
            ("FBillAllAmount", Decimal("-88.00"), "total", "not negative"),
            ("FBillAllAmount", Decimal(-1), "total", "not negative"),
            ("FDate", "0001-01-01T00:00:00", "order_date", "between 1900 and 2200"),
            ("FSettleCurrId__FNumber", "PRE099", "currency", "three capital letters"),
        )
    ):
        key = 9901 + place
        yield _order(key, f"XSDD99{key:04d}", like, day, "", **{name: value})
        bad(key, field, reason)
    for key in (9951, 9952):
        yield _order(key, f"XSDD99{key:04d}", like, day, "", FDocumentStatus="E", FCloseStatus="A")
        bad(key, "status", "E", kept=True)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}T00:00:00"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}"
