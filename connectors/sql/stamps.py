"""Stamps of a database: bounds as its column wants them, and the instants of a page's rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from connectors.changes import Tide, format_stamp, parse_stamp
from connectors.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

Form: TypeAlias = Literal["naive", "instant", "date", "text", "number"]
_DAY = timedelta(days=1)
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:([ T])[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
    r"\s?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


@dataclass(frozen=True, slots=True)
class Stamps:
    """How a stream's stamps are written. `pattern` is of texts and numbers.

    `in_utc` says that the database wants an instant as a naive time in UTC.
    """

    form: Form
    zone: tzinfo
    pattern: str = "iso"
    suffix: str = ""
    in_utc: bool = False

    def bound(self, at: datetime, *, lower: bool) -> Any:
        """Return an instant as the column's values are compared with it.

        What a form cannot hold of a lower bound is cut, which only widens the window; an hour that
        comes twice counts from its first time.
        """
        if self.form == "instant":
            return at.astimezone(UTC).replace(tzinfo=None) if self.in_utc else at.astimezone(UTC)
        if self.form == "number":
            seconds = int(at.timestamp())
            return seconds * 1000 if self.pattern == "epoch_ms" else seconds
        zone = self._zone_written() if self.form == "text" else self.zone
        if self.form == "text":
            return format_stamp(at, self.pattern, zone) + self.suffix
        here = at.astimezone(zone)
        if lower:  # an hour that comes twice reads earlier than the instant itself
            later = (at + timedelta(hours=2)).astimezone(zone)
            back = (here.utcoffset() or timedelta()) - (later.utcoffset() or timedelta())
            here -= max(back, timedelta())
        return here.date() if self.form == "date" else here.replace(tzinfo=None)

    def _zone_written(self) -> tzinfo:
        if self.suffix in ("", " "):
            return self.zone
        said = self.suffix.strip().replace(":", "")
        if said == "Z":
            return UTC
        minutes = int(said[1:3]) * 60 + int(said[3:5])
        return timezone(timedelta(minutes=minutes if said[0] == "+" else -minutes))


def stamps_like(sample: Any, known: str, zone: tzinfo, pattern: str, database: str) -> Stamps:
    """Return how stamps are written, by the greatest of them and the column's shape `known`.

    Raises ConfigError for a column whose values are no stamps.
    """
    if known == "instant" or (isinstance(sample, datetime) and sample.tzinfo is not None):
        return Stamps("instant", zone, in_utc=database in ("mysql", "oracle"))
    if known == "naive" or isinstance(sample, datetime):
        return Stamps("naive", zone)
    if known == "date" or isinstance(sample, date):
        return Stamps("date", zone)
    if isinstance(sample, bool) or not isinstance(sample, str | int | float | Decimal):
        raise ConfigError(
            "The column of `since` holds no stamps.",
            "name a column that holds the time of the last change.",
        )
    if not isinstance(sample, str):
        if pattern == "auto":
            pattern = "epoch_ms" if sample >= 10**11 else "epoch"
        if not pattern.startswith("epoch") or sample < 10**8:
            raise ConfigError(
                "The column of `since` holds numbers that are no epoch seconds or milliseconds.",
                "name a stamp; a number that only grows goes with `number:`.",
            )
        return Stamps("number", zone, pattern)
    if pattern == "epoch" or pattern == "epoch_ms":
        return Stamps("text", zone, pattern)
    if pattern not in ("auto", "iso"):
        return Stamps("text", zone, pattern)
    found = _ISO.fullmatch(sample.strip())
    if found is None:
        raise ConfigError(
            "The column of `since` holds texts that are no ISO dates and times.",
            'write their form at changes.format, as in "%Y%m%d%H%M%S".',
        )
    between, suffix = found[1], found[2] or ""
    written = f"%Y-%m-%d{between}%H:%M:%S" if between else "%Y-%m-%d"
    return Stamps("text", zone, written, suffix)


def see(tide: Tide, stamps: Stamps, column: pa.ChunkedArray) -> None:
    """Take note of a page's stamps: of typed columns without an object a row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if stamps.form in ("text", "number") or pa.types.is_string(column.type):
        tide.see(pc.cast(column, pa.string()).to_pylist())
        return
    at = pc.cast(column, pa.timestamp("us", "UTC" if stamps.form == "instant" else None))
    if stamps.form != "instant":
        name = stamps.zone.key if isinstance(stamps.zone, ZoneInfo) else "UTC"
        at = pc.assume_timezone(at, name, ambiguous="earliest", nonexistent="earliest")
        at = pc.cast(at, pa.timestamp("us", "UTC"))
    tide.unread += at.null_count
    edge = pa.scalar(tide.begun + _DAY, pa.timestamp("us", "UTC"))
    future = at.filter(pc.greater(at, edge))
    if len(future):
        tide.future_count += len(future)
        tide.future = max(tide.future, pc.max(future).as_py().date().isoformat())
    usual = at.filter(pc.less_equal(at, edge))
    tide.plausible = _greater(tide.plausible, usual)
    ceiling = pa.scalar(tide.ceiling, pa.timestamp("us", "UTC"))
    tide.greatest = _greater(tide.greatest, usual.filter(pc.less_equal(usual, ceiling)))


def _greater(known: datetime | None, found: pa.ChunkedArray) -> datetime | None:
    import pyarrow.compute as pc

    at: datetime | None = pc.max(found).as_py() if len(found) else None
    if at is None:
        return known
    return at if known is None else max(known, at)


def instant_of(sample: Any, stamps: Stamps) -> datetime | None:
    """Return the instant of one raw value, None where it is none."""
    if isinstance(sample, datetime):
        zone = UTC if stamps.in_utc and stamps.form == "instant" else stamps.zone
        return (sample if sample.tzinfo else sample.replace(tzinfo=zone)).astimezone(UTC)
    if isinstance(sample, date):
        return datetime(sample.year, sample.month, sample.day, tzinfo=stamps.zone).astimezone(UTC)
    return parse_stamp(str(sample), stamps.zone, stamps.pattern)
