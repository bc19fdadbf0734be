"""Turns what DuckDB says of a file into what a person has to do about it."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import duckdb
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_random

from warehouse.errors import StoreDamaged, StoreError, StoreFull
from warehouse.lock import SILENT_SECONDS, Holder, OnWait, StoreBusy

_HELD = "Could not set lock on file"
_HOLDER = re.compile(r"held in (.+?) \(PID (\d+)\)")
_FULL = (
    "No space left on device", "Disk quota exceeded", "File too large", "not enough space",
    "failed to offload data block",  # no room for what does not fit into memory
)  # fmt: skip
_DAMAGED = (
    "Corrupt database file", "Could not read enough bytes", "Could not read all", "Corrupt WAL",
    "Failure while replaying WAL", "not a valid DuckDB database file", "Failed to deserialize",
    "Failed to load metadata pointer", "Cannot read a database file",
)  # fmt: skip


def is_held(error: BaseException) -> bool:
    """Say whether another process has the file open."""
    return isinstance(error, duckdb.IOException) and _HELD in str(error)


def opened(
    path: Path, *, wait: float = 0.0, on_wait: OnWait | None = None
) -> duckdb.DuckDBPyConnection:
    """Open the file at `path`, waiting for a client that has it open by itself.

    `wait` is in seconds; `on_wait` hears of the holder once after two. Raises StoreBusy,
    StoreDamaged or StoreFull.
    """
    told = on_wait is None

    def tell(state: RetryCallState) -> None:
        nonlocal told
        if not told and on_wait and (state.seconds_since_start or 0.0) >= SILENT_SECONDS:
            told = True
            on_wait(_holder(str(state.outcome.exception() if state.outcome else "")))

    patience = Retrying(
        retry=retry_if_exception(is_held),
        stop=stop_after_delay(wait),
        wait=wait_random(0.1, 0.5),
        before_sleep=tell,
        reraise=True,
    )
    try:
        return patience(duckdb.connect, str(path))
    except duckdb.IOException as error:
        found = said(error, path, waited=wait)
        raise found or _damaged(error, path) from error
    except duckdb.Error as error:
        raise said(error, path) or error from error


def said(error: duckdb.Error, path: Path, *, waited: float = 0.0) -> StoreError | None:
    """Return what `error`, raised over the file at `path`, means; None where it means no trouble.

    A file that another process has open is StoreBusy with its pid, a full disk StoreFull, a file
    that is cut or changed StoreDamaged.
    """
    text = str(error)
    if is_held(error):
        return StoreBusy(path, _holder(text), waited)
    if any(words in text for words in _FULL):
        return StoreFull(
            f"The disk is full ({_first_line(error)}).",
            "make room; what was committed before stands, and the next run goes on.",
            place=path.name,
        )
    return _damaged(error, path) if is_damage(error) else None


def is_damage(error: duckdb.Error) -> bool:
    """Say whether the error tells that the file is cut or changed."""
    return any(words in str(error) for words in _DAMAGED)


def _damaged(error: duckdb.Error, path: Path) -> StoreDamaged:
    return StoreDamaged(
        f"The store cannot be read ({_first_line(error)}).",
        "run `isthmus rebuild`: the landing holds all that the store is made of.",
        place=path.name,
    )


def _holder(text: str) -> Holder | None:
    found = _HOLDER.search(text)
    return Holder(int(found[2]), socket.gethostname(), found[1], "") if found else None


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0][:200]
