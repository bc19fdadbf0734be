"""Who listens to the steps of this process: progress bars and outcomes pass Dagster by.

A run of the command line executes Dagster's steps in its own process; what they report reaches it
here. A run of the daemon has no listener.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pipelines.outcome import PublishOutcome, StreamOutcome


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a stream's run is, told at every page and before the load.

    `read` counts records so far, `total` is the source's own count where it gives one, `requests`
    those sent so far.
    """

    connection: str
    stream: str
    phase: Literal["read", "load", "done"]
    read: int
    requests: int
    total: int | None = None


OnProgress: TypeAlias = Callable[[Progress], None]


@dataclass
class Listener:
    """What a process wants to hear, and what it heard; `stopped` by a signal while publishing."""

    progress: OnProgress | None = None
    streams: list[StreamOutcome] = field(default_factory=list)
    published: PublishOutcome | None = None
    stopped: bool = False


_current: list[Listener] = []


@contextmanager
def listening(progress: OnProgress | None = None) -> Iterator[Listener]:
    """Hear the steps that run in this process until the block ends."""
    listener = Listener(progress)
    _current.append(listener)
    try:
        yield listener
    finally:
        _current.remove(listener)


def current() -> Listener | None:
    """Return who listens now, None where nobody does."""
    return _current[-1] if _current else None
