"""Reads one stream of a system into the landing. No store is opened and no lock is held here."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.base import Bookmark, Mode, Page, ReadRequest, Stats
from pipelines.listen import OnProgress, Progress
from warehouse.crashpoints import reach

if TYPE_CHECKING:
    import httpx

    from pipelines.connection import Connection
    from pipelines.outcome import StreamOutcome
    from warehouse.landing import Landing
    from warehouse.writer import BatchWriter


@dataclass(frozen=True, slots=True)
class Reading:
    """How a stream is to be read: mode, clock, network, who is told, who says that we live."""

    mode: Mode
    now: Callable[[], datetime]
    alive: Callable[[], None]
    trust_source: bool = False
    transport: httpx.BaseTransport | None = None
    progress: OnProgress | None = None


def extract(
    connection: Connection, landing: Landing, outcome: StreamOutcome, reading: Reading
) -> None:
    """Land what is new of a stream; the figures go into `outcome`.

    Pages that came before an error are landed before it is raised. A first load that can be
    resumed ends at a page edge after the connection's `slice`, with status partial.
    """
    stream, now = outcome.stream, reading.now
    stats = Stats()
    connector = connection.connector(now=now, transport=reading.transport, stats=stats)
    connection.stream(stream)
    declared = connector.streams()[stream]
    before = landing.bookmark(connection.name, stream)
    started = now()
    outcome.bookmark_before = outcome.bookmark_after = _plain(before)
    goes_on = bool(before and before.get("resume"))
    until = started + connection.file.slice if _is_first(before) else None
    writer = landing.writer(
        connection.name,
        stream,
        mode=reading.mode,
        read=_read_id(landing, connection.name, stream, goes_on and declared.stable_order),
        connector=f"{connector.name}@{connector.version}",
        started=started,
        window=(_stamp(before), started.isoformat()),
        trust_source=reading.trust_source,
        resumed=goes_on,
    )
    try:
        # At its end the writer lands what came, also before an error: no good record is lost.
        with closing(connector), writer:
            for page in connector.read(ReadRequest(stream, reading.mode, before)):
                reach("extract.page")
                _land(page, writer, outcome)
                _tell(reading, outcome, stats, page.total)
                if until is not None and now() >= until and page.bookmark.get("resume"):
                    outcome.status = "partial"
                    break
    finally:
        _count(writer, outcome)
        outcome.bookmark_after = _plain(landing.bookmark(connection.name, stream))
        outcome.requests, outcome.retries = stats.requests, stats.retries
        outcome.throttled_seconds = round(stats.throttled_seconds, 3)
        outcome.lag_seconds = _lag(outcome.bookmark_after, now())


def _count(writer: BatchWriter, outcome: StreamOutcome) -> None:
    report = writer.report
    outcome.read, outcome.landed = report.read, report.landed
    outcome.unchanged, outcome.held = report.unchanged, report.held
    for warning, count in report.warnings.items():
        outcome.warnings[warning] = outcome.warnings.get(warning, 0) + count


def _land(page: Page, writer: BatchWriter, outcome: StreamOutcome) -> None:
    writer.add(
        page.records,
        page.keys,
        page.bookmark,
        kind=page.kind,
        part=page.part,
        complete=page.complete,
        total=page.total,
    )
    outcome.read += len(page.keys)
    for warning in page.warnings:
        outcome.warnings[warning] = outcome.warnings.get(warning, 0) + 1


def _tell(reading: Reading, outcome: StreamOutcome, stats: Stats, total: int | None) -> None:
    reading.alive()
    if reading.progress is not None:
        reading.progress(
            Progress(
                outcome.connection, outcome.stream, "read", outcome.read, stats.requests, total
            )
        )


def _read_id(landing: Landing, connection: str, stream: str, goes_on: bool) -> str:
    """Return the id of this read: the interrupted one's where it goes on as the same scan."""
    last = landing.last(connection, stream) if goes_on else None
    if last is not None and not last.sidecar.complete:
        return last.sidecar.read
    return str(uuid.uuid4())


def _is_first(before: Bookmark | None) -> bool:
    """Say whether no read of this stream has come to its end yet."""
    return not before or ("resume" in before and "stamp" not in before)


def _stamp(bookmark: Bookmark | None) -> str | None:
    stamp = bookmark.get("stamp") if bookmark else None
    return stamp if isinstance(stamp, str) else None


def _plain(bookmark: Bookmark | None) -> dict[str, Any] | None:
    return dict(bookmark) if bookmark is not None else None


def _lag(bookmark: Bookmark | None, now: datetime) -> float | None:
    stamp = _stamp(bookmark)
    if stamp is None:
        return None
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, round((now - moment) / timedelta(seconds=1), 3))
