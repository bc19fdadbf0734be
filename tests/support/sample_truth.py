"""What marts and KPIs of the sample company must say, worked out from its story in plain Python.

Nothing here reads the store or shares a line with its SQL. Which records the matcher takes for one
customer is given: whether it is right is judged elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from connectors.fxiaoke.sample import oid
from pipelines.sample import alipay, office
from pipelines.sample.facts import Customer, Movement, Order
from pipelines.sample.story import NOW, ZONE, Story

ZERO = Decimal(0)
REASONS = {"七天无理由": "changed_mind", "质量问题": "quality", "少件漏发": "missing",
           "协商退款": "agreed"}  # fmt: skip
Parties = Mapping[tuple[str, str], str]


@dataclass
class Sale:
    """An order that counts, with what became of it. `number` is that of the placed order."""

    number: str
    system: str
    placed: datetime
    party: str | None
    total: Decimal
    pieces: dict[str, int] = field(default_factory=dict)
    shipped: datetime | None = None
    delivered: datetime | None = None
    reasons: set[str] = field(default_factory=set)
    paid: Decimal = ZERO
    refunded: Decimal = ZERO

    @property
    def day(self) -> date:
        return local_day(self.placed)


@dataclass(frozen=True)
class Move:
    """Money that moved, once, where its leading record stands."""

    day: date
    connection: str
    currency: str
    kind: str
    amount: Decimal


def local_day(at: datetime) -> date:
    return at.astimezone(ZONE).date()


def midnight(at: datetime) -> datetime:
    return datetime.combine(at.astimezone(ZONE).date(), time(), ZONE)


def month(day: date) -> date:
    return day.replace(day=1)


def months_later(first: date, many: int) -> date:
    months = first.year * 12 + first.month - 1 + many
    return date(months // 12, months % 12 + 1, 1)


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value below which a share lies, by line between two neighbours."""
    ranked = sorted(values)
    place = (len(ranked) - 1) * share
    low = int(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (place - low)


class Truth:
    """What is true of a story. `apps` are its systems: some odd records are only theirs."""

    def __init__(self, story: Story, apps: Mapping[str, Any], parties: Parties) -> None:
        self.story, self.apps, self.parties = story, apps, parties

    # Who is who ---------------------------------------------------------------------------------

    def places(self, one: Customer) -> Iterator[tuple[str, str]]:
        """Yield where a customer stands, under the keys of the systems."""
        for entry in one.entries:
            key = entry.key
            if entry.system == "shop":
                key = f"gid://shopify/Customer/{key}"
            if entry.system == "crm":
                key = oid("AccountObj", int(key))
            yield entry.system, key

    def party(self, one: Customer, system: str) -> str:
        """Return the party of a customer as one system knows it; in the ERP else its retail one."""
        for place in self.places(one):
            if place[0] == system:
                return self.parties[place]
        assert system == "erp", (one.number, system)
        return self.parties["erp", "90000"]

    # Sales --------------------------------------------------------------------------------------

    @cached_property
    def sales(self) -> list[Sale]:
        """Return all orders that are not cancelled, drafts or tests."""
        back = {r.order.number: r for r in self.story.returns if not r.order.is_typed}
        found = []
        for order in self.story.orders:
            if order.money == "voided":
                continue
            sale = Sale(
                order.number, "shop", order.placed, self.party(order.customer, "shop"),
                order.total, self._pieces(order), paid=self.paid(order),
                refunded=self.refunded(order),
            )  # fmt: skip
            if order.parcel is not None:
                sale.shipped, sale.delivered = self._way(order)
            if order.number in back:
                sale.reasons.add(REASONS[back[order.number].reason])
            found.append(sale)
        for order in self.story.typed:
            sent = midnight(order.parcel.sent) if order.parcel else None
            found.append(
                Sale(
                    order.number, "erp", midnight(order.placed), self.party(order.customer, "erp"),
                    order.total, self._pieces(order), shipped=sent, paid=self.paid(order),
                )
            )  # fmt: skip
        return found + list(self._odd())

    def _odd(self) -> Iterator[Sale]:
        """Yield documents that are orders for want of another: what nobody placed, or in doubt."""
        stray = {number for number, _ in self.story.key.stray}
        for claim in self.story.claims:
            if claim.number in stray:
                who = self.party(claim.order.customer, "erp")
                yield Sale(claim.number, "erp", midnight(claim.at), who, claim.order.total)
        kept = [b for b in self.story.key.bad if b.kept and b.entity == "order"]
        like = self.story.typed[0]
        for bad in kept:
            if bad.connection == "erp":
                yield Sale(
                    f"XSDD99{int(bad.key or 0):04d}", "erp", midnight(NOW - timedelta(days=40)),
                    self.party(like.customer, "erp"), like.total,
                )  # fmt: skip
            else:
                yield Sale(
                    str(bad.key), "oms", NOW - timedelta(days=50), None,
                    Decimal(str(self.apps["oms"].living("orders")[bad.key]["pay_amount"])),
                )  # fmt: skip

    def _pieces(self, order: Order) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for line in order.lines:
            found[line.product.sku] += line.quantity
        return dict(found)

    def _way(self, order: Order) -> tuple[datetime, datetime | None]:
        """Return when a parcel left and arrived: by its carrier if that was asked, else the OMS."""
        newest = max(parcel.sent for _, parcel in self.story.sent())
        parcel = order.parcel
        assert parcel is not None
        if parcel.sent <= newest - timedelta(days=28) or not parcel.steps:
            return parcel.sent, None
        return parcel.steps[0].at, parcel.steps[-1].at if parcel.is_signed else None

    # Money --------------------------------------------------------------------------------------

    @cached_property
    def spoiled(self) -> list[dict[str, Any]]:
        """Return the lines of the bank's bill that nobody can read."""
        return [
            row for row in office.bank_rows(self.story)
            if "x" in row["收入金额"] or row["交易日期"] == "2026-02-30" or not row["交易流水号"]
        ]  # fmt: skip

    def is_seen(self, moved: Movement) -> bool:
        """Whether the gateway's or bank's own record of a movement is in the store."""
        if moved.way == "alipay":
            return moved.at >= alipay.SINCE
        if moved.way == "bank":
            lost = {row["附言"].split()[-1] for row in self.spoiled}
            return not (moved.kind == "payment" and moved.order in lost)
        return True

    def _at_gateway(self, order: Order, kind: str) -> list[Movement]:
        return [
            m for m in self.story.movements
            if m.order == order.number and m.kind == kind and m.status == "succeeded"
            and self.is_seen(m)
        ]  # fmt: skip

    def paid(self, order: Order) -> Decimal:
        """Return what was paid: what gateway or bank saw, else what the shop was told."""
        seen = self._at_gateway(order, "payment")
        if seen:
            return sum((m.amount for m in seen), ZERO)
        return order.total if order.is_paid and not order.is_typed else ZERO

    def refunded(self, order: Order) -> Decimal:
        seen = self._at_gateway(order, "refund")
        if seen:
            return sum((m.amount for m in seen), ZERO)
        told = [m for m in self.story.movements if m.order == order.number and m.kind == "refund"]
        return told[0].amount if order.money in ("refunded", "partially_refunded") else ZERO

    def moves(self) -> Iterator[Move]:
        """Yield all money that moved, each movement once."""
        for m in self.story.movements:
            if m.status != "succeeded" or m.way == "bank":
                continue
            if self.is_seen(m):
                yield Move(local_day(m.at), m.way, "CNY", m.kind, m.amount)
                if m.way == "alipay" and m.fee:
                    yield Move(local_day(m.at + timedelta(seconds=1)), m.way, "CNY", "fee", m.fee)
            else:
                yield Move(local_day(m.at), "shop", "CNY", m.kind, m.amount)
        for entry in self.apps["stripe"].living("balance_transactions").values():
            at = local_day(datetime.fromtimestamp(entry["created"], ZONE))
            if entry["fee"]:
                yield Move(at, "stripe", "HKD", "fee", Decimal(entry["fee"]) / 100)
        for payout in self.apps["stripe"].living("payouts").values():
            at = local_day(datetime.fromtimestamp(payout["arrival_date"], ZONE))
            yield Move(at, "stripe", "HKD", "payout", Decimal(payout["amount"]) / 100)
        yield from self._at_bank()
        for order in self.story.typed:
            if order.parcel is not None and order.paid is not None:
                yield Move(local_day(order.paid), "erp", "CNY", "payment", order.total)
        unseen = {p.order for p in self.story.key.payments if p.kind == "missing"}
        for order in self.story.orders:
            if order.number in unseen and order.paid is not None:
                yield Move(local_day(order.paid), "shop", "CNY", "payment", order.total)

    def _at_bank(self) -> Iterator[Move]:
        shop = {order.number: order for order in self.story.orders}
        for row in office.bank_rows(self.story):
            if row in self.spoiled:
                order = shop.get(row["附言"].split()[-1])
                if order is not None and order.paid is not None:
                    yield Move(local_day(order.paid), "shop", "CNY", "payment", order.total)
                continue
            amount = Decimal((row["收入金额"] or row["支出金额"]).replace(",", ""))
            kind = {"转账汇入": "payment", "退款": "refund", "手续费": "fee"}.get(
                row["摘要"], "transfer"
            )
            yield Move(date.fromisoformat(row["交易日期"]), "office", "CNY", kind, amount)

    def invoices(self) -> Iterator[tuple[date, date | None, Decimal]]:
        """Yield (given, paid, amount) of invoices whose payment is known, or that are not paid."""
        lost = {row["附言"].split()[-1] for row in self.spoiled}
        for order in self.story.typed:
            if order.parcel is None or order.number in lost:
                continue
            paid = local_day(order.paid) if order.paid else None
            yield local_day(order.parcel.sent), paid, order.total
