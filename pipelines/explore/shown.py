"""How a value is shown: money with its digits grouped, moments in the company's time zone."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.explore.words import Words

NOTHING = "–"
MONEY = frozenset({
    "total", "paid_amount", "refunded_amount", "amount", "revenue", "open_amount", "difference",
    "expected", "actual", "received", "refunded", "lifetime_value", "unit_price", "gross",
    "average_order", "sales", "net", "fee", "source_sum", "store_sum",
})  # fmt: skip
"""Columns whose decimals are money: always two digits behind the point."""
DAYS = frozenset({"last_order_at"})
"""Columns of moments of which the day says enough."""
GROUPS = {
    "status": ("status",), "payment_status": ("status",), "fulfillment_status": ("status",),
    "return_status": ("status",), "severity": ("severity",), "kind": ("kind",),
    "step": ("step",), "entity": ("entity",), "method": ("method",), "what": ("step",),
    "found_as": ("entity",), "said": ("rule", "status", "part"),
}  # fmt: skip
"""Columns whose words the catalogue translates, and under which groups of keys."""
_CENT = Decimal("0.01")


class Shown:
    """Shows values to readers of one language, in one time zone."""

    def __init__(self, words: Words, zone: str) -> None:
        self.words = words
        self.zone = ZoneInfo(zone)

    def cell(self, value: Any, column: str = "") -> str:
        """Return the text of a value of the column so called."""
        if value is None or value == "":
            return NOTHING
        if isinstance(value, bool):
            return self.words("yes" if value else "no")
        if isinstance(value, datetime):
            return self.moment(value)[: 10 if column in DAYS else None]
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, float):
            return self.number(Decimal(str(value)).quantize(_CENT))
        if isinstance(value, Decimal) and column in MONEY:
            return self.money(value)
        if isinstance(value, Decimal | int):
            return self.number(value)
        if isinstance(value, list | tuple):
            return ", ".join(self.cell(each) for each in value)
        parts = str(value).split(" · ") if column in GROUPS else (str(value),)
        return " · ".join(self.words.of_any(GROUPS.get(column, ()), part) for part in parts)

    def moment(self, value: datetime) -> str:
        """Return day and minute in the company's zone."""
        return value.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")

    def money(self, value: Decimal | None, *, cents: bool = True) -> str:
        """Return an amount without its currency; `cents` false rounds to whole units."""
        if value is None:
            return NOTHING
        exact = Decimal(value).quantize(_CENT if cents else Decimal(1), ROUND_HALF_EVEN)
        return f"{exact:,f}".replace("-", "−")

    def number(self, value: Decimal | int) -> str:
        """Return a count or quantity without empty decimals."""
        text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,d}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return text.replace("-", "−")

    def money_text(self, value: float) -> str:
        """Return a number that came as JSON: at least two digits behind the point, no rounding."""
        exact = Decimal(str(value)).normalize()
        places = max(2, -int(exact.as_tuple().exponent))
        return f"{exact:,.{places}f}".replace("-", "−")

    def share(self, value: float | Decimal | None) -> str:
        """Return a share as per cent, of small ones one decimal."""
        if value is None:
            return NOTHING
        percent = float(value) * 100
        text = f"{percent:.1f}" if abs(percent) < 9.95 else f"{percent:.0f}"
        return f"{text.replace('-', '−')} %"

    def span(self, seconds: float | None) -> str:
        """Return a length of time in the largest unit that says it well."""
        if seconds is None:
            return NOTHING
        for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
            if seconds >= 2 * size or (unit == "min" and seconds >= 60):
                return self.words(f"span.{unit}", n=f"{round(seconds / size):,}")
        return self.words("span.s", n=f"{round(seconds):,}")
