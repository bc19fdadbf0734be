"""What a completeness check found: one window each, and what becomes of a stream. Plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from connectors.base import Span
from pipelines.outcome import FAILED, OK, ErrorText

Status: TypeAlias = Literal[
    "equal", "healed", "missing", "surplus", "differs", "cannot_count", "not_compared"
]
OFF = ("missing", "surplus", "differs")
"""Statuses of a window that a person must look at."""
RECENT = 31
"""So many days before the end are compared day by day, what is older month by month."""
NAMED = 5
"""Keys that a message names."""
CENT = Decimal("0.0001")


@dataclass(slots=True)
class Window:
    """One stretch, part or the whole of a stream, at the source and here."""

    span: Span
    part: str | None = None
    source: int | None = None
    store: int | None = None
    aside: int = 0
    left_out: int = 0
    lost: int = 0
    source_sum: Decimal | None = None
    store_sum: Decimal | None = None
    status: Status = "not_compared"
    message: str = ""

    @property
    def is_off(self) -> bool:
        """Whether source and store differ."""
        return self.status in OFF

    @property
    def days(self) -> list[Span]:
        """The span day by day, where it is longer than one and closed."""
        since, until = self.span.since, self.span.until
        if since is None or until is None or until - since <= timedelta(hours=25):
            return []
        edges = [since, *_midnights(since, until), until]
        return [Span(a, b) for a, b in pairwise(edges)]

    def compare(self) -> None:
        """Set the status by counts, then by sums where nothing of the window was put aside."""
        if self.source is None or self.store is None:
            return
        if self.source != self.store:
            self.status = "missing" if self.source > self.store else "surplus"
            return
        summed = self.source_sum is not None and not self.aside and not self.left_out
        same = not self.lost and (not summed or _same(self.source_sum, self.store_sum))
        self.status = "equal" if same else "differs"

    def as_row(self) -> dict[str, Any]:
        """Return the members that are columns of ops.completeness."""
        return {
            "part": self.part,
            "window_from": self.span.since,
            "window_to": self.span.until,
            "source_count": self.source,
            "store_count": self.store,
            "set_aside": self.aside,
            "left_out": self.left_out,
            "source_sum": self.source_sum,
            "store_sum": self.store_sum,
            "status": self.status,
            "message": self.message,
        }


@dataclass(slots=True)
class StreamProof:
    """What the check of one stream found. `how` is how the source counted, or why it cannot.

    `put_back` are rows that came back from the landing, `read_again` records that were landed when
    stretches were read again, `deleted` those that a sweep found gone. `passed_over` says that it
    is left for a check of all.
    """

    connection: str
    stream: str
    how: str = ""
    summed: str | None = None
    windows: list[Window] = field(default_factory=list)
    put_back: int = 0
    read_again: int = 0
    deleted: int = 0
    seconds: float = 0.0
    requests: int = 0
    error: ErrorText | None = None
    passed_over: bool = False

    @property
    def status(self) -> str:
        """The worst of the windows', or failed."""
        if self.error is not None:
            return "failed"
        said = {w.status for w in self.windows}
        order = (*OFF, "cannot_count", "not_compared", "healed")
        return next((s for s in order if s in said), "equal")

    @property
    def is_proved(self) -> bool:
        """Whether nothing is known to be missing; what cannot be counted is not."""
        return self.error is None and not any(w.is_off for w in self.windows)

    @property
    def exit_code(self) -> int:
        """The command line's exit code for this stream alone."""
        return OK if self.is_proved else FAILED

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON members."""
        windows = [{k: _plain(v) for k, v in w.as_row().items()} for w in self.windows]
        said = {k: v for k, v in asdict(self).items() if k != "windows"}
        return said | {"status": self.status, "windows": windows}


def windows(end: datetime, earliest: datetime | None, since: date | None, zone: str) -> list[Span]:
    """Return the stretches that are compared, the oldest first; the last ends at `end`.

    Days in `zone` for the last month, months before that; one stretch is open below, unless `since`
    says where to begin.
    """
    here = ZoneInfo(zone)
    day = end.astimezone(here).date()
    first = (earliest or end).astimezone(here).date()
    recent = day - timedelta(days=RECENT - 1)
    begin = since or min(first, recent)
    days = [recent + timedelta(days=n) for n in range(RECENT)]
    months: list[date] = []
    month = begin.replace(day=1)
    while month < recent:
        months.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    starts = [max(d, begin) if since else d for d in months] + [d for d in days if d >= begin]
    edges = [datetime.combine(d, time(), here) for d in dict.fromkeys(starts)]
    edges = [e for e in edges if e < end]
    spans = [Span(a, b) for a, b in zip(edges, [*edges[1:], end], strict=True)]
    if since is None:
        spans.insert(0, Span(None, edges[0] if edges else end))
    return spans


def joined(spans: Sequence[Span]) -> list[tuple[datetime, datetime]]:
    """Return closed spans as few stretches: neighbours are one."""
    found: list[tuple[datetime, datetime]] = []
    for span in sorted((s for s in spans if s.since and s.until), key=lambda s: str(s.since)):
        assert span.since is not None and span.until is not None  # noqa: S101, PT018
        if found and found[-1][1] == span.since:
            found[-1] = (found[-1][0], span.until)
        else:
            found.append((span.since, span.until))
    return found


def named(what: str, keys: Sequence[str], *, of_party: bool = False) -> str:
    """Return how many keys there are and the first of them; "" for none.

    Keys `of_party` that are not plainly a system's own id are not named: they may be a person's
    name or openid, and what is said here is published.
    """
    if not keys:
        return ""
    from warehouse.mask import is_plain_key

    shown = [k for k in keys if not of_party or is_plain_key(k)][:NAMED]
    more = ["…"] if len(keys) > len(shown) else []
    return f"{len(keys)} {what}: {', '.join([*shown, *more])}"


def _midnights(since: datetime, until: datetime) -> list[datetime]:
    days = []
    day = since.date() + timedelta(days=1)
    while (at := datetime.combine(day, time(), since.tzinfo)) < until:
        days.append(at)
        day += timedelta(days=1)
    return days


def _same(one: Decimal | None, other: Decimal | None) -> bool:
    return abs((one or Decimal(0)) - (other or Decimal(0))) < CENT


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
