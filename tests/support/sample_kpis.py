"""The KPIs of the sample company by their definitions, in plain Python over what is true of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeAlias

from sample_truth import ZERO, Sale, Truth, local_day, month, months_later

from pipelines.sample.story import NOW

Key: TypeAlias = tuple[str, str | None, str | None]
"""KPI, part, currency."""
Daily: TypeAlias = dict[Key, dict[date, tuple[Decimal, Decimal]]]
DAY = timedelta(days=1)


class Kpis:
    """KPIs by day. `synced` is the day on which the sample was synced: who does not tell since when
    a count of stock holds is believed from then on."""

    def __init__(self, truth: Truth, synced: date) -> None:
        self.truth, self.synced = truth, synced

    def daily(self) -> Daily:
        """Return numerator and denominator of each KPI that adds up over days."""
        found: Daily = defaultdict(dict)
        for name, rows in {
            "order_accuracy": self._share(
                lambda s: s.shipped, lambda s: not s.reasons & {"missing", "wrong_item"}
            ),
            "perfect_order": self._share(
                lambda s: s.delivered,
                lambda s: not s.reasons & {"missing", "wrong_item", "quality", "damaged"},
            ),
        }.items():
            found[name, None, None] = rows
        for part, rows in self._returns().items():
            found["return_rate", part, None] = rows
        found["lead_conversion", None, None] = self._counted(
            (local_day(lead.at), lead.stage == "converted") for lead in self.truth.story.leads
        )
        decided = [d for d in self.truth.story.deals if d.stage in ("won", "lost")]
        found["win_rate", None, None] = self._counted(
            (local_day(d.at), d.stage == "won") for d in decided
        )
        amounts: dict[date, tuple[Decimal, Decimal]] = {}
        for deal in decided:
            won, all_of = amounts.get(local_day(deal.at), (ZERO, ZERO))
            more = deal.amount if deal.stage == "won" else ZERO
            amounts[local_day(deal.at)] = won + more, all_of + deal.amount
        found["win_rate_amount", None, "CNY"] = amounts
        found["dso", None, "CNY"] = self._owed()
        found |= self._stock()
        return found

    # Orders -------------------------------------------------------------------------------------

    def _counted(self, rows: Iterator[tuple[date, bool]]) -> dict[date, tuple[Decimal, Decimal]]:
        found: dict[date, tuple[Decimal, Decimal]] = {}
        for day, is_hit in rows:
            hit, asked = found.get(day, (ZERO, ZERO))
            found[day] = hit + is_hit, asked + 1
        return found

    def _share(
        self, when: Callable[[Sale], object], is_hit: Callable[[Sale], bool]
    ) -> dict[date, tuple[Decimal, Decimal]]:
        return self._counted(
            (local_day(at), is_hit(sale))  # type: ignore[arg-type]
            for sale in self.truth.sales
            if (at := when(sale)) is not None
        )

    def _returns(self) -> dict[str, dict[date, tuple[Decimal, Decimal]]]:
        """Return the return rate by reason: of the shop's orders, since the ERP tells of none."""
        sent = [s for s in self.truth.sales if s.system == "shop" and s.shipped is not None]
        parts = {"all"} | {reason for s in self.truth.sales for reason in s.reasons}
        return {
            part: self._counted(
                (local_day(s.shipped), bool(s.reasons if part == "all" else part in s.reasons))
                for s in sent
                if s.shipped is not None
            )
            for part in parts
        }

    def hours(self) -> dict[str, list[tuple[date, float]]]:
        """Return how long each step took, with the day on which it ended."""
        found: dict[str, list[tuple[date, float]]] = defaultdict(list)
        for sale in self.truth.sales:
            for step, begun, ended in (
                ("placed_to_shipped", sale.placed, sale.shipped),
                ("shipped_to_delivered", sale.shipped, sale.delivered),
                ("placed_to_delivered", sale.placed, sale.delivered),
            ):
                if begun is not None and ended is not None and ended >= begun:
                    took = (ended - begun).total_seconds() / 3600
                    found[step].append((local_day(ended), took))
        return found

    def repeat(self, first: date, end: date) -> tuple[int, int]:
        """Return (bought again, bought) of customers in the days [first, end)."""
        again = bought = 0
        for days in self._days_of_customers():
            mine = [place for place, day in enumerate(days) if first <= day < end]
            bought += bool(mine)
            again += bool(mine) and mine[-1] > 0
        return again, bought

    def kept(self, earlier: date, first: date, end: date) -> tuple[int, int]:
        """Return (bought again, bought before) of those who bought in [earlier, first)."""
        before = [d for d in self._days_of_customers() if any(earlier <= x < first for x in d)]
        return sum(any(first <= x < end for x in days) for days in before), len(before)

    def retention(self) -> dict[tuple[date, int], tuple[int, int]]:
        """Return (bought again, size) by cohort and months after it."""
        customers = self._days_of_customers()
        newest = month(max(days[-1] for days in customers))
        cohorts = {month(days[0]) for days in customers}
        found = {}
        for cohort in cohorts:
            members = [days for days in customers if month(days[0]) == cohort]
            after = 1
            while (then := months_later(cohort, after)) <= newest:
                active = sum(any(month(day) == then for day in days) for days in members)
                found[cohort, after] = active, len(members)
                after += 1
        return found

    def _days_of_customers(self) -> list[list[date]]:
        days: dict[str, list[date]] = defaultdict(list)
        for sale in self.truth.sales:
            if sale.party is not None:
                days[sale.party].append(sale.day)
        return [sorted(one) for one in days.values()]

    # Money and goods ----------------------------------------------------------------------------

    def _owed(self) -> dict[date, tuple[Decimal, Decimal]]:
        invoices = list(self.truth.invoices())
        day = min(given for given, _, _ in invoices)
        last = max(at for given, paid, _ in invoices for at in (given, paid) if at is not None)
        found = {}
        while day <= last:
            owed = sum(
                (many for given, paid, many in invoices
                 if given <= day and (paid is None or paid > day)), ZERO,
            )  # fmt: skip
            found[day] = owed, sum((many for given, _, many in invoices if given == day), ZERO)
            day += DAY
        return found

    def shipped(self) -> dict[str, dict[date, int]]:
        """Return pieces that left by SKU and day."""
        found: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
        for sale in self.truth.sales:
            for sku, many in sale.pieces.items() if sale.shipped is not None else ():
                found[sku][local_day(sale.shipped)] += many  # type: ignore[arg-type]
        return found

    def cost(self, sku: str) -> Decimal:
        """Return what a piece costs by the shop, which alone knows it."""
        items = self.truth.apps["shop"].living("items").values()
        said = {one["sku"]: one["unitCost"] for one in items}
        return Decimal(said[sku]["amount"])

    def _stock(self) -> Daily:
        """Stock is counted once: the OMS says for which day, the others on the day of the sync."""
        story, found = self.truth.story, defaultdict[Key, dict[date, tuple[Decimal, Decimal]]](dict)
        told = local_day(NOW)
        assert all(
            one.available <= one.available + one.main[0] - one.main[1] for one in story.stock
        )
        out = Decimal(sum(one.available <= 0 for one in story.stock))
        over = Decimal(sum(one.offered > one.available for one in story.stock))
        day, many = told, Decimal(len(story.stock))
        while day <= self.synced:
            found["stock_outs", None, None][day] = out, many
            found["oversells", None, None][day] = over, many
            day += DAY
        costs = {one.product.sku: self.cost(one.product.sku) for one in story.stock}
        value = sum((costs[s.product.sku] * (s.online[0] + s.main[0]) for s in story.stock), ZERO)
        shipped = self.shipped()
        first = min(day for days in shipped.values() for day in days)
        span = min(90, (self.synced - first).days + 1)
        flow = sum(
            (costs[sku] * many for sku, days in shipped.items() for day, many in days.items()
             if self.synced - 90 * DAY < day <= self.synced), ZERO,
        )  # fmt: skip
        cent = Decimal("0.0001")
        found["inventory_turnover", None, "CNY"][self.synced] = (
            (flow * 365 / span).quantize(cent), value)  # fmt: skip
        found["days_on_hand", None, "CNY"][self.synced] = value, (flow / span).quantize(cent)
        return found


def by_month(daily: Daily) -> dict[tuple[Key, date], tuple[Decimal, Decimal]]:
    """Add up over the days of each month."""
    found: dict[tuple[Key, date], tuple[Decimal, Decimal]] = {}
    for key, days in daily.items():
        for day, (numerator, denominator) in days.items():
            so_far = found.get((key, month(day)), (ZERO, ZERO))
            found[key, month(day)] = so_far[0] + numerator, so_far[1] + denominator
    return found
