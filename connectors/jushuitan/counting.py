"""Counts records by stretches of `modified`: data_count of lists that are asked for by it.

Nobody says whether the end of a stretch belongs to it. So a stretch is asked for with its end, and
what stands at the end alone is asked for and taken off: right, whichever it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time

from connectors.base import Countable, Counted, Span
from connectors.changes import format_stamp
from connectors.errors import ContractBroken
from connectors.jushuitan.api import Api
from connectors.jushuitan.catalogue import BEIJING, Source
from connectors.jushuitan.settings import FORMAT, SPAN, JushuitanSettings
from connectors.jushuitan.windows import AHEAD, OVERLAP

COUNT = "data_count"
STAMP = "modified"


def countable(source: Source) -> Countable:
    """Say how a list can be counted."""
    if source.how == "windows":
        return Countable("spans", f"{COUNT} by {STAMP}", (STAMP,))
    if source.sweeps:
        return Countable("keys", "all keys listed: a short list, read whole")
    return Countable(
        "none", f"the list is read by its row number; whether {COUNT} counts it is not documented"
    )


def measure(
    api: Api, source: Source, settings: JushuitanSettings, spans: Sequence[Span]
) -> Iterator[Counted]:
    """Yield the count of each span; what is open below begins at `since:`."""
    begin = datetime.combine(settings.since, time(0), BEIJING)
    edges: dict[datetime, int] = {}

    def at_edge(at: datetime) -> int:
        if at not in edges:
            edges[at] = _ask(api, source, at, at)
        return edges[at]

    for span in spans:
        low, until, count = span.since or begin, span.until or api.here() + AHEAD, 0
        while low < until:
            high = min(low + SPAN - OVERLAP, until)
            count += _ask(api, source, low, high) - at_edge(high)
            low = high
        yield Counted(span, count)


def _ask(api: Api, source: Source, low: datetime, high: datetime) -> int:
    biz = {
        "modified_begin": format_stamp(low, FORMAT, BEIJING),
        "modified_end": format_stamp(high, FORMAT, BEIJING),
    }
    turn = api.page(source, biz, size=1)
    said = turn.body.text(("data", COUNT)) if turn.body is not None else None
    if said is None or not said.isdigit() or (said == "0" and turn.records):
        raise ContractBroken(
            f"The answer has no {COUNT} for its records.", "ask the vendor.", place=turn.place
        )
    return int(said)
