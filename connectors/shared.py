"""What the processes of one connection share, as plain protocols: nothing here knows who keeps it.

`pipelines/` keeps both in the control database and hands them over in the `Context`; a connector
without them (a test, a preview) has its own process alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
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
