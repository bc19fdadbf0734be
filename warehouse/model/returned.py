"""Goods that come back; the money given back for them is a refund."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class Return(Entity):
    """A customer's wish to give goods back, and what became of it."""

    entity: ClassVar[str] = "return"
    table: ClassVar[str] = "returns"
    en: ClassVar[str] = "Return"
    zh: ClassVar[str] = "退货单"
    about: ClassVar[str] = "goods a customer gives back or wants repaired, and what became of it"
    children: ClassVar = {"lines": "return_line"}

    number: Annotated[
        c.Text, c.text("Return number", "退货单号", "Number of the document", natural=True)
    ] = None
    order_key: Annotated[
        c.Text,
        c.key("Order", "订单", "The order the goods were of", ref="order", resolved="order_id"),
    ] = None
    order_number: Annotated[
        c.Text, c.text("Order number", "订单号", "Number of the order as written on the return")
    ] = None
    customer_key: Annotated[
        c.Text, c.key("Customer", "客户", "Who returns", ref="party", resolved="party_id")
    ] = None
    kind: Annotated[
        c.Text,
        c.word(
            "Kind",
            "售后类型",
            "What the customer wants; refund_only is 仅退款",
            "refund_only",
            "return_refund",
            "exchange",
            "repair",
            "resend",
        ),
    ] = None
    status: Annotated[
        c.Text,
        c.word(
            "Status",
            "状态",
            "Where it stands",
            "requested",
            "approved",
            "rejected",
            "in_transit",
            "received",
            "closed",
            "cancelled",
        ),
    ] = None
    shop_name: Annotated[c.Text, c.text("Shop", "店铺", "Shop the order was placed in")] = None
    refund_key: Annotated[
        c.Text,
        c.key("Refund", "退款单", "The refund for it", ref="refund", resolved="refund_id"),
    ] = None
    refund_amount: Annotated[
        c.Number, c.money("Refund amount", "退款金额", "What is to be given back", positive=True)
    ] = None
    currency: Annotated[c.Text, c.currency()] = None
    carrier_name: Annotated[c.Text, c.text("Carrier", "物流公司", "Who brings the goods back")] = (
        None
    )
    tracking_number: Annotated[
        c.Text, c.text("Tracking number", "退货运单号", "Number at the carrier")
    ] = None
    location_key: Annotated[
        c.Text,
        c.key(
            "Received at", "收货仓库", "Where the goods go", ref="location", resolved="location_id"
        ),
    ] = None
    requested_at: Annotated[
        c.Moment, c.instant("Requested at", "申请时间", "When it was asked for")
    ] = None
    approved_at: Annotated[
        c.Moment, c.instant("Approved at", "审核时间", "When it was agreed to")
    ] = None
    received_at: Annotated[
        c.Moment, c.instant("Received at", "收货时间", "When the goods were back")
    ] = None
    closed_at: Annotated[c.Moment, c.instant("Closed at", "完成时间", "When it was done")] = None
    organization_key: Annotated[
        c.Text, c.organization("组织", "Own legal entity that takes it back")
    ] = None
    reason_code: Annotated[
        c.Text,
        c.word(
            "Reason class",
            "退货原因类别",
            "Why, where the source has a list of reasons; changed_mind is 七天无理由",
            "changed_mind",
            "quality",
            "damaged",
            "wrong_item",
            "missing",
            "not_as_described",
            "late",
            "agreed",
            "other",
        ),
    ] = None
    reason: Annotated[
        c.Text, c.note("Reason", "退货原因", "Why, in the words of customer or staff")
    ] = None
    note: Annotated[c.Text, c.note("Note", "备注", "Free text")] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None


class ReturnLine(Entity):
    """One line of a return."""

    entity: ClassVar[str] = "return_line"
    table: ClassVar[str] = "return_lines"
    en: ClassVar[str] = "Return line"
    zh: ClassVar[str] = "退货明细"
    about: ClassVar[str] = "one line of a return; quantities are positive"
    parent: ClassVar[str | None] = "return"

    line_no: Annotated[
        c.Whole, c.integer("Line number", "行号", "Number of the line in the source")
    ] = None
    kind: Annotated[
        c.Text,
        c.word("Kind", "行类型", "Goods coming back, or sent instead", "returned", "replacement"),
    ] = None
    order_line_key: Annotated[
        c.Text,
        c.text("Order line", "订单行", "Key of the line inside its order, as the source said it"),
    ] = None
    product_key: Annotated[
        c.Text, c.key("Product", "商品", "What comes back", ref="product", resolved="product_id")
    ] = None
    sku: Annotated[c.Text, c.text("SKU", "SKU 编码", "Code as written on the line")] = None
    name: Annotated[c.Text, c.text("Name", "商品名称", "Name as written on the line")] = None
    spec: Annotated[c.Text, c.text("Specification", "规格", "Variant in words")] = None
    quantity: Annotated[c.Number, c.quantity("Quantity", "数量", "To come back")] = None
    received_quantity: Annotated[
        c.Number, c.quantity("Received", "实收数量", "Come back so far")
    ] = None
    unit: Annotated[c.Text, c.text("Unit", "单位", "Unit of the quantities")] = None
    unit_price: Annotated[c.Number, c.price("Unit price", "单价", "Price of one unit")] = None
    amount: Annotated[c.Number, c.money("Amount", "退款金额", "What is given back for it")] = None
    condition: Annotated[
        c.Text,
        c.word("Condition", "货品状态", "What came back", "good", "defective", "missing"),
    ] = None
    location_key: Annotated[
        c.Text,
        c.key(
            "Received at", "收货仓库", "Where the line goes", ref="location", resolved="location_id"
        ),
    ] = None
    reason: Annotated[c.Text, c.note("Reason", "退货原因", "Why this line, as typed")] = None
