"""Tables of on-premise ERP systems in SQLite: their names, their columns, invented rows.

Each table with a rowversion gets triggers that do what SQL Server does: every insert and update
takes the next number of one counter of the whole database.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def make(path: Path, tables: str, rowversions: Mapping[str, str]) -> sqlite3.Connection:
    """Make a database of `tables`: a line each, `Name: column type, column type …`."""
    con = sqlite3.connect(path)
    con.execute("create table dbts (n integer)")
    con.execute("insert into dbts values (1000)")
    for line in filter(None, map(str.strip, tables.strip().splitlines())):
        name, columns = re.fullmatch(r"(\w+): (.*)", line).groups()  # type: ignore[union-attr]
        con.execute(f"create table {name} ({columns})")
        if (column := rowversions.get(name)) is not None:
            for event in ("insert", "update"):
                con.execute(
                    f"create trigger {name}_{event} after {event} on {name} begin"
                    f" update dbts set n = n + 1; update {name} set {column} = (select n from dbts)"
                    f" where rowid = new.rowid; end"
                )
    con.commit()
    return con


def fill(con: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows in one transaction."""
    for row in rows:
        marks = ", ".join("?" for _ in row)
        con.execute(f"insert into {table} ({', '.join(row)}) values ({marks})", tuple(row.values()))
    con.commit()
