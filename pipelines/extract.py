"""Reads one stream of a system into the landing. No store is opened and no lock is held here."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from connectors.base import (
    Bookmark,
    Connector,
    Feed,
    KeySweep,
    Mode,
    Page,
    ReadRequest,
    Snapshot,
    Stats,
    Stream,
)
from connectors.changes import BEHIND, write_bookmark
from pipelines.listen import OnProgress, Progress
from pipelines.shape import Shape
from warehouse.crashpoints import reach

if TYPE_CHECKING:
    import httpx

    from pipelines.connection import Connection
    from pipelines.outcome import StreamOutcome
    from warehouse.landing import Landing
    from warehouse.writer import BatchWriter


UNTOLD = (
    "Nothing is published yet, so nothing was asked for: the stream's query asks the published "
    "store. Sync what it asks about first."
)
"""Warning of a stream that must be told what to ask for, where nobody can tell it yet."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a stream is to be read.

    `alive` is called at every page; `is_first` says that no read of the stream came to its end yet,
    `good_at` when the last one that did ended;
    `pause` sleeps in place of the clock's own; `landed` is called when a batch was landed and pages
    follow it, with the records landed so far; `shape` learns what they look like. `stretch` reads
    what is stamped [from, to) again, in mode changed: the bookmark stays where it is, and nothing
    is proved gone.
    """

    mode: Mode
    now: Callable[[], datetime]
    alive: Callable[[], None]
    is_first: bool = False
    good_at: datetime | None = None
    trust_source: bool = False
    transport: httpx.BaseTransport | None = None
    progress: OnProgress | None = None
    pause: Callable[[float], None] | None = None
    landed: Callable[[int], None] | None = None
    shape: Shape = field(default_factory=Shape)
    stretch: tuple[datetime, datetime] | None = None


def extract(
    connection: Connection,
    landing: Landing,
    outcome: StreamOutcome,
    reading: Reading,
    *,
    grouped: bool = False,
) -> None:
    """Land what is new of a stream; the figures go into `outcome`.

    Pages that came before an error are landed before it is raised. A first load that can be
    resumed ends at a page edge after the connection's `slice`, with status partial. Where the
    mapping is `grouped` (several rows a document) a page edge may cut a document: such a read is
    not sliced, and an interrupted one starts again.
    """
    name, stream, now = connection.name, outcome.stream, reading.now
    stats = Stats()
    connector = connection.connector(
        now=now, pause=reading.pause, transport=reading.transport, stats=stats
    )
    before = landing.bookmark(name, stream)
    started = now()
    outcome.bookmark_before = outcome.bookmark_after = _plain(before)
    if grouped and before:
        before = {member: value for member, value in before.items() if member != "resume"}
    kept, stretch = before, reading.stretch
    slices = reading.is_first and reading.mode == "changed" and not grouped and stretch is None
    until = started + connection.file.slice if slices else None
    writer: BatchWriter | None = None
    batches = 0
    try:
        # At its end the writer lands what came, also before an error: no good record is lost.
        with ExitStack() as stack:
            stack.enter_context(closing(connector))
            again = landing.again(name, stream)
            declared = connector.streams()[stream]
            rows = stack.enter_context(connection.wanted(declared))
            if declared.wants and not connection.published.exists():
                outcome.warnings[UNTOLD] = 1
            request = ReadRequest(stream, reading.mode, before, again=again, wanted=rows)
            if stretch is not None:
                going = {n: v for n, v in (kept or {}).items() if n != "resume"}
                before = {**going, **write_bookmark(stretch[0])}
                request = replace(request, bookmark=before, until=stretch[1])
            pages = connector.read(request)
            if isinstance(pages, Generator):  # one that is left at a page edge lets go of its reply
                stack.enter_context(closing(pages))
            for page in pages:
                reach("extract.page")
                if stretch is not None:
                    page = _behind(page, kept)
                if writer is None:
                    writer = stack.enter_context(
                        _open(
                            landing,
                            connection.key,
                            connector,
                            outcome,
                            reading,
                            started,
                            before,
                            page,
                            grouped,
                        )
                    )
                elif writer.report.batches > batches and reading.landed is not None:
                    batches = writer.report.batches
                    reading.landed(writer.report.landed)
                if not reading.shape.is_full and page.kind == "records":
                    reading.shape.look(page.records)
                _land(page, writer, outcome)
                _tell(reading, outcome, writer, stats, page.total)
                if until is not None and now() >= until and page.bookmark.get("resume"):
                    outcome.status = "partial"
                    break
    finally:
        if writer is not None:
            _count(writer, outcome)
        outcome.bookmark_after = _plain(landing.bookmark(name, stream))
        outcome.requests, outcome.retries = stats.requests, stats.retries
        outcome.throttled_seconds = round(stats.throttled_seconds, 3)
        outcome.lag_seconds = _lag(outcome.bookmark_after, now())


def _behind(page: Page, kept: Bookmark | None) -> Page:
    """Return a page of a stretch: it moves no bookmark, proves nothing, and is older than it."""
    told = tuple(text for text in page.warnings if BEHIND not in text)
    return replace(page, bookmark=kept or {}, complete=False, resumed=False, warnings=told)


def _open(
    landing: Landing,
    key: Callable[[], bytes],
    connector: Connector,
    outcome: StreamOutcome,
    reading: Reading,
    started: datetime,
    before: Bookmark | None,
    first: Page,
    grouped: bool,
) -> BatchWriter:
    declared = connector.streams()[outcome.stream]
    goes_on = first.resumed and declared.stable_order
    if reading.stretch is not None:  # amid an interrupted scan: that goes on as the same one
        goes_on = "resume" in (landing.bookmark(outcome.connection, outcome.stream) or {})
    return landing.writer(
        outcome.connection,
        outcome.stream,
        mode=_landed_mode(reading.mode, declared, first),
        read=_read_id(landing, outcome, goes_on),
        connector=f"{connector.name}@{connector.version}",
        started=started,
        window=(_stamp(before), started.isoformat()),
        trust_source=reading.trust_source,
        resumed=first.resumed,
        grouped=grouped,
        key=key,
    )


def _landed_mode(asked: Mode, declared: Stream, first: Page) -> Mode | Literal["feed"]:
    """Return what the read is: a snapshot is always a full one, unless it is kept by parts."""
    if asked == "changed" and isinstance(declared.changes, Feed):
        return "feed"
    main = declared.changes.main if isinstance(declared.changes, KeySweep) else declared.changes
    if asked == "changed" and isinstance(main, Snapshot) and first.part is None:
        return "full"
    return asked


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
    for warning in page.warnings:
        outcome.warnings[warning] = outcome.warnings.get(warning, 0) + 1
    for word, count in page.tally.items():
        outcome.tally[word] = outcome.tally.get(word, 0) + count


def _tell(
    reading: Reading, outcome: StreamOutcome, writer: BatchWriter, stats: Stats, total: int | None
) -> None:
    reading.alive()
    if reading.progress is not None:
        read = writer.report.read
        reading.progress(
            Progress(outcome.connection, outcome.stream, "read", read, stats.requests, total)
        )


def _count(writer: BatchWriter, outcome: StreamOutcome) -> None:
    report = writer.report
    outcome.read, outcome.landed = report.read, report.landed
    outcome.unchanged, outcome.held = report.unchanged, report.held
    for warning, count in report.warnings.items():
        outcome.warnings[warning] = outcome.warnings.get(warning, 0) + count


def _read_id(landing: Landing, outcome: StreamOutcome, goes_on: bool) -> str:
    """Return the id of this read: the interrupted one's where it goes on as the same scan."""
    last = landing.last(outcome.connection, outcome.stream) if goes_on else None
    if last is not None and not last.sidecar.complete:
        return last.sidecar.read
    return str(uuid.uuid4())


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
