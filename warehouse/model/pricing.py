"""What is asked for an article, and what one currency is worth in another."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class Price(Entity):
    """What is asked for one unit of an article in a price list."""

    entity: ClassVar[str] = "price"
    table: ClassVar[str] = "prices"
    en: ClassVar[str] = "Price"
    zh: ClassVar[str] = "价格"
    about: ClassVar[str] = "the price of an article in a price list, for a time and a quantity"

    price_list: Annotated[
        c.Text, c.text("Price list", "价目表", "The list, as the source names or keys it")
    ] = None
    product_key: Annotated[
        c.Text,
        c.key("Product", "商品", "What the price is of", ref="product", resolved="product_id"),
    ] = None
    sku: Annotated[c.Text, c.text("SKU", "SKU 编码", "Code as written in the list")] = None
    min_quantity: Annotated[
        c.Number, c.quantity("From quantity", "起订量", "Holds from this quantity on")
    ] = None
    unit: Annotated[c.Text, c.text("Unit", "单位", "What the price is of")] = None
    price: Annotated[c.Number, c.price("Price", "价格", "Of one unit")] = None
    currency: Annotated[c.Text, c.currency()] = None
    is_tax_inclusive: Annotated[
        c.Flag, c.flag("Includes tax", "含税", "The price has tax in it")
    ] = None
    status: Annotated[
        c.Text, c.word("Status", "状态", "Whether it holds", "active", "inactive")
    ] = None
    valid_from_date: Annotated[
        c.Day, c.date("Valid from", "生效日期", "First day on which it holds")
    ] = None
    valid_to_date: Annotated[
        c.Day, c.date("Valid to", "失效日期", "Last day on which it holds")
    ] = None
    organization_key: Annotated[c.Text, c.organization("组织", "Own legal entity that sells")] = (
        None
    )
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None


class ExchangeRate(Entity):
    """What one unit of a currency is in another, from a day on."""

    entity: ClassVar[str] = "exchange_rate"
    table: ClassVar[str] = "exchange_rates"
    en: ClassVar[str] = "Exchange rate"
    zh: ClassVar[str] = "汇率"
    about: ClassVar[str] = "one unit of from_currency is rate units of to_currency"

    from_currency: Annotated[c.Text, c.currency("From currency", "原币")] = None
    to_currency: Annotated[c.Text, c.currency("To currency", "目标币")] = None
    rate: Annotated[
        c.Number, c.price("Rate", "汇率", "Units of to_currency for one of from_currency")
    ] = None
    kind: Annotated[
        c.Text,
        c.word(
            "Kind",
            "汇率类型",
            "What it is used for",
            "spot",
            "fixed",
            "average",
            "budget",
        ),
    ] = None
    status: Annotated[
        c.Text, c.word("Status", "状态", "Whether it is in use", "active", "inactive")
    ] = None
    valid_from_date: Annotated[
        c.Day, c.date("Valid from", "生效日期", "First day on which it holds")
    ] = None
    valid_to_date: Annotated[
        c.Day,
        c.date("Valid to", "失效日期", "Last day on which it holds; empty: until the next one"),
    ] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None
