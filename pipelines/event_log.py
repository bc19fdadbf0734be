"""Dagster's event log on SQLite, read and written over one connection while a run goes on.

Dagster makes an engine anew at each event: the statement is compiled again, the file opened, and
who closes it last writes its journal back with a sync of the disk. That was half of a short run.
Like `runs.py` this reaches into Dagster's private modules (1.13.27, pinned).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import Connection, Engine, StaticPool, create_engine


@contextmanager
def held_open(instance: dg.DagsterInstance) -> Iterator[None]:
    """Keep one connection a file of the log until the block ends; another kind of log is let be."""
    log: Any = instance.event_log_storage
    if not isinstance(instance.event_log_storage, SqliteEventLogStorage):
        yield
        return
    engines: dict[str, Engine] = {}

    def made(shard: str) -> Engine:
        with original(shard):
            pass  # the tables are made by Dagster itself
        engines[shard] = create_engine(
            log.conn_string_for_shard(shard),
            poolclass=StaticPool,
            # Threads take turns: a lock of the log is held around each use.
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        return engines[shard]

    @contextmanager
    def connect(shard: str) -> Iterator[Connection]:
        engine = engines.get(shard) or made(shard)
        with log._db_lock, engine.connect() as one, one.begin():
            yield one

    original = log._connect
    log._connect = connect
    try:
        yield
    finally:
        del log._connect
        for engine in engines.values():
            engine.dispose()
