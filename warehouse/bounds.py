"""Keeps the memory of one piece of work on the store small, whatever the machine has."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

import duckdb

from warehouse.ddl import literal

LIMIT = "224MiB"
_T = TypeVar("_T")


def sparingly(con: duckdb.DuckDBPyConnection, work: Callable[[], _T]) -> _T:
    """Return what `work` returns, done within LIMIT of memory and one thread.

    What does not fit goes to disk. Work that needs more all the same is done once more with the
    connection's own limit: it must leave no transaction open and be right to begin anew.
    """
    with contextlib.suppress(duckdb.OutOfMemoryException), _limited(con):
        return work()
    return work()


@contextlib.contextmanager
def _limited(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    memory, threads = con.execute(
        "SELECT current_setting('memory_limit'), current_setting('threads')"
    ).fetchone() or ("", 1)
    number, unit = str(memory).split()
    con.execute(f"SET memory_limit = {literal(LIMIT)}")
    # A second thread holds as many half-filled row groups again and takes more processor time.
    con.execute("SET threads = 1")
    try:
        yield
    finally:
        con.execute(f"SET threads = {threads}")
        # The text is cut to one digit: put back as it stands, it would sink at each turn.
        con.execute(f"SET memory_limit = '{float(number) + 0.05:.2f}{unit}'")
