"""One read of a list that is paged by key: bookmarks, going on, and the proof of completeness.

For connectors whose system gives records behind a key that is named (`LastPaging` and its like): a
record that comes or goes meanwhile moves no other over a page's edge, so that an interrupted read
goes on and still counts as one scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeAlias

from connectors.base import ChangedSince, Page, ReadRequest
from connectors.changes import Tide, read_bookmark, write_bookmark
from connectors.paging import Paging, Step, Turn, walk

Fetch: TypeAlias = Callable[[datetime | None, Step, int, int], Turn]
"""`fetch(since, step, received, number)` gets one page of what changed at or after `since`."""


@dataclass
class KeysetRead:
    """What a run asks of a list, and how far it came. `now` is the moment the run began.

    `changes` says how a second read finds what changed; `zone` is that of stamps without offset.
    """

    request: ReadRequest
    now: datetime
    changes: ChangedSince
    paging: Paging
    zone: tzinfo = UTC
    _before: datetime | None = field(init=False)
    _resume: Mapping[str, Any] = field(init=False)
    _count: int = 0

    def pages(self, fetch: Fetch, total: Callable[[Turn], int | None]) -> Iterator[Page]:
        """Yield the pages; the last has the new bookmark and says whether the scan is complete.

        `total` tells from a page how many records the whole list has, None where it does not say:
        a scan is complete only where as many came.
        """
        tide = self._begin()

        def turn_at(step: Step, received: int, number: int) -> Turn:
            return fetch(tide.since, step, received, number)

        limit, taken = self.request.limit, 0
        for turn, step in walk(self.paging, turn_at, self._resume.get("state")):
            tide.see(turn.stamps)
            taken += len(turn.records)
            if limit is not None and taken >= limit:
                left = len(turn.records) - (taken - limit)
                yield Page(turn.records[:left], turn.keys[:left], self.request.bookmark or {})
                return
            self._count += len(turn.records)
            yield self._page(turn, step, tide, None if step or tide.since else total(turn))

    def _begin(self) -> Tide:
        """Go on where the bookmark's interrupted read of this mode stopped, or begin anew."""
        self._before, resume = read_bookmark(self.request.bookmark, self.request.mode)
        greatest: datetime | None = None
        try:
            begun = datetime.fromisoformat(resume["begun"])
            self._count = int(resume["count"])
            if resume.get("greatest"):
                greatest = datetime.fromisoformat(resume["greatest"])
            fits = resume["mode"] == self.request.mode
        except (KeyError, TypeError, ValueError):
            fits = False
        self._resume = resume if fits else {}
        if not fits:
            begun, self._count = self.now, 0
        changed = self.request.mode == "changed"
        tide = Tide(self.changes, self.zone, begun, self._before if changed else None)
        if fits and greatest is not None:
            tide.greatest = tide.plausible = greatest
        return tide

    def _page(self, turn: Turn, step: Step | None, tide: Tide, total: int | None) -> Page:
        is_sweep = self.request.mode == "sweep"
        if is_sweep:
            bookmark: Mapping[str, Any] = self.request.bookmark or {}
        elif step is not None:
            bookmark = write_bookmark(self._before, self._mark(step, tide))
        else:
            bookmark = write_bookmark(tide.stamp())
        notes = [] if step is not None or is_sweep else tide.warnings()
        is_whole = total is not None and self._count == total
        if total is not None and not is_whole:
            notes.append(
                f"The read is not proved complete: {self._count} records came, the system counts "
                f"{total}; nothing is deleted."
            )
        return Page(
            [] if is_sweep else turn.records, turn.keys, bookmark,
            kind="keys" if is_sweep else "records", complete=is_whole, total=total,
            warnings=tuple(notes), resumed=bool(self._resume),
        )  # fmt: skip

    def _mark(self, step: Step, tide: Tide) -> dict[str, Any]:
        mark: dict[str, Any] = {
            "mode": self.request.mode, "begun": tide.begun.isoformat(), "state": step.state,
            "count": self._count,
        }  # fmt: skip
        if tide.greatest is not None:
            mark["greatest"] = tide.greatest.isoformat()
        return mark
