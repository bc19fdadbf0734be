"""Invoices given and taken, with what the Chinese tax system adds."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity

_SIDES = ("organization", "person")


class Invoice(Entity):
    """An invoice, credit note or Chinese tax invoice."""

    entity: ClassVar[str] = "invoice"
    table: ClassVar[str] = "invoices"
    en: ClassVar[str] = "Invoice"
    zh: ClassVar[str] = "发票"
    about: ClassVar[str] = "an invoice or credit note, given or taken; gross = net + tax"
    children: ClassVar = {"lines": "invoice_line"}

    number: Annotated[
        c.Text, c.text("Invoice number", "发票号码", "Number of the document", natural=True)
    ] = None
    e_invoice_no: Annotated[
        c.Text,
        c.ruled(
            "E-invoice number",
            "数电票号码",
            "Number of a fully digital Chinese invoice",
            "regexp_full_match(value, '[0-9]{20}')",
            "20 digits",
            "20 位数字",
            natural=True,
        ),
    ] = None
    invoice_code: Annotated[
        c.Text, c.text("Invoice code", "发票代码", "Code of the form, 10 or 12 digits")
    ] = None
    direction: Annotated[
        c.Text,
        c.word(
            "Direction", "方向", "Receivable is given, payable is taken", "receivable", "payable"
        ),
    ] = None
    kind: Annotated[
        c.Text,
        c.word(
            "Kind",
            "票种",
            "What the document is",
            "standard",
            "credit",
            "debit",
            "proforma",
            "cn_special_vat",
            "cn_general_vat",
        ),
    ] = None
    status: Annotated[
        c.Text,
        c.word(
            "Status",
            "状态",
            "Where it stands; red_offset is 红冲",
            "draft",
            "issued",
            "partially_paid",
            "paid",
            "overdue",
            "void",
            "red_offset",
        ),
    ] = None
    order_key: Annotated[
        c.Text, c.key("Order", "订单", "The order it bills", ref="order", resolved="order_id")
    ] = None
    order_number: Annotated[
        c.Text, c.text("Order number", "订单号", "Number of the order as written on the invoice")
    ] = None
    customer_key: Annotated[
        c.Text,
        c.key(
            "Party",
            "往来单位",
            "Whom it is given to or taken from",
            ref="party",
            resolved="party_id",
        ),
    ] = None
    buyer_kind: Annotated[
        c.Text, c.word("Buyer kind", "购方类型", "Decides what is personal", *_SIDES)
    ] = None
    buyer_name: Annotated[
        c.Text, c.text("Buyer", "购方名称", "As written on it", privacy="name", person_only=True)
    ] = None
    buyer_tax_number: Annotated[
        c.Text,
        c.text(
            "Buyer's tax number", "购方税号", "As written on it", privacy="id_no", person_only=True
        ),
    ] = None
    seller_kind: Annotated[
        c.Text, c.word("Seller kind", "销方类型", "Decides what is personal", *_SIDES)
    ] = None
    seller_name: Annotated[
        c.Text, c.text("Seller", "销方名称", "As written on it", privacy="name", person_only=True)
    ] = None
    seller_tax_number: Annotated[
        c.Text,
        c.text(
            "Seller's tax number", "销方税号", "As written on it", privacy="id_no", person_only=True
        ),
    ] = None
    issue_date: Annotated[c.Day, c.date("Issue date", "开票日期", "Date of the document")] = None
    due_date: Annotated[c.Day, c.date("Due date", "到期日", "When it must be paid")] = None
    paid_date: Annotated[c.Day, c.date("Paid date", "付清日期", "When it was paid in full")] = None
    currency: Annotated[c.Text, c.currency()] = None
    fx_rate: Annotated[
        c.Number, c.rate("Exchange rate", "汇率", "One unit in the base currency")
    ] = None
    net: Annotated[c.Number, c.money("Net", "不含税金额", "Without tax")] = None
    tax: Annotated[c.Number, c.money("Tax", "税额", "Tax")] = None
    gross: Annotated[c.Number, c.money("Gross", "价税合计", "Net and tax")] = None
    balance: Annotated[c.Number, c.money("Balance", "未付金额", "Still open")] = None
    drawer: Annotated[
        c.Text, c.text("Drawer", "开票人", "Employee who made it", privacy="name")
    ] = None
    original_invoice_key: Annotated[
        c.Text,
        c.key(
            "Original invoice",
            "原发票",
            "The invoice that this one offsets",
            ref="invoice",
            resolved="original_invoice_id",
        ),
    ] = None
    pdf_url: Annotated[c.Text, c.text("PDF", "版式文件 PDF", "Where the PDF lies")] = None
    ofd_url: Annotated[c.Text, c.text("OFD", "版式文件 OFD", "Where the OFD lies")] = None
    xml_url: Annotated[c.Text, c.text("XML", "数据文件 XML", "Where the XML lies")] = None
    organization_key: Annotated[c.Text, c.organization("开票组织", "Own legal entity")] = None
    remark: Annotated[c.Text, c.note("Remark", "备注", "Free text printed on it")] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None


class InvoiceLine(Entity):
    """One line of an invoice."""

    entity: ClassVar[str] = "invoice_line"
    table: ClassVar[str] = "invoice_lines"
    en: ClassVar[str] = "Invoice line"
    zh: ClassVar[str] = "发票明细"
    about: ClassVar[str] = "one line of an invoice"
    parent: ClassVar[str | None] = "invoice"

    line_no: Annotated[
        c.Whole, c.integer("Line number", "行号", "Number of the line in the source")
    ] = None
    product_key: Annotated[
        c.Text, c.key("Product", "商品", "What is billed", ref="product", resolved="product_id")
    ] = None
    order_key: Annotated[
        c.Text,
        c.key(
            "Order",
            "订单",
            "The order of the line, where an invoice bills several",
            ref="order",
            resolved="order_id",
        ),
    ] = None
    sku: Annotated[c.Text, c.text("SKU", "SKU 编码", "Code as written on the line")] = None
    name: Annotated[c.Text, c.text("Item", "项目名称", "Item as written on the line")] = None
    spec: Annotated[c.Text, c.text("Specification", "规格型号", "Model and specification")] = None
    unit: Annotated[c.Text, c.text("Unit", "单位", "Unit of the quantity")] = None
    quantity: Annotated[c.Number, c.quantity("Quantity", "数量", "Billed")] = None
    unit_price: Annotated[
        c.Number, c.price("Unit price", "单价", "Price of one unit", positive=False)
    ] = None
    net: Annotated[c.Number, c.money("Net", "金额", "Without tax")] = None
    tax_rate: Annotated[c.Number, c.rate("Tax rate", "税率", "0.13 is 13 %")] = None
    tax: Annotated[c.Number, c.money("Tax", "税额", "Tax")] = None
    gross: Annotated[c.Number, c.money("Gross", "价税合计", "Net and tax")] = None
    tax_class_code: Annotated[
        c.Text, c.text("Tax class code", "税收分类编码", "Chinese tax classification, 19 digits")
    ] = None
