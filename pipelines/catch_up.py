"""After missed days the newest day is read before all others: what people ask for is of today.

It is a stretch behind which the bookmark stays where it is, so a run that is killed in or after it
has missed nothing: what follows is the read as always, from the bookmark on, oldest first, which
lands page by page and goes on where it was stopped. What the newest day brought comes once more
then, and is not landed twice.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.changes import read_bookmark
from pipelines.extract import Reading, extract
from pipelines.outcome import StreamOutcome
from pipelines.stretches import DAY, has_stretches

if TYPE_CHECKING:
    from sqlalchemy.engine import RowMapping

    from pipelines.connection import Connection
    from pipelines.control import Control
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
    control: Control,
    *,
    grouped: bool,
) -> None:
    """Land what is new of a stream, the newest day first where days were missed.

    Raises what `extract` raises.
    """
    if not is_due(connection, landing, outcome.stream, reading, control):
        return extract(connection, landing, outcome, reading, grouped=grouped)
    now, landed = reading.now(), reading.landed
    first = StreamOutcome(outcome.connection, outcome.stream, run_id=outcome.run_id)
    newest = replace(reading, stretch=(now - NEWEST, now))
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
    connection: Connection, landing: Landing, stream: str, reading: Reading, control: Control
) -> bool:
    """Say whether days were missed of a stream that can read a stretch of them.

    Not in the run after one that did so and did not come to its end: where a quota is just enough
    for the newest day, every other run is for those before it.
    """
    if reading.mode != "changed" or reading.stretch is not None or reading.trust_source:
        return False
    now = reading.now()
    if reading.good_at is None or now - reading.good_at < GAP:
        return False
    if not has_stretches(connection.connector(now=reading.now).streams()[stream]):
        return False
    stamp, _ = read_bookmark(landing.bookmark(connection.name, stream))
    if stamp is None or now - stamp < GAP:
        return False
    last = next(iter(control.runs_of(connection.name, stream, limit=1)), None)
    return last is None or last["status"] == "ok" or not _did(last)


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
