"""Bills read day by day: what is new, what is not there yet, what may have been corrected.

A day is a part of its own and is landed whole or not at all. The bookmark's `day` is the last one
that was asked for, `waiting` are days up to it whose bill was not there or not whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.alipay.billfile import BadBill, Caps, Detail, read
from connectors.alipay.catalogue import Bill
from connectors.alipay.settings import AlipaySettings
from connectors.alipay.signing import BEIJING
from connectors.base import Bookmark, Page, ReadRequest
from connectors.changes import unreadable_bookmark
from connectors.errors import ConfigError, ContractBroken
from connectors.whose import MEMBER

if TYPE_CHECKING:
    from connectors.alipay.api import Api

ROWS = 50_000
"""Most rows of a page."""
MOST_BAD = 5
"""After so many bills that are not whole a run ends: something is wrong with all."""
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Mark:
    """What a bookmark says. `account` is a digest of whose bills were read."""

    day: date | None = None
    waiting: set[date] = field(default_factory=set)
    reread: datetime | None = None
    account: str = ""
    resume: date | None = None

    @classmethod
    def of(cls, bookmark: Bookmark | None, mode: str) -> Mark:
        """Read a bookmark; raises ContractBroken for one that is not ours, but in mode full."""
        said = bookmark or {}
        try:
            day, reread = said.get("day"), said.get("reread")
            listed, account = said.get("waiting", []), said.get("account", "")
            if not isinstance(listed, list) or not isinstance(account, str):
                raise TypeError
            made = cls(
                date.fromisoformat(day) if day is not None else None,
                {date.fromisoformat(each) for each in listed},
                datetime.fromisoformat(reread) if reread is not None else None, account,
            )  # fmt: skip
            if made.reread is not None and made.reread.tzinfo is None:
                raise ValueError
        except (TypeError, ValueError):
            if mode == "full":
                return cls()
            raise unreadable_bookmark() from None
        resume = said.get("resume")
        if mode == "full" and isinstance(resume, dict) and resume.get("mode") == "full":
            try:
                made.resume = date.fromisoformat(resume.get("day", ""))
            except (TypeError, ValueError):
                made.resume = None
        return made

    def written(self, of: str, resume: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the bookmark as JSON."""
        made: dict[str, Any] = {MEMBER: of}
        if self.day is not None:
            made["day"] = self.day.isoformat()
        if self.waiting:
            made["waiting"] = [day.isoformat() for day in sorted(self.waiting)]
        if self.reread is not None:
            made["reread"] = self.reread.astimezone(UTC).isoformat()
        if self.account:
            made["account"] = self.account
        if resume is not None:
            made["resume"] = resume
        return made


