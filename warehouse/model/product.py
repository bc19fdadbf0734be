"""What is bought and sold."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class Product(Entity):
    """A thing that is bought, stocked or sold: one row a sellable item (SKU), or its head (SPU)."""

    entity: ClassVar[str] = "product"
    table: ClassVar[str] = "products"
    en: ClassVar[str] = "Product"
    zh: ClassVar[str] = "商品"
    about: ClassVar[str] = "a sellable item (SKU), or the head of several (SPU)"

    sku: Annotated[c.Text, c.text("SKU", "SKU 编码", "Code of the sellable item", natural=True)] = (
        None
    )
    code: Annotated[
        c.Text, c.text("Code", "商品编码", "Material or product code of the source", natural=True)
    ] = None
    barcode: Annotated[c.Text, c.text("Barcode", "条码", "GTIN or own barcode", natural=True)] = (
        None
    )
    name: Annotated[c.Text, c.text("Name", "商品名称", "Name shown to people")] = None
    description: Annotated[c.Text, c.text("Description", "描述", "Longer text")] = None
    parent_product_key: Annotated[
        c.Text,
        c.key(
            "Head product",
            "所属商品（SPU）",
            "The product of which this is a variant",
            ref="product",
            resolved="parent_product_id",
        ),
    ] = None
    kind: Annotated[
        c.Text,
        c.word(
            "Kind",
            "类型",
            "How it is stocked",
            "inventory",
            "non_inventory",
            "service",
            "bundle",
            "gift_card",
        ),
    ] = None
    status: Annotated[
        c.Text,
        c.word(
            "Status", "状态", "Whether it is on sale", "draft", "active", "inactive", "archived"
        ),
    ] = None
    brand: Annotated[c.Text, c.text("Brand", "品牌", "Brand name")] = None
    category: Annotated[c.Text, c.text("Category", "类目", "Category as the source names it")] = (
        None
    )
    spec: Annotated[
        c.Text, c.text("Specification", "规格型号", "Model and specification in words")
    ] = None
    options: Annotated[c.Json, c.json("Options", "销售属性", "Colour, size and the like")] = None
    unit: Annotated[c.Text, c.text("Unit", "单位", "Stock unit as the source writes it")] = None
    price: Annotated[c.Number, c.price("Price", "售价", "List price of one unit")] = None
    compare_price: Annotated[
        c.Number, c.price("Reference price", "划线价", "Price before reduction")
    ] = None
    cost: Annotated[c.Number, c.price("Cost", "成本价", "Cost of one unit", positive=False)] = None
    currency: Annotated[c.Text, c.currency()] = None
    tax_rate: Annotated[c.Number, c.rate("Tax rate", "税率", "0.13 is 13 %")] = None
    tax_class_code: Annotated[
        c.Text, c.text("Tax class code", "税收分类编码", "Chinese tax classification, 19 digits")
    ] = None
    weight: Annotated[c.Number, c.quantity("Weight", "重量", "Weight of one unit")] = None
    weight_unit: Annotated[c.Text, c.text("Weight unit", "重量单位", "kg, g, lb")] = None
    is_tracked: Annotated[c.Flag, c.flag("Stock tracked", "管理库存", "Its stock is counted")] = (
        None
    )
    is_batch_tracked: Annotated[
        c.Flag, c.flag("Batch tracked", "批次管理", "Its stock is kept by batch")
    ] = None
    supplier_key: Annotated[
        c.Text,
        c.key("Supplier", "默认供应商", "The usual supplier", ref="party", resolved="supplier_id"),
    ] = None
    organization_key: Annotated[
        c.Text, c.organization("使用组织", "Own legal entity that uses the record")
    ] = None
    tags: Annotated[c.Json, c.json("Tags", "标签", "Labels given in the source")] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None
