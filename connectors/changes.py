"""Changes since: stamps read and written, the bookmark's rule, windows of capped length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from connectors.base import Bookmark, ChangedSince, Mode
from connectors.errors import ConfigError, ContractBroken

EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
"""Where windows start on a first load when `start` is not set."""
BEHIND = "is behind the bookmark"
"""What a warning says that is about the bookmark alone."""
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FOLD = timedelta(hours=2)
_NUMBER = re.compile(r"[0-9]{1,16}(\.[0-9]{1,9})?")
_ZONELESS_Z = re.compile(r"([+-][0-9]{2})([0-9]{2})$")


def parse_stamp(text: str, zone: tzinfo, pattern: str = "iso") -> datetime | None:
    """Read a record's stamp as an aware UTC instant; None where it is none (0000-00-00 …).

    Numbers are epoch seconds or (12 digits and more) milliseconds, dates and times ISO 8601 or the
    stream's own strftime `pattern`; without an offset they stand in `zone`.
    """
    try:
        at = _read(text, pattern)
        if at.tzinfo is UTC:
            return at
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _read(text: str, pattern: str) -> datetime:
    if pattern == "iso" and text[4:5] == "-":  # nearly every stamp; the rest is the long way
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    text = text.strip()
    if "%" in pattern:  # before numbers: one of %Y%m%d%H%M%S is no epoch
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007 - the caller adds the zone
        except ValueError:
            pass  # records often write stamps otherwise than parameters
    if _NUMBER.fullmatch(text) and (len(text) > 8 or pattern.startswith("epoch")):
        whole, _, part = text.partition(".")
        unit = 1000 if pattern == "epoch_ms" or len(whole) >= 12 else 1
        micros = int(whole) * (1_000_000 // unit) + int(part.ljust(6, "0")[:6]) // unit
        return _EPOCH + timedelta(microseconds=micros)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(_ZONELESS_Z.sub(r"\1:\2", text.replace("/", "-")))


def format_stamp(at: datetime, pattern: str, zone: tzinfo) -> str:
    """Write an instant as the parameter wants it: iso, epoch, epoch_ms, or strftime in `zone`.

    Parts of a second are cut, which only widens a lower bound. So does what is done before clocks
    are set back: the hour that comes twice then reads earlier than `at` itself, and a filter that
    compares such texts must not leave it out.
    """
    if pattern == "iso":
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if pattern == "epoch":
        return str(int(at.timestamp()))
    if pattern == "epoch_ms":
        return str(int(at.timestamp()) * 1000)
    here, later = at.astimezone(zone), (at + _FOLD).astimezone(zone)
    if "%z" not in pattern and (back := _offset(here) - _offset(later)) > timedelta(0):
        here -= back
    return here.strftime(pattern)


def _offset(at: datetime) -> timedelta:
    return at.utcoffset() or timedelta(0)


def check_format(pattern: str) -> str:
    """Return `pattern` if it is one; raises ValueError."""
    if pattern not in ("iso", "epoch", "epoch_ms") and "%" not in pattern:
        raise ValueError('write iso, epoch, epoch_ms or a pattern such as "%Y-%m-%d %H:%M:%S"')
    return pattern


def zone_of(name: str) -> tzinfo:
    """Return the time zone `name`; raises ConfigError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigError(f"There is no time zone {name!r}.", "write Asia/Shanghai.") from None


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of time to ask for; None is an open end."""

    since: datetime | None
    until: datetime | None


def past(window: Window, end: datetime) -> bool:
    """Say whether a window begins at `end` or later."""
    return window.since is not None and window.since >= end


def up_to(window: Window, end: datetime) -> Window:
    """Return a window that ends at `end`, where it has an upper bound at all."""
    return window if window.until is None else Window(window.since, min(window.until, end))


@dataclass(slots=True)
class Tide:
    """The stamps of one read and what becomes of the bookmark.

    `begun` is when the read began. The new stamp is the greatest seen that is not above
    `begun - lag`: one of 2999 does not move it, nor does one younger than the lag, which is read
    again next time.
    """

    spec: ChangedSince
    zone: tzinfo
    begun: datetime
    before: datetime | None
    greatest: datetime | None = None
    plausible: datetime | None = None
    future: str = ""
    future_count: int = 0
    unread: int = 0

    @property
    def ceiling(self) -> datetime:
        """Return the upper bound of this read."""
        return self.begun - self.spec.lag

    @property
    def since(self) -> datetime | None:
        """Return the inclusive lower bound: the bookmark less the lookback, None at first."""
        return None if self.before is None else self.before - self.spec.lookback

    def see(self, stamps: Iterable[str | None]) -> None:
        """Take note of a page's stamps."""
        texts: set[str] = set()
        for text in stamps:
            if text is None:
                self.unread += 1
            else:
                texts.add(text)
        ahead, ceiling = self.begun + _DAY, self.ceiling
        for text in texts:
            at = parse_stamp(text, self.zone, self.spec.format)
            if at is None:
                self.unread += 1
            elif at > ahead:
                self.future_count += 1
                # The day, not the text: what stands in a stamp's place may be a phone.
                self.future = max(self.future, at.date().isoformat())
            else:
                if self.plausible is None or at > self.plausible:
                    self.plausible = at
                if at <= ceiling and (self.greatest is None or at > self.greatest):
                    self.greatest = at

    def stamp(self) -> datetime | None:
        """Return the bookmark's stamp after the read; it never goes back."""
        known = [at for at in (self.before, self.greatest) if at is not None]
        return max(known) if known else None

    def warnings(self) -> list[str]:
        """Return what people should know of the stamps seen."""
        found = []
        if self.future:
            found.append(
                f"{self.future_count} stamps lie more than a day ahead (greatest {self.future}); "
                "they do not move the bookmark."
            )
        if self.unread:
            found.append(
                f"{self.unread} records have no readable {self.spec.field}; "
                "their changes are found by full reads only."
            )
        if self.before is not None and (self.plausible is None or self.plausible < self.before):
            seen = self.plausible.isoformat() if self.plausible else "none"
            found.append(
                f"The greatest {self.spec.field} seen ({seen}) {BEHIND} "
                f"({self.before.isoformat()}): the newest record was deleted, or the source was "
                "restored from a backup. After a restore run a full sync."
            )
        return found

    def windows(self, start: datetime | None = None) -> Iterator[Window]:
        """Yield what to ask for: one open stretch, or many of `span` each up to the ceiling.

        `start` resumes at a window's edge.
        """
        if self.spec.span is None:
            yield Window(self.since, self.ceiling if self.spec.until and self.since else None)
            return
        low = start or self.since or EARLIEST
        while low < self.ceiling:
            high = min(low + self.spec.span, self.ceiling)
            yield Window(low, high)
            low = high


