"""The cases of the comparison: what the source commits, when each tool syncs, what must be held.

A case is told once and played to every tool against a simulator of its own, so that all meet the
same source. Stamps are hours in the past: no tool's safety lag hides them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.rest.simulator import Collection, Paging, RestSimulator

PAGE = 10
LOOKBACK = 600
"""Seconds: our `lookback: 10m`, dlt's `lag`."""
TOKEN = "peer-canary-Tok3n-4711"
Sync = Callable[[], None]


class Shop:
    """A simulator of orders with what it committed last, by id."""

    def __init__(self, paging: Paging = "cursor") -> None:
        spec = Collection(paging=paging, page_size=PAGE)
        self.app = RestSimulator({"orders": spec}, token=TOKEN)
        self.paging = paging
        self.start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)
        self.now: dict[str, dict[str, Any]] = {}

    def put(self, number: int, seconds: float, total: Decimal | None = None, **more: Any) -> None:
        """Commit order `number` with a stamp `seconds` after the start."""
        at = self.start + timedelta(seconds=seconds)
        price = more.pop("price", Decimal("10.05"))
        record = {
            "id": number,
            "name": more.pop("name", f"#{number}"),
            "updated_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "currency": "CNY",
            "total_price": total if total is not None else Decimal(number * 7) / 100,
            "line_items": [
                {"id": f"{number}-{n}", "sku": f"S{n}", "quantity": n + 1, "price": price}
                for n in range(1 + number % 3)
            ],
        }
        self.app.put("orders", record)
        self.now[str(number)] = record


def late_commits(shop: Shop, sync: Sync) -> None:
    """Five records are committed with stamps older than the cursor, inside the lookback."""
    for number in range(1, 61):
        shop.put(number, 60 * number)
    sync()
    for number, behind in enumerate((1, 30, 120, 300, 540), 101):
        shop.put(number, 3600 - behind)
    shop.put(200, 3700)
    sync()


def later_commits(shop: Shop, sync: Sync) -> None:
    """Two records are committed with stamps older than any lookback that was set."""
    for number in range(1, 61):
        shop.put(number, 60 * number)
    sync()
    shop.put(101, 3600 - 2 * LOOKBACK)
    shop.put(102, 3600 - 5 * LOOKBACK)
    shop.put(200, 3700)
    sync()


def ties(shop: Shop, sync: Sync) -> None:
    """35 equal stamps lie over page edges at the cursor; 12 more come with exactly that stamp."""
    for number in range(1, 21):
        shop.put(number, 60 * number)
    for number in range(21, 56):
        shop.put(number, 1260)
    sync()
    for number in range(56, 68):
        shop.put(number, 1260)
    sync()


def same_second(shop: Shop, sync: Sync) -> None:
    """Three records change again in the second of the cursor: other content, equal stamp."""
    for number in range(1, 31):
        shop.put(number, 60 * number)
    for number in (31, 32, 33):
        shop.put(number, 1800)
    sync()
    for number in (31, 32, 33):
        shop.put(number, 1800, name=f"#{number} changed", total=Decimal("99.50"))
    sync()


def exact_money(shop: Shop, sync: Sync) -> None:
    """Amounts that a binary double cannot hold, as bare JSON numbers."""
    amounts = ("0.1", "0.2", "1.10", "12345678901234.5678", "99999999999999.99", "0.0001")
    for number, amount in enumerate(amounts, 1):
        shop.put(number, 60 * number, Decimal(amount), price=Decimal("9007199254740993.25"))
    for number in range(10, 40):
        shop.put(number, 60 * number, Decimal("0.1"))
    sync()


def too_large(shop: Shop, sync: Sync) -> None:
    """One total needs more digits than our column of money has: kept, or held back and said."""
    for number in range(1, 6):
        shop.put(number, 60 * number)
    shop.put(6, 360, Decimal("9007199254740993.25"))
    sync()


def foreign_next(shop: Shop, sync: Sync) -> None:
    """The second page's link names another host once; a second run finds the links right again."""
    for number in range(1, 26):
        shop.put(number, 60 * number)
    sync()
    sync()


CASES: dict[str, tuple[Callable[[Shop, Sync], None], Paging]] = {
    "late commits, inside the lookback": (late_commits, "cursor"),
    "late commits, beyond every lookback": (later_commits, "cursor"),
    "ties at the boundary": (ties, "cursor"),
    "changed again in the second of the cursor": (same_second, "cursor"),
    "exact money": (exact_money, "cursor"),
    "a total beyond 18 digits": (too_large, "cursor"),
    "foreign next link": (foreign_next, "next"),
}
MONEY = ("exact money", "a total beyond 18 digits")
"""Cases in which the store's own sum of totals is judged too."""
KILLS = "SIGKILL at random moments, then one clean run"


def kill_story(shop: Shop) -> None:
    """Commit what the killed runs read: 400 orders."""
    for number in range(1, 401):
        shop.put(number, 30 * number)


def after_kill(shop: Shop) -> None:
    """Commit what only the clean run can read: ten changes and five new orders."""
    for number in range(391, 406):
        shop.put(number, 30 * number + 13_000, name=f"#{number} after")
