"""Dagster's event log on SQLite, held open while a run writes into it.

Dagster opens the log anew at each event. Who closes it last writes its journal back and removes it,
with a sync of the disk: half of what a short run took. As long as somebody has it open nobody does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME


@contextmanager
def held_open(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Hold the log of a run, which is made here, and the index of all runs; others are let be."""
    log = instance.event_log_storage
    with ExitStack() as stack:
        if isinstance(log, SqliteEventLogStorage):
            with log.run_connection(run_id):
                pass  # made by Dagster itself
            for name in (INDEX_SHARD_NAME, run_id):
                one = stack.enter_context(closing(sqlite3.connect(log.path_for_shard(name))))
                one.execute("SELECT count(*) FROM sqlite_master").fetchall()  # opens the journal
        yield
