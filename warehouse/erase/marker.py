"""An erasure under way: the landing is between two states until it is done, and nothing else runs.

The file `landing/_erasing` holds what is left to do, encrypted: it names the person.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from warehouse.batch import sync_folder, write_durably
from warehouse.errors import LandingError

FILE = "_erasing"
_mine: ContextVar[bool] = ContextVar("erasing", default=False)


@contextmanager
def under_way() -> Iterator[None]:
    """Let this process work on a landing that is being erased from."""
    token = _mine.set(True)
    try:
        yield
    finally:
        _mine.reset(token)


def expect_none(landing: Path) -> None:
    """Raise LandingError where an erasure was begun and not ended, by another process than us."""
    if not _mine.get() and (landing / FILE).exists():
        raise LandingError(
            "a person's data is being erased, or an erasure was interrupted.",
            "if none is running, run `isthmus erase --resume`: it goes on where it was stopped.",
            place=FILE,
        )


def read(landing: Path) -> bytes | None:
    """Return what is left to do, None where nothing is."""
    try:
        return (landing / FILE).read_bytes()
    except FileNotFoundError:
        return None


def write(landing: Path, content: bytes) -> None:
    """Keep what is to be done, durably."""
    write_durably(landing / FILE, content)
    os.chmod(landing / FILE, 0o600)


def remove(landing: Path) -> None:
    """Say that it is done."""
    (landing / FILE).unlink(missing_ok=True)
    sync_folder(landing)
