"""Brings a home's projection up to date and reads what stands in its files."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from source_rows import MOMENT

from warehouse.home import Home
from warehouse.project import Projected, project
from warehouse.store import Store
from warehouse.unify import unify

KEY = b"0123456789abcdef0123456789abcdef"


def shown(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()


def bring(store: Store, home: Home, **more: Any) -> Projected:
    unify(store, now=MOMENT)
    return project(store, home, **{"privacy": "masked", "key": KEY, "now": MOMENT, **more})


def order(key: str, **more: Any) -> dict[str, Any]:
    lines = [{"key": "1", "sku": "A1", "quantity": 2}]
    return {
        "key": key, "number": f"N{key}", "currency": "CNY", "status": "confirmed",
        "total": Decimal(10), "lines": lines, **more,
    }  # fmt: skip


def everything(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(path), read_only=True) as con:
        names = con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE table_name <> 'meta'"
        ).fetchall()
        return {
            f"{s}.{t}": con.execute(f'SELECT * FROM "{s}"."{t}" ORDER BY ALL').fetchall()
            for s, t in names
        }
