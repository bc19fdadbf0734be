"""Keeps the memory of one piece of work on the store small, whatever the machine has."""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import duckdb

from warehouse.ddl import literal
from warehouse.store import Store

MEMORY = 96 << 20
"""Bytes that DuckDB keeps in memory during the work; the rest goes to the scratch folder."""
ROWS = 128 << 20
"""The same of work on all golden rows there are: with less a million orders were unified twice."""
TIMES = 4
"""How much as much work gets that was short of memory, before it gets all there is."""
LARGE = 600 << 20
"""Bytes of a file from which on the work gets half as much more as the file is larger: to change a
few rows of tables of millions took more than MEMORY, and all of it was done twice."""
COMMIT = 128 << 20
"""Bytes that it keeps while a load commits; an eighth of the file's size comes on top."""
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SHORT = ("failed to pin block", "could not allocate block", "failed to offload data block")
_T = TypeVar("_T")


@contextlib.contextmanager
def sparing(store: Store, share: int | None = None) -> Iterator[None]:
    """Let the block have little: `share` bytes, MEMORY if not said, more for a large file.

    Without effect where the store has no more or is not to spare.
    """
    before, store.share = store.share, MEMORY if share is None else share
    lowered = store.spares and _limit(store.con) > little(store) and _lower(store)
    try:
        yield
    finally:
        store.share = before
        if lowered:
            _raise(store, store.memory)


@contextlib.contextmanager
def paired(store: Store) -> Iterator[None]:
    """Let the block have two threads where the store is large: it reads far more than it writes."""
    is_large = store.path.stat().st_size > LARGE
    if is_large:
        store.con.execute(f"set threads = {min(2, os.cpu_count() or 1)}")
    try:
        yield
    finally:
        if is_large:
            store.con.execute("set threads = 1")


@contextlib.contextmanager
def raised(store: Store, size: float = math.inf) -> Iterator[None]:
    """Inside `sparing`, let the block have `size` bytes, at most the store's own limit."""
    lowered = store.is_lowered
    if lowered:
        _raise(store, f"{size:.0f}B" if size < _bytes(store.memory) else store.memory)
    try:
        yield
    finally:
        if lowered and not _lower(store):
            _raise(store, store.memory)


@contextlib.contextmanager
def transaction(store: Store, size: float = math.inf) -> Iterator[duckdb.DuckDBPyConnection]:
    """Inside `sparing`, `store.transaction()` whose commit has `size` bytes: all, if not said.

    A commit may bring a checkpoint. One that is short of memory cannot be tried again like other
    work: it has committed all the same (`is_committed`) or was rolled back (`is_undone`), and the
    connection is not to be used on.
    """
    with contextlib.ExitStack() as after, store.transaction() as con:
        yield con
        after.enter_context(raised(store, size))


def checkpoint(store: Store, database: str = "") -> None:
    """Inside `sparing`, write a log into its file with all of the store's memory."""
    with raised(store):
        store.con.execute(f"CHECKPOINT {database}".rstrip())


def for_commit(store: Store) -> int:
    """Return the bytes with which a load may commit: more than was ever seen to be needed."""
    return max(COMMIT + store.path.stat().st_size // 8, little(store))


def has_all(store: Store) -> bool:
    """Whether there is no more memory to give; the setting is told in round figures."""
    return _limit(store.con) > 0.98 * _bytes(store.memory)


def is_committed(error: duckdb.Error) -> bool:
    """Whether `error` tells of a commit that is durable; only writing the file failed after it."""
    return isinstance(error, duckdb.FatalException) and "COMMIT succeeded" in str(error)


def is_undone(error: duckdb.Error) -> bool:
    """Whether `error` tells of a commit that was short of memory and was rolled back.

    The file is right, but what DuckDB 1.5.5 holds of its tables in memory may not be: to write more
    ends in "Corrupted in-memory column". So the file is opened anew.
    """
    return is_short(error) and "Failed to commit" in str(error)


def sparingly(store: Store, work: Callable[[], _T]) -> _T:
    """Return what `work` on all golden rows returns, done within ROWS.

    See `with_more` for work that needs more all the same: it must leave no transaction open and be
    right to begin anew.
    """
    with sparing(store, ROWS):
        return with_more(store, work)


def is_short(error: duckdb.Error) -> bool:
    """Whether `error` tells of too little memory; a commit or checkpoint says it in other words.

    Not where the store itself must be opened anew. To have no room in the scratch folder is to be
    short of memory as long as there is more of it.
    """
    if isinstance(error, duckdb.FatalException):
        return False
    return isinstance(error, duckdb.OutOfMemoryException) or any(w in str(error) for w in _SHORT)


def with_more(
    store: Store, work: Callable[[], _T], unless: Callable[[duckdb.Error], bool] = lambda _: False
) -> _T:
    """Inside `sparing`, return what `work` returns; see `sparingly` for what it must bear.

    Work that is short of memory is done once more with TIMES as much, then with all there is. An
    error of which `unless` holds is raised at once.
    """
    try:
        return work()
    except duckdb.Error as error:
        if not store.is_lowered or not is_short(error) or unless(error):
            raise
    with _wider(store):
        return with_more(store, work, unless)


def little(store: Store) -> int:
    """Return the bytes of a piece of work, whole mebibytes."""
    larger = max(0, store.path.stat().st_size - LARGE) // 2
    return ((store.share or MEMORY) + larger) * store.times >> 20 << 20


@contextlib.contextmanager
def _wider(store: Store) -> Iterator[None]:
    """Let `little` be TIMES as much in the block, all memory where it is that already."""
    before = store.times
    store.times *= TIMES
    if before > 1 or little(store) >= _bytes(store.memory) or not _lower(store):
        _raise(store, store.memory)
    try:
        yield
    finally:
        store.times = before
        if not _lower(store):
            _raise(store, store.memory)


def _lower(store: Store) -> bool:
    """Set the limit to little; False where what is held already does not fit."""
    try:
        store.con.execute(f"set memory_limit = '{little(store)}B'")
    except duckdb.OutOfMemoryException:
        return False
    store.is_lowered = True
    return True


def _raise(store: Store, said: str) -> None:
    store.con.execute(f"set memory_limit = {literal(said)}")
    store.is_lowered = False


def _limit(con: duckdb.DuckDBPyConnection) -> float:
    (said,) = con.execute("select current_setting('memory_limit')").fetchone() or ("",)
    return _bytes(said)


def _bytes(said: str) -> float:
    found = re.fullmatch(r"([0-9.]+) ?([A-Za-z]+)", said)
    return float(found[1]) * _UNITS.get(found[2], 1) if found else 0.0
