"""Keeps the memory of one piece of work on the store small, whatever the machine has."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import duckdb

from warehouse.ddl import literal
from warehouse.store import Store

MEMORY = 96 << 20
"""Bytes that DuckDB keeps in memory during the work; the rest goes to the scratch folder."""
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SHORT = ("failed to pin block", "could not allocate block", "failed to offload data block")
_T = TypeVar("_T")


@contextlib.contextmanager
def sparing(store: Store) -> Iterator[None]:
    """Let the block have MEMORY; without effect where the store has no more."""
    lowered = _limit(store.con) > MEMORY and _lower(store.con)
    try:
        yield
    finally:
        if lowered:
            store.con.execute(f"set memory_limit = {literal(store.memory)}")


@contextlib.contextmanager
def all_memory(store: Store) -> Iterator[None]:
    """Inside `sparing`, let the block have all of the store's memory: MEMORY does not hold it."""
    lowered = _limit(store.con) == MEMORY
    if lowered:
        store.con.execute(f"set memory_limit = {literal(store.memory)}")
    try:
        yield
    finally:
        if lowered:
            _lower(store.con)


@contextlib.contextmanager
def transaction(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """Inside `sparing`, `store.transaction()` whose commit has all of the store's memory.

    A commit may bring a checkpoint. One that is short of memory has committed all the same and
    ends the database's connection: unlike other work it cannot be tried again.
    """
    with contextlib.ExitStack() as after, store.transaction() as con:
        yield con
        after.enter_context(all_memory(store))


def checkpoint(store: Store, database: str = "") -> None:
    """Inside `sparing`, write a log into its file with all of the store's memory; see above."""
    with all_memory(store):
        store.con.execute(f"CHECKPOINT {database}".rstrip())


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


def with_more(store: Store, work: Callable[[], _T]) -> _T:
    """Inside `sparing`, return what `work` returns; see `sparingly` for what it must bear."""
    try:
        return work()
    except duckdb.Error as error:
        if not is_short(error):
            raise
        with all_memory(store):
            return work()


def _lower(con: duckdb.DuckDBPyConnection) -> bool:
    """Set the limit to MEMORY; False where what is held already does not fit."""
    try:
        con.execute(f"set memory_limit = '{MEMORY}B'")
    except duckdb.OutOfMemoryException:
        return False
    return True


def _limit(con: duckdb.DuckDBPyConnection) -> float:
    (said,) = con.execute("select current_setting('memory_limit')").fetchone() or ("",)
    found = re.fullmatch(r"([0-9.]+) ?([A-Za-z]+)", said)
    return float(found[1]) * _UNITS.get(found[2], 1) if found else 0.0
