"""Real databases: a SQLite file, an embedded PostgreSQL, and a MariaDB where one is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import fresh_database
from sql_world import TABLE, Database, sqlite_database
from tcp_door import Door


@pytest.fixture
def door(postgres_server: str) -> Iterator[Door]:
    """A way to the PostgreSQL server by a port of loopback, which can be held shut."""
    made = Door(f"{postgres_server}/.s.PGSQL.5432")
    yield made
    made.close()


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[Database]:
    """A fresh database of the server."""
    import psycopg

    with fresh_database(postgres_server) as name:
        yield Database(
            "postgresql",
            f"postgresql://postgres@/{name}?host={postgres_server}",
            lambda: psycopg.connect(dbname=name, host=postgres_server, user="postgres"),
        )


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """The path of a MariaDB server's socket; skipped where none is installed."""
    client = pytest.importorskip("pymysql", reason="no pymysql here")
    program = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/libexec")
    if program is None:
        pytest.skip("no MariaDB server is installed here")
    folder = tempfile.mkdtemp(prefix="my")
    path = f"{folder}/s.sock"
    made = subprocess.Popen(
        [program, "--no-defaults", f"--datadir={folder}", f"--socket={path}", "--skip-networking",
         "--skip-grant-tables", "--user=root"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not os.path.exists(path):  # it is there once the server listens
            assert made.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server does not answer"
            threading.Event().wait(0.05)
        client.connect(unix_socket=path, user="root").close()
        yield path
    finally:
        made.terminate()
        made.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def mariadb(mariadb_server: str) -> Iterator[Database]:
    """A fresh database of the server."""
    import pymysql

    name = f"t{uuid.uuid4().hex[:12]}"
    found = Database(
        "mysql",
        f"mysql://root@/{name}?unix_socket={mariadb_server}",
        lambda: pymysql.connect(unix_socket=mariadb_server, user="root", database=name),
    )
    with pymysql.connect(unix_socket=mariadb_server, user="root") as con:
        con.cursor().execute(f"create database {name} charset utf8mb4")
    yield found
    found.execute(f"drop database {name}")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Each database in turn, with an empty table `payments`."""
    if request.param == "sqlite":
        (tmp_path / "files").mkdir()
        found = sqlite_database(tmp_path / "files")
    else:
        fixture = "postgres" if request.param == "postgresql" else "mariadb"
        found = request.getfixturevalue(fixture)
    found.execute(TABLE[found.name])
    return found
