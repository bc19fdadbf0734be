"""Where the systems of the sample company tell of one fact differently, planted and written down.

Each break has orders of its own, so that none hides another; none touches what is scarce.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from pipelines.sample import money
from pipelines.sample.facts import Claim, Movement, Order
from pipelines.sample.key import Key, Mismatch

LACKING, STRAY, DELIVERED = 14, 5, 9
PAYMENTS = {"short": 5, "long": 4, "missing": 6, "unpaid": 5, "unknown": 3, "kept": 6}
DAYS = timedelta(days=30)
"""Breaks are of the last so many days: what is older, somebody has found."""


class Planter:
    """Picks orders, each once, and spoils what is told of them."""

    def __init__(
        self, dice: random.Random, orders: list[Order], movements: list[Movement], now: datetime,
        key: Key, scarce: set[str],
    ) -> None:  # fmt: skip
        self.dice, self.movements, self.now, self.key = dice, movements, now, key
        self.paid = {m.order: m for m in movements if m.kind == "payment"}
        free = [
            order for order in orders
            if now - order.placed < DAYS
            and not any(line.product.sku in scarce for line in order.lines)
        ]  # fmt: skip
        self.free = dice.sample(free, len(free))

    def plant(self) -> None:
        """Plant all breaks but those of stock, which `goods` plants."""
        self._delivered()
        for order in self._some(LACKING, lambda o: o.money == "paid"):
            order.document = ""
            self.key.lacking.append(order.number)
        for order in self._some(PAYMENTS["short"], self._at_gateway):
            self._unlike("short", order, -Decimal(self.dice.randrange(100, 4000)) / 100)
        for order in self._some(PAYMENTS["long"], self._at_gateway):
            self._unlike("long", order, Decimal(self.dice.randrange(100, 9000)) / 100)
        for order in self._some(PAYMENTS["missing"], self._at_gateway):
            gone = self.paid[order.number]
            self.movements.remove(gone)
            self._write("missing", order.number, gone, order.total, Decimal(0))
        self._unpaid()
        self._unknown()
        self._kept()

    def _some(self, count: int, fits: Callable[[Order], bool]) -> Iterator[Order]:
        chosen = [order for order in self.free if fits(order)][:count]
        if len(chosen) < count:
            raise ValueError("the story has too few orders to plant its breaks in")
        for order in chosen:
            self.free.remove(order)
            yield order

    def _at_gateway(self, order: Order) -> bool:
        return order.money == "paid" and order.way in ("alipay", "stripe")

    def _write(
        self, kind: str, order: str, moved: Movement, expected: Decimal | None, found: Decimal
    ) -> None:
        self.key.payments.append(
            Mismatch(kind, order, moved.way, moved.number, expected, found)  # type: ignore[arg-type]
        )

    def _unlike(self, kind: str, order: Order, more: Decimal) -> None:
        moved = self.paid[order.number]
        moved.amount += more
        self._write(kind, order.number, moved, order.total, moved.amount)

    def _delivered(self) -> None:
        """Let the shop not know of parcels that arrived."""

        def fits(order: Order) -> bool:
            parcel = order.parcel
            is_new = parcel is not None and self.now - parcel.sent < timedelta(days=20)
            return order.money == "paid" and is_new and parcel is not None and parcel.is_signed

        for order in self._some(DELIVERED, fits):
            order.is_told = False
            if order.parcel is not None:
                self.key.delivered.append((order.number, order.parcel.tracking))

    def _unpaid(self) -> None:
        """Let the gateway have money of orders that the shop still waits for."""
        for order in self._some(PAYMENTS["unpaid"], lambda o: o.money == "pending"):
            way = "stripe" if order.customer.entry("stripe") is not None else "alipay"
            self._drop_failed(order.number)
            moved = money.payment(
                self.dice, order, order.total, order.placed + timedelta(minutes=9), way
            )
            self.movements.append(moved)
            self._write("unpaid", order.number, moved, order.total, moved.amount)

    def _drop_failed(self, number: str) -> None:
        self.movements[:] = [moved for moved in self.movements if moved.order != number]

    def _unknown(self) -> None:
        """Let the gateway have money for numbers that no order has."""
        for place, order in enumerate(self._some(PAYMENTS["unknown"], self._at_gateway)):
            moved = money.payment(
                self.dice, order, order.total, order.paid or order.placed, "alipay"
            )
            moved.order = f"SO{190_011 + 7 * place}"
            self.movements.append(moved)
            self._write("unknown", moved.order, moved, None, moved.amount)

    def _kept(self) -> None:
        """Let the gateway give money back although no goods came back and the shop says paid."""
        for order in self._some(PAYMENTS["kept"], self._at_gateway):
            back = money.refund(self.dice, self.paid[order.number], 100, self.now)
            self.movements.append(back)
            self._write("kept", order.number, back, Decimal(0), back.amount)


def make_claims(dice: random.Random, orders: list[Order], first: int, key: Key) -> list[Claim]:
    """Return the ERP's orders for the shop's, and some that claim numbers that no order has."""
    found: list[Claim] = []
    for order in orders:
        if order.document and order.paid is not None:
            at = order.paid + timedelta(minutes=dice.randrange(10, 90))
            order.document = f"XSDD{first + len(found):06d}"
            found.append(Claim(order.document, first + len(found), order.number, order, at))
    for place, claim in enumerate(dice.sample(found[-100:], STRAY)):
        number = first + len(found)
        made = Claim(
            f"XSDD{number:06d}", number, f"SO{195_003 + 11 * place}", claim.order, claim.at
        )
        found.append(made)
        key.stray.append((made.number, made.claims))
    return found
