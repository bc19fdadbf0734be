"""One seeded story told by four systems: shop, payment gateway, stock list, bank bill.

All of it is a pure function of the seed: no clock, no order of sets, no hash. What is wrong on
purpose is planted by `faults` and listed in `Story.bad`, the answer key of the tests.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from pipelines.sample import catalogue
from pipelines.sample.catalogue import stamp

SEED = 20260331
ORDERS = 2_000
SHORT_SKUS = 8
SHORT_ORDERS = 16
ZONE = timezone(timedelta(hours=8))
NOW = datetime(2026, 3, 31, 18, 0, tzinfo=ZONE)
START = datetime(2025, 10, 1, 8, 0, tzinfo=ZONE)
RECENT = timedelta(days=21)

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that is wrong on purpose.

    `reason` is part of what its quarantine row must say; `kept` marks a word that is kept as
    unknown with a warning. `key` is the source key, None where the record has none.
    """

    connection: str
    stream: str
    key: str | None
    entity: str
    field: str
    reason: str
    kept: bool = False


@dataclass(slots=True)
class Story:
    """What the systems hold, and the answer key.

    `short` are (order number, SKU) of orders that are paid and not in stock. `twice` are keys of
    customers that the shop lists in two versions.
    """

    customers: list[Record] = field(default_factory=list)
    products: list[Record] = field(default_factory=list)
    orders: list[Record] = field(default_factory=list)
    payments: list[Record] = field(default_factory=list)
    refunds: list[Record] = field(default_factory=list)
    stock: list[Record] = field(default_factory=list)
    bank: list[Record] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    short: list[tuple[str, str]] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)


def tell(seed: int = SEED) -> Story:
    """Return the whole story of a seed, faults planted."""
    from pipelines.sample import faults, money, stocklist

    dice = random.Random(seed)  # noqa: S311 - a story, no secret
    story = Story()
    story.products = catalogue.make_products(dice, START)
    story.customers = catalogue.make_customers(dice, START)
    scarce = [story.products[place]["sku"] for place in range(4, 4 + 13 * SHORT_SKUS, 13)]
    _make_orders(dice, story, scarce)
    money.make_payments(dice, story)
    stocklist.make_stock(dice, story, scarce)
    faults.plant(dice, story)
    return story


def _make_orders(dice: random.Random, story: Story, scarce: list[str]) -> None:
    plenty = [product for product in story.products if product["sku"] not in scarce]
    by_sku = {product["sku"]: product for product in story.products}
    span = (NOW - timedelta(hours=6) - START).total_seconds()
    moments = sorted(START + timedelta(seconds=dice.randrange(int(span))) for _ in range(ORDERS))
    recent = [n for n, placed in enumerate(moments) if NOW - placed < RECENT]
    short = set(dice.sample(recent, SHORT_ORDERS))
    for number, placed in enumerate(moments, 1):
        customer = dice.choice(story.customers)
        financial, fulfilment = _state(dice, NOW - placed < RECENT)
        chosen = dice.sample(plenty, dice.choice((1, 1, 2, 2, 3, 4, 5)))
        if number - 1 in short:
            financial, fulfilment = "paid", "unfulfilled"
            sku = scarce[len(story.short) % len(scarce)]
            chosen[0] = by_sku[sku]
            story.short.append((f"SO{placed:%Y%m}{number:05d}", sku))
        order = _order(dice, number, placed, customer, chosen)
        order["financial_status"], order["fulfillment_status"] = financial, fulfilment
        story.orders.append(order)


def _state(dice: random.Random, is_recent: bool) -> tuple[str, str | None]:
    """Return (financial_status, fulfillment_status) of an order."""
    roll = dice.random()
    if is_recent:
        if roll < 0.40:
            return "paid", "unfulfilled"
        return ("paid", "fulfilled") if roll < 0.72 else ("pending", None)
    if roll < 0.88:
        return "paid", "fulfilled"
    if roll < 0.92:
        return "refunded", "fulfilled"
    return ("partially_refunded", "fulfilled") if roll < 0.95 else ("voided", None)


def _order(
    dice: random.Random, number: int, placed: datetime, customer: Record, chosen: list[Record]
) -> Record:
    lines = []
    for place, product in enumerate(chosen, 1):
        lines.append(
            {
                "id": number * 10 + place,
                "product_id": product["id"],
                "sku": product["sku"],
                "title": product["title"],
                "quantity": dice.choice((2, 3, 4, 5, 6, 10, 12, 20)),
                "price": product["price"],
            }
        )
    goods = sum((line["price"] * line["quantity"] for line in lines), Decimal(0))
    discount = (goods * dice.choice((0, 0, 0, 5, 8)) / 100).quantize(Decimal("0.01"))
    address = customer["addresses"][0]
    return {
        "id": 500_000 + number,
        "name": f"SO{placed:%Y%m}{number:05d}",
        "customer": {"id": customer["id"], "name": customer["name"]},
        "currency": "CNY",
        "subtotal": goods,
        "discount": discount,
        "total_price": goods - discount,
        "financial_status": "",
        "fulfillment_status": None,
        "shipping_address": {
            "receiver": address["receiver"],
            "phone": address["phone"],
            "province": address["province"],
            "city": address["city"],
            "street": address["district"] + address["street"],
        },
        "line_items": lines,
        "created_at": stamp(placed),
        "updated_at": stamp(placed + timedelta(minutes=dice.randrange(5, 340))),
    }
