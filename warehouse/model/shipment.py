"""What left the house."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity

_STATES = (
    "pending", "picked", "packed", "shipped", "in_transit", "out_for_delivery", "delivered",
    "exception", "returned", "cancelled",
)  # fmt: skip


class Shipment(Entity):
    """A parcel or delivery on its way to a customer."""

    entity: ClassVar[str] = "shipment"
    table: ClassVar[str] = "shipments"
    en: ClassVar[str] = "Shipment"
    zh: ClassVar[str] = "发货单"
    about: ClassVar[str] = "a parcel or delivery to a customer"
    children: ClassVar = {"lines": "shipment_line", "events": "shipment_event"}

    number: Annotated[
        c.Text, c.text("Shipment number", "发货单号", "Number of the document", natural=True)
    ] = None
    order_key: Annotated[
        c.Text, c.key("Order", "订单", "The order it carries out", ref="order", resolved="order_id")
    ] = None
    order_number: Annotated[
        c.Text, c.text("Order number", "订单号", "Number of the order as written on the shipment")
    ] = None
    customer_key: Annotated[
        c.Text, c.key("Customer", "客户", "Who receives it", ref="party", resolved="party_id")
    ] = None
    location_key: Annotated[
        c.Text,
        c.key("Ships from", "发货仓库", "Where it left", ref="location", resolved="location_id"),
    ] = None
    status: Annotated[
        c.Text,
        c.word(
            "Status",
            "状态",
            "Where the parcel is",
            *_STATES,
        ),
    ] = None
    carrier_code: Annotated[
        c.Text, c.text("Carrier code", "物流公司编码", "Code of the carrier")
    ] = None
    carrier_name: Annotated[c.Text, c.text("Carrier", "物流公司", "Name of the carrier")] = None
    tracking_number: Annotated[
        c.Text, c.text("Tracking number", "运单号", "Number at the carrier", natural=True)
    ] = None
    tracking_url: Annotated[
        c.Text, c.text("Tracking page", "物流查询网址", "Where to follow it")
    ] = None
    service_level: Annotated[c.Text, c.text("Service", "服务类型", "Service of the carrier")] = None
    shipped_at: Annotated[c.Moment, c.instant("Shipped at", "发货时间", "When it left")] = None
    delivered_at: Annotated[c.Moment, c.instant("Delivered at", "签收时间", "When it arrived")] = (
        None
    )
    promised_at: Annotated[c.Moment, c.instant("Promised at", "预计送达", "When it is due")] = None
    signed_by: Annotated[c.Text, c.text("Signed by", "签收人", "Who took it", privacy="name")] = (
        None
    )
    ship_to_name: Annotated[
        c.Text, c.text("Receiver", "收货人", "Who receives it", privacy="name")
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
    freight_cost: Annotated[
        c.Number, c.money("Freight cost", "运费成本", "What the carrier charges")
    ] = None
    currency: Annotated[c.Text, c.currency()] = None
    weight: Annotated[c.Number, c.quantity("Weight", "重量", "Weight of the whole")] = None
    weight_unit: Annotated[c.Text, c.text("Weight unit", "重量单位", "kg, g, lb")] = None
    package_count: Annotated[c.Whole, c.integer("Packages", "件数", "Number of packages")] = None
    organization_key: Annotated[
        c.Text, c.organization("发货组织", "Own legal entity that ships")
    ] = None
    note: Annotated[c.Text, c.note("Note", "备注", "Free text")] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None


class ShipmentLine(Entity):
    """One line of a shipment."""

    entity: ClassVar[str] = "shipment_line"
    table: ClassVar[str] = "shipment_lines"
    en: ClassVar[str] = "Shipment line"
    zh: ClassVar[str] = "发货明细"
    about: ClassVar[str] = "one line of a shipment"
    parent: ClassVar[str | None] = "shipment"

    line_no: Annotated[
        c.Whole, c.integer("Line number", "行号", "Number of the line in the source")
    ] = None
    order_key: Annotated[
        c.Text,
        c.key(
            "Order",
            "订单",
            "The order of the line, where a shipment serves several",
            ref="order",
            resolved="order_id",
        ),
    ] = None
    order_line_key: Annotated[
        c.Text,
        c.text("Order line", "订单行", "Key of the line inside its order, as the source said it"),
    ] = None
    product_key: Annotated[
        c.Text, c.key("Product", "商品", "What was shipped", ref="product", resolved="product_id")
    ] = None
    sku: Annotated[c.Text, c.text("SKU", "SKU 编码", "Code as written on the line")] = None
    name: Annotated[c.Text, c.text("Name", "商品名称", "Name as written on the line")] = None
    quantity: Annotated[c.Number, c.quantity("Quantity", "数量", "Shipped")] = None
    unit: Annotated[c.Text, c.text("Unit", "单位", "Unit of the quantity")] = None
    batch_no: Annotated[c.Text, c.text("Batch", "批号", "Production batch")] = None
    serial_no: Annotated[c.Text, c.text("Serial number", "序列号", "Of a single piece")] = None


class ShipmentEvent(Entity):
    """One thing that happened to a shipment on its way."""

    entity: ClassVar[str] = "shipment_event"
    table: ClassVar[str] = "shipment_events"
    en: ClassVar[str] = "Shipment event"
    zh: ClassVar[str] = "物流轨迹"
    about: ClassVar[str] = "one thing that happened to a shipment, as its carrier tells it"
    parent: ClassVar[str | None] = "shipment"

    occurred_at: Annotated[
        c.Moment, c.instant("Occurred at", "发生时间", "When it happened, by the carrier")
    ] = None
    status: Annotated[c.Text, c.word("Status", "状态", "Where the parcel was then", *_STATES)] = (
        None
    )
    code: Annotated[c.Text, c.text("Code", "事件代码", "Code of the event at the source")] = None
    description: Annotated[
        c.Text, c.note("Description", "轨迹描述", "What happened, in the carrier's words")
    ] = None
    place: Annotated[c.Text, c.text("Place", "地点", "Where it happened, as named")] = None
    area_code: Annotated[
        c.Text, c.text("Area code", "行政区划代码", "Code of the area, where the source tells it")
    ] = None
    tracking_number: Annotated[
        c.Text,
        c.text("Tracking number", "运单号", "Parcel of the event, where a shipment has several"),
    ] = None
