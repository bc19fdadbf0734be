"""Writes rows into `source` as a load would, without landing or mapping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb

from warehouse import ddl, lazy
from warehouse.model import ENTITIES

MOMENT = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Loader:
    """Puts rows into the source tables, one load after the other."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        row = con.execute("SELECT coalesce(max(load_id), 0) FROM ops.batches").fetchone()
        self.load = int(row[0]) if row else 0

    def put(
        self,
        entity: str,
        rows: Iterable[Mapping[str, Any]],
        *,
        connection: str = "shop",
        stream: str | None = None,
        load: int | None = None,
    ) -> int:
        """Insert or replace rows; a member named as a child holds its rows. Returns the load."""
        self.load = load or self.load + 1
        cls = ENTITIES[entity]
        stream = stream or cls.table
        for row in rows:
            values = dict(row)
            key = str(values.pop("key"))
            children = {n: values.pop(n, []) for n in cls.children}
            self._drop(entity, connection, stream, key)
            frame = {
                "connection": connection, "stream": stream, "source_key": key, "record_key": key,
                "row_hash": 7, "batch": self.load, "position": 1, "mapping": "m1",
                "first_seen_at": MOMENT, "synced_at": MOMENT, "load_id": self.load,
                "is_deleted": False, "newer_in_quarantine": False,
            }  # fmt: skip
            self._insert(ddl.source_table(entity), {**frame, **values})
            for name, lines in children.items():
                table = ddl.source_table(cls.children[name])
                for number, line in enumerate(lines, 1):
                    said = dict(line)
                    child = {
                        "connection": connection, "stream": stream, "parent_key": key,
                        "source_key": str(said.pop("key", number)), "line": number,
                        "load_id": self.load,
                    }  # fmt: skip
                    self._insert(table, {**child, **said})
        self._batch(connection, stream)
        return self.load

    def touch(self, entity: str, key: str, *, connection: str = "shop") -> None:
        """Move a row's version with equal content: its children are not written again."""
        self.load += 1
        cls = ENTITIES[entity]
        self.con.execute(
            f"UPDATE {ddl.source_table(entity).full} SET version = ?, load_id = ? "
            "WHERE connection = ? AND stream = ? AND source_key = ?",
            [str(self.load), self.load, connection, cls.table, key],
        )
        self._batch(connection, cls.table)

    def delete(
        self, entity: str, key: str, *, connection: str = "shop", stream: str | None = None
    ) -> None:
        """Make a row a tombstone, without children."""
        self.load += 1
        cls = ENTITIES[entity]
        stream = stream or cls.table
        where = [connection, stream, key]
        self.con.execute(
            f"UPDATE {ddl.source_table(entity).full} SET is_deleted = true, load_id = ?, "
            "deleted_at = ?, delete_reason = 'absent_in_full_scan' "
            "WHERE connection = ? AND stream = ? AND source_key = ?",
            [self.load, MOMENT, *where],
        )
        for child in cls.children.values():
            self.con.execute(
                f"DELETE FROM {ddl.source_table(child).full} "
                "WHERE connection = ? AND stream = ? AND parent_key = ?",
                where,
            )
        self._batch(connection, stream)

    def refer(self, *rule: str | None) -> None:
        """Add a rule of ops.refs: connection, stream, entity, field, target, stream, by."""
        self.con.execute("INSERT INTO ops.refs VALUES (?, ?, ?, ?, ?, ?, ?)", list(rule))

    def _drop(self, entity: str, connection: str, stream: str, key: str) -> None:
        for member, column in [
            (entity, "source_key"),
            *((c, "parent_key") for c in ENTITIES[entity].children.values()),
        ]:
            self.con.execute(
                f"DELETE FROM {ddl.source_table(member).full} "
                f"WHERE connection = ? AND stream = ? AND {column} = ?",
                [connection, stream, key],
            )

    def _insert(self, table: ddl.Table, row: Mapping[str, Any]) -> None:
        marks = ", ".join("?" for _ in row)
        lazy.make_room(self.con, table, row)
        self.con.execute(
            f"INSERT INTO {table.full} ({ddl.columns_of(row)}) VALUES ({marks})", list(row.values())
        )

    def _batch(self, connection: str, stream: str) -> None:
        self.con.execute(
            "INSERT INTO ops.batches (load_id, connection, stream, batch, loaded_at) "
            "VALUES (?, ?, ?, ?, ?)",
            [self.load, connection, stream, self.load, MOMENT],
        )
