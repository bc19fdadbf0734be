"""Which code a run judges: the commit, and a digest of the product's own files."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

ROOMS = ("warehouse", "pipelines", "connectors", "mappings")
UNKNOWN = "unknown"


def commit(project: Path) -> str:
    """Return the short hash, with `+` where the tree is not clean; "unknown" outside git."""
    try:
        found, changed = (
            subprocess.run(
                ["git", *words], cwd=project, check=True, capture_output=True, text=True
            ).stdout.strip()
            for words in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain"])
        )
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN
    return found + "+" * bool(changed)


def product(project: Path) -> str:
    """Return a digest of the four rooms' files: equal where the product is, in git or not."""
    found = hashlib.sha256()
    for path in sorted(path for room in ROOMS for path in (project / room).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(f"{path.relative_to(project)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]
