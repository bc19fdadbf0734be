"""What the sample company sells, how much of it is there, and how much the shop offers."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from pipelines.sample import names
from pipelines.sample.facts import Order, Product, Stock
from pipelines.sample.key import Oversold

PRODUCTS, SCARCE = 120, 8
ONLINE, MAIN = ("WH01", "电商仓"), ("WH02", "总仓")
_KINDS = (
    ("深沟球轴承", "轴承", "套", 18, 260),
    ("圆柱滚子轴承", "轴承", "套", 45, 480),
    ("不锈钢法兰", "管件", "个", 22, 310),
    ("液压软管", "液压", "米", 12, 95),
    ("伺服电机", "电气", "台", 680, 3900),
    ("接近开关", "电气", "个", 35, 220),
    ("工业润滑脂", "耗材", "桶", 88, 640),
    ("安全手套", "劳保", "双", 4, 28),
    ("内六角螺栓", "紧固件", "盒", 9, 76),
    ("气动接头", "气动", "个", 3, 42),
)


def make_products(dice: random.Random, start: datetime) -> list[Product]:
    """Return the products; prices in CNY, tax included."""
    found = []
    for number in range(1, PRODUCTS + 1):
        name, category, unit, low, high = _KINDS[number % len(_KINDS)]
        created = start - timedelta(days=dice.randrange(30, 400), seconds=dice.randrange(86_400))
        found.append(
            Product(
                number, f"{1000 + number}-{dice.choice('ABCD')}",
                f"{name} {dice.randrange(10, 99)}x{dice.randrange(10, 99)}", category, unit,
                names.barcode(number), Decimal(dice.randrange(low * 100, high * 100)) / 100,
                created, number in range(5, 5 + 13 * SCARCE, 13) or dice.random() < 0.96,
            )
        )  # fmt: skip
    return found


def scarce(products: Sequence[Product]) -> list[Product]:
    """Return the products of which next to nothing is left."""
    return [products[place] for place in range(4, 4 + 13 * SCARCE, 13)]


def make_stock(
    dice: random.Random, products: Sequence[Product], orders: Sequence[Order]
) -> list[Stock]:
    """Return the stock: more than enough of all but of what is scarce, which the shop sells on."""
    wanted: Counter[str] = Counter()
    for order in orders:
        if order.parcel is None and order.money != "voided":
            for line in order.lines:
                wanted[line.product.sku] += line.quantity
    few = scarce(products)
    found = []
    for product in products:
        reserved = wanted[product.sku]
        free = 60 + dice.randrange(5, 300)
        held, there = dice.randrange(0, 20), dice.randrange(20, 400)
        if product in few:
            free = few.index(product) % 2
            found.append(Stock(product, (free, 0), (0, 0), 11 + free * 4))
        else:
            offered = free - dice.randrange(0, 8)
            found.append(Stock(product, (reserved + free, reserved), (there, held), offered))
    return found


def oversold(stock: Sequence[Stock]) -> list[Oversold]:
    """Return what the shop offers beyond what its warehouse can send."""
    return [
        Oversold(one.product.sku, one.offered, one.available)
        for one in stock
        if one.offered > one.available
    ]
