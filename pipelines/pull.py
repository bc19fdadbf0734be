"""Brings the published file from a web server to an analyst's machine, whole or not at all.

A published version never changes, so what was begun goes on where it ended. Whoever has an older
version open keeps it: on Windows, where an open file cannot be replaced, the new one stands beside.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.errors import ContractBroken, Refused

if TYPE_CHECKING:
    from connectors.folder import WebFolder

POINTER, STABLE = "current.json", "isthmus.duckdb"
KEPT = 2
"""Versions that stay in the folder: one may be open."""
_NAME = re.compile(r"unified-[0-9]{8}T[0-9]{6,12}Z\.duckdb")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What stands in the folder now. `path` is what to open; `bytes` came over the wire."""

    path: Path
    version: str
    changed: bool
    bytes: int = 0


def pull(source: WebFolder, folder: Path, progress: Progress | None = None) -> Pulled:
    """Bring the newest version into `folder`; does nothing where it is there already.

    Raises ConnectorError for a server that does not answer as it should, or a full disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = _pointer(source)
    name, size = str(said["file"]), int(said["bytes"])
    path, version = folder / name, str(said["version"])
    stable = folder / STABLE
    if path.exists() and path.stat().st_size == size:
        return Pulled(_name(path, stable), version, False)
    part = folder / f".{name}.part"
    for left in folder.glob(".unified-*.part"):
        if left != part:
            left.unlink()
    before = part.stat().st_size if part.exists() else 0
    free = shutil.disk_usage(folder).free
    if size - before > free:
        raise Refused(
            f"{size - before:,} bytes are to come and {free:,} are free.", "free space, run again.",
            place=str(folder),
        )  # fmt: skip
    came = _fetch(source, name, part, size, progress)
    _proved(part)
    part.replace(path)
    path.chmod(0o444)
    found = _name(path, stable)
    for old in sorted(folder.glob("unified-*.duckdb"))[:-KEPT]:
        with suppress(OSError):  # Windows: somebody reads it
            old.chmod(0o644)
            old.unlink()
    return Pulled(found, version, True, came)


def _pointer(source: WebFolder) -> dict[str, Any]:
    said = dict(source.facts(POINTER))
    name, size = said.get("file"), said.get("bytes")
    if not (isinstance(name, str) and _NAME.fullmatch(name) and isinstance(size, int) and size > 0):
        raise ContractBroken(
            f"{POINTER} names no published version.",
            "check the address: it is the folder that holds `published`, or that folder itself.",
        )
    return said


def _fetch(source: WebFolder, name: str, part: Path, size: int, progress: Progress | None) -> int:
    """Write what is missing of a version; returns the bytes that came."""
    at = part.stat().st_size if part.exists() else 0
    if at > size:
        part.unlink()
        at = 0
    came = 0
    with part.open("ab") as out:
        for data in source.file(name, size, at):
            out.write(data)
            came += len(data)
            if progress is not None:
                progress(at + came, size)
        out.flush()
        os.fsync(out.fileno())
    return came


def _proved(part: Path) -> None:
    """Open what came; what does not open is taken away, so that the next try begins anew."""
    from warehouse import reader

    try:
        reader.run_query(part, "select count(*) from ops.meta")
    except Exception as error:
        part.unlink()
        raise ContractBroken(
            f"What came does not open as a published file ({type(error).__name__}).",
            "run it again; else look at the server's copy.", place=part.name,
        ) from None  # fmt: skip


def _name(path: Path, stable: Path) -> Path:
    """Let the stable name be the version; returns the name to open."""
    if stable.exists() and stable.samefile(path):
        return stable
    new = stable.with_name(stable.name + ".tmp")
    new.unlink(missing_ok=True)
    try:
        os.link(path, new)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, new)
        new.chmod(0o444)
    try:
        new.replace(stable)
    except PermissionError:  # Windows: somebody has it open
        new.unlink()
        return path
    return stable
