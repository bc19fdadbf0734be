"""How the orders of the sample company were paid, and what was given back."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from pipelines.sample.facts import Movement, Order, Return

CENT = Decimal("0.01")
FEES = {"alipay": Decimal("0.006"), "stripe": Decimal("0.034"), "bank": Decimal(0)}
REASONS = ("七天无理由", "质量问题", "少件漏发", "协商退款")


def make_movements(
    dice: random.Random, orders: Sequence[Order], now: datetime
) -> tuple[list[Movement], list[Return]]:
    """Return the money that moved for orders, and the goods that came back for refunds."""
    found: list[Movement] = []
    returns: list[Return] = []
    for order in orders:
        if order.is_paid and order.paid is not None:
            paid = payment(dice, order, order.total, order.paid)
            order.transaction = paid.number
            found.append(paid)
            if order.money != "paid":
                share = 100 if order.money == "refunded" else dice.choice((10, 25, 50))
                back = refund(dice, paid, share, now)
                found.append(back)
                order.changed = max(order.changed, back.at)
                quantity = order.lines[0].quantity if share == 100 else 1
                returns.append(
                    Return(len(returns) + 1, order, back.amount, quantity, back.reason, back.at)
                )
        elif order.money == "pending" and not order.is_typed and dice.random() < 0.2:
            failed = payment(
                dice, order, order.total, order.placed + timedelta(minutes=4), "stripe"
            )
            failed.status = "failed"
            if order.customer.entry("stripe") is not None:
                found.append(failed)
    return found, returns


def payment(
    dice: random.Random, order: Order, amount: Decimal, at: datetime, way: str = ""
) -> Movement:
    """Return the money that paid an order."""
    way = way or order.way
    fee = (amount * FEES[way]).quantize(CENT)
    number = f"{at:%Y%m%d}2200{dice.randrange(10**11, 10**12)}{order.place:04d}"
    if way == "stripe":
        number = f"ch_3Q{dice.randrange(16**10, 16**11):x}{order.place:04d}"
    if way == "bank":
        number = f"{at:%Y%m%d}{dice.randrange(10**9, 10**10)}"
    return Movement(number, way, "payment", order.number, amount, fee, at, order.customer)


def refund(dice: random.Random, paid: Movement, share: int, now: datetime) -> Movement:
    """Return a share (per cent) of a payment, given back some days later."""
    later = paid.at + timedelta(seconds=dice.randrange(86_400, 6 * 86_400))
    number = f"re_3Q{paid.number[5:]}" if paid.way == "stripe" else f"R{paid.number[-16:]}"
    return Movement(
        number, paid.way, "refund", paid.order, (paid.amount * share / 100).quantize(CENT),
        Decimal(0), min(later, now - timedelta(minutes=30)), paid.payer, of=paid.number,
        reason=dice.choice(REASONS),
    )  # fmt: skip
