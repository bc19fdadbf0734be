"""When row groups that are not full are put together.

At each checkpoint DuckDB would merge them, and so write up to 122,880 rows anew for a thousand
changed ones: more than half the time of a small sync. The store's connections do it seldom.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import duckdb

SELDOM = {"max_vacuum_tasks": 0}
"""The setting of the store's connections: checkpoints leave row groups as they are."""
EVERY = 8
"""Loads (unifications, projections) from one merging to the next; a table grows as many groups."""
MANY_ROWS = 20_000
"""Rows of a load from which on merging costs little beside them."""


def due(number: int, rows: int = 0) -> bool:
    """Whether run `number`, which is to write `rows`, is to merge."""
    return number % EVERY == 0 or rows >= MANY_ROWS


@contextlib.contextmanager
def merging(con: duckdb.DuckDBPyConnection, wanted: bool = True) -> Iterator[None]:
    """Let checkpoints of the block merge row groups if it is `wanted`.

    The block is to hold COMMIT and CHECKPOINT: a large commit is a checkpoint itself, and one that
    finds nothing in the log does nothing.
    """
    if not wanted:
        yield
        return
    (before,) = con.execute("SELECT current_setting('max_vacuum_tasks')").fetchone() or (0,)
    con.execute("RESET max_vacuum_tasks")
    try:
        yield
    finally:
        with contextlib.suppress(duckdb.FatalException):  # a database that ended has no settings
            con.execute(f"SET max_vacuum_tasks = {int(before)}")
