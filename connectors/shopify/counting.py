"""Counts what a shop counts itself: orders, products and customers by the day of their making.

`ordersCount` and its like take the list's own search. `created_at` never moves, and the search
knows it exactly; what hangs on orders (parcels, money, returns) is counted nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC

from connectors.base import Countable, Counted, Span
from connectors.errors import ContractBroken
from connectors.shopify import queries
from connectors.shopify.api import Api
from connectors.shopify.catalogue import Source

MADE = "createdAt"
SEARCHED = ("ordersCount", "productsCount", "customersCount")
"""Counts that take a search; productVariantsCount has no field to search by."""


def countable(source: Source) -> Countable:
    """Say how a list can be counted."""
    if source.inner or source.listed or not source.counted:
        return Countable("keys", "all ids listed: the shop has no count of them")
    if source.counted in SEARCHED:
        return Countable("spans", f"{source.counted} by created_at", (MADE,))
    return Countable("whole", f"{source.counted}: it takes no search")


def measure(api: Api, source: Source, spans: Sequence[Span]) -> Iterator[Counted]:
    """Yield the count of each span; raises ContractBroken for one that the shop estimates."""
    for span in spans:
        edges = ((">=", span.since), ("<", span.until))
        terms = [
            f"created_at:{sign}'{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"
            for sign, at in edges
            if at is not None
        ]
        variables = {"limit": None} | ({"query": " AND ".join(terms)} if terms else {})
        at = (source.counted, "count")
        body = api.want(queries.counted_by(source, searched=bool(terms)), variables, at)
        said = body.text(("data", source.counted, "count")) or ""
        precision = body.text(("data", source.counted, "precision"))
        if not said.isdigit() or precision != "EXACT":
            raise ContractBroken(
                f"{source.counted} was answered as {precision or 'nothing'}, not exactly.",
                "run it again; if it stays so, ask the vendor.",
            )
        yield Counted(span, int(said))
