"""The parts that a stream's settings name: its paging and how its changes are found."""

from __future__ import annotations

from collections.abc import Mapping

from connectors import paging as styles
from connectors.base import ChangedSince
from connectors.body import parse_path
from connectors.paging import Paging
from connectors.records import field_text
from connectors.rest.streams import StreamSettings

DEFAULT_SIZE = 100


def make_paging(spec: StreamSettings) -> Paging:
    """Return the paging style that the settings name."""
    paging = spec.paging
    if paging is None:
        return styles.OnePage()
    more = parse_path(paging.more) if paging.more else None
    if paging.cursor is not None:
        return styles.CursorPaging(parse_path(paging.cursor), paging.param or "", more)
    if paging.page is not None:
        pages = parse_path(paging.pages) if paging.pages else None
        size = _size(paging.size, spec)
        return styles.PagePaging(paging.page, size, paging.from_, more, pages)
    if paging.offset is not None:
        return styles.OffsetPaging(paging.offset, _size(paging.limit, spec), more)
    if paging.next is not None:
        path = None if paging.next == "link" else parse_path(paging.next)
        return styles.NextPaging(path, more)
    last = paging.last or ""
    return styles.LastPaging(field_text(parse_path(last)), last, paging.param or "", more)


def _size(name: str | None, spec: StreamSettings) -> Mapping[str, int]:
    """Return the size parameter unless a constant gives it; a number names no parameter."""
    if not name or name.isdigit() or name in spec.params or name in spec.constants:
        return {}
    return {name: DEFAULT_SIZE}


def make_changes(spec: StreamSettings) -> ChangedSince | None:
    """Return how changes are found; None for a snapshot."""
    changes = spec.changes
    if changes is None:
        return None
    return ChangedSince(
        field=changes.since,
        param=changes.param,
        lookback=changes.lookback,
        lag=changes.lag,
        format=changes.format,
        until=changes.until,
        span=changes.span,
    )
