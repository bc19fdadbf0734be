"""Stretches of time behind the bookmark: which streams can read one again, and days as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.base import ChangedSince, KeySweep, OpenDocuments, Stream
from connectors.errors import ConfigError

DAY = timedelta(days=1)


class NoStretch(ConfigError):
    """A stretch of days that cannot be read again: the source has none, or it is none."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days that are read again, both included, in the connection's zone; no `last` is until now."""

    first: date
    last: date | None = None


def has_stretches(declared: Stream) -> bool:
    """Say whether a stream is read by the stamp of its records, so that a part of it can be."""
    main = declared.changes.main if isinstance(declared.changes, KeySweep) else declared.changes
    return isinstance(main, ChangedSince | OpenDocuments)


def stretch_of(days: Days, zone: str, now: datetime) -> tuple[datetime, datetime]:
    """Return the stretch [from, to) that days are, not beyond now; raises NoStretch."""
    here = ZoneInfo(zone)
    since = datetime.combine(days.first, time(0), here)
    until = now if days.last is None else datetime.combine(days.last + DAY, time(0), here)
    if days.last is not None and days.last < days.first:
        raise NoStretch(
            f"{days.last} is before {days.first}.", "name the first day, then the last one."
        )
    if since > now:
        raise NoStretch(f"{days.first} is yet to come.", "name days that have begun.")
    return since.astimezone(now.tzinfo), min(until, now).astimezone(now.tzinfo)


def expect_stretches(connection: str, stream: str, streams: Mapping[str, Stream]) -> None:
    """Raise NoStretch where a stream can only be read whole, or by what its source tells."""
    if not has_stretches(streams[stream]):
        raise NoStretch(
            f"{connection}/{stream} is not read by the days on which records changed, so no "
            "stretch of days can be read again.",
            f"read all of it: the same without days, or `isthmus sync {connection} {stream}"
            " --full`.",
        )


def day_of(text: str) -> date | None:
    """Return the day that a form says, None for an empty text; raises ValueError."""
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise ValueError("a day is written as 2026-03-01") from None


def days_of(since: str, until: str) -> Days | None:
    """Return the days that two fields of a form say; None for none. Raises ValueError."""
    first, last = day_of(since), day_of(until)
    if first is None:
        if last is not None:
            raise ValueError("the first day is missing: fill in since, too")
        return None
    return Days(first, last)
