"""Where things lie, and how many."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class Location(Entity):
    """A place that holds stock."""

    entity: ClassVar[str] = "location"
    table: ClassVar[str] = "locations"
    en: ClassVar[str] = "Location"
    zh: ClassVar[str] = "仓库"
    about: ClassVar[str] = "a warehouse, shop or other place that holds stock"

    code: Annotated[c.Text, c.text("Code", "仓库编码", "The place's code", natural=True)] = None
    name: Annotated[c.Text, c.text("Name", "仓库名称", "The place's name", natural=True)] = None
    kind: Annotated[
        c.Text,
        c.word(
            "Kind",
            "类型",
            "What the place is",
            "warehouse",
            "store",
            "platform",
            "supplier",
            "virtual",
            "transit",
        ),
    ] = None
    status: Annotated[
        c.Text, c.word("Status", "状态", "Whether it is in use", "active", "inactive")
    ] = None
    country: Annotated[c.Text, c.country()] = None
    region: Annotated[c.Text, c.text("Province", "省份", "First level below the country")] = None
    city: Annotated[c.Text, c.text("City", "城市", "City")] = None
    address: Annotated[c.Text, c.text("Address", "地址", "Address in one line")] = None
    contact_name: Annotated[
        c.Text, c.text("Contact person", "联系人", "Person in charge", privacy="name")
    ] = None
    contact_phone: Annotated[
        c.Text,
        c.text("Contact phone", "联系电话", "Phone of the person in charge", privacy="phone"),
    ] = None
    owner_key: Annotated[
        c.Text,
        c.key(
            "Goods owner", "货主", "Whose goods lie there (3PL)", ref="party", resolved="owner_id"
        ),
    ] = None
    organization_key: Annotated[
        c.Text, c.organization("所属组织", "Own legal entity of the place")
    ] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None


class StockLevel(Entity):
    """How many of one SKU lie at one place; on_hand = available + reserved + unavailable."""

    entity: ClassVar[str] = "stock_level"
    table: ClassVar[str] = "stock_levels"
    en: ClassVar[str] = "Stock level"
    zh: ClassVar[str] = "库存"
    about: ClassVar[str] = "the quantity of one SKU at one place, as one system counts it"

    sku: Annotated[
        c.Text, c.text("SKU", "SKU 编码", "Code of the item as the source writes it")
    ] = None
    name: Annotated[
        c.Text, c.text("Name", "商品名称", "Name of the item as the source writes it")
    ] = None
    product_key: Annotated[
        c.Text,
        c.key("Product", "商品", "The item counted", ref="product", resolved="product_id"),
    ] = None
    location_key: Annotated[
        c.Text,
        c.key("Location", "仓库", "Where it lies", ref="location", resolved="location_id"),
    ] = None
    location_name: Annotated[
        c.Text, c.text("Location name", "仓库名称", "Name of the place as the source writes it")
    ] = None
    bin: Annotated[c.Text, c.text("Bin", "库位", "Place inside the warehouse")] = None
    batch_no: Annotated[c.Text, c.text("Batch", "批号", "Production batch")] = None
    expires_on: Annotated[
        c.Day, c.date("Expires on", "有效期至", "Last day of use of the batch")
    ] = None
    quality: Annotated[
        c.Text,
        c.word("Quality", "库存状态", "Whether it may be sold", "good", "defective", "frozen"),
    ] = None
    unit: Annotated[c.Text, c.text("Unit", "单位", "Unit of the quantities")] = None
    on_hand: Annotated[
        c.Number, c.quantity("On hand", "现存量", "Lies there; negative where the source oversold")
    ] = None
    available: Annotated[
        c.Number, c.quantity("Available", "可用量", "May be promised to new orders")
    ] = None
    reserved: Annotated[c.Number, c.quantity("Reserved", "占用量", "Promised to open orders")] = (
        None
    )
    unavailable: Annotated[
        c.Number, c.quantity("Unavailable", "不可用量", "Damaged, in quality control, frozen")
    ] = None
    incoming: Annotated[c.Number, c.quantity("Incoming", "在订量", "Ordered from suppliers")] = None
    in_transit: Annotated[
        c.Number, c.quantity("In transit", "在途量", "Under way between places")
    ] = None
    safety_stock: Annotated[
        c.Number, c.quantity("Safety stock", "安全库存", "Kept back from sale")
    ] = None
    sellable: Annotated[
        c.Number,
        c.quantity("Sellable", "可售量", "On hand - reserved - safety stock, as the source says"),
    ] = None
    cost: Annotated[
        c.Number, c.price("Unit cost", "单位成本", "Cost of one unit in stock", positive=False)
    ] = None
    currency: Annotated[c.Text, c.currency()] = None
    as_of: Annotated[c.Moment, c.instant("As of", "截止时间", "When the quantity was true")] = None
    organization_key: Annotated[
        c.Text, c.organization("库存组织", "Own legal entity that holds the stock")
    ] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None
