"""Plays changes of source rows through a matcher, incrementally and whole, and reads its groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import duckdb
from source_rows import Loader

from warehouse import ddl
from warehouse.identity import golden_id

Matcher = Callable[..., None]


@dataclass
class Play:
    """One store, one entity: what is put or deleted is matched by `run`."""

    con: duckdb.DuckDBPyConnection
    entity: str
    matcher: Matcher
    touched: set[tuple[str, str, str]] = field(default_factory=set)
    calls: int = 0

    def __post_init__(self) -> None:
        self.load = Loader(self.con)

    def put(self, connection: str, *rows: dict[str, Any], stream: str | None = None) -> None:
        stream = stream or ddl.source_table(self.entity).name
        self.load.put(self.entity, rows, connection=connection, stream=stream)
        self.touched |= {(connection, stream, str(r["key"])) for r in rows}

    def delete(self, connection: str, key: str) -> None:
        self.load.delete(self.entity, key, connection=connection)
        self.touched.add((connection, ddl.source_table(self.entity).name, key))

    def run(self, *, whole: bool = False) -> None:
        """Match what was touched since the last run."""
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE changed_rows (connection VARCHAR, stream VARCHAR, "
            "source_key VARCHAR, id UUID, is_alive BOOLEAN)"
        )
        for place in self.touched:
            self.con.execute(
                "INSERT INTO changed_rows VALUES (?, ?, ?, ?, true)",
                [*place, golden_id(self.entity, *place)],
            )
        self.con.execute("DROP TABLE IF EXISTS matching_moved")
        self.matcher(self.con, changed=None if whole else "changed_rows")
        self.touched.clear()

    def links(self) -> list[tuple[Any, ...]]:
        """Return every link, its rows by connection and key."""
        return self.con.execute(
            f"SELECT r.connection, r.source_key, l.golden_id, l.method, l.rule, l.evidence "
            f"FROM identity.links l JOIN identity.{self.entity}_rows r ON r.id = l.id "
            f"WHERE l.entity = '{self.entity}' ORDER BY ALL"
        ).fetchall()

    def groups(self) -> set[frozenset[str]]:
        """Return the groups of two and more, each row as connection/key."""
        found: dict[Any, set[str]] = {}
        for connection, key, golden, _method, rule, _evidence in self.links():
            if rule != "merged document":
                found.setdefault(golden, set()).add(f"{connection}/{key}")
        return {frozenset(g) for g in found.values()}

    def documents(self) -> list[tuple[str, str, str, float]]:
        """Return (placed order, document, role, share) of identity.order_documents."""
        return self.con.execute(
            "SELECT o.connection || '/' || o.source_key, d.connection || '/' || d.source_key, "
            "x.role, x.share::double FROM identity.order_documents x "
            "JOIN identity.order_rows o ON o.id = x.order_id "
            "JOIN identity.order_rows d ON d.id = x.id ORDER BY ALL"
        ).fetchall()


def both(rows: Iterable[tuple[Any, ...]]) -> dict[Any, Any]:
    """Return rows of two columns as a dictionary."""
    return {k: v for k, v in rows}
