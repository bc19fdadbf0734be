"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from warehouse.home import Home

for _name in [n for n in os.environ if n.startswith(("ISTHMUS_", "DAGSTER_"))]:
    del os.environ[_name]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return an empty home of its own."""
    return Home(tmp_path / "home").make()
