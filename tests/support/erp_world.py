"""A folder made by `isthmus init` and `isthmus connect`, over a copy of an ERP in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from surroundings import at

from pipelines.cli import main
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace

URL = ("--set", "url=sqlite:///erp.db", "--set", "folder=.")
START = datetime.fromisoformat("2026-11-24T08:00:00+00:00")


@dataclass
class Erp:
    """One connection `erp` of a ready kind; `con` writes into the tables it reads."""

    root: Path
    con: sqlite3.Connection
    space: Workspace
    now: datetime = START
    first: Mapping[str, StreamOutcome] = field(default_factory=dict)

    @property
    def defs(self) -> Path:
        """The file that `connect` wrote."""
        return self.root / "defs" / "erp" / "defs.yaml"

    @property
    def streams(self) -> list[str]:
        """All streams of the connection."""
        return [spec.name for spec in self.space.connection("erp").streams]

    def sync(self, *streams: str, **how: Any) -> dict[str, StreamOutcome]:
        """Run streams (all, where none is named) a minute after the run before; publish."""
        self.now += timedelta(minutes=1)
        done = {
            name: sync_stream(self.space, "erp", name, now=lambda: self.now, **how)
            for name in streams or self.streams
        }
        assert [f"{n}: {d.error.what}" for n, d in done.items() if d.error is not None] == []
        assert unify_publish(self.space, now=lambda: self.now).error is None
        return done

    def source(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the ERP's tables, with SQLite alone."""
        return self.con.execute(sql).fetchall()

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the published file, with DuckDB alone."""
        path = self.root / "var" / "published" / "isthmus.duckdb"
        with duckdb.connect(str(path), read_only=True) as con:
            return con.execute(sql).fetchall()

    def change(self, *statements: str) -> None:
        """Change the ERP's tables."""
        for sql in statements:
            self.con.execute(sql)
        self.con.commit()


@contextmanager
def erp(root: Path, system: str, con: sqlite3.Connection) -> Iterator[Erp]:
    """Make the folder as a person does, with the command line; `con` is of `root`/erp.db."""
    with at(root.parent, {"ISTHMUS_LANG": "en"}):
        assert main(["init", root.name]) == 0
    with at(root, {"ISTHMUS_LANG": "en"}):
        assert main(["connect", system, "erp", *URL]) == 0
    env = {"ISTHMUS_DEFS": str(root / "defs"), "ISTHMUS_HOME": str(root / "var")}
    space = Workspace.discover(env)
    try:
        yield Erp(root, con, space)
    finally:
        space.control.close()
        con.close()
