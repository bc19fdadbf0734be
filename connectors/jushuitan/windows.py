"""Reads by windows of `modified`, of less than 7 days each, each from its last page to its first.

A window whose end is past can only lose records while it is read: one that changes gets a later
stamp and leaves it, and those behind it move towards the first page. From the first page on some
would slip past the edge unread; towards the first page they are met once more instead. What may
still come *into* a window (a transaction that commits late) is younger than the lookback. That last
stretch is a window of its own, and the next run, which begins a lookback before the bookmark, reads
all of it again as a past one. So nothing rests on a window that grew while it was read.

A read that deletes (`sweeps`) also has to prove that it met every key. What changed since its
window was read lies in the last stretch, which is walked, open at its end, until it comes in one
answer or two walks in a row have brought the same keys with the same stamps: what one of them
missed, because another moved, cannot be missed by both, for the other has another stamp then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from connectors.base import Page, ReadRequest
from connectors.changes import (
    Tide,
    format_stamp,
    read_bookmark,
    unreadable_bookmark,
    write_bookmark,
)
from connectors.errors import PaginationLoop
from connectors.jushuitan.api import COUNT, NUMBER, Api, more, whole
from connectors.jushuitan.catalogue import BEIJING, Source
from connectors.jushuitan.settings import FORMAT, SPAN, JushuitanSettings
from connectors.paging import Turn

OVERLAP = timedelta(seconds=1)
"""Windows share a second: nobody says whether their ends belong to them."""
QUIET = timedelta(days=1)
"""A stream in which nothing changes is read again from so long before the last read on."""
DRIFT = timedelta(seconds=2)
AHEAD = timedelta(hours=1)
LATE = timedelta(hours=20)
"""A scan that deletes and is so far behind its time takes further windows before the last stretch:
that would not fit into 7 days, where a scan goes on a week after it was cut off."""
PREVIEW = timedelta(days=28)
CLOSINGS = 6
"""How often the open last stretch is walked until two walks are alike."""


@dataclass(slots=True)
class Windows:
    """One read. The bookmark is `{"stamp", "from"}`, with `{"resume"}` while it is under way.

    `from` is the earliest day that was ever read from: a scan that deletes goes back to it.
    """

    api: Api
    source: Source
    settings: JushuitanSettings
    request: ReadRequest
    tide: Tide = field(init=False)
    begins: datetime = field(init=False)
    count: int = 0
    resumed: bool = False
    settled: bool = False
    complete: bool = False
    last: tuple[int, list[str | None]] = (0, [])

    def pages(self) -> Iterator[Page]:
        """Yield the pages; the last has the new bookmark and says whether the scan is complete."""
        if self.request.mode == "sweep" and not self.source.sweeps:
            return
        resume = self._begin()
        low = datetime.fromisoformat(resume["window"]) if resume else self._first()
        number = int(resume.get("page", 0))
        proves = self.request.mode != "changed" and self.source.sweeps
        while (high := self._high(low, proves=proves)) > low:
            head = None if number else self._ask(low, high, 1)
            if head is not None and self._settles():
                continue  # the first answer told the server's time: the window ends by that
            for turn in self._down(low, high, head, number):
                left = turn.number - 1
                yield self._page(turn, (low, left) if left else (high, 0))
                if self._is_enough():
                    return
            low, number = high, 0
        notes: tuple[str, ...] = ()
        if proves and self.request.limit is None:
            for turn in self._closing(low):
                yield self._page(turn, (low, 0))
            if not self.complete:
                notes = (
                    "Records changed faster than they could be listed: the scan is not complete, "
                    "and nothing is deleted.",
                )  # fmt: skip
        if self.request.limit is None:
            yield self._end(complete=self.complete and self.count > 0, notes=notes)

    def some(self, back: timedelta) -> list[bytes]:
        """Return records of one page of what changed lately."""
        here = self.api.here()
        return list(self._ask(here - back, here, 1).records)

    # --- where to begin ------------------------------------------------------------------------
    def _begin(self) -> Mapping[str, Any]:
        mark = self.request.bookmark or {}
        since = datetime.combine(self.settings.since, time(0), BEIJING).astimezone(UTC)
        before, resume = read_bookmark(mark, self.request.mode)
        try:
            known = datetime.fromisoformat(mark.get("from") or since.isoformat())
            if known.tzinfo is None:
                raise ValueError
        except (TypeError, ValueError):
            if self.request.mode != "full":
                raise unreadable_bookmark() from None
            known = since
        self.begins = min(known, since)
        if not self._fits(resume):
            resume = {}
        changed = self.request.mode == "changed"
        begun = datetime.fromisoformat(resume["begun"]) if resume else self.api.here()
        spec = self.settings.changed_since()
        self.tide = Tide(spec, BEIJING, begun, before if changed else None)
        if resume.get("greatest"):
            self.tide.greatest = self.tide.plausible = datetime.fromisoformat(resume["greatest"])
        self.resumed = self.settled = bool(resume)
        self.count = int(resume.get("count", 0))
        return resume

    def _fits(self, resume: Mapping[str, Any]) -> bool:
        page = resume.get("page")
        return (
            {"begun", "window", "count"} <= resume.keys()
            and resume.get("mode") == self.request.mode != "sweep"
            and type(page) is int
            and page >= 0
        )

    def _first(self) -> datetime:
        if self.request.limit is not None:  # a preview: of what is new
            return max(self.begins, self.tide.begun - PREVIEW)
        return self.tide.since or self.begins

    def _high(self, low: datetime, *, proves: bool) -> datetime:
        """Return the end of the window that begins at `low`; `low` where none is left."""
        past = self.tide.begun - self.settings.lookback
        if low < past:
            return min(low + SPAN - OVERLAP, past)
        if not proves:
            return max(self.tide.ceiling, low)
        late = self.api.here() - self.settings.lookback - AHEAD
        return min(low + SPAN - OVERLAP, late) if late - low > LATE else low

    def _settles(self) -> bool:
        """Take the server's time for that of the read where ours is ahead of it; once."""
        if self.settled:
            return False
        self.settled = True
        here = self.api.here()
        if self.tide.begun - here <= DRIFT:
            return False
        self.tide.begun = here
        return True

    # --- walking -------------------------------------------------------------------------------
    def _down(
        self, low: datetime, high: datetime, head: Turn | None, number: int
    ) -> Iterator[Turn]:
        """Yield a window's pages from the last to the first, or from page `number` on."""
        turn = head
        if head is not None:
            if not more(head):
                yield head
                return
            number = max(whole(head, COUNT) or 0, 2)
            turn = self._ask(low, high, number)
            while more(turn):  # there are more than it counted
                number += 1
                turn = self._ask(low, high, number)
        while number > 0:
            yield turn or self._ask(low, high, number)
            turn, number = None, number - 1

    def _closing(self, low: datetime) -> Iterator[Turn]:
        """Yield the pages of what changed since `low`, until they prove the scan complete."""
        before: list[object] | None = None
        for _ in range(CLOSINGS):
            high, came = self.api.here() + AHEAD, list[object]()
            head = self._ask(low, high, 1)
            for turn in self._down(low, high, head, 0):
                came += zip(turn.keys, turn.stamps, strict=True)
                yield turn
            if came == before or not more(head):
                self.complete = True
                return
            before = came

    def _ask(self, low: datetime, high: datetime, number: int) -> Turn:
        biz = {
            "modified_begin": format_stamp(low - OVERLAP, FORMAT, BEIJING),
            "modified_end": format_stamp(high, FORMAT, BEIJING),
        }
        turn = self.api.page(self.source, biz, number=number)
        keys, said = list(turn.keys), whole(turn, NUMBER)
        if keys and self.last[1] == keys and number != self.last[0] and said != number:
            raise PaginationLoop(
                f"Page {number} is page {self.last[0]} once more.", "ask the vendor.",
                place=turn.place,
            )  # fmt: skip
        self.last = number, keys
        return turn

    # --- pages ---------------------------------------------------------------------------------
    def _page(self, turn: Turn, after: tuple[datetime, int]) -> Page:
        """Return a page; `after` is the window, and the page in it, that a read goes on with."""
        self.tide.see(turn.stamps)
        limit, is_sweep = self.request.limit, self.request.mode == "sweep"
        mark: Mapping[str, Any] = self.request.bookmark or {}
        records, keys = list(turn.records), list(turn.keys)
        if limit is not None:
            records, keys = records[: limit - self.count], keys[: limit - self.count]
        elif not is_sweep:
            mark = self._mark(*after)
        self.count += len(keys)
        return Page(
            [] if is_sweep else records, keys, mark, kind="keys" if is_sweep else "records",
            resumed=self.resumed,
        )  # fmt: skip

    def _mark(self, low: datetime, number: int) -> dict[str, Any]:
        resume = {
            "mode": self.request.mode, "begun": self.tide.begun.isoformat(),
            "window": low.isoformat(), "page": number, "count": self.count,
        }  # fmt: skip
        if self.tide.greatest is not None:
            resume["greatest"] = self.tide.greatest.isoformat()
        before, _ = read_bookmark(self.request.bookmark, "full")
        return {**write_bookmark(before, resume), "from": self.begins.isoformat()}

    def _end(self, *, complete: bool, notes: tuple[str, ...]) -> Page:
        if self.request.mode == "sweep":
            return Page(
                [], [], self.request.bookmark or {}, kind="keys", complete=complete, warnings=notes
            )
        quiet = self.tide.ceiling - QUIET
        stamp = max(self.tide.stamp() or quiet, quiet)
        mark = {**write_bookmark(stamp), "from": self.begins.isoformat()}
        page = Page([], [], mark, complete=complete, resumed=self.resumed)
        return replace(page, warnings=(*notes, *self._warnings()))

    def _warnings(self) -> list[str]:
        """Return what the stamps tell; that none is newer than the bookmark is no news here."""
        return replace(self.tide, before=None).warnings()

    def _is_enough(self) -> bool:
        return self.request.limit is not None and self.count >= self.request.limit