class Daily:
    """One read of one bill's days; `pages` does it."""

    def __init__(
        self, api: Api, bill: Bill, settings: AlipaySettings, request: ReadRequest
    ) -> None:
        self._api, self._bill, self._settings, self._request = api, bill, settings, request
        self._mark = Mark.of(request.bookmark, request.mode)
        self._full = request.mode == "full"
        self._empty: list[date] = []
        self._later: list[date] = []
        self._bad: list[BadBill] = []

    def pages(self, *, since: datetime | None = None) -> Iterator[Page]:
        """Yield the rows of each day, then raise what was wrong with some; a sweep yields none.

        `since` begins a full read at that day in Beijing.
        """
        if self._request.mode == "sweep":
            return
        again, new = self._days()
        if since is not None:
            new = [day for day in new if day >= since.astimezone(BEIJING).date()]
        rereads = bool(set(again) - self._mark.waiting)
        # New days first: a run that is cut off again and again comes forward all the same.
        for known, day in [*((False, day) for day in new), *((True, day) for day in again)]:
            if not known and day > self._due():
                continue  # by the gateway's clock, which an answer told, it has not ended
            detail = self._detail(day)
            if detail is None and not known and day > self._due():
                continue
            yield from self._landed(day, detail, known=known)
            if len(self._bad) >= MOST_BAD:
                raise self._all_bad()
        if (rereads or self._mark.reread is None) and not self._full:
            self._mark.reread = self._api.now()
        if self._full:
            self._mark.day = max(filter(None, (self._mark.day, self._mark.resume)), default=None)
            self._mark.reread = self._api.now()
        after, remarks = self._mark.written(self._settings.app_id), self._remarks()
        if remarks or after != self._request.bookmark:
            yield Page([], [], after, warnings=remarks)
        if self._bad:
            raise self._all_bad()

    # --- which days --------------------------------------------------------------------------
    def _due(self, at: datetime | None = None) -> date:
        """Return the last day whose bill is promised by now, or `at` a moment, in Beijing."""
        return ((at or self._api.now()).astimezone(BEIJING) - self._promised()).date() - _DAY

    def _promised(self) -> timedelta:
        at = self._settings.ready
        return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)

    def _days(self) -> tuple[list[date], list[date]]:
        """Return the days to ask for again, and those never asked for; each in its order."""
        mark, due = self._mark, self._due()
        if self._full:
            return [], _between((mark.resume or self._settings.since - _DAY) + _DAY, due)
        start = self._settings.since if mark.day is None else mark.day + _DAY
        again = {day for day in mark.waiting if day <= due}
        if mark.day is not None and self._is_due_again():
            last = due if mark.reread is None else min(due, self._due(mark.reread))
            back = last - timedelta(days=self._settings.lookback.days - 1)
            again |= set(_between(max(back, self._settings.since), min(mark.day, due)))
        for part in self._request.again:
            try:
                again.add(date.fromisoformat(part))
            except ValueError:
                continue
        return sorted(again), _between(start, due)

    def _is_due_again(self) -> bool:
        last, now = self._mark.reread, self._api.now()
        return last is None or not now - self._settings.reread < last <= now

    # --- one day -----------------------------------------------------------------------------
    def _detail(self, day: date) -> Detail | None:
        """Return a day's rows; None where it has no bill, or one that is not whole."""
        caps = Caps(self._settings.max_unpacked, self._settings.max_ratio)
        data = self._api.bill(self._bill, day)
        if data is None:
            return None
        try:
            detail = read(data, self._bill, day, caps, strict=self._settings.proof == "refuse")
            self._same_account(detail.account)
        except BadBill as error:
            self._bad.append(error)
            return None
        return detail

    def _same_account(self, account: str) -> None:
        if not account:
            return
        mark = hashlib.sha256(account.encode()).hexdigest()[:12]
        if self._mark.account not in ("", mark) and not self._full:
            raise ConfigError(
                "The bills read until now are of another account than this one.",
                "set app_id and app_auth_token as before; make a connection of its own for another "
                "account.", place=self._bill.title,
            )  # fmt: skip
        self._mark.account = mark

    def _landed(self, day: date, detail: Detail | None, *, known: bool) -> Iterator[Page]:
        """Yield a day's pages; the bookmark knows the day with the last of them."""
        before = self._bookmark()
        if detail is None:
            self._missing(day, known=known)
        else:
            self._mark.waiting.discard(day)
        if self._full:
            self._mark.resume = day
        elif not known:
            self._mark.day = day
        after = self._bookmark()
        if detail is None:
            yield Page([], [], after)
            return
        table, part, notes = detail.table, day.isoformat(), tuple(detail.notes)
        edges = list(range(0, table.num_rows, ROWS)) or [0]
        for start in edges:
            end = start + ROWS
            whole = start == edges[-1]
            yield Page(
                table.slice(start, ROWS), detail.keys[start:end], after if whole else before,
                part=part, complete=whole, total=table.num_rows, warnings=notes if whole else (),
            )  # fmt: skip

    def _missing(self, day: date, *, known: bool) -> None:
        """Take note of a day without a whole bill: asked for again, or without movements."""
        is_bad = bool(self._bad) and str(day) in self._bad[-1].place
        promised = datetime.combine(day + _DAY, self._settings.ready, BEIJING)
        if is_bad:
            self._mark.waiting.add(day)
        elif known and day not in self._mark.waiting:
            self._later.append(day)  # read before: its rows stay
        elif self._api.now() - promised < self._settings.missing:
            self._mark.waiting.add(day)
            self._later.append(day)
        else:
            self._mark.waiting.discard(day)
            self._empty.append(day)

    # --- what is kept and told ---------------------------------------------------------------
    def _bookmark(self) -> dict[str, Any]:
        """Return the bookmark at a day's edge, which says that there is more to come."""
        resume: dict[str, Any] = {"mode": self._request.mode}
        if self._full and self._mark.resume is not None:
            resume["day"] = self._mark.resume.isoformat()
        return self._mark.written(self._settings.app_id, resume)

    def _remarks(self) -> tuple[str, ...]:
        title, found = self._bill.title, []
        if self._later:
            found.append(f"{title}: no bill yet of {_listed(self._later)}: asked for again.")
        if self._empty:
            found.append(
                f"{title}: no bill of {_listed(self._empty)}: taken for without movements."
            )
        return tuple(found)

    def _all_bad(self) -> ContractBroken:
        if len(self._bad) == 1:
            return self._bad[0]
        said = " ".join(f"{one.place}: {one.what}" for one in self._bad[:MOST_BAD])
        return ContractBroken(
            f"{len(self._bad)} bills could not be read, the others were. {said}", self._bad[0].do
        )


def _between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range(max((last - first).days + 1, 0))]


def _listed(days: list[date]) -> str:
    return ", ".join(map(str, days[:5])) + (f" and {len(days) - 5} more" if len(days) > 5 else "")
