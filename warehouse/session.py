"""What a load needs of the store's session, and the numbers and times it writes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeAlias

import duckdb

from warehouse.bounds import sparing
from warehouse.ddl import literal, quote
from warehouse.errors import LoadError
from warehouse.model.plan import StreamPlan
from warehouse.store import Store

Now: TypeAlias = datetime | Callable[[], datetime]
LOG_LIMIT = "48MB"
"""Rows that are only in the log stand in memory too: a load of any length keeps below this."""


def moment(now: Now) -> datetime:
    """Return the time that `now` is or gives."""
    return now if isinstance(now, datetime) else now()


@contextlib.contextmanager
def session(store: Store, plan: StreamPlan) -> Iterator[None]:
    """Set what a load needs of the session; put it back and drop the temp tables afterwards."""
    con = store.con
    names = ("TimeZone", "wal_autocheckpoint")
    before = con.execute(
        f"select {', '.join(f'current_setting({literal(n)})::varchar' for n in names)}"
    ).fetchone()
    try:
        # Few checkpoints, and one at the last commit: each writes half-filled row groups anew.
        con.execute(f"set wal_autocheckpoint = {literal(LOG_LIMIT)}")
        _set_zone(con, plan)
        with sparing(store):
            yield
    finally:
        with contextlib.suppress(duckdb.FatalException):  # a connection that ended keeps nothing
            for name, value in zip(names, before or (), strict=True):
                con.execute(f"set {name} = {literal(value)}")
            for (name,) in con.execute(
                "select table_name from duckdb_tables() where temporary"
            ).fetchall():
                con.execute(f"drop table if exists temp.{quote(name)}")


def _set_zone(con: duckdb.DuckDBPyConnection, plan: StreamPlan) -> None:
    try:
        con.execute(f"set TimeZone = {literal(plan.zone)}")
    except duckdb.Error as error:
        raise LoadError(
            f"{plan.zone!r} is no time zone.", "write an IANA name such as Asia/Shanghai.",
            place=plan.source,
        ) from error  # fmt: skip


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
