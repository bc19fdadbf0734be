"""The OS lock of the one writer: held by a process, gone with it, and it says who holds it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TypeAlias

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random,
)

from warehouse.clock import Clock
from warehouse.errors import StoreError

POLL_SECONDS = (0.02, 0.08)
SILENT_SECONDS = 2.0
"""A wait shorter than this is not worth telling."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, as the holder wrote it; `since` is empty where it wrote nothing."""

    pid: int
    host: str
    command: str
    since: str

    def __str__(self) -> str:
        since = f" since {self.since}" if self.since else ""
        return f"process {self.pid} on {self.host}{since} ({self.command})"


class StoreBusy(StoreError):
    """Another process holds the lock and did not let go in time."""

    retriable = True

    def __init__(self, path: Path, holder: Holder | None, waited: float) -> None:
        who = str(holder) if holder else "an unknown process"
        super().__init__(
            f"The store is held by {who}; waited {waited:.0f} s.",
            "wait until it is done, or look at why that process does not end.",
            place=path.name,
        )
        self.holder = holder


OnWait: TypeAlias = Callable[[Holder | None], None]
"""Called with who holds a lock, None where that is not known."""


@contextlib.contextmanager
def hold(path: Path, *, wait: float, now: Clock, on_wait: OnWait | None = None) -> Iterator[None]:
    """Hold the lock file at `path` while the block runs; raises StoreBusy after `wait` seconds.

    `on_wait` is called once, when the wait has lasted two seconds.

    The kernel drops the lock with the process, however it ends, so a file left by a dead process
    is no lock. The file is never removed: a second file of the same name would be a second lock.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        _take(file, path, wait, on_wait)
        me = Holder(os.getpid(), socket.gethostname(), _command(), now().isoformat("T", "seconds"))
        _write(file, json.dumps(asdict(me)))
        try:
            yield
        finally:
            # Emptied before the lock goes: the next holder's name is never wiped by us.
            _write(file, "")


def holder(path: Path) -> Holder | None:
    """Return who wrote its name into the lock file last, None where nobody stands in it."""
    try:
        said = json.loads(path.read_text("utf-8"))
        return Holder(int(said["pid"]), said["host"], said["command"], said["since"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _take(file: IO[str], path: Path, wait: float, on_wait: OnWait | None) -> None:
    told = on_wait is None

    def tell(state: RetryCallState) -> None:
        nonlocal told
        if not told and on_wait and (state.seconds_since_start or 0.0) >= SILENT_SECONDS:
            told = True
            on_wait(holder(path))

    patience = Retrying(
        retry=retry_if_exception_type(BlockingIOError),
        stop=stop_after_delay(wait),
        wait=wait_random(*POLL_SECONDS),  # at random: two that wait must not meet at every look
        before_sleep=tell,
        reraise=True,
    )
    try:
        patience(fcntl.flock, file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreBusy(path, holder(path), wait) from None


def _write(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def _command() -> str:
    # Arguments may hold a secret; the program and its first word say enough.
    return " ".join([Path(sys.argv[0] or "python").name, *sys.argv[1:2]])[:120]
