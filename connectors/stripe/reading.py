"""One read of one stream: which strategy, what its bookmark says, and when it may move.

Lists are newest first and objects have no stamp of their change. So a bookmark is a moment: all
that happened before it, less the lookback, was seen. It moves only where a walk came to its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import Page, ReadRequest
from connectors.changes import read_bookmark, write_bookmark
from connectors.stripe.ledger import Ledger
from connectors.stripe.lists import Denied, Lists, Part, place_of
from connectors.stripe.settings import StripeSettings
from connectors.stripe.settled import with_entries
from connectors.stripe.streams import EVENTS, MAX_TYPES, Listed
from connectors.stripe.told import Told

KEPT = timedelta(days=29)
"""How far back events are relied on: Stripe keeps them 30 days."""


@dataclass(slots=True)
class Reading:
    """The state of one read; `pages` does it. `begun` is the moment up to which it will be whole.

    It is ours or Stripe's, whichever is earlier: a clock that is ahead must not move the bookmark
    over what is yet to happen.
    """

    lists: Lists
    listed: Listed
    settings: StripeSettings
    request: ReadRequest
    begun: datetime
    notes: list[str] = field(default_factory=list)
    taken: int = 0
    resumed: bool = False

    def pages(self) -> Iterator[Page]:
        """Yield the pages, at most `request.limit` records of them."""
        limit = self.request.limit
        for page in map(self._settled, self._pages()):
            if limit is not None and self.taken + len(page.keys) >= limit:
                left = limit - self.taken
                kept = self.request.bookmark or {}
                yield Page(page.records[:left], page.keys[:left], kept, warnings=page.warnings)
                return
            self.taken += len(page.keys)
            yield page

    def _settled(self, page: Page) -> Page:
        """Give payouts the entries that they settle, as far as the key may read the ledger."""
        if not self.listed.settled or page.kind != "records" or not self.settings.fees:
            return page
        try:
            return replace(
                page,
                records=with_entries(self.lists, self.listed, [bytes(one) for one in page.records]),
            )
        except Denied as denied:
            said = f"The key may not read balance transactions ({denied}): payouts have no entries."
            return replace(page, warnings=(*page.warnings, said))

    def _pages(self) -> Iterator[Page]:
        before, resume = read_bookmark(self.request.bookmark, self.request.mode)
        if self.request.mode == "sweep":
            return self._sweep()
        if self.request.mode == "full" or before is None or self._reads_all():
            return self._whole(before, resume)
        if self.listed.settles or self.listed.kept:
            return self._since(before, before - self.settings.lookback)
        if self.settings.changes == "windows":
            return self._since(before, before - self.settings.reread)
        return self._told(before)

    def _reads_all(self) -> bool:
        return self.settings.changes == "full" and not self.listed.kept

    # --- the whole list ----------------------------------------------------------------------
    def _whole(self, before: datetime | None, resume: Mapping[str, Any]) -> Iterator[Page]:
        """Walk the list to its end; a walk that was interrupted goes on where it stopped."""
        place = place_of(resume) if resume.get("mode") == self.request.mode else None
        if place:
            self.resumed = True
            self.begun = datetime.fromisoformat(resume["begun"])
        elif before is None and resume.get("begun"):
            # What another read landed before it was killed stands; deletions since are owed.
            self.begun = min(self.begun, datetime.fromisoformat(resume["begun"]))
        ledger = Ledger(self.listed.settles, self.begun)
        if place:
            ledger.go_on(resume)
        kept = {**(self.request.bookmark or {}), **write_bookmark(before)}
        for number, part in enumerate(self.lists.walk(self.listed, {}, place)):
            self._see_clock(part, number)
            ledger.see(part.records)
            if part.place is None:
                mark = {**write_bookmark(self.begun), **ledger.mark()}
                yield self._page(part, mark, complete=not self.listed.kept)
            else:
                mark = {"mode": self.request.mode, "begun": self.begun.isoformat(),
                        "place": part.place, **ledger.mark()}  # fmt: skip
                yield self._page(part, {**kept, "resume": mark})

    def _sweep(self) -> Iterator[Page]:
        """List the keys alone."""
        for part in self.lists.walk(self.listed, {}):
            yield Page(
                [], part.keys, self.request.bookmark or {}, kind="keys",
                complete=part.place is None and not self.listed.kept,
            )  # fmt: skip

    # --- by the time of making ---------------------------------------------------------------
    def _since(self, before: datetime, low: datetime) -> Iterator[Page]:
        """Read again what was made since `low`, or since the oldest entry that is due to settle."""
        ledger = Ledger(self.listed.settles, self.begun, self.request.bookmark)
        low = ledger.reach(low)
        if self.listed.kept and self.begun - low > KEPT:
            self.notes.append(
                f"Stripe keeps events for 30 days; those from {before.isoformat()} on that are "
                "older are gone."
            )
        for number, part in enumerate(self.lists.walk(self.listed, _bounds(low))):
            self._see_clock(part, number)
            ledger.see(part.records)
            if part.place is None:
                moved = {**write_bookmark(max(before, self.begun)), **ledger.mark()}
                yield self._page(part, moved)
            else:
                yield self._page(part, self._still())

    # --- by events ---------------------------------------------------------------------------
    def _told(self, before: datetime) -> Iterator[Page]:
        """Act on the events since the bookmark, stretch by stretch, the oldest first."""
        low = before - self.settings.lookback
        if self.begun - low > KEPT:
            self.notes.append(
                f"The last read was at {before.isoformat()}, longer ago than Stripe keeps events: "
                "the whole list is read again."
                + (" Deletions of that time are found by a sweep." if self.listed.deletable else "")
            )
            yield from self._whole(
                before, read_bookmark(self.request.bookmark, self.request.mode)[1]
            )
            return
        mark: dict[str, Any] = {name: value for name, value in self._still().items()
                                if name != "resume"}  # fmt: skip
        while True:
            edge = low + self.settings.window
            high = edge if edge < self.begun - self.settings.window else None
            try:
                told, ceiling = self._events(low, high, mark)
            except Denied as denied:
                self.notes.append(
                    f"The key may not read events ({denied}): objects of the last "
                    f"{self.settings.reread.days} days are read again in their place; older ones "
                    "that change are found by a full sync."
                )
                yield from self._since(before, before - self.settings.reread)
                return
            yield from self._objects(told, low, high, mark)
            reached = ceiling if high is None else high
            mark = {
                **write_bookmark(max(before, reached)),
                "done": told.acted_on(reached - self.settings.lookback),
            }
            yield self._page(Part([], [], None, None), mark)
            if high is None:
                return
            low = high

    def _events(
        self, low: datetime, high: datetime | None, mark: Mapping[str, Any]
    ) -> tuple[Told, datetime]:
        """List the events of a stretch; the moment up to which they are whole comes with them."""
        done = mark.get("done")  # left out where it is not ours: some objects are asked for twice
        known = filter(lambda one: isinstance(one, str), done if isinstance(done, list) else ())
        told = Told(self.listed, frozenset(known))
        types = enumerate(self.listed.events[:MAX_TYPES])
        bounds = _bounds(low, high) | {f"types[{n}]": name for n, name in types}
        for number, part in enumerate(self.lists.walk(EVENTS, bounds, ask_leave=True)):
            self._see_clock(part, number)
            told.see(part.records)
        return told, self.begun

    def _objects(
        self, told: Told, low: datetime, high: datetime | None, mark: Mapping[str, Any]
    ) -> Iterator[Page]:
        """Read what was made in a stretch, then, one by one, what else its events name.

        After the events, so that each object is as its last event left it or newer.
        """
        got: set[str | None] = set()
        for part in self.lists.walk(self.listed, _bounds(low, high)):
            got.update(part.keys)
            yield self._page(part, mark)
        left = [key for key in told.objects if key not in got]
        for start in range(0, len(left), 100):
            records, keys, gone = [], [], []
            for key in left[start : start + 100]:
                record = self.lists.fetch(self.listed, key)
                if record is None:
                    gone.append(key)
                else:
                    records.append(record)
                    keys.append(key)
            yield self._page(Part(records, list(keys), None, None), mark)
            if gone and self.listed.deletable:
                yield Page([], gone, mark, kind="deletions")
            elif gone:
                self.notes.append(
                    f"{len(gone)} objects that events name cannot be read, the first is {gone[0]}."
                )

    # --- what is kept ------------------------------------------------------------------------
    def _still(self) -> Mapping[str, Any]:
        """Return the bookmark as it was: the walk is not at its end."""
        return self.request.bookmark or {}

    def _see_clock(self, part: Part, number: int) -> None:
        if number == 0 and part.date is not None and not self.resumed:
            self.begun = min(self.begun, part.date.astimezone(UTC))

    def _page(self, part: Part, mark: Mapping[str, Any], *, complete: bool = False) -> Page:
        notes, self.notes = tuple(self.notes), []
        if part.repaired:
            notes += (
                f"{part.repaired} broken characters (half of a pair) were replaced by U+FFFD.",
            )
        return Page(
            part.records, part.keys, mark, complete=complete, warnings=notes, resumed=self.resumed
        )


def _bounds(low: datetime, high: datetime | None = None) -> dict[str, str]:
    """Return the filters on the second in which objects were made: from `low` to before `high`."""
    bounds = {"created[gte]": str(int(low.timestamp()))}
    if high is not None:
        bounds["created[lt]"] = str(int(high.timestamp()))
    return bounds
