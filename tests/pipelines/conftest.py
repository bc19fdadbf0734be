"""The control database in both its homes: a SQLite file, and a database of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import fresh_database


@pytest.fixture(params=["sqlite", "postgresql"])
def control_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty control database, each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'home' / 'control.db'}"
        return
    pytest.importorskip("psycopg2", reason="no psycopg2 here")
    server = request.getfixturevalue("postgres_server")
    with fresh_database(server) as name:
        yield f"postgresql+psycopg2://postgres@/{name}?host={server}"
