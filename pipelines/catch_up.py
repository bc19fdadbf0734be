"""After missed days the newest day is read before all others: what people ask for is of today.

It is a stretch behind which the bookmark stays where it is, so a run that is killed in or after it
has missed nothing: what follows is the read as always, from the bookmark on, oldest first, which
lands page by page and goes on where it was stopped. What the newest day brought comes once more
then, and is not landed twice.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.base import Stream
from connectors.changes import read_bookmark
from pipelines.extract import Reading, extract
from pipelines.outcome import StreamOutcome
from pipelines.stretches import DAY, has_stretches

if TYPE_CHECKING:
    from sqlalchemy.engine import RowMapping

    from connectors.base import Bookmark
    from pipelines.connection import Connection
    from warehouse.landing import Landing

NEWEST = DAY
"""What is read first."""
GAP = timedelta(days=2)
"""After so long without a good run. Less is caught up sooner than it is worth a second read."""
TALLY = "newest_day_first"
"""The word under which a run's tally has the records that came so."""


def read(
    connection: Connection,
    landing: Landing,
    outcome: StreamOutcome,
    reading: Reading,
    *,
    grouped: bool,
    last: RowMapping | None,
    good: RowMapping | None,
) -> None:
    """Land what is new of a stream, the newest day first where days were missed.

    `last` is the stream's newest run and `good` its newest good one, as the control database has
    them. Raises what `extract` raises.
    """
    now = reading.now()
    bookmark = landing.bookmark(connection.name, outcome.stream)
    if reading.mode != "changed" or reading.stretch is not None or reading.trust_source:
        return extract(connection, landing, outcome, reading, grouped=grouped)
    declared = connection.connector(now=reading.now).streams()[outcome.stream]
    if not is_due(declared, bookmark, last, good, now):
        return extract(connection, landing, outcome, reading, grouped=grouped)
    first = StreamOutcome(outcome.connection, outcome.stream, run_id=outcome.run_id)
    newest, landed = replace(reading, stretch=(now - NEWEST, now)), reading.landed
    try:
        extract(connection, landing, first, newest, grouped=grouped)
        if landed is not None and first.landed:
            landed(first.landed)
            reading = replace(reading, landed=lambda records: landed(first.landed + records))
        extract(connection, landing, outcome, reading, grouped=grouped)
    finally:
        _add(outcome, first)
    return None


def is_due(
    declared: Stream,
    bookmark: Bookmark | None,
    last: RowMapping | None,
    good: RowMapping | None,
    now: datetime,
) -> bool:
    """Say whether days were missed of a stream that can read a stretch of them.

    Not in the run after one that did so and did not come to its end: where a quota is just enough
    for the newest day, every other run is for those before it.
    """
    if good is None or now - good["ended_at"] < GAP or not has_stretches(declared):
        return False
    stamp, _ = read_bookmark(bookmark)
    if stamp is None or now - stamp < GAP:
        return False
    return last is None or last["id"] == good["id"] or not _did(last)


def _did(run: RowMapping) -> bool:
    return TALLY in (run["counts"].get("tally") or {})


def _add(outcome: StreamOutcome, first: StreamOutcome) -> None:
    """Add what the newest day brought to the figures of the run."""
    for name in ("read", "landed", "unchanged", "requests", "retries"):
        setattr(outcome, name, getattr(outcome, name) + getattr(first, name))
    outcome.throttled_seconds = round(outcome.throttled_seconds + first.throttled_seconds, 3)
    outcome.bookmark_before = outcome.bookmark_before or first.bookmark_before
    outcome.bookmark_after = outcome.bookmark_after or first.bookmark_after
    outcome.warnings = first.warnings | outcome.warnings
    outcome.tally = {**outcome.tally, TALLY: first.read}
