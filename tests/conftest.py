"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from warehouse.home import Home

_KEPT = ("ISTHMUS_HYPOTHESIS",)  # how many examples the models play
for _name in [n for n in os.environ if n.startswith(("ISTHMUS_", "DAGSTER_"))]:
    if _name not in _KEPT:
        del os.environ[_name]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return an empty home of its own."""
    return Home(tmp_path / "home").make()
