"""Counts records by the day they were made: `search_count`, which the server answers exactly.

By the stamp of their making, which never moves, and not by that of their change: whether a related
record's change counts as the record's own is a rule of ours that no count can ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.base import Countable, Counted, Span
from connectors.tryton.api import Api
from connectors.tryton.catalogue import Source
from connectors.tryton.wire import moment

MADE = "create_date"


def countable() -> Countable:
    """Say how a model is counted."""
    return Countable("spans", f"search_count by {MADE}", (MADE,))


def measure(api: Api, source: Source, spans: Sequence[Span]) -> Iterator[Counted]:
    """Yield how many records of a source were made in each span."""
    scope = api.scope(source)
    for span in spans:
        within: list[Any] = []
        if span.since is not None:
            within.append([MADE, ">=", moment(span.since)])
        if span.until is not None:
            within.append([MADE, "<", moment(span.until)])
        yield Counted(span, api.count(source.model, [*scope, *within]))
