"""A database, a connection over it, and the published store, for tests of the `sql` connector.

The judge asks the database and the published file with their own drivers: nothing of the connector
is in between.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.base import Context, Page, ReadRequest
from connectors.errors import ConnectorError
from connectors.sql import SqlConnector, SqlSettings
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace

DEFS = """\
type: pipelines.Connection
attributes:
  system: sql
  config: {config}
  timezone: {zone}
"""
PAYMENTS = """\
entity: payment
key: id
version: updated_at
fields:
  number: id
  amount: amount
  payer_name: payer
"""
STORED = """
select source_key, amount::varchar, payer_name from source.payments
where connection = 'erp' and not is_deleted
"""
TABLE = {
    "sqlite": "create table payments (id integer primary key, amount text, payer text,"
    " updated_at text)",
    "postgresql": "create table payments (id bigint primary key, amount numeric(18, 4),"
    " payer varchar(60), updated_at timestamptz)",
    "mysql": "create table payments (id bigint primary key, amount decimal(18, 4),"
    " payer varchar(60), updated_at datetime(6)) charset utf8mb4",
}
START = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class Database:
    """A real database: `connect` opens a writing connection with the driver's own API."""

    name: str
    url: str
    connect: Callable[[], Any]
    folder: str = ""

    def execute(self, *statements: str | tuple[str, Sequence[Any]]) -> None:
        """Run statements in one transaction."""
        with closing(self.connect()) as con:
            cursor = con.cursor()
            for each in statements:
                cursor.execute(*([each] if isinstance(each, str) else each))
            con.commit()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query answers."""
        with closing(self.connect()) as con:
            cursor = con.cursor()
            cursor.execute(sql)
            return list(map(tuple, cursor.fetchall()))

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert many rows in one transaction."""
        with closing(self.connect()) as con:
            mark = "?" if self.name == "sqlite" else "%s"
            con.cursor().executemany(sql.replace("?", mark), rows)
            con.commit()

    def settings(self, **stream: Any) -> dict[str, Any]:
        """Return `config:` of a connection with one stream, `payments`."""
        found: dict[str, Any] = {
            "url": self.url,
            "allow_private": True,
            "streams": {"payments": {"table": "payments", "key": "id"} | stream},
        }
        return found | ({"folder": self.folder} if self.folder else {})


def sqlite_database(folder: Path) -> Database:
    """Return a SQLite file in a folder."""
    path = folder / "erp.db"
    return Database("sqlite", "sqlite:///erp.db", lambda: sqlite3.connect(path), str(folder))


@dataclass
class World:
    """One connection `erp` over a database, with a clock of its own."""

    root: Path
    database: Database
    config: dict[str, Any]
    mapping: str = PAYMENTS
    zone: str = "Asia/Shanghai"
    stream: str = "payments"
    now: datetime = START
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.write("defs/erp/defs.yaml", DEFS.format(config=json.dumps(self.config),
                                                     zone=self.zone))  # fmt: skip
        self.write(f"maps/erp/{self.stream}.yaml", self.mapping)
        self.space = self.discover()

    def write(self, name: str, text: str) -> None:
        """Write a file below the world's folder."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def discover(self) -> Workspace:
        """Return the workspace anew, as another process has it."""
        return Workspace.discover(
            {
                "ISTHMUS_HOME": str(self.root / "home"),
                "ISTHMUS_DEFS": str(self.root / "defs"),
                "ISTHMUS_MAPPINGS": str(self.root / "maps"),
                **self.env,
            }
        )

    def sync(self, *, wait: timedelta = timedelta(minutes=1), **how: Any) -> StreamOutcome:
        """Run the stream once, `wait` after the run before."""
        self.now += wait
        return sync_stream(self.space, "erp", self.stream, now=lambda: self.now, **how)

    def published(self, sql: str = STORED) -> list[tuple[Any, ...]]:
        """Publish, then ask the published file."""
        done = unify_publish(self.space, now=lambda: self.now)
        assert done.error is None, done.error
        path = self.root / "home" / "published" / "unified.duckdb"
        with duckdb.connect(str(path), read_only=True) as con:
            return con.execute(sql).fetchall()

    def stored(self, sql: str = STORED) -> list[tuple[Any, ...]]:
        """Ask the private store."""
        with duckdb.connect(str(self.space.home.store), read_only=True) as con:
            return con.execute(sql).fetchall()


@contextmanager
def world(root: Path, database: Database, config: dict[str, Any], **more: Any) -> Iterator[World]:
    """Make a world and give back what it holds."""
    made = World(root, database, config, **more)
    try:
        yield made
    finally:
        made.space.control.close()


def connector(config: dict[str, Any], **context: Any) -> SqlConnector:
    """Return a connector alone, without a workspace."""
    return SqlConnector(SqlSettings.model_validate(config), Context("erp", **context))


def pages(source: SqlConnector, bookmark: Any = None, **request: Any) -> list[Page]:
    """Return the pages of one read of `payments`."""
    return list(source.read(ReadRequest("payments", bookmark=bookmark, **request)))


def ids(found: Sequence[Page]) -> list[str | None]:
    """Return the keys of pages in their order."""
    return [key for page in found for key in page.keys]


def failure(config: dict[str, Any], **context: Any) -> ConnectorError:
    """Return what a read of `payments` raises: one of ours, with no trace of the driver's."""
    with pytest.raises(ConnectorError) as caught:
        pages(connector(config, **context))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def through(port: int, database: Database, **more: Any) -> dict[str, Any]:
    """Return `config:` of a connection to a PostgreSQL database through a port of loopback."""
    name = database.rows("select current_database()")[0][0]
    config = database.settings() | more
    return config | {"url": f"postgresql://postgres@127.0.0.1:{port}/{name}"}
