"""Folders of a home in which a reader without the store's lock lays records down for a moment.

Not in the machine's folder for temporary files: what a killed process leaves of people's data must
be found again. A lock says whether the process that made a folder still lives.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "aside-"


@contextmanager
def folder(root: Path) -> Iterator[Path]:
    """Yield a folder under `root` for this user alone, removed at the end."""
    while True:
        made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        handle = os.open(made, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_SH)
        if made.exists():  # it was not swept away before we had its lock
            break
        os.close(handle)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(handle)


def sweep(root: Path) -> None:
    """Remove the folders of processes that were killed."""
    for left in root.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):
            handle = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            except BlockingIOError:
                pass
            finally:
                os.close(handle)
