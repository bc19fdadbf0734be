"""Puts values of Python into a temp table of the store's connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from warehouse.ddl import quote


def fill(
    con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, tuple[str, Sequence[Any]]]
) -> None:
    """Make the temp table anew: name -> (SQL type, values), all of one length.

    Lists as parameters: DuckDB 2.0 registers no Arrow table while a result is half fetched.
    """
    body = ", ".join(f"{quote(name)} {kind}" for name, (kind, _) in columns.items())
    con.execute(f"create or replace temp table {quote(table)} ({body})")
    values = [list(v) for _, v in columns.values()]
    if values[0]:
        lists = ", ".join(f"unnest(?::{kind}[])" for kind, _ in columns.values())
        con.execute(f"insert into {quote(table)} select {lists}", values)
