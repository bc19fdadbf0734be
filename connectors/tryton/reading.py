"""One read of one stream: pages in the order of ids, bookmarks, and the proof of completeness."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.base import Bookmark, ChangedSince, Page, ReadRequest
from connectors.changes import Tide, read_bookmark, write_bookmark
from connectors.tryton.api import Api
from connectors.tryton.catalogue import Source
from connectors.tryton.wire import changed, last_of, latest

SWEEP = 5000
"""Ids of one page of a sweep."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A source as this server has it: what it lacks is left out and stands in `missing`."""

    source: Source
    fields: tuple[str, ...]
    moved: tuple[str, ...]
    missing: tuple[str, ...]


def fit(api: Api, source: Source) -> Fitted:
    """Ask the server which of a source's fields it has: one unknown name fails a whole call.

    The fields of related records are asked for only where they are lists (lines, moves): modules
    add to those. What a single related record is asked for, a name or a code, is always there.
    """
    kept, missing = _kept(api, source.model, source.asked)
    moved = tuple(
        path for path in source.moved if any(name.startswith(f"{path}.") for name in kept)
    )
    return Fitted(source, tuple(kept), moved, tuple(missing))


def _kept(api: Api, model: str, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    below: dict[str, list[str]] = {}
    for path in paths:
        first, _, rest = path.partition(".")
        below.setdefault(first, []).extend([rest] if rest else [])
    known = api.fields(model, list(below))
    kept: list[str] = []
    missing: list[str] = []
    for first, names in below.items():
        if first not in known:
            missing.append(first)
            continue
        if not names:
            kept.append(first)
            continue
        found, lacking = names, list[str]()
        if known[first].get("type") in ("one2many", "many2many"):
            found, lacking = _kept(api, known[first]["relation"], names)
        kept += [f"{first}.{name}" for name in found]
        missing += [f"{first}.{name}" for name in lacking]
    return kept, missing


def owned(record: dict[str, Any], company: dict[str, Any]) -> dict[str, Any]:
    """Put the company into a record; of its currency's rates that of the record's day."""
    currency = company["currency"]
    if "rates" not in currency:
        return {**record, "company": company}
    until = [one for one in currency["rates"] if one["date"] <= record["date"]]
    rate = max(until, key=lambda one: one["date"])["rate"] if until else None
    kept = {name: value for name, value in currency.items() if name != "rates"}
    return {**record, "company": {**company, "currency": {**kept, "rate": rate}}}


@dataclass(slots=True)
class Reading:
    """The state of one read; `pages` does it.

    Pages go by id (`id > last`), so that a record that comes or goes meanwhile moves no other over
    a page's edge. A read ends at an empty page, not at a short one.
    """

    api: Api
    source: Source
    request: ReadRequest
    spec: ChangedSince
    rows: int
    now: datetime
    after: int = 0
    count: int = 0
    begun: datetime = field(init=False)
    resumed: bool = False
    company: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def pages(self) -> Iterator[Page]:
        """Yield the pages; the last has the new bookmark and says whether the scan is complete."""
        if self.source.by_company:
            self.company = self.api.keep_to_company(self.request)
        if self.request.mode == "sweep":
            yield from self._sweep()
            return
        before, resume = read_bookmark(self.request.bookmark, self.request.mode)
        resume = resume if self._fits(resume) else {}
        self.resumed = bool(resume)
        self.after, self.count = int(resume.get("after", 0)), int(resume.get("count", 0))
        self.api.context()  # the first answer tells the server's clock
        here = self.api.date or self.now
        self.begun = datetime.fromisoformat(resume["begun"]) if resume else min(self.now, here)
        is_changed = self.request.mode == "changed"
        tide = Tide(self.spec, UTC, self.begun, before if is_changed else None)
        if resume.get("greatest"):
            tide.greatest = tide.plausible = datetime.fromisoformat(resume["greatest"])
        fitted = fit(self.api, self.source)
        if fitted.missing and tide.since is None:
            said = ", ".join(fitted.missing[:12])
            self.notes.append(f"Fields that this server does not have are left out: {said}.")
        domain = self.api.scope(self.source)
        if tide.since is not None:
            domain.append(changed(fitted.moved, tide.since))
        yield from self._records(fitted, domain, tide, before)

    def _records(
        self, fitted: Fitted, domain: list[Any], tide: Tide, before: datetime | None
    ) -> Iterator[Page]:
        limit = self.request.limit
        size = self.rows if limit is None else min(self.rows, limit)
        company = self._owner()
        while True:
            scope = [*domain, ["id", ">", self.after]]
            records = self.api.read(fitted.source.model, scope, fitted.fields, size)
            if not records:
                break
            self._advance([record.get("id") for record in records])
            if company is not None:
                records = [owned(record, company) for record in records]
            tide.see(latest(record, fitted.moved) for record in records)
            if limit is not None:
                yield self._page(records, self.request.bookmark or {})
                return
            kept = {n: v for n, v in (self.request.bookmark or {}).items() if n == "company"}
            mark = write_bookmark(before, self._mark(tide))
            yield self._page(records, {**mark, **self.company, **kept})
        if limit is None:
            yield self._end(domain, tide, before)

    def _end(self, domain: list[Any], tide: Tide, before: datetime | None) -> Page:
        self.notes += tide.warnings()
        total, complete = None, False
        if tide.since is None:
            total = self.api.count(self.source.model, domain)
            complete = self._is_whole(total)
            fell = self.request.mode == "full" and before and (tide.greatest or before) < before
            if fell:
                self.notes.append(
                    f"The greatest stamp fell from {before} to {tide.greatest}: the source was "
                    "restored; the bookmark follows it."
                )
        bookmark = write_bookmark(tide.stamp()) | self.company
        return self._page([], bookmark, complete=complete, total=total)

    def _sweep(self) -> Iterator[Page]:
        model, domain = self.source.model, self.api.scope(self.source)
        bookmark = self.request.bookmark or {}
        while found := self.api.ids(model, [*domain, ["id", ">", self.after]], SWEEP):
            self._advance(found)
            yield Page([], [str(one) for one in found], bookmark, kind="keys")
        total = self.api.count(model, domain)
        complete = self._is_whole(total)
        yield Page(
            [], [], bookmark, kind="keys", complete=complete, total=total,
            warnings=tuple(self.notes),
        )  # fmt: skip

    # --- parts -------------------------------------------------------------------------------
    def _owner(self) -> dict[str, Any] | None:
        asked = self.source.with_company
        return self.api.company(asked) if asked else None

    def _fits(self, resume: Mapping[str, Any]) -> bool:
        if resume.get("mode") != self.request.mode or any(
            resume.get(name) != value for name, value in self.company.items()
        ):
            return False
        try:
            int(resume["after"])
            int(resume["count"])
            return datetime.fromisoformat(resume["begun"]).tzinfo is not None
        except (KeyError, TypeError, ValueError):
            return False

    def _mark(self, tide: Tide) -> dict[str, Any]:
        mark: dict[str, Any] = {
            "mode": self.request.mode, "begun": self.begun.isoformat(), "after": self.after,
            "count": self.count, **self.company,
        }  # fmt: skip
        if tide.greatest is not None:
            mark["greatest"] = tide.greatest.isoformat()
        return mark

    def _advance(self, ids: list[Any]) -> None:
        """Go on behind these ids, see `last_of`."""
        self.after = last_of(ids, self.after, self.source.model)
        self.count += len(ids)

    def _is_whole(self, total: int) -> bool:
        if self.count >= total:
            return True
        self.notes.append(
            f"The read is not proved complete: {self.count} records came, the server counts "
            f"{total}; nothing is deleted."
        )
        return False

    def _page(
        self,
        records: list[dict[str, Any]],
        bookmark: Bookmark,
        *,
        complete: bool = False,
        total: int | None = None,
    ) -> Page:
        notes, self.notes = tuple(self.notes), []
        return Page(
            [msgspec.json.encode(record) for record in records],
            [str(record["id"]) for record in records],
            bookmark,
            complete=complete,
            total=total,
            warnings=notes,
            resumed=self.resumed,
        )
