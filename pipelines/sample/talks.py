"""Whom the salesmen of the sample company speak to, and what customers complain of."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from pipelines.sample import names
from pipelines.sample.facts import Customer, Deal, Lead, Order, Ticket

LEADS, DEALS, TICKETS = 60, 80, 70
_SOURCES = ("展会", "官网", "百度推广", "老客户介绍")
_SUBJECTS = ("少发一件", "轴承有异响", "发票抬头有误", "物流迟迟不更新", "包装破损", "要求换货")


def make_leads(dice: random.Random, start: datetime, now: datetime) -> list[Lead]:
    """Return those who asked; they are none of the customers."""
    found = []
    for number in range(1, LEADS + 1):
        place = dice.choice(names.CITIES)
        at = start + timedelta(seconds=dice.randrange(int((now - start).total_seconds())))
        found.append(
            Lead(
                number, names.company(dice, place[1]), names.person(dice),
                names.mobile(dice, 9000 + number), f"lead{number:03d}@example.com",
                dice.choice(_SOURCES), dice.choice(("new", "working", "converted", "lost")), at,
            )
        )  # fmt: skip
    return found


def make_deals(
    dice: random.Random, customers: Sequence[Customer], start: datetime, now: datetime
) -> list[Deal]:
    """Return the opportunities with customers that the salesmen know."""
    known = [one for one in customers if one.entry("crm") is not None]
    found = []
    for number in range(1, DEALS + 1):
        customer = dice.choice(known)
        at = start + timedelta(seconds=dice.randrange(int((now - start).total_seconds())))
        found.append(
            Deal(
                number, customer, f"{names.shortened(customer.name)} {at:%Y}年度采购",
                Decimal(dice.randrange(5, 400)) * 1000,
                dice.choice(("talking", "offered", "won", "lost")), at,
                at + timedelta(days=dice.randrange(20, 120)),
            )
        )  # fmt: skip
    return found


def make_tickets(dice: random.Random, orders: Sequence[Order], now: datetime) -> list[Ticket]:
    """Return complaints about orders that arrived."""
    arrived = [o for o in orders if o.customer.entry("crm") is not None and o.parcel is not None]
    found = []
    for number, order in enumerate(
        sorted(dice.sample(arrived, TICKETS), key=lambda o: o.placed), 1
    ):
        at = min(order.placed + timedelta(days=dice.randrange(3, 9)), now - timedelta(hours=1))
        found.append(
            Ticket(
                number, order.customer, order.number, dice.choice(_SUBJECTS),
                dice.choice(("open", "working", "done", "done")), at,
            )
        )  # fmt: skip
    return found