def unreadable_bookmark() -> ContractBroken:
    """Return the error for a bookmark that is not ours; a full read leaves such a one out."""
    return ContractBroken("The stream's bookmark cannot be read.", "run a full sync of the stream.")


def read_bookmark(
    bookmark: Bookmark | None, mode: Mode = "changed", *, numbered: bool = False
) -> tuple[datetime | None, dict[str, Any]]:
    """Return the stamp and the resume part; a resume that cannot be read begins anew: {}.

    `numbered`: its `greatest` and `high` are numbers, not instants. Raises ContractBroken for a
    stamp that is not ours, but in mode full: that is what mends it.
    """
    if not bookmark:
        return None, {}
    stamp, resume = bookmark.get("stamp"), bookmark.get("resume") or {}
    try:
        at = datetime.fromisoformat(stamp) if stamp else None
        if (at is not None and at.tzinfo is None) or not isinstance(resume, dict):
            raise ValueError
    except (TypeError, ValueError):
        if mode == "full":
            return None, {}
        raise unreadable_bookmark() from None
    return at, resume if _goes_on(resume, numbered=numbered) else {}


def _goes_on(resume: dict[str, Any], *, numbered: bool) -> bool:
    """Say whether the members that connectors share are what they write there."""
    wholes = {"count": 0} | ({"greatest": 0, "high": 0} if numbered else {})
    instants = [name for name in ("begun", "window", "greatest") if name not in wholes]
    try:
        said = [datetime.fromisoformat(resume[name]) for name in instants if name in resume]
    except (TypeError, ValueError):
        return False
    texts = [resume[name] for name in ("mode", "state") if name in resume]
    return (
        all(at.tzinfo is not None for at in said)
        and all(type(resume.get(name, least)) is int for name, least in wholes.items())
        and all(isinstance(text, str) for text in texts)
    )


def write_bookmark(stamp: datetime | None, resume: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a bookmark as JSON."""
    bookmark: dict[str, Any] = {}
    if stamp is not None:
        bookmark["stamp"] = stamp.astimezone(UTC).isoformat()
    if resume is not None:
        bookmark["resume"] = resume
    return bookmark
