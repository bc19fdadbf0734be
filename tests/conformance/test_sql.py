"""The suite on `sql`, over a SQLite file; tests/connectors/sql holds it against servers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any, ClassVar

from connectors.sql import SqlConnector
from connectors.testing import HTTP_CASES, Bench, ConformanceSuite


class SqlBench(Bench):
    """A table with a stamp, five rows a partition."""

    connector = SqlConnector
    stream = "payments"
    page_size = 5
    changes: ClassVar[dict[str, Any] | None] = {"since": "updated_at", "lookback": "10m"}

    def boot(self) -> None:
        self.path = self.folder / "erp.db"
        self._do("pragma journal_mode = wal")  # writers need not wait for a read under way
        self._do(
            "create table payments (id integer primary key, note text, updated_at text,"
            " moved integer)"
        )

    def _do(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as con:
            found = con.execute(sql, values).fetchall()
            con.commit()
            return found

    def settings(self) -> dict[str, Any]:
        stream: dict[str, Any] = {"table": "payments", "key": "id"}
        if self.changes is not None:
            stream["changes"] = self.changes
        return {
            "url": "sqlite:///erp.db", "folder": str(self.folder), "rows": 5,
            "streams": {"payments": stream},
        }  # fmt: skip

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        good = self.settings()
        yield good | {"url": "postgresql://reader:secret@192.168.1.10/erp"}
        yield {name: value for name, value in good.items() if name != "folder"}
        yield good | {"streams": {"payments": {"query": "delete from payments", "key": "id"}}}
        yield good | {"streams": {"payments": {"table": "payments"}}}

    def put(self, number: int, version: int, at: datetime) -> str:
        moved = "(select coalesce(max(moved), 0) + 1 from payments)"
        sql = f"insert or replace into payments values (?, ?, ?, {moved})"
        self._do(sql, number, f"v{version}", at.isoformat())
        return str(number)

    def delete(self, number: int) -> None:
        self._do("delete from payments where id = ?", number)

    def living(self) -> Mapping[str, str]:
        return {str(key): note for key, note in self._do("select id, note from payments")}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["note"])


FILE = "a SQLite file has no credentials; servers' are refused in tests/connectors/sql"
WIRE = "a database is not reached over HTTP"
NOT_APPLICABLE = {
    "credentials_refused": FILE,
    "clock_skew_told": "a SQLite file has no clock of its own",
    "secrets_hidden": FILE,
    "page_size_clamped": "a database gives as many rows as are asked for",
    **dict.fromkeys(HTTP_CASES, WIRE),
}


class TestStamp(ConformanceSuite):
    title = "stamp"
    bench = SqlBench
    not_applicable = NOT_APPLICABLE


class NumberBench(SqlBench):
    """Changes by a number that moves with every change, as a rowversion does."""

    changes: ClassVar[dict[str, Any]] = {"number": "moved", "behind": 2}


class TestNumber(ConformanceSuite):
    title = "number"
    bench = NumberBench
    not_applicable: ClassVar = NOT_APPLICABLE | {
        "late_commit": "changes are found by a number; behind: is what a lookback is to stamps",
    }


class SnapshotBench(SqlBench):
    changes = None


WHOLE = "without changes: every read is whole; the landing leaves out what it has already"


class TestSnapshot(ConformanceSuite):
    title = "snapshot"
    bench = SnapshotBench
    not_applicable: ClassVar = NOT_APPLICABLE | {
        "only_what_changed": WHOLE,
        "nothing_new": WHOLE,
        "late_commit": "a stream that is read whole every time goes by no stamp",
    }
