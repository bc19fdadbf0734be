"""What a load needs of the store's session, and the numbers and times it writes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeAlias

import duckdb

from warehouse.ddl import literal, quote
from warehouse.errors import LoadError
from warehouse.model.plan import StreamPlan
from warehouse.store import Store

Now: TypeAlias = datetime | Callable[[], datetime]
LOG_LIMIT = "48MB"
"""Rows that are only in the log stand in memory too: a load of any length keeps below this."""
MEMORY = 128 << 20
"""Bytes that DuckDB keeps in memory during a load; the rest goes to the scratch folder."""
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def moment(now: Now) -> datetime:
    """Return the time that `now` is or gives."""
    return now if isinstance(now, datetime) else now()


@contextlib.contextmanager
def session(store: Store, plan: StreamPlan) -> Iterator[None]:
    """Set what a load needs of the session; put it back and drop the temp tables afterwards."""
    con = store.con
    names = ("TimeZone", "threads", "wal_autocheckpoint")
    before = con.execute(
        f"select {', '.join(f'current_setting({literal(n)})::varchar' for n in names)}"
    ).fetchone()
    # Batches are small: with two threads DuckDB takes twice the time for the same statements.
    con.execute("set threads = 1")
    # Few checkpoints, and one at the last commit: each writes half-filled row groups anew.
    con.execute(f"set wal_autocheckpoint = {literal(LOG_LIMIT)}")
    lowered = _limit(con) > MEMORY
    if lowered:
        con.execute(f"set memory_limit = '{MEMORY}B'")
    try:
        con.execute(f"set TimeZone = {literal(plan.zone)}")
    except duckdb.Error as error:
        raise LoadError(
            f"{plan.zone!r} is no time zone.", "write an IANA name such as Asia/Shanghai.",
            place=plan.source,
        ) from error  # fmt: skip
    try:
        yield
    finally:
        for name, value in zip(names, before or (), strict=True):
            con.execute(f"set {name} = {literal(value)}")
        if lowered:
            con.execute(f"set memory_limit = {literal(store.memory)}")
        for (name,) in con.execute(
            "select table_name from duckdb_tables() where temporary"
        ).fetchall():
            con.execute(f"drop table if exists temp.{quote(name)}")


@contextlib.contextmanager
def all_memory(store: Store) -> Iterator[None]:
    """Let the block have all of the store's memory: for records that a load's share does not hold.

    Without effect where the store has no more than the share.
    """
    lowered = _limit(store.con) == MEMORY
    if lowered:
        store.con.execute(f"set memory_limit = {literal(store.memory)}")
    try:
        yield
    finally:
        if lowered:
            store.con.execute(f"set memory_limit = '{MEMORY}B'")


def _limit(con: duckdb.DuckDBPyConnection) -> float:
    (said,) = con.execute("select current_setting('memory_limit')").fetchone() or ("",)
    found = re.fullmatch(r"([0-9.]+) ?([A-Za-z]+)", said)
    return float(found[1]) * _UNITS.get(found[2], 1) if found else 0.0


def checkpoint_at_commit(store: Store) -> None:
    """Let the next commit write the file itself, not the log first and the file after it."""
    store.con.execute("set wal_autocheckpoint = '1KB'")


def next_load(con: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the next load: it grows over the whole store, rebuilds included."""
    (last,) = con.execute(
        """
        select greatest(
            coalesce((select max(load_id) from ops.batches), 0),
            coalesce((select max(load_id) from ops.quarantine), 0),
            coalesce((select max(value::bigint) from ops.meta where name = 'load_floor'), 0))
        """
    ).fetchone() or (0,)
    return int(last) + 1
