"""Tells whether the index of seen keys is as it was closed: sums beside it, `seen.db.sum`.

SQLite notices a damaged structure, but not a turned bit in a key; and a key that is not known is
not missed when it is gone at the source. Nor does the index notice that a batch was put back over
another one: what it takes for landed would never be landed again. So the first sum is of the index,
the second of names, sizes and times of the sidecars beside it: where that differs, their contents
are compared.
"""

from __future__ import annotations

import os
import re
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

SUFFIX = ".sum"
_SUMS = re.compile("([0-9a-f]{8}) ([0-9a-f]{8})")


def seal(path: Path) -> None:
    """Write the sum of a closed index; none where another process has it open."""
    log = path.with_name(f"{path.name}-wal")
    if path.exists() and not (log.exists() and log.stat().st_size):
        new = path.with_name(f".{path.name}{SUFFIX}.part")
        new.write_text(f"{_sum(path)} {_landed(path.parent)}", "ascii")
        new.replace(path.with_name(path.name + SUFFIX))


def open_seal(path: Path) -> None:
    """Remove the sum: the index is about to be written."""
    path.with_name(path.name + SUFFIX).unlink(missing_ok=True)


def is_beside(path: Path) -> bool:
    """Say whether the sidecars beside the index are as when it was closed; False: look at them."""
    said = _said(path)
    return said is not None and said[2] == _landed(path.parent)


def is_whole(path: Path) -> bool:
    """Say whether the index at `path` is as it was closed.

    One that a killed process left has no sum: then only its structure can be looked at.
    """
    if not path.exists():
        return True
    said = _said(path)
    if said is not None:
        return said[1] == _sum(path)
    try:
        with closing(sqlite3.connect(path, timeout=30)) as db:
            return bool(db.execute("pragma quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        return True  # full, busy or not readable
    except sqlite3.DatabaseError:
        return False


def _said(path: Path) -> re.Match[str] | None:
    try:
        return _SUMS.fullmatch(path.with_name(path.name + SUFFIX).read_text("ascii"))
    except (OSError, UnicodeDecodeError):
        return None


def _sum(path: Path) -> str:
    found = 0
    with path.open("rb") as file:
        while some := file.read(1 << 20):
            found = zlib.crc32(some, found)
    return f"{found:08x}"


def _landed(folder: Path) -> str:
    with os.scandir(folder) as entries:
        files = [(e.name, e.stat()) for e in entries if e.name.endswith(".json")]
    said = sorted(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in files)
    return f"{zlib.crc32(chr(10).join(said).encode()):08x}"
