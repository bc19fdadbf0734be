"""What the company orders from its suppliers."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class PurchaseOrder(Entity):
    """An order to a supplier."""

    entity: ClassVar[str] = "purchase_order"
    table: ClassVar[str] = "purchase_orders"
    en: ClassVar[str] = "Purchase order"
    zh: ClassVar[str] = "采购订单"
    about: ClassVar[str] = "an order to a supplier"
    children: ClassVar = {"lines": "purchase_order_line"}

    number: Annotated[
        c.Text, c.text("Purchase order number", "采购单号", "Number of the document", natural=True)
    ] = None
    supplier_key: Annotated[
        c.Text, c.key("Supplier", "供应商", "Who delivers", ref="party", resolved="party_id")
    ] = None
    supplier_name: Annotated[
        c.Text,
        c.text("Supplier name", "供应商名称", "Name as written on the order", privacy="name"),
    ] = None
    status: Annotated[
        c.Text,
        c.word(
            "Status",
            "状态",
            "Where it stands",
            "draft",
            "pending_approval",
            "confirmed",
            "partially_received",
            "received",
            "closed",
            "cancelled",
        ),
    ] = None
    order_date: Annotated[c.Day, c.date("Order date", "采购日期", "Date of the document")] = None
    confirmed_at: Annotated[
        c.Moment, c.instant("Confirmed at", "审核时间", "When it was approved")
    ] = None
    expected_date: Annotated[
        c.Day, c.date("Expected", "预计到货日期", "When the goods are due")
    ] = None
    currency: Annotated[c.Text, c.currency()] = None
    fx_rate: Annotated[
        c.Number, c.rate("Exchange rate", "汇率", "To the currency of the books")
    ] = None
    tax_total: Annotated[c.Number, c.money("Tax", "税额", "Tax of the order")] = None
    total: Annotated[
        c.Number,
        c.money("Total", "采购金额", "What the company owes, tax included", positive=True),
    ] = None
    is_tax_inclusive: Annotated[
        c.Flag, c.flag("Prices include tax", "含税", "Line prices include tax")
    ] = None
    location_key: Annotated[
        c.Text,
        c.key(
            "Delivered to", "收货仓库", "Where the goods go", ref="location", resolved="location_id"
        ),
    ] = None
    buyer_key: Annotated[
        c.Text, c.text("Buyer", "采购员", "Employee in charge, as the source keys it")
    ] = None
    organization_key: Annotated[
        c.Text, c.organization("采购组织", "Own legal entity that buys")
    ] = None
    note: Annotated[c.Text, c.note("Note", "备注", "Free text")] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None


class PurchaseOrderLine(Entity):
    """One line of a purchase order."""

    entity: ClassVar[str] = "purchase_order_line"
    table: ClassVar[str] = "purchase_order_lines"
    en: ClassVar[str] = "Purchase order line"
    zh: ClassVar[str] = "采购订单明细"
    about: ClassVar[str] = "one line of a purchase order"
    parent: ClassVar[str | None] = "purchase_order"

    line_no: Annotated[
        c.Whole, c.integer("Line number", "行号", "Number of the line in the source")
    ] = None
    product_key: Annotated[
        c.Text, c.key("Product", "商品", "What is bought", ref="product", resolved="product_id")
    ] = None
    sku: Annotated[c.Text, c.text("SKU", "SKU 编码", "Code as written on the line")] = None
    name: Annotated[c.Text, c.text("Name", "商品名称", "Name as written on the line")] = None
    spec: Annotated[c.Text, c.text("Specification", "规格", "Variant in words")] = None
    quantity: Annotated[c.Number, c.quantity("Quantity", "数量", "As ordered")] = None
    received_quantity: Annotated[
        c.Number, c.quantity("Received", "已入库数量", "Received so far")
    ] = None
    billed_quantity: Annotated[
        c.Number, c.quantity("Billed", "已开票数量", "Billed by the supplier so far")
    ] = None
    unit: Annotated[c.Text, c.text("Unit", "单位", "Unit of the quantities")] = None
    unit_price: Annotated[c.Number, c.price("Unit price", "单价", "Price of one unit")] = None
    net: Annotated[c.Number, c.money("Net", "不含税金额", "Without tax")] = None
    tax_rate: Annotated[c.Number, c.rate("Tax rate", "税率", "0.13 is 13 %")] = None
    tax: Annotated[c.Number, c.money("Tax", "税额", "Tax of the line")] = None
    gross: Annotated[c.Number, c.money("Gross", "价税合计", "Net and tax")] = None
    expected_date: Annotated[c.Day, c.date("Expected", "预计到货日期", "When the line is due")] = (
        None
    )
    location_key: Annotated[
        c.Text,
        c.key(
            "Delivered to",
            "收货仓库",
            "Where the line goes",
            ref="location",
            resolved="location_id",
        ),
    ] = None
    note: Annotated[c.Text, c.note("Note", "行备注", "Free text")] = None
