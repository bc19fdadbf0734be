"""Goods that moved: what turns one stock level into the next."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class StockMovement(Entity):
    """One article that moved from one place to another; what is not a place of stock is empty."""

    entity: ClassVar[str] = "stock_movement"
    table: ClassVar[str] = "stock_movements"
    en: ClassVar[str] = "Stock movement"
    zh: ClassVar[str] = "出入库明细"
    about: ClassVar[str] = "one article that came, went or moved; quantities are positive"

    number: Annotated[
        c.Text, c.text("Document number", "单据编号", "Number of the document that moved it")
    ] = None
    reason: Annotated[
        c.Text,
        c.word(
            "Reason",
            "出入库类型",
            "Why it moved; receipt and return come in, shipment goes out",
            "receipt",
            "shipment",
            "transfer",
            "return",
            "supplier_return",
            "production",
            "count",
            "adjustment",
        ),
    ] = None
    status: Annotated[
        c.Text,
        c.word("Status", "状态", "Only done moved goods", "draft", "planned", "done", "cancelled"),
    ] = None
    product_key: Annotated[
        c.Text, c.key("Product", "商品", "What moved", ref="product", resolved="product_id")
    ] = None
    sku: Annotated[c.Text, c.text("SKU", "SKU 编码", "Code as written on the movement")] = None
    name: Annotated[c.Text, c.text("Name", "商品名称", "Name as written on the movement")] = None
    quantity: Annotated[
        c.Number, c.quantity("Quantity", "数量", "How much moved", positive=True)
    ] = None
    unit: Annotated[c.Text, c.text("Unit", "单位", "Unit of the quantity")] = None
    from_location_key: Annotated[
        c.Text,
        c.key("From", "来源仓库", "The place it left", ref="location", resolved="from_location_id"),
    ] = None
    to_location_key: Annotated[
        c.Text,
        c.key("To", "目标仓库", "The place it came to", ref="location", resolved="to_location_id"),
    ] = None
    batch_no: Annotated[c.Text, c.text("Batch", "批号", "Production batch")] = None
    occurred_at: Annotated[
        c.Moment,
        c.instant("Occurred at", "发生时间", "When it moved; the day where no more is known"),
    ] = None
    supplier_key: Annotated[
        c.Text,
        c.key("Supplier", "供应商", "Who delivered it", ref="party", resolved="party_id"),
    ] = None
    purchase_order_key: Annotated[
        c.Text,
        c.key(
            "Purchase order",
            "采购订单",
            "The order that it arrived for",
            ref="purchase_order",
            resolved="purchase_order_id",
        ),
    ] = None
    shipment_key: Annotated[
        c.Text,
        c.key(
            "Shipment",
            "发货单",
            "The shipment that it left with",
            ref="shipment",
            resolved="shipment_id",
        ),
    ] = None
    unit_cost: Annotated[
        c.Number, c.price("Unit cost", "单位成本", "Cost of one unit", positive=False)
    ] = None
    currency: Annotated[c.Text, c.currency()] = None
    organization_key: Annotated[
        c.Text, c.organization("库存组织", "Own legal entity whose stock it is")
    ] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None
