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
"""Unifications (and projections) from one merging to the next; a table grows as many groups."""
MANY_ROWS = 20_000
"""Rows of a table written at once from which on merging costs little beside them."""


def due(number: int, rows: int) -> bool:
    """Whether the checkpoint after run `number`, which wrote `rows` of a table, is to merge."""
    return number % EVERY == 0 or rows >= MANY_ROWS


@contextlib.contextmanager
def merging(con: duckdb.DuckDBPyConnection, wanted: bool) -> Iterator[None]:
    """Let the checkpoints of the block merge row groups if it is `wanted`."""
    if not wanted:
        yield
        return
    con.execute("RESET max_vacuum_tasks")
    try:
        yield
    finally:
        con.execute("SET max_vacuum_tasks = 0")
