"""A full disk is told as one, whoever meets it."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from pipelines.explain import explain
from warehouse.home import Home

FULL = sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), "DiskFull"),
        (FULL, "DiskFull"),
        (OperationalError("insert into runs …", {}, FULL), "DiskFull"),
        (sqlite3.OperationalError("database is locked"), "OperationalError"),
        (PermissionError(errno.EACCES, "Permission denied"), "PermissionError"),
    ],
)
def test_a_full_disk(tmp_path: Path, error: Exception, kind: str) -> None:
    told = explain(error, Home(tmp_path))
    assert told.kind == kind
    assert ("is full" in told.what) == (kind == "DiskFull")
