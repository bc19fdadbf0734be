"""What a tool's store holds against what the source committed: lost, duplicated, wrong, held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import duckdb

Row = tuple[str, str, str | None]
"""Key, name, total as text."""
LineRow = tuple[str, str, str | None]
"""Order's key, line's key, price as text."""


@dataclass(slots=True)
class Held:
    """What a store holds; `quarantined` are keys that the tool itself says it holds back."""

    orders: list[Row] = field(default_factory=list)
    lines: list[LineRow] = field(default_factory=list)
    quarantined: set[str] = field(default_factory=set)
    total: str | None = None
    """The store's own sum of totals."""


def of_isthmus(folder: Path) -> Held:
    """Read the published file; a home without one holds nothing."""
    path = folder / "home" / "published" / "unified.duckdb"
    if not path.exists():
        return Held()
    with duckdb.connect(str(path), read_only=True) as con:
        return Held(
            con.execute(
                "select source_key, number, total::varchar from source.orders where not is_deleted"
            ).fetchall(),
            con.execute(
                "select parent_key, source_key, unit_price::varchar from source.order_lines"
            ).fetchall(),
            {
                str(key) for (key,) in con.execute(
                    "select source_key from ops.quarantine where status = 'open'"
                ).fetchall()
            },
            _one(con, "select sum(total)::varchar from source.orders where not is_deleted"),
        )  # fmt: skip


def of_dlt(folder: Path) -> Held:
    """Read dlt's dataset; a file or table that is not there holds nothing."""
    path = folder / "dlt.duckdb"
    if not path.exists():
        return Held()
    with duckdb.connect(str(path), read_only=True) as con:
        tables = {
            name for (name,) in con.execute(
                "select table_name from information_schema.tables where table_schema = 'shop'"
            ).fetchall()
        }  # fmt: skip
        if not {"orders", "orders__line_items"} <= tables:
            return Held()
        return Held(
            con.execute("select id::varchar, name, total_price::varchar from shop.orders"
                        ).fetchall(),
            con.execute(
                "select o.id::varchar, l.id, l.price::varchar from shop.orders__line_items l"
                " left join shop.orders o on o._dlt_id = l._dlt_parent_id"
            ).fetchall(),
            set(),
            _one(con, "select sum(total_price)::varchar from shop.orders"),
        )  # fmt: skip


def _one(con: duckdb.DuckDBPyConnection, query: str) -> str | None:
    found = con.execute(query).fetchone()
    return found[0] if found else None


def judge(wanted: dict[str, dict[str, Any]], held: Held) -> dict[str, int]:
    """Count records lost, duplicated, ghost, wrong and held back; `sum` is 1 for a wrong sum.

    A record is wrong when its name, its total or the lines it owns are not the source's last; each
    counts once.
    """
    keys = Counter(key for key, _, _ in held.orders)
    lines = Counter((order, line) for order, line, _ in held.lines)
    prices: dict[str, dict[str, str | None]] = {}
    for order, line, price in held.lines:
        prices.setdefault(order, {})[line] = price
    wrong = 0
    for key, name, total in dict.fromkeys(held.orders):
        said = wanted.get(key)
        if said is None:
            continue
        owned = {x["id"]: x["price"] for x in said["line_items"]}
        mine = prices.get(key, {})
        wrong += not (
            name == said["name"]
            and _equal(total, said["total_price"])
            and mine.keys() == owned.keys()
            and all(_equal(mine[line], price) for line, price in owned.items())
        )
    back = held.quarantined & wanted.keys() - keys.keys()
    exact = sum((wanted[key]["total_price"] for key in keys if key in wanted), Decimal(0))
    return {
        "rows": len(wanted),
        "lost": len(wanted.keys() - keys.keys() - back),
        "duplicated": _more(keys.values()) + _more(lines.values()),
        "ghost": len(keys.keys() - wanted.keys())
        + len({order for order, _ in lines} - keys.keys()),
        "wrong": wrong,
        "sum": int(bool(keys) and not _equal(held.total, exact)),
        "held": len(back),
    }


def _more(counts: Iterable[int]) -> int:
    return sum(count - 1 for count in counts)


def _equal(text: str | None, wanted: Decimal) -> bool:
    try:
        return text is not None and Decimal(text) == wanted
    except InvalidOperation:
        return False
