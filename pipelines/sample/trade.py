"""What customers of the sample company ordered, and what was sent to them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from pipelines.sample import goods
from pipelines.sample.facts import Customer, Line, Order, Parcel, Product, Step
from pipelines.sample.people import FOREIGN, SHOP, TYPED

ORDERS, TYPED_ORDERS = 2_000, 160
SHORT = 16
RECENT = timedelta(days=21)
CARRIERS = (
    ("圆通速递", "YT{:013d}"), ("中通快递", "7{:014d}"), ("顺丰速运", "SF1{:012d}"),
    ("京东物流", "JDVB{:011d}"), ("韵达快递", "43{:013d}"),
)  # fmt: skip


def shop_orders(
    dice: random.Random, customers: Sequence[Customer], products: Sequence[Product],
    start: datetime, now: datetime, count: int,
) -> list[Order]:  # fmt: skip
    """Return the shop's orders by the time they were placed; the last SHORT have what is scarce."""
    few = goods.scarce(products)
    plenty = [product for product in products if product not in few]
    span = int((now - timedelta(hours=6) - start).total_seconds())
    moments = sorted(start + timedelta(seconds=dice.randrange(span)) for _ in range(count))
    recent = [place for place, placed in enumerate(moments) if now - placed < RECENT]
    short = dict(zip(sorted(dice.sample(recent, SHORT)), range(SHORT), strict=True))
    found = []
    for place, placed in enumerate(moments):
        customer = dice.choice(customers[:SHOP])
        chosen = dice.sample(plenty, dice.choice((1, 1, 2, 2, 3, 4, 5)))
        if place in short:
            chosen[0] = few[short[place] % len(few)]
        order = _order(dice, f"SO{100_001 + place}", place + 1, customer, placed, chosen)
        is_new = now - placed < RECENT
        order.money, is_sent = _state(dice, is_new)
        if place in short:
            order.money, is_sent = "paid", False
        if order.is_paid:
            order.paid = placed + timedelta(seconds=dice.randrange(20, 1500))
            order.way = _way(dice, customer)
            order.changed = order.paid
        if is_sent and order.paid is not None:
            order.parcel = _parcel(dice, order, order.paid, now)
            order.changed = max(order.changed, order.parcel.sent)
        found.append(order)
    return found


def typed_orders(
    dice: random.Random, customers: Sequence[Customer], products: Sequence[Product],
    start: datetime, now: datetime,
) -> list[Order]:  # fmt: skip
    """Return the orders that salesmen typed into the ERP; the shop knows nothing of them."""
    plenty = [product for product in products if product not in goods.scarce(products)]
    buyers = [one for one in customers[: SHOP + TYPED] if one.entry("erp") is not None]
    span = (now - timedelta(days=1) - start).days
    days = sorted(start + timedelta(days=dice.randrange(span)) for _ in range(TYPED_ORDERS))
    found = []
    for place, placed in enumerate(days):
        customer = dice.choice(buyers[-2 * TYPED :])
        chosen = dice.sample(plenty, dice.choice((2, 3, 4, 6)))
        order = _order(dice, f"XSDD{place + 1:06d}", place + 1, customer, placed, chosen, many=20)
        order.is_typed, order.document, order.way = True, order.number, "bank"
        if now - placed > timedelta(days=4):
            order.parcel = _parcel(dice, order, placed + timedelta(days=1), now)
        if now - placed > timedelta(days=35):
            order.money = "paid"
            order.paid = placed + timedelta(days=dice.randrange(20, 34), hours=3)
        found.append(order)
    return found


def _order(
    dice: random.Random, number: str, place: int, customer: Customer, placed: datetime,
    chosen: Sequence[Product], many: int = 1,
) -> Order:  # fmt: skip
    lines = [
        Line(at, product, dice.choice((2, 3, 4, 5, 6, 10, 12, 20)) * many, product.price)
        for at, product in enumerate(chosen, 1)
    ]
    order = Order(number, place, customer, placed, placed, lines, lines[0].gross * 0)
    order.discount = (order.goods * dice.choice((0, 0, 0, 5, 8)) / 100).quantize(lines[0].price)
    return order


def _state(dice: random.Random, is_new: bool) -> tuple[str, bool]:
    """Return what the shop says of the money of an order, and whether it was sent."""
    roll = dice.random()
    if is_new:
        return ("paid", roll >= 0.40) if roll < 0.72 else ("pending", False)
    if roll < 0.88:
        return "paid", True
    if roll < 0.92:
        return "refunded", True
    return ("partially_refunded", True) if roll < 0.95 else ("voided", False)


def _way(dice: random.Random, customer: Customer) -> str:
    if customer.number <= FOREIGN:
        return "stripe"
    return "bank" if customer.is_company and dice.random() < 0.16 else "alipay"


def _parcel(dice: random.Random, order: Order, ready: datetime, now: datetime) -> Parcel:
    number = order.place + (500_000 if order.is_typed else 0)
    carrier, form = dice.choice(CARRIERS)
    sent = min(ready + timedelta(hours=dice.randrange(3, 30)), now - timedelta(hours=2))
    parcel = Parcel(number, carrier, form.format(8_800_000_000 + number * 37), sent)
    city, home = order.customer.place[1], "上海市"
    plan = [
        (timedelta(hours=1), "taken", f"【{home}】快件已揽收", home),
        (timedelta(hours=9), "moving", f"【{home}】快件已发往【{city}】", home),
        (timedelta(hours=31), "moving", f"快件到达【{city}】转运中心", city),
        (timedelta(hours=44), "out", f"【{city}】派件中", city),
        (timedelta(hours=50), "signed", f"【{city}】快件已签收", city),
    ]
    if dice.random() < 0.04:
        plan[3:] = [(timedelta(hours=46), "trouble", "收件人电话无人接听，稍后再派", city)]
    parcel.steps = [
        Step(sent + after, word, said, where)
        for after, word, said, where in plan
        if sent + after <= now
    ]
    return parcel
