"""One read of one stream: windows, pages, bookmarks, and the proof of completeness."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from connectors.base import Bookmark, Page, ReadRequest
from connectors.body import Path, parse_path
from connectors.changes import Tide, Window, past, read_bookmark, up_to, write_bookmark
from connectors.errors import ConfigError, ContractBroken, QuotaUsed
from connectors.paging import Paging, Step, Turn, walk
from connectors.rest.asking import Asker, total_of
from connectors.rest.styles import make_changes, make_paging

MAX_HELD = 2
"""Reads in a row that leave the bookmark where it was because the list changed under them."""


@dataclass(slots=True)
class Count:
    """What the source says it has against what came.

    `before` counts what came in an earlier part of the same scan. `watch` is where the source
    writes its total whether or not that can be compared with what came (`path`).
    """

    path: Path | None
    watch: Path | None = None
    windows: int = 1
    before: int = 0
    received: int = 0
    first: int | None = None
    last: int | None = None
    moved: bool = False
    odd: str = ""
    listed: bool = True
    fell: bool = False
    grew: bool = False
    grouped: bool = False
    said: int | None = None
    _hashes: array[int] = field(default_factory=lambda: array("q"))

    def see(self, turn: Turn) -> None:
        """Take note of one page."""
        begin = self.received
        self.received += len(turn.records)
        self.odd = self.odd or turn.odd
        self.listed = self.listed and turn.listed
        self._watch(turn)
        if self.path is not None:
            total = total_of(turn, self.path)
            if total is not None:
                self.first = total if self.first is None else self.first
                self.moved = self.moved or total != self.first
                self.last = total
        self._hashes.extend(hash(key) for key in turn.keys if key is not None)
        self._hashes.extend(-1 - n for n, key in enumerate(turn.keys, begin) if key is None)

    def _watch(self, turn: Turn) -> None:
        keys = [key for key in turn.keys if key is not None]
        self.grouped = self.grouped or len(set(keys)) < len(keys)
        text = turn.body.text(self.watch) if self.watch and turn.body else None
        if text is None or not text.isdigit() or len(text) > 15:
            return
        if turn.number > 1 and self.said is not None:
            self.fell = self.fell or int(text) < self.said
            self.grew = self.grew or int(text) > self.said
        self.said = int(text)

    @property
    def passed_over(self) -> bool:
        """Say whether the list shrank or was re-ordered under a read by page number or offset.

        Then records moved to pages that were read already. Rows of one document share a key, and
        windows overlap: there, keys that come twice say nothing.
        """
        if self.fell:
            return True
        if self.grouped or self.windows > 1:
            return False
        if self.first is not None and self.distinct < self.first:
            return True
        return not self.grew and self.distinct < self.received

    @property
    def distinct(self) -> int:
        """Return how many different keys came; a record without key counts as one."""
        return int(np.unique(np.frombuffer(self._hashes, dtype=np.int64)).size)

    @property
    def short(self) -> bool:
        """Say whether fewer records came than the source had all the time."""
        if self.first is None or self.last is None:
            return False
        return self.before + self.received < min(self.first, self.last)

    def doubt(self, paging: Paging) -> str:
        """Return why the scan is not proved complete; "" when it is."""
        if self.odd:
            return self.odd
        came = self.before + self.received
        if not self.listed and (self.path is None or not came):
            return "null or {} stood where the list should be, as in the body of an error"
        if self.path is not None and self.first is None:
            return "the answers have no number where total: points"
        if not came and self.path is None:
            return "the list is empty, and there is no total: that says 0"
        if paging.shifts:
            if self.path is None:
                return "pages by number or offset prove nothing without total:"
            if self.moved:
                return "the source changed while it was read"
        came = self.before + self.distinct
        if self.last is not None and came != self.last:
            return f"{came} keys came, the source says {self.last}"
        return ""


@dataclass(slots=True)
class Reading:
    """The state of one read; `pages` does it."""

    asker: Asker
    request: ReadRequest
    begun: datetime
    notes: list[str]
    resumed: bool = False

    def pages(self) -> Iterator[Page]:
        """Yield the pages; the last has the new bookmark and says whether the scan is complete."""
        before, resume = read_bookmark(self.request.bookmark, self.request.mode)
        paging = make_paging(self.asker.spec)
        resume = resume if self._fits(resume, paging, before) else {}
        self.resumed = bool(resume)
        if resume:
            self.begun = datetime.fromisoformat(resume["begun"])
        tide = self._tide(before, resume)
        start = datetime.fromisoformat(resume["window"]) if resume.get("window") else None
        windows = self._windows(tide, start)
        total = parse_path(self.asker.spec.total) if self.asker.spec.total else None
        count = Count(self._total_path(tide), total, len(windows), int(resume.get("count", 0)))
        taken = 0
        for number, window in enumerate(windows):
            state = resume.get("state") if number == 0 else None
            at = Step(state=state)  # where the page begins that is read
            inside = resume.get("inside") if number == 0 else None
            for turn, step in self._walk(paging, window, state, count):
                if turn.number == 1 and not self.resumed:  # it may have begun again
                    at, inside = Step(), None
                if tide is not None:
                    tide.see(turn.stamps)
                count.see(turn)
                left = None if self.request.limit is None else self.request.limit - taken
                if left is not None and len(turn.records) >= left:
                    turn, _ = self._detailed(_first(turn, left), count)
                    yield self._page(turn, self.request.bookmark or {}, left)
                    return
                taken += len(turn.records)
                mine = len(turn.records)
                whole = turn.number > 1 and self._state(paging, at) is None
                turn, used = self._detailed(_behind(turn, inside), count, whole=whole)
                if used is not None:
                    last = next((key for key in reversed(turn.keys) if key is not None), None)
                    if last is not None:
                        mark = self._resume(paging, window, at, tide, count, (last, mine))
                        yield self._page(turn, self._on_the_way(before, mark), None)
                    raise used
                at, inside = step or Step(), None
                if step is None and number == len(windows) - 1:
                    yield self._last_page(turn, before, tide, paging, count, resume)
                else:
                    mark = self._resume(paging, window, step, tide, count)
                    yield self._page(turn, self._on_the_way(before, mark), None)

    def _detailed(
        self, turn: Turn, count: Count, *, whole: bool = True
    ) -> tuple[Turn, QuotaUsed | None]:
        """Return the page with the details of its records, and the quota that ended them."""
        if self.request.mode == "sweep":
            return turn, None
        turn, said, used = self.asker.detailed(turn, whole=whole)
        if said:
            self.notes.append(said)
            count.odd = count.odd or turn.odd
        return turn, used

    # --- where it begins ---------------------------------------------------------------------
    def _fits(self, resume: Mapping[str, Any], paging: Paging, before: datetime | None) -> bool:
        if not resume or resume.get("mode") != self.request.mode:
            return False
        try:
            int(resume.get("count", 0))
            datetime.fromisoformat(resume["begun"])
            if resume.get("window"):
                datetime.fromisoformat(resume["window"])
        except (KeyError, TypeError, ValueError):
            return False
        if not isinstance(resume.get("inside", ""), str):
            return False
        same = resume.get("style") == type(paging).__name__
        return same and (paging.resumable or not resume.get("state"))

    def _tide(self, before: datetime | None, resume: Mapping[str, Any]) -> Tide | None:
        spec = make_changes(self.asker.spec)
        if spec is None or self.request.mode == "sweep":
            return None
        changed = self.request.mode == "changed"
        tide = Tide(spec, self.asker.zone, self.begun, before if changed else None)
        if resume.get("greatest"):
            tide.greatest = tide.plausible = datetime.fromisoformat(resume["greatest"])
        return tide

    def _windows(self, tide: Tide | None, start: datetime | None) -> list[Window]:
        if tide is None:
            return [Window(None, None)]
        changes = self.asker.spec.changes
        first = changes.start if changes is not None and tide.since is None else None
        found = list(tide.windows(start or first)) or [Window(tide.since, tide.ceiling)]
        end = self.request.until
        return found if end is None else [up_to(w, end) for w in found if not past(w, end)]

    def _total_path(self, tide: Tide | None) -> Path | None:
        spec = self.asker.spec
        since = tide is not None and (tide.since is not None or tide.spec.span is not None)
        return parse_path(spec.total) if spec.total and not since else None

    def _walk(
        self, paging: Paging, window: Window, state: str | None, count: Count
    ) -> Iterator[tuple[Turn, Step | None]]:
        def fetch(step: Step, received: int, number: int) -> Turn:
            return self.asker.fetch(window, step, received, number)

        turns = walk(paging, fetch, state)
        try:
            first = next(turns)
        except (ConfigError, ContractBroken) as error:
            if state is None:
                raise
            self.notes.append(
                f"The read could not go on where the last one stopped ({error.what}); "
                "it began again."
            )
            count.before, self.resumed = 0, False
            yield from walk(paging, fetch)
            return
        yield first
        yield from turns

    # --- what is kept ------------------------------------------------------------------------
    def _resume(
        self,
        paging: Paging,
        window: Window,
        step: Step | None,
        tide: Tide | None,
        count: Count,
        part: tuple[str, int] | None = None,
    ) -> dict[str, Any] | None:
        """Return where to go on: at `step`, or inside its page, `part` being key and size."""
        windowed = tide is not None and tide.spec.span is not None
        state = self._state(paging, step)
        if self.request.mode == "sweep" or (state is None and not windowed and part is None):
            return None
        mark: dict[str, Any] = {
            "mode": self.request.mode,
            "style": type(paging).__name__,
            "begun": self.begun.isoformat(),
            "count": count.before + count.received,
        }
        if part is not None:
            mark["inside"], mark["count"] = part[0], mark["count"] - part[1]
        if state is not None:
            mark["state"] = state
        if tide is not None and tide.greatest is not None:
            mark["greatest"] = tide.greatest.isoformat()
        if windowed and window.since is not None and window.until is not None:
            mark["window"] = (window.until if step is None else window.since).isoformat()
        return mark

    def _state(self, paging: Paging, step: Step | None) -> str | None:
        """Return what may be kept of a step; some systems write the token into their next link."""
        state = step.state if step is not None and paging.resumable else None
        return None if state is not None and self.asker.client.discloses(state) else state

    def _on_the_way(self, before: datetime | None, mark: dict[str, Any] | None) -> Bookmark:
        if self.request.mode == "sweep":
            return self.request.bookmark or {}
        return write_bookmark(before, mark)

    def _last_page(
        self,
        turn: Turn,
        before: datetime | None,
        tide: Tide | None,
        paging: Paging,
        count: Count,
        resume: Mapping[str, Any],
    ) -> Page:
        if tide is not None:
            self.notes += tide.warnings()
            if self.request.mode == "full" and before and (tide.greatest or before) < before:
                self.notes.append(
                    f"The greatest {tide.spec.field} fell from {before.isoformat()} to "
                    f"{tide.greatest}: the source was restored; the bookmark follows it."
                )
        doubt = self._doubt(turn, tide, paging, count, resume)
        bookmark = self.request.bookmark or {}
        if self.request.mode != "sweep":
            # Too few came: what is missing would never be asked for again if the stamp moved.
            moved = tide.stamp() if tide is not None and not count.short else before
            bookmark = write_bookmark(moved)
            if tide is not None and paging.shifts and count.passed_over:
                bookmark = self._held(bookmark, before)
        if doubt and doubt != "since":
            self.notes.append(f"The read is not proved complete: {doubt}; nothing is deleted.")
        return self._page(turn, bookmark, None, complete=not doubt, total=count.last)

    def _held(self, moved: Bookmark, before: datetime | None) -> Bookmark:
        """Return the bookmark of a read that may have passed records over: it stays, at most twice.

        A list that changes under every read would be read from the same place for ever.
        """
        held = self.request.bookmark.get("held") if self.request.bookmark else None
        times = held if isinstance(held, int) else 0
        what = "The list changed while it was read page by page: records may have been passed over"
        if times < MAX_HELD:
            self.notes.append(f"{what}; the next run reads the same stretch again.")
            return {**write_bookmark(before), "held": times + 1}
        self.notes.append(
            f"{what}, in the last {times + 1} reads: run a full sync at a quiet time."
        )
        return {**moved, "held": times}

    def _doubt(
        self,
        turn: Turn,
        tide: Tide | None,
        paging: Paging,
        count: Count,
        resume: Mapping[str, Any],
    ) -> str:
        if tide is not None and (tide.since is not None or tide.spec.span is not None):
            return "since"
        if (resume.get("state") or resume.get("inside")) and not paging.stable:
            return "it was interrupted, and its order is not stable"
        return count.doubt(paging)

    def _page(
        self,
        turn: Turn,
        bookmark: Bookmark,
        limit: int | None,
        *,
        complete: bool = False,
        total: int | None = None,
    ) -> Page:
        notes, self.notes = tuple(self.notes), []
        if turn.body is not None and turn.body.repaired:
            notes += (
                f"{turn.body.repaired} broken characters (half of a pair) were replaced by U+FFFD.",
            )
        sweep = self.request.mode == "sweep"
        return Page(
            records=[] if sweep else turn.records[:limit],
            keys=turn.keys[:limit],
            bookmark=bookmark,
            kind="keys" if sweep else "records",
            complete=complete,
            total=total,
            warnings=notes,
            resumed=self.resumed,
        )


def _behind(turn: Turn, key: str | None) -> Turn:
    """Return what stands behind a key on a page; all of it where the key is not there."""
    if key is None or key not in turn.keys:
        return turn
    at = len(turn.keys) - list(reversed(turn.keys)).index(key)
    return replace(turn, records=turn.records[at:], keys=turn.keys[at:], stamps=turn.stamps[at:])


def _first(turn: Turn, limit: int) -> Turn:
    return replace(
        turn, records=turn.records[:limit], keys=turn.keys[:limit], stamps=turn.stamps[:limit]
    )
