"""What customers ordered."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class Order(Entity):
    """A sales order as the customer placed it."""

    entity: ClassVar[str] = "order"
    table: ClassVar[str] = "orders"
    en: ClassVar[str] = "Order"
    zh: ClassVar[str] = "销售订单"
    about: ClassVar[str] = "a sales order as the customer placed it"
    children: ClassVar = {"lines": "order_line"}

    number: Annotated[
        c.Text,
        c.text("Order number", "订单号", "Number that people use for the order", natural=True),
    ] = None
    platform_order_no: Annotated[
        c.Text,
        c.text(
            "Platform order number",
            "平台订单号",
            "Number on the marketplace where the customer placed it",
            natural=True,
        ),
    ] = None
    channel: Annotated[
        c.Text, c.text("Channel", "渠道", "Sales channel as the source names it")
    ] = None
    shop_name: Annotated[c.Text, c.text("Shop", "店铺", "Shop or site it was placed in")] = None
    kind: Annotated[
        c.Text,
        c.word(
            "Kind",
            "订单类型",
            "What the document is",
            "sale",
            "return",
            "exchange",
            "presale",
            "sample",
            "subscription",
        ),
    ] = None
    customer_key: Annotated[
        c.Text, c.key("Customer", "客户", "Who ordered", ref="party", resolved="party_id")
    ] = None
    customer_name: Annotated[
        c.Text, c.text("Customer name", "客户名称", "Name as written on the order", privacy="name")
    ] = None
    customer_phone: Annotated[
        c.Text,
        c.text("Customer phone", "客户电话", "Phone as written on the order", privacy="phone"),
    ] = None
    customer_email: Annotated[
        c.Text,
        c.text("Customer e-mail", "客户邮箱", "E-mail as written on the order", privacy="email"),
    ] = None
    status: Annotated[
        c.Text,
        c.word(
            "Status",
            "订单状态",
            "Where the order itself stands",
            "draft",
            "pending_approval",
            "confirmed",
            "on_hold",
            "processing",
            "completed",
            "cancelled",
            "closed",
        ),
    ] = None
    payment_status: Annotated[
        c.Text,
        c.word(
            "Payment status",
            "付款状态",
            "Whether it is paid",
            "pending",
            "authorized",
            "partially_paid",
            "paid",
            "partially_refunded",
            "refunded",
            "voided",
        ),
    ] = None
    fulfillment_status: Annotated[
        c.Text,
        c.word(
            "Fulfilment status",
            "发货状态",
            "Whether it has left",
            "unfulfilled",
            "partial",
            "shipped",
            "delivered",
            "returned",
            "cancelled",
        ),
    ] = None
    return_status: Annotated[
        c.Text,
        c.word(
            "Return status",
            "退货状态",
            "Whether something comes back",
            "none",
            "requested",
            "partial",
            "returned",
        ),
    ] = None
    placed_at: Annotated[
        c.Moment, c.instant("Placed at", "下单时间", "When the customer ordered")
    ] = None
    confirmed_at: Annotated[
        c.Moment, c.instant("Confirmed at", "审核时间", "When it was accepted")
    ] = None
    paid_at: Annotated[c.Moment, c.instant("Paid at", "付款时间", "When it was paid in full")] = (
        None
    )
    shipped_at: Annotated[c.Moment, c.instant("Shipped at", "发货时间", "When it left")] = None
    cancelled_at: Annotated[
        c.Moment, c.instant("Cancelled at", "取消时间", "When it was cancelled")
    ] = None
    closed_at: Annotated[
        c.Moment, c.instant("Closed at", "关闭时间", "When nothing was left to do")
    ] = None
    promised_at: Annotated[
        c.Moment, c.instant("Promised at", "承诺交期", "When it is due at the customer")
    ] = None
    order_date: Annotated[
        c.Day, c.date("Order date", "单据日期", "Business date of the document")
    ] = None
    currency: Annotated[c.Text, c.currency()] = None
    fx_rate: Annotated[
        c.Number, c.rate("Exchange rate", "汇率", "One unit in the base currency")
    ] = None
    subtotal: Annotated[
        c.Number, c.money("Subtotal", "商品金额", "Sum of the lines before discounts")
    ] = None
    discount_total: Annotated[
        c.Number, c.money("Discounts", "优惠金额", "All discounts, as a positive sum")
    ] = None
    shipping_total: Annotated[
        c.Number, c.money("Shipping", "运费", "Shipping charged to the customer")
    ] = None
    fee_total: Annotated[c.Number, c.money("Fees", "其他费用", "Other charges")] = None
    tax_total: Annotated[c.Number, c.money("Tax", "税额", "Tax of the order")] = None
    total: Annotated[
        c.Number,
        c.money("Total", "订单金额", "What the customer owes, tax included", positive=True),
    ] = None
    current_total: Annotated[
        c.Number, c.money("Current total", "当前金额", "Total after edits and refunds")
    ] = None
    paid_total: Annotated[
        c.Number, c.money("Paid", "已付金额", "Paid so far, as the source says")
    ] = None
    refunded_total: Annotated[
        c.Number, c.money("Refunded", "已退金额", "Refunded so far, as the source says")
    ] = None
    is_tax_inclusive: Annotated[
        c.Flag, c.flag("Prices include tax", "含税", "Line prices include tax")
    ] = None
    is_test: Annotated[c.Flag, c.flag("Test order", "测试单", "Placed to try the shop")] = None
    merchant_order_no: Annotated[
        c.Text,
        c.text(
            "Merchant order number",
            "商户订单号",
            "Number handed to the payment gateway",
            natural=True,
        ),
    ] = None
    po_number: Annotated[
        c.Text, c.text("Purchase order", "客户采购单号", "The customer's own number")
    ] = None
    price_list: Annotated[c.Text, c.text("Price list", "价目表", "Price list used")] = None
    payment_method: Annotated[
        c.Text, c.text("Payment method", "付款方式", "As the source names it")
    ] = None
    ship_to_name: Annotated[
        c.Text, c.text("Receiver", "收货人", "Who receives the goods", privacy="name")
    ] = None
    ship_to_phone: Annotated[
        c.Text, c.text("Receiver's phone", "收货人电话", "Phone of the receiver", privacy="phone")
    ] = None
    ship_to_country: Annotated[c.Text, c.country()] = None
    ship_to_region: Annotated[
        c.Text, c.text("Ship-to province", "收货省份", "Province of the receiver")
    ] = None
    ship_to_city: Annotated[c.Text, c.text("Ship-to city", "收货城市", "City of the receiver")] = (
        None
    )
    ship_to_address: Annotated[
        c.Text, c.text("Ship-to address", "收货地址", "Address in one line", privacy="address")
    ] = None
    invoice_title: Annotated[
        c.Text,
        c.text("Invoice title", "发票抬头", "Whom the invoice is made out to", privacy="name"),
    ] = None
    invoice_tax_number: Annotated[
        c.Text,
        c.text("Invoice tax number", "抬头税号", "Tax number for the invoice", privacy="id_no"),
    ] = None
    location_key: Annotated[
        c.Text,
        c.key(
            "Ships from",
            "发货仓库",
            "The warehouse planned",
            ref="location",
            resolved="location_id",
        ),
    ] = None
    parent_order_key: Annotated[
        c.Text,
        c.key(
            "Parent order",
            "原订单",
            "The order it was split from or merged into",
            ref="order",
            resolved="parent_order_id",
        ),
    ] = None
    salesperson_key: Annotated[
        c.Text, c.text("Salesperson", "销售员", "Employee in charge, as the source keys it")
    ] = None
    organization_key: Annotated[
        c.Text, c.organization("销售组织", "Own legal entity that sells")
    ] = None
    buyer_note: Annotated[c.Text, c.note("Buyer's note", "买家留言", "Written by the customer")] = (
        None
    )
    seller_note: Annotated[
        c.Text, c.note("Seller's note", "卖家备注", "Written by the company")
    ] = None
    cancel_reason: Annotated[
        c.Text, c.note("Cancel reason", "取消原因", "Why it was cancelled")
    ] = None
    tags: Annotated[c.Json, c.json("Tags", "标签", "Labels given in the source")] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None


class OrderLine(Entity):
    """One line of an order."""

    entity: ClassVar[str] = "order_line"
    table: ClassVar[str] = "order_lines"
    en: ClassVar[str] = "Order line"
    zh: ClassVar[str] = "订单明细"
    about: ClassVar[str] = "one line of an order"
    parent: ClassVar[str | None] = "order"

    line_no: Annotated[
        c.Whole, c.integer("Line number", "行号", "Number of the line in the source")
    ] = None
    kind: Annotated[
        c.Text,
        c.word(
            "Kind",
            "行类型",
            "What the line stands for",
            "product",
            "service",
            "shipping",
            "fee",
            "discount",
            "gift_card",
            "tip",
        ),
    ] = None
    product_key: Annotated[
        c.Text, c.key("Product", "商品", "What was ordered", ref="product", resolved="product_id")
    ] = None
    sku: Annotated[c.Text, c.text("SKU", "SKU 编码", "Code as written on the line")] = None
    barcode: Annotated[c.Text, c.text("Barcode", "条码", "Barcode as written on the line")] = None
    name: Annotated[c.Text, c.text("Name", "商品名称", "Name as written on the line")] = None
    spec: Annotated[c.Text, c.text("Specification", "规格", "Variant in words")] = None
    quantity: Annotated[c.Number, c.quantity("Quantity", "数量", "As ordered")] = None
    current_quantity: Annotated[
        c.Number, c.quantity("Current quantity", "当前数量", "After edits")
    ] = None
    fulfilled_quantity: Annotated[
        c.Number, c.quantity("Fulfilled", "已发数量", "Shipped so far")
    ] = None
    refunded_quantity: Annotated[
        c.Number, c.quantity("Refunded", "已退数量", "Refunded so far")
    ] = None
    unit: Annotated[c.Text, c.text("Unit", "单位", "Unit of the quantities")] = None
    unit_price: Annotated[c.Number, c.price("Unit price", "单价", "Price of one unit")] = None
    list_price: Annotated[c.Number, c.price("List price", "原价", "Price before discounts")] = None
    discount: Annotated[
        c.Number, c.money("Discount", "优惠", "Discount on the line, as a positive sum")
    ] = None
    net: Annotated[c.Number, c.money("Net", "不含税金额", "Without tax")] = None
    tax_rate: Annotated[c.Number, c.rate("Tax rate", "税率", "0.13 is 13 %")] = None
    tax: Annotated[c.Number, c.money("Tax", "税额", "Tax of the line")] = None
    gross: Annotated[c.Number, c.money("Gross", "价税合计", "Net and tax")] = None
    currency: Annotated[c.Text, c.currency()] = None
    status: Annotated[
        c.Text,
        c.word(
            "Status",
            "行状态",
            "Where the line stands",
            "open",
            "partial",
            "shipped",
            "completed",
            "cancelled",
            "refunded",
        ),
    ] = None
    is_gift: Annotated[c.Flag, c.flag("Gift", "赠品", "Given without charge")] = None
    location_key: Annotated[
        c.Text,
        c.key(
            "Ships from",
            "发货仓库",
            "The warehouse of the line",
            ref="location",
            resolved="location_id",
        ),
    ] = None
    requested_date: Annotated[c.Day, c.date("Requested date", "要求交期", "When it is wanted")] = (
        None
    )
    note: Annotated[c.Text, c.note("Note", "行备注", "Free text")] = None
