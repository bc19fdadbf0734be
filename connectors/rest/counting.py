"""Counts by the total that a list answers: from an edge on there are so many, from the next fewer.

Only the lower bound is asked for, so it does not matter whether a system's upper bound is inclusive
or to the second. Where the system caps the stretch of a request (`span:`) both bounds are asked
for, the upper one a second before the end. Whether the total heeds the bounds is tried first: many
systems answer the number of all records whatever is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from connectors.base import Countable, Counted, Span
from connectors.body import parse_path
from connectors.changes import EARLIEST, Window
from connectors.errors import ConfigError, ContractBroken
from connectors.rest.asking import Asker, total_of
from connectors.rest.streams import ChangesSettings
from connectors.rest.styles import make_paging

AHEAD = timedelta(days=1)
"""Nothing should be stamped so far in the future: a total that heeds the bound is near 0 there."""
SECOND = timedelta(seconds=1)


def countable(asker: Asker, now: datetime) -> Countable:
    """Say how the list can be counted; asks for one page or two."""
    spec = asker.spec
    if spec.feed is not None:
        return Countable("none", "a list of changes does not say how many records there are")
    if spec.total is None:
        return Countable("keys", "all keys listed: the stream names no total")
    if spec.changes is None:
        return Countable("whole", f"{spec.total} of the list", rows=True)
    everything = _total(asker, Window(None, None))
    if everything is None:
        return Countable("keys", f"all keys listed: the answers have no number at {spec.total}")
    span = spec.changes.span
    ahead = Window(now + AHEAD, now + AHEAD + span if span else None)
    try:
        beyond = _total(asker, ahead)
    except (ConfigError, ContractBroken):
        beyond = None  # it takes no such bound
    if beyond is None or beyond >= everything > 0:
        how = f"{spec.total} of the whole list: it does not heed {spec.changes.param}"
        return Countable("whole", how, rows=True)
    how = f"{spec.total} of the list {'in each stretch' if span else 'from each edge on'}"
    return Countable("spans", how, (spec.changes.since,), spec.changes.format, rows=True)


def measure(asker: Asker, spans: Sequence[Span]) -> Iterator[Counted]:
    """Yield the count of each span; raises ContractBroken where a total is missing."""
    changes = asker.spec.changes
    if changes is not None and changes.span is not None:
        yield from (_in_stretches(asker, changes, changes.span, span) for span in spans)
        return
    known: dict[datetime | None, int] = {}

    def from_on(edge: datetime | None) -> int:
        if edge not in known:
            known[edge] = _known(asker, Window(edge, None))
        return known[edge]

    for span in spans:
        above = 0 if span.until is None else from_on(span.until)
        yield Counted(span, from_on(span.since) - above)


def _in_stretches(
    asker: Asker, changes: ChangesSettings, longest: timedelta, span: Span
) -> Counted:
    if span.until is None:
        return Counted(span, _known(asker, Window(None, None)))
    low, count = span.since or changes.start or EARLIEST, 0
    while low < span.until:
        high = min(low + longest, span.until)
        count += _known(asker, Window(low, high - SECOND))
        low = high
    return Counted(span, count)


def _known(asker: Asker, window: Window) -> int:
    found = _total(asker, window)
    if found is None:
        raise ContractBroken(
            "An answer has no number where total: points.",
            "look at what the system answers, and at total: of the stream.",
        )
    return found


def _total(asker: Asker, window: Window) -> int | None:
    path = parse_path(asker.spec.total) if asker.spec.total else None
    return total_of(asker.fetch(window, make_paging(asker.spec).first(None), 0, 1), path)
