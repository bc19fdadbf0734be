"""What the processes of one connection share, as plain protocols: nothing here knows who keeps it.

`pipelines/` keeps all of it in the control database and hands it over in the `Context`; a connector
without them (a test, a preview) has its own process alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

T = TypeVar("T")


class Shelf(Protocol):
    """One small document (text) that all processes of a connection read and change.

    `owner` names this process; `is_dead` says whether a process so named has surely ended.
    """

    @property
    def owner(self) -> str:
        """The name of this process, other than that of any process before it."""

    def read(self) -> str | None:
        """Return the document, None where there is none yet."""

    def change(self, turn: Callable[[str | None], tuple[str, T]]) -> T:
        """Replace the document by what `turn` makes of it; nobody else changes it meanwhile.

        Returns the second that `turn` returns. Raises a ConnectorError where it cannot be kept.
        """

    def is_dead(self, owner: str) -> bool:
        """Say whether the process `owner` has surely ended; False where nobody can know."""


class OwnShelf:
    """A shelf of this process alone."""

    owner = "this process"

    def __init__(self) -> None:
        self._text: str | None = None
        self._lock = threading.Lock()

    def read(self) -> str | None:
        """Return the document."""
        return self._text

    def change(self, turn: Callable[[str | None], tuple[str, T]]) -> T:
        """Replace the document by what `turn` makes of it."""
        with self._lock:
            self._text, result = turn(self._text)
            return result

    def is_dead(self, owner: str) -> bool:
        """Say no: this process lives."""
        return False


class Asked(Protocol):
    """When each item of a stream (a tracking number) was asked for last, by any run.

    A mark is made before the question is sent, so that one whose run was killed counts too.
    """

    def times(self, stream: str) -> Mapping[str, datetime]:
        """Return the instant (aware, in UTC) of each item that is known."""

    def mark(self, stream: str, item: str, at: datetime | None) -> None:
        """Say that `item` is asked for now; None: that it was not, after all."""

    def forget(self, stream: str, before: datetime) -> None:
        """Let go of what was asked before an instant."""


class OwnAsked:
    """Marks of this process alone."""

    def __init__(self) -> None:
        self._marks: dict[str, dict[str, datetime]] = {}

    def times(self, stream: str) -> Mapping[str, datetime]:
        """Return the instants by item."""
        return dict(self._marks.get(stream, {}))

    def mark(self, stream: str, item: str, at: datetime | None) -> None:
        """Set or take away a mark."""
        mine = self._marks.setdefault(stream, {})
        if at is None:
            mine.pop(item, None)
        else:
            mine[item] = at

    def forget(self, stream: str, before: datetime) -> None:
        """Let go of what is older."""
        kept = {item: at for item, at in self._marks.get(stream, {}).items() if at >= before}
        self._marks[stream] = kept
