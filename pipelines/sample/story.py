"""One seeded story that all systems of the sample company tell, and the key to what is wrong.

All of it is a pure function of the seed: no clock, no order of sets, no hash. Here it is told once,
as facts; an adapter a system writes the facts down as that system would. Records that are wrong by
themselves are planted by the adapters, which name them in `Key.bad`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from pipelines.sample import breaks, goods, money, people, talks, trade
from pipelines.sample.facts import (
    Claim,
    Customer,
    Deal,
    Lead,
    Movement,
    Order,
    Parcel,
    Product,
    Return,
    Stock,
    Ticket,
)
from pipelines.sample.key import Key

SEED = 20261031
ZONE = timezone(timedelta(hours=8))
NOW = datetime(2026, 10, 31, 18, 0, tzinfo=ZONE)
START = datetime(2026, 5, 1, 8, 0, tzinfo=ZONE)


@dataclass(slots=True)
class Story:
    """What happened, and the answer key.

    `orders` are the shop's, `typed` those typed into the ERP; `claims` are the ERP's documents for
    the shop's orders.
    """

    seed: int
    customers: list[Customer] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    typed: list[Order] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    stock: list[Stock] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    key: Key = field(default_factory=Key)

    def dice(self, part: str) -> random.Random:
        """Return the chance of one part, so that a change of one leaves the others as they are."""
        return random.Random(f"{self.seed}/{part}")  # noqa: S311 - a story, no secret

    def sent(self) -> list[tuple[Order, Parcel]]:
        """Return the shop's orders of which a parcel left, each with its parcel."""
        return [(order, order.parcel) for order in self.orders if order.parcel is not None]


def tell(seed: int = SEED, orders: int = trade.ORDERS) -> Story:
    """Return the whole story of a seed, its breaks planted.

    `orders` is how many the shop has; raises ValueError where they are too few for the breaks.
    """
    story = Story(seed)
    story.products = goods.make_products(story.dice("products"), START)
    story.customers = people.make_customers(story.dice("customers"), START)
    known = (story.customers, story.products, START, NOW)
    story.orders = trade.shop_orders(story.dice("orders"), *known, orders)
    story.typed = trade.typed_orders(story.dice("typed"), *known)
    story.movements, story.returns = money.make_movements(
        story.dice("money"), [*story.orders, *story.typed], NOW
    )
    for order in story.orders:
        order.document = "yes" if order.is_paid else ""
    scarce = {product.sku for product in goods.scarce(story.products)}
    breaks.Planter(
        story.dice("breaks"), story.orders, story.movements, NOW, story.key, scarce
    ).plant()
    story.claims = breaks.make_claims(
        story.dice("claims"), story.orders, len(story.typed) + 1, story.key
    )
    story.stock = goods.make_stock(story.dice("stock"), story.products, story.orders)
    story.leads = talks.make_leads(story.dice("leads"), START, NOW)
    story.deals = talks.make_deals(story.dice("deals"), story.customers, START, NOW)
    story.tickets = talks.make_tickets(story.dice("tickets"), story.orders, NOW)
    story.key.same = people.same(story.customers)
    story.key.oversold = goods.oversold(story.stock)
    story.key.short = [
        (order.number, line.product.sku)
        for order in story.orders
        for line in order.lines
        if line.product.sku in scarce
    ]
    return story
