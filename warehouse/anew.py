"""Copies the store into a new file: DuckDB keeps the blocks and the bytes of what was deleted."""

from __future__ import annotations

import os

import duckdb

from warehouse import crashpoints, lock
from warehouse.batch import sync_folder
from warehouse.clock import Clock
from warehouse.ddl import columns_of, literal, quote
from warehouse.home import Home
from warehouse.project import public_lock
from warehouse.store import STORAGE_VERSION, Store

WAIT = 600.0
"""Seconds that a publication may hold the projection while we wait."""


def free_share(con: duckdb.DuckDBPyConnection) -> float:
    """Return which share of the file's blocks holds nothing, 0 to 1."""
    total, free = con.execute(
        "SELECT total_blocks, free_blocks FROM pragma_database_size() "
        "WHERE database_name = current_database()"
    ).fetchall()[0]
    return float(free) / float(total) if total else 0.0


def copy(live: Store, copied: str) -> None:
    """Put a copy in the place of the open store, which is closed then.

    `copied` is the crash point reached when the new file is whole beside the old one.
    """
    new = live.path.with_name("rebuilt.duckdb")
    for left in (new, new.with_name(new.name + ".wal")):
        left.unlink(missing_ok=True)
    con = live.con
    live.checkpoint()
    con.execute(f"ATTACH {literal(str(new))} AS fresh (STORAGE_VERSION {literal(STORAGE_VERSION)})")
    _copy(con)
    con.execute("CHECKPOINT fresh")
    con.execute("DETACH fresh")
    con.close()
    os.chmod(new, 0o600)
    crashpoints.reach(copied)
    with new.open("rb") as file:
        os.fsync(file.fileno())
    live.path.with_name(live.path.name + ".wal").unlink(missing_ok=True)
    os.replace(new, live.path)
    sync_folder(live.path.parent)


def _copy(con: duckdb.DuckDBPyConnection) -> None:
    """Copy tables, rows and comments into the attached `fresh`, virtual columns as such."""
    mine = con.execute("SELECT current_database()").fetchall()[0][0]
    tables = con.execute(
        "SELECT schema_name, table_name, sql, comment FROM duckdb_tables() "
        "WHERE database_name = ? AND NOT temporary ORDER BY table_oid",
        [mine],
    ).fetchall()
    columns = con.execute(
        "SELECT schema_name, table_name, column_name, comment FROM duckdb_columns() "
        "WHERE database_name = ? AND comment IS NOT NULL",
        [mine],
    ).fetchall()
    con.execute("USE fresh")
    try:
        for schema in sorted({row[0] for row in tables}):
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
        for schema, name, sql, comment in tables:
            full = f"{quote(schema)}.{quote(name)}"
            con.execute(sql)
            there = f"{quote(mine)}.{full}"
            real = [
                row[0] for row in con.execute(
                    f"SELECT name FROM pragma_table_info({literal(there)}) "
                    "WHERE dflt_value IS NULL ORDER BY cid"
                ).fetchall()
            ]  # fmt: skip
            con.execute(
                f"INSERT INTO {full} ({columns_of(real)}) SELECT {columns_of(real)} FROM {there}"
            )
            if comment:
                con.execute(f"COMMENT ON TABLE {full} IS {literal(comment)}")
        for schema, name, column, comment in columns:
            full = f"{quote(schema)}.{quote(name)}.{quote(column)}"
            con.execute(f"COMMENT ON COLUMN {full} IS {literal(comment)}")
    finally:
        con.execute(f"USE {quote(mine)}")


def forget_projection(home: Home, now: Clock, *, share: float, dry_run: bool = False) -> bool:
    """Say whether so much of the projection's file is empty, and remove it then.

    It is a function of the store: the next publish makes it anew. What is published stays.
    """
    with lock.hold(public_lock(home), wait=WAIT, now=now):
        if not home.public.exists() or home.public.with_name(home.public.name + ".wal").exists():
            return False
        with duckdb.connect(str(home.public), read_only=True) as con:
            is_worth = free_share(con) >= share
        if is_worth and not dry_run:
            home.public.unlink()
    return is_worth
