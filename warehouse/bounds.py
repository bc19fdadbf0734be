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
LARGE = 600 << 20
"""Bytes of a file from which on the work gets half as much more as the file is larger: to change a
few rows of tables of millions took more than MEMORY, and all of it was done twice."""
COMMIT = 128 << 20
"""Bytes that it keeps while a load commits; an eighth of the file's size comes on top."""
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SHORT = ("failed to pin block", "could not allocate block", "failed to offload data block")
_T = TypeVar("_T")


@contextlib.contextmanager
def sparing(store: Store) -> Iterator[None]:
    """Let the block have little; without effect where the store has no more or is not to spare."""
    lowered = store.spares and _limit(store.con) > little(store) and _lower(store)
    try:
        yield
    finally:
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


def for_marts(store: Store) -> int:
    """Return the bytes with which the marts of a new file are made: joins of all rows there are."""
    return 2 * MEMORY + store.path.stat().st_size


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
    """Return what `work` returns, done within MEMORY.

    Work that needs more all the same is done once more with the store's own limit: it must leave
    no transaction open and be right to begin anew.
    """
    with sparing(store):
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

    An error of which `unless` holds is raised at once.
    """
    try:
        return work()
    except duckdb.Error as error:
        if not is_short(error) or unless(error):
            raise
        with raised(store):
            return work()


def little(store: Store) -> int:
    """Return the bytes of a piece of work, whole mebibytes."""
    return (MEMORY + max(0, store.path.stat().st_size - LARGE) // 2) >> 20 << 20


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
