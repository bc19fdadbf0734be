"""Counts records by stretches of their own stamp: the query's total, where the tenant answers one.

The manual has three spellings of the wish for a total and a tenant may answer 0 to the one that is
sent, so it is tried first: a total of 0 beside a record that came is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC

from connectors.base import Countable, Counted, Span
from connectors.changes import format_stamp
from connectors.errors import ContractBroken
from connectors.fxiaoke.api import Api, Filter
from connectors.fxiaoke.catalogue import KEY, STAMP, Source
from connectors.fxiaoke.describe import Fitted


def countable(api: Api, source: Source) -> Countable:
    """Say how an object can be counted."""
    head = api.fitted(source.head)
    if not head.is_there:
        return Countable("none", f"the tenant has no {source.head.api}")
    found = api.query(head, [], only=(KEY,), limit=1, counted=True)
    if not found.total and found.cut.records:
        return Countable("keys", "all ids listed: the tenant answers no total")
    if not (source.stamp and head.has_stamp):
        return Countable("whole", "the query's total")
    return Countable("spans", f"the query's total by {STAMP}", (STAMP,), "epoch_ms")


def measure(api: Api, source: Source, spans: Sequence[Span]) -> Iterator[Counted]:
    """Yield the total of each span; raises ContractBroken where none comes."""
    head = api.fitted(source.head)
    for span in spans:
        edges = (("GTE", span.since), ("LT", span.until))
        within = [
            Filter(STAMP, operator, [format_stamp(at, "epoch_ms", UTC)])
            for operator, at in edges
            if at is not None
        ]
        yield Counted(span, _total(api, head, within))


def _total(api: Api, head: Fitted, within: Sequence[Filter]) -> int:
    found = api.query(head, within, only=(KEY,), limit=1, counted=True)
    if found.total is None or (not found.total and found.cut.records):
        raise ContractBroken(
            "A query was answered without a total, another one with it.", "ask the vendor."
        )
    return found.total
