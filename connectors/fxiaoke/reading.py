"""One read of one stream: what changed in a window, everything, or the ids alone.

What changed is read in a window of stamps whose end is frozen when the read begins, so that pages
behind ids are a fixed list; what changes meanwhile is the next run's. Lines have stamps of their
own, and nobody says whether a line's change moves its head's: so lines that changed name heads,
which are read again with all their lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from connectors.base import ChangedSince, Page, ReadRequest
from connectors.changes import Tide, format_stamp, read_bookmark, write_bookmark
from connectors.errors import ConfigError
from connectors.fxiaoke.api import Api, Filter, named
from connectors.fxiaoke.catalogue import KEY, STAMP, STREAMS, Source
from connectors.fxiaoke.describe import Fitted
from connectors.fxiaoke.walk import Walk, by_ids, documents
from connectors.records import Cut

_LINES = "lines"
_MISSING = "Some fields are not there and left empty: `isthmus check` names them."
"""The same for all streams, so that a run says it once."""
_AFTER = re.compile("[0-9A-Za-z_-]{0,64}")


@dataclass(slots=True)
class Reading:
    """The state of one read; `pages` does it.

    The bookmark is `{"stamp"}`, with `{"resume"}` while a read is under way: mode and beginning,
    the id that it goes on behind, and whether that is a record's or a changed line's. `{"lines"}`
    is the object whose lines were read.
    """

    api: Api
    source: Source
    request: ReadRequest
    spec: ChangedSince
    zone: tzinfo
    now: datetime
    count: int = 0
    before: datetime | None = None
    resumed: bool = False
    came: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    head: Fitted = field(init=False)
    lines: Fitted | None = None
    tide: Tide = field(init=False)

    def pages(self) -> Iterator[Page]:
        """Yield the pages; the last has the new bookmark and says whether the scan is complete."""
        self.head = self.api.fitted(self.source.head)
        if not self.head.is_there:
            self.notes.append(
                f"The tenant has no {self.source.head.api}: nothing is read; name the stream under "
                "skip:."
            )
            yield self._last(complete=False)
        elif self.request.mode == "sweep":
            yield from self._sweep()
        else:
            self.lines = self._lines()
            yield from self._read()

    def _lines(self) -> Fitted | None:
        if self.source.lines is None:
            return None
        lines = self.api.fitted(self.source.lines, self.source.head.api)
        if not lines.is_there:
            if (self.request.bookmark or {}).get(_LINES) == lines.object.api:
                raise self._vanished(lines.object.api)
            self.notes.append(
                f"The tenant has no {lines.object.api}: {self.source.each} are left out."
            )
            return None
        if not lines.link:
            raise named(lines)
        return lines

    def _vanished(self, api: str) -> ConfigError:
        """Return the error for lines that were read until now: read without, they were deleted."""
        stream = self.request.stream
        without = f"no_lines: [{stream}]" if stream in STREAMS else f"{stream} without lines:"
        return ConfigError(
            f"The tenant lists no {api} any more, whose {self.source.each} were read until now. "
            "Nothing was read, and they stay as they stand.",
            f"give the acting user the right to {api} again, or have it switched on again. Where "
            f"it is really gone, write {without}; then documents are read without, and a full sync "
            f"deletes the {self.source.each} that are stored.",
        )

    # --- records -------------------------------------------------------------------------------
    def _read(self) -> Iterator[Page]:
        self.before, resume = read_bookmark(self.request.bookmark, self.request.mode)
        resume = resume if self._fits(resume) else {}
        self.resumed, self.count = bool(resume), int(resume.get("count", 0))
        stamped = self._is_stamped()
        changed = self.request.mode == "changed" and stamped
        begun = min(self.now, self.api.date or self.now)  # the stamps are by the server's clock
        begun = datetime.fromisoformat(resume["begun"]) if resume else begun
        self.tide = Tide(self.spec, self.zone, begun, self.before if changed else None)
        if resume.get("greatest"):
            self.tide.greatest = self.tide.plausible = datetime.fromisoformat(resume["greatest"])
        self._say_missing()
        if self.request.limit is not None:
            yield from self._preview(self.request.limit)
            return
        window, after = self._window(), resume.get("after", "")
        if resume.get("phase") != "lines":
            walk = Walk(self.api, self.head, window, after, proves=not window)
            for found in walk.pages():
                yield self._page(found, "heads", walk.after)
            after = ""
        if self.lines is not None and window:
            yield from self._by_lines(self.lines, window, after)
        if stamped:
            self.notes += self.tide.warnings()
            self._say_restored()
        yield self._last(complete=not window and self._is_whole())

    def _is_stamped(self) -> bool:
        """Say whether changes can be asked for: those of lines are found by their own stamps."""
        lined = self.lines is None or self.lines.has_stamp
        return self.source.stamp and self.head.has_stamp and lined

    def _window(self) -> list[Filter]:
        """Return the filters on the stamp; none for a read of everything."""
        since = self.tide.since
        if since is None:
            return []
        edges = (("GTE", since), ("LTE", self.tide.begun))
        return [
            Filter(STAMP, operator, [format_stamp(at, "epoch_ms", self.zone)])
            for operator, at in edges
        ]

    def _by_lines(self, lines: Fitted, window: list[Filter], after: str) -> Iterator[Page]:
        """Read the heads again of which a line changed, and that did not come yet."""
        walk = Walk(self.api, lines, window, after, key=lines.link, only=(KEY, STAMP, lines.link))
        for found in walk.pages():
            self.tide.see(found.stamps)
            owners = sorted({key for key in found.keys if key} - self.came)
            if owners:
                yield self._page(by_ids(self.api, self.head, owners), "lines", walk.after)

    def _page(self, found: Cut, phase: str, after: str) -> Page:
        """Return a page of documents; a read that is killed behind it goes on behind `after`."""
        made = documents(self.api, found, self.head, self.lines, self.source.each)
        if self._is_stamped():
            self.tide.see(made.stamps)
        self.count += len(made.keys)
        if self.tide.since is not None and self.lines is not None:
            self.came.update(key for key in made.keys if key)
        notes, self.notes = tuple(self.notes), []
        return Page(
            made.records, made.keys, self._mark(phase, after), warnings=notes,
            resumed=self.resumed,
        )  # fmt: skip

    def _preview(self, limit: int) -> Iterator[Page]:
        walk = Walk(self.api, self.head, size=min(self.api.rows, limit))
        taken = 0
        for found in walk.pages():
            made = documents(self.api, found, self.head, self.lines, self.source.each)
            left = limit - taken
            notes, self.notes = tuple(self.notes), []
            yield Page(
                made.records[:left], made.keys[:left], self.request.bookmark or {}, warnings=notes
            )
            taken += len(made.keys)
            if taken >= limit:
                return

    # --- ids -----------------------------------------------------------------------------------
    def _sweep(self) -> Iterator[Page]:
        mark = self.request.bookmark or {}
        for found in Walk(self.api, self.head, proves=True, only=(KEY,)).pages():
            self.count += len(found.keys)
            yield Page([], found.keys, mark, kind="keys")
        yield self._last(complete=self._is_whole())

    # --- parts -----------------------------------------------------------------------------------
    def _fits(self, resume: Mapping[str, Any]) -> bool:
        """Say whether to go on: what connectors share was looked at by `read_bookmark`."""
        after = resume.get("after")
        return (
            {"count", "begun"} <= resume.keys()
            and resume.get("mode") == self.request.mode
            and resume.get("phase") in ("heads", "lines")
            and isinstance(after, str)
            and _AFTER.fullmatch(after) is not None
        )

    def _mark(self, phase: str, after: str) -> dict[str, Any]:
        made: dict[str, Any] = {
            "mode": self.request.mode, "begun": self.tide.begun.isoformat(), "phase": phase,
            "after": after, "count": self.count,
        }  # fmt: skip
        if self.tide.greatest is not None:
            made["greatest"] = self.tide.greatest.isoformat()
        return self._with_lines(write_bookmark(self.before, made))

    def _last(self, *, complete: bool) -> Page:
        notes, self.notes = tuple(self.notes), []
        if self.request.mode == "sweep" or not self.head.is_there:
            mark: Mapping[str, Any] = self.request.bookmark or {}
        else:
            mark = self._with_lines(write_bookmark(self.tide.stamp()))
        return Page(
            [], [], mark, kind="keys" if self.request.mode == "sweep" else "records",
            complete=complete, warnings=notes, resumed=self.resumed,
        )  # fmt: skip

    def _with_lines(self, mark: dict[str, Any]) -> dict[str, Any]:
        return mark if self.lines is None else {**mark, _LINES: self.lines.object.api}

    def _is_whole(self) -> bool:
        """Say whether a scan may delete: where a right is missing, nothing comes without a word."""
        if self.count > 0:
            return True
        self.notes.append(
            "No record came. It may be that there is none, or that the user may see none, which is "
            "answered alike; so nothing is deleted."
        )
        return False

    def _say_missing(self) -> None:
        if self.tide.since is None and any(
            one is not None and one.missing for one in (self.head, self.lines)
        ):
            self.notes.append(_MISSING)

    def _say_restored(self) -> None:
        greatest = self.tide.greatest or self.before
        if self.request.mode == "full" and self.before and greatest and greatest < self.before:
            self.notes.append(
                f"The greatest stamp fell from {self.before} to {greatest}: the source was "
                "restored; the bookmark follows it."
            )
