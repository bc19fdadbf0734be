"""One read of one stream: what changed, what is looked at again, everything, or the keys alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.base import ChangedSince, Context, Page, ReadRequest
from connectors.changes import Tide, read_bookmark, write_bookmark, zone_of
from connectors.shopify import bulk, queries
from connectors.shopify.api import OLD_ORDERS, Api
from connectors.shopify.catalogue import Source
from connectors.shopify.walk import Part, Walk, keys_of

_UTC = zone_of("UTC")


@dataclass(frozen=True, slots=True)
class Way:
    """One way that a read goes: a source, from a stamp on (None: all of it)."""

    source: Source
    since: datetime | None


@dataclass(slots=True)
class Reading:
    """The state of one read; `pages` does it.

    The bookmark is `{"stamp"}`, with `{"resume"}` while a read is under way; `{"looked"}` is when
    what may change without a stamp was read again.
    """

    api: Api
    source: Source
    context: Context
    request: ReadRequest
    spec: ChangedSince
    begun: datetime = field(init=False)
    before: datetime | None = None
    looked: datetime | None = None
    resumed: bool = False
    taken: int = 0
    notes: list[str] = field(default_factory=list)

    def pages(self) -> Iterator[Page]:
        """Yield the pages; the last has the new bookmark and says whether the scan is complete."""
        scopes = self.api.scopes()
        is_seen = not self.source.of_orders or OLD_ORDERS in scopes
        if self.request.mode == "sweep":
            yield from self._sweep(is_seen)
            return
        mark = self.request.bookmark or {}
        self.before, resume = read_bookmark(mark, self.request.mode)
        resume = resume if self._fits(resume) else {}
        self.resumed = bool(resume)
        here = self.api.date or self.context.now()
        self.begun = (
            datetime.fromisoformat(resume["begun"]) if resume else min(self.context.now(), here)
        )
        self.looked = _instant(mark.get("looked"))
        changed = self.request.mode == "changed" and self.source.stamped
        tide = Tide(self.spec, _UTC, self.begun, self.before if changed else None)
        if resume.get("greatest"):
            tide.greatest = tide.plausible = datetime.fromisoformat(resume["greatest"])
        ways = self._ways(tide)
        first, after = int(resume.get("way", 0)), str(resume.get("after", ""))
        if self.request.limit is not None:
            yield from self._few(ways[0])
            return
        for number, way in enumerate(ways[first:], first):
            yield from self._way(number, way, after, resume, tide)
            after, resume = "", {}
        whole = tide.since is None
        if whole and not is_seen:
            self._short_sighted()
        self.notes += tide.warnings() if self.source.stamped else []
        yield self._page(Part([], [], []), self._end(tide), complete=whole and is_seen)

    # --- ways ----------------------------------------------------------------------------------
    def _ways(self, tide: Tide) -> list[Way]:
        """Return how this read goes: by the stamp, and once in a while beside it."""
        source, beside = self.source, self.source.beside
        if tide.since is None:
            return [Way(source, None)]
        ways = [Way(source, tide.since)]
        if self._is_due():
            if source.rest is not None:
                ways = [Way(source, min(tide.since, self.begun - source.rest))]
            if beside is not None:
                ways.append(Way(beside, (self.looked or tide.since) - self.spec.lookback))
        return ways

    def _is_due(self) -> bool:
        if self.source.rest is None and self.source.beside is None:
            return False
        if self.looked is None:
            return True
        past = self.begun - self.looked
        return past >= self.api.settings.reread or past < timedelta(0)  # by a clock ahead

    def _way(
        self, number: int, way: Way, after: str, resume: Mapping[str, Any], tide: Tide
    ) -> Iterator[Page]:
        if resume.get("bulk") or (not resume and self._is_long(way)):
            yield from self._in_bulk(way, resume, tide)
            return
        walk = Walk(self.api, way.source, way.since, after)
        for part in walk.pages():
            if way.source is self.source:
                tide.see(part.stamps)
            yield self._page(part, self._going(tide, way=number, after=walk.after))

    def _few(self, way: Way) -> Iterator[Page]:
        limit, mark = self.request.limit or 0, self.request.bookmark or {}
        taken = 0
        for part in Walk(self.api, way.source, way.since, size=min(limit, way.source.size)).pages():
            left = limit - taken
            yield self._page(Part(part.records[:left], part.keys[:left], []), mark)
            taken += len(part.keys)
            if taken >= limit:
                return

    # --- in bulk -------------------------------------------------------------------------------
    def _is_long(self, way: Way) -> bool:
        settings = self.api.settings
        if not (settings.bulk and way.source.counted) or way.since is not None:
            return False
        at = (way.source.counted, "count")
        body = self.api.want(queries.counted(way.source), {"limit": settings.bulk_above + 1}, at)
        said = body.text(("data", *at)) or ""
        return said.isdigit() and int(said) > settings.bulk_above

    def _in_bulk(self, way: Way, resume: Mapping[str, Any], tide: Tide) -> Iterator[Page]:
        key, line = str(resume.get("bulk", "")), int(resume.get("line", 0))
        found = bulk.state(self.api, key) if key else None
        if key and (found is None or found.status in ("FAILED", "CANCELED", "EXPIRED")):
            self.notes.append("The bulk operation that was waited for is gone: another is started.")
            key, line, self.resumed = "", 0, False
            tide.greatest = tide.plausible = None
        if not key:
            key = bulk.start(self.api, way.source, self.context)
            yield self._page(Part([], [], []), self._going(tide, bulk=key, line=0))
        done = bulk.wait(self.api, key, self.context)
        for last, part in bulk.parts(self.api, way.source, done, line):
            tide.see(part.stamps)
            yield self._page(part, self._going(tide, bulk=key, line=last))

    # --- keys ----------------------------------------------------------------------------------
    def _sweep(self, is_seen: bool) -> Iterator[Page]:
        mark = self.request.bookmark or {}
        for part in keys_of(self.api, self.source).pages():
            yield Page([], part.keys, mark, kind="keys")
        if not is_seen:
            self._short_sighted()
        yield Page([], [], mark, kind="keys", complete=is_seen, warnings=tuple(self.notes))

    def _short_sighted(self) -> None:
        self.notes.append(
            f"The app lacks {OLD_ORDERS}: it sees the orders of 60 days. What is older may be "
            "there, so nothing is taken for deleted."
        )

    # --- bookmarks -----------------------------------------------------------------------------
    def _fits(self, resume: Mapping[str, Any]) -> bool:
        """Say whether to go on: what connectors share was looked at by `read_bookmark`."""
        way, after = resume.get("way", 0), resume.get("after", "")
        line, key = resume.get("line", 0), resume.get("bulk", "")
        return (
            "begun" in resume
            and resume.get("mode") == self.request.mode
            and all(type(one) is int and one >= 0 for one in (way, line))
            and way <= (1 if self.source.beside and self.request.mode == "changed" else 0)
            and isinstance(after, str)
            and (not self.source.ordered or not after or (after.isascii() and after.isdigit()))
            and isinstance(key, str)
            and bool(key or after)
            and (self.api.settings.bulk or not key)  # what errors of a bulk operation advise
        )

    def _going(self, tide: Tide, **place: Any) -> dict[str, Any]:
        resume = {"mode": self.request.mode, "begun": self.begun.isoformat(), **place}
        if tide.greatest is not None:
            resume["greatest"] = tide.greatest.isoformat()
        made = write_bookmark(self.before, resume)
        return made | ({"looked": self.looked.isoformat()} if self.looked else {})

    def _end(self, tide: Tide) -> dict[str, Any]:
        made = write_bookmark(tide.stamp() if self.source.stamped else None)
        looked = self.looked
        if tide.since is None or self._is_due():
            looked = self.begun
        has_looks = self.source.rest is not None or self.source.beside is not None
        return made | ({"looked": looked.isoformat()} if has_looks and looked else {})

    def _page(self, part: Part, mark: Mapping[str, Any], *, complete: bool = False) -> Page:
        notes, self.notes = tuple(self.notes), []
        return Page(
            part.records, part.keys, mark, complete=complete, warnings=notes, resumed=self.resumed
        )


def _instant(text: Any) -> datetime | None:
    """Return a moment of a bookmark; None where there is none, or it is not ours."""
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None
