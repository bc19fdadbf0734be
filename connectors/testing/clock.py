"""A clock for tests, which a connector is handed in place of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class StillClock:
    """Stands still until somebody pauses or moves it; `pauses` are the seconds slept in no time."""

    at: datetime = START
    pauses: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        """Return the time of now."""
        return self.at

    def pause(self, seconds: float) -> None:
        """Sleep in no time."""
        self.pauses.append(seconds)
        self.at += timedelta(seconds=seconds)

    def wait(self, **how: float) -> None:
        """Let time pass, as timedelta counts it."""
        self.at += timedelta(**how)
