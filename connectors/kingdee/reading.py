"""One read of one stream: what changed, what is open, everything, or the keys alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from connectors.base import ChangedSince, Page, ReadRequest
from connectors.body import scalar_text
from connectors.changes import (
    Tide,
    format_stamp,
    read_bookmark,
    unreadable_bookmark,
    write_bookmark,
)
from connectors.errors import ContractBroken
from connectors.kingdee.api import Api, quoted
from connectors.kingdee.fields import Fitted
from connectors.kingdee.rows import Document
from connectors.kingdee.settings import KingdeeSettings
from connectors.kingdee.walk import Walk, by_keys

STAMPS = "%Y-%m-%dT%H:%M:%S"
KEPT = 5000
"""Open documents that a bookmark names."""


@dataclass(slots=True)
class Reading:
    """The state of one read; `pages` does it.

    The bookmark is `{"stamp"}`, with `{"resume"}` while a read is under way. `{"open"}` are keys of
    documents that were open when they were read last, `{"looked"}` when they were read again.
    """

    api: Api
    settings: KingdeeSettings
    request: ReadRequest
    spec: ChangedSince
    zone: tzinfo
    now: datetime
    opened: set[str] = field(default_factory=set)
    came: set[str] = field(default_factory=set)
    count: int = 0
    begun: datetime = field(init=False)
    before: datetime | None = None
    resumed: bool = False
    notes: list[str] = field(default_factory=list)

    def pages(self) -> Iterator[Page]:
        """Yield the pages; the last has the new bookmark and says whether the scan is complete."""
        fitted = self.api.fitted(self.request.stream)
        if self.request.mode == "sweep":
            yield from self._sweep(fitted)
            return
        mark = self.request.bookmark or {}
        self.before, resume = read_bookmark(mark, self.request.mode)
        resume = resume if self._fits(fitted, resume) else {}
        self.resumed, self.count = bool(resume), int(resume.get("count", 0))
        changed = self.request.mode == "changed" and bool(fitted.stamp)
        before = self.before if changed else None
        here = self.api.date or self.now
        self.begun = datetime.fromisoformat(resume["begun"]) if resume else min(self.now, here)
        if before and not resume and not _are_keys(mark.get("open", [])):
            raise unreadable_bookmark()
        self.opened = set(resume.get("open") or (mark.get("open", ()) if before else ()))
        tide = Tide(self.spec, self.zone, self.begun, before)
        if resume.get("greatest"):
            tide.greatest = tide.plausible = datetime.fromisoformat(resume["greatest"])
        if fitted.missing and tide.since is None:
            said = ", ".join(fitted.missing[:12])
            self.notes.append(f"Fields that this account does not have are left out: {said}.")
        where = []
        if tide.since is not None:
            since = format_stamp(tide.since, STAMPS, self.zone)
            where = [f"{fitted.stamp} >= {quoted(since)}"]
        yield from self._walk(fitted, Walk(self.api, fitted, where, resume.get("after", "")), tide)

    def _walk(self, fitted: Fitted, walk: Walk, tide: Tide) -> Iterator[Page]:
        limit, mark, taken = self.request.limit, self.request.bookmark or {}, 0
        if limit is not None and not fitted.line:
            walk.size = min(self.api.rows, limit)
        partly = fitted.source.uses and tide.since is not None
        for found in walk.pages():
            self._see(fitted, found, tide)
            if fitted.open and tide.since is not None:
                self.came.update(one.key for one in found)
            whole = self._whole(fitted, found) if partly else found
            if limit is not None:
                yield self._page(fitted, whole[: limit - taken], mark)
                taken += len(whole)
                if taken >= limit:
                    return
                continue
            self.count += len(whole)
            kept = {name: mark[name] for name in ("open", "looked") if name in mark}
            yield self._page(
                fitted, whole, {**write_bookmark(self.before, self._resume(walk, tide)), **kept}
            )
        if limit is not None:
            return
        self.notes += tide.warnings() if fitted.stamp else []
        if (
            self.before
            and self.request.mode == "full"
            and (tide.greatest or self.before) < self.before
        ):
            self.notes.append(
                f"The greatest stamp fell from {self.before} to {tide.greatest}: the source was "
                "restored; the bookmark follows it."
            )
        looked = self.begun.isoformat() if tide.since is None else mark.get("looked")
        if tide.since is not None and self._is_due(fitted, looked):
            yield from self._look_again(fitted, self._end(tide, looked))
            looked = self.begun.isoformat()
        complete = tide.since is None and self._is_whole()
        self._prove_right(fitted)
        yield self._page(fitted, [], self._end(tide, looked), complete=complete)

    # --- documents that are open ---------------------------------------------------------------
    def _is_due(self, fitted: Fitted, looked: Any) -> bool:
        if not fitted.open:
            return False
        try:
            since = self.begun - datetime.fromisoformat(looked)
        except (TypeError, ValueError):  # none, or not ours
            return True
        return since >= self.settings.reread or since < timedelta(0)  # by a clock ahead

    def _look_again(self, fitted: Fitted, mark: Mapping[str, Any]) -> Iterator[Page]:
        """Read the open documents again, and those that were open and are not: they closed.

        What happens to them meanwhile (a delivery writes its quantity back) may move no stamp.
        """
        end = fitted.source.open[1] if fitted.source.open else ""
        still: set[str] = set()
        before = set(self.opened)
        for found in Walk(self.api, fitted, (f"{fitted.open} <> {quoted(end)}",)).pages():
            self._see(fitted, found, None)
            still.update(one.key for one in found)
            yield self._page(fitted, [one for one in found if one.key not in self.came], mark)
        for found in by_keys(self.api, fitted, sorted(before - still - self.came, key=int)):
            self._see(fitted, found, None)
            still.update(one.key for one in found)  # by no value of the field: it may be null
            yield self._page(fitted, found, mark)
        self.opened &= still | self.came | {key for key in self.opened if key not in before}

    def _see(self, fitted: Fitted, found: list[Document], tide: Tide | None) -> None:
        if tide is not None and fitted.stamp:
            tide.see(stamp for one in found for stamp in one.stamps(fitted.shape))
        if not fitted.open or not fitted.source.open:
            return
        for one in found:
            if scalar_text(one.rows[0][fitted.open_at]) == fitted.source.open[1]:
                self.opened.discard(one.key)
            else:
                self.opened.add(one.key)

    def _whole(self, fitted: Fitted, found: list[Document]) -> list[Document]:
        """Read records whole of which some uses changed."""
        keys = [one.key for one in found]
        return [one for page in by_keys(self.api, fitted, keys) for one in page]

    # --- keys ------------------------------------------------------------------------------------
    def _sweep(self, fitted: Fitted) -> Iterator[Page]:
        mark = self.request.bookmark or {}
        for keys in Walk(self.api, fitted).key_pages():
            self.count += len(keys)
            yield Page([], keys, mark, kind="keys")
        complete = self._is_whole()
        self._prove_right(fitted)
        yield Page([], [], mark, kind="keys", complete=complete, warnings=tuple(self.notes))

    # --- parts -----------------------------------------------------------------------------------
    def _fits(self, fitted: Fitted, resume: Mapping[str, Any]) -> bool:
        """Say whether to go on: what connectors share was looked at by `read_bookmark`."""
        after = resume.get("after")
        return (
            {"count", "begun"} <= resume.keys()
            and resume.get("mode") == self.request.mode
            and (isinstance(after, str) if fitted.source.by_text else _are_keys([after]))
            and _are_keys(resume.get("open"))
        )

    def _resume(self, walk: Walk, tide: Tide) -> dict[str, Any]:
        made: dict[str, Any] = {
            "mode": self.request.mode, "begun": self.begun.isoformat(), "after": walk.after,
            "count": self.count, "open": self._open(),
        }  # fmt: skip
        if tide.greatest is not None:
            made["greatest"] = tide.greatest.isoformat()
        return made

    def _end(self, tide: Tide, looked: Any) -> dict[str, Any]:
        made = write_bookmark(tide.stamp())
        if self.opened:
            made["open"] = self._open()
        return {**made, "looked": looked} if looked else made

    def _open(self) -> list[str]:
        """Return the keys that the bookmark names; none where they are too many."""
        if len(self.opened) <= KEPT:
            return sorted(self.opened, key=int)
        note = (
            f"More than {KEPT} documents are open: one that closes without a new stamp is found by "
            "a full sync."
        )
        if note not in self.notes:
            self.notes.append(note)
        return []

    def _is_whole(self) -> bool:
        """Say whether a scan may delete: the system answers nothing where a right is missing."""
        if self.count > 0:
            return True
        self.notes.append(
            "No record came. It may be that there is none, or that the user lacks the right to "
            "query this form, which is answered alike; so nothing is deleted."
        )
        return False

    def _prove_right(self, fitted: Fitted) -> None:
        """Ask for one key more: a right that was lost in mid-walk ends a walk as its end does.

        Raises ContractBroken; the next run goes on behind the last document that came.
        """
        if (self.count or self.opened) and not self.api.keys(fitted, (), 1):
            raise ContractBroken(
                f"{fitted.source.form} had records a moment ago and now has none: the right to "
                "query it may have been taken away meanwhile.",
                "give the integration user the right to query this form again; if all its "
                "documents were really deleted, run `isthmus sync` with --full.",
            )

    def _page(
        self, fitted: Fitted, found: list[Document], mark: Mapping[str, Any], *,
        complete: bool = False,
    ) -> Page:  # fmt: skip
        notes, self.notes = tuple(self.notes), []
        return Page(
            [one.record(fitted.shape) for one in found], [one.key for one in found], mark,
            complete=complete, warnings=notes, resumed=self.resumed,
        )  # fmt: skip


def _are_keys(found: object) -> bool:
    """Say whether these are keys of documents: a list of numbers as texts."""
    return isinstance(found, list) and all(
        isinstance(key, str) and key.isascii() and key.isdigit() for key in found
    )
