"""Publishes the projection: a copy under a version's name, then the stable names, atomically.

Whoever has the old file open goes on reading it undisturbed; whoever opens the name anew gets the
new one.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from warehouse import lock
from warehouse.crashpoints import reach
from warehouse.errors import StoreError, StoreFull
from warehouse.home import Home
from warehouse.project import public_lock

PREFIX = "unified-"
POINTER = "current.json"
_NOT_HERE = {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM}
_STAMP = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True, slots=True)
class Published:
    """The version that stands published. `changed` is false when it was there already."""

    path: Path
    version: str
    changed: bool
    bytes: int = 0


def publish(
    home: Home,
    *,
    keep: int = 5,
    min_free: int = 0,
    now: datetime,
    wait: float = 600.0,
) -> Published:
    """Publish the projection of `home`, keeping the `keep` newest versions (at least one).

    `min_free` is the room in bytes that must be left on the disk afterwards: StoreFull is raised
    before anything is written. Does nothing when the newest version holds this projection already.
    Raises StoreError when there is no projection, StoreBusy while another process writes it.
    """
    if not home.public.exists():
        raise StoreError(
            "There is nothing to publish yet.", "run `isthmus sync` first.", place=home.public.name
        )
    home.published.mkdir(mode=0o750, parents=True, exist_ok=True)
    with lock.hold(public_lock(home), wait=wait, now=lambda: now):
        number = _projection(home.public)
        _sweep(home)
        newest = max(versions(home), default=None)
        said = pointer(home)
        if (
            newest is not None
            and said.get("projection") == number
            and newest.name == said.get("file")
            and newest.stat().st_size == said.get("bytes")
        ):
            anew = _point(home, newest)
            return Published(newest, str(said.get("version")), anew, newest.stat().st_size)
        path, version = _name(home, now, newest)
        _copy(home, path, min_free)
        reach("publish.versioned")
        _tell(home, path, version, number, now)
        _point(home, path)
        reach("publish.renamed")
        for old in sorted(versions(home))[: -max(keep, 1)]:
            old.unlink(missing_ok=True)
        return Published(path, version, True, path.stat().st_size)


def versions(home: Home) -> list[Path]:
    """Return the published versions, in no order; their names sort by age."""
    return list(home.published.glob(f"{PREFIX}*.duckdb"))


def pointer(home: Home) -> dict[str, Any]:
    """Return what the pointer file says of the current version, empty where there is none.

    Members: version, file, projection, published_at, bytes.
    """
    try:
        said = json.loads((home.published / POINTER).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _projection(path: Path) -> str:
    # Opening it read-write plays the log of a projection that was killed, and empties it.
    left = path.with_name(path.name + ".wal").exists()
    with duckdb.connect(str(path), read_only=not left) as con:
        if left:
            con.execute("CHECKPOINT")
        facts = dict(con.execute("SELECT name, value FROM ops.meta").fetchall())
    return "-".join((facts.get("form", "")[:16], facts.get("made", "")[:16],
                     facts.get("projection", "0")))  # fmt: skip


def _name(home: Home, now: datetime, newest: Path | None) -> tuple[Path, str]:
    moment = now.astimezone(UTC)
    if newest is not None:
        # A clock set back must not make the new version look older than the old one.
        before = datetime.strptime(newest.stem.removeprefix(PREFIX), _STAMP).replace(tzinfo=UTC)
        moment = max(moment, before + timedelta(microseconds=1))
    version = moment.strftime(_STAMP)
    return home.published / f"{PREFIX}{version}.duckdb", version


def _copy(home: Home, path: Path, min_free: int) -> None:
    size = home.public.stat().st_size
    free = shutil.disk_usage(home.published).free
    if free < size + min_free:
        raise StoreFull(
            f"Publishing needs {_megabytes(size)} and {_megabytes(min_free)} must stay free; "
            f"{_megabytes(free)} are free.",
            "make room or lower `min_free` or `keep: published`; the version published before "
            "stays as it is.",
            place=home.published.name,
        )
    new = path.with_suffix(".tmp")
    try:
        with home.public.open("rb", 0) as source, new.open("wb", 0) as target:
            _pour(source.fileno(), target.fileno())
            os.fsync(target.fileno())
        new.chmod(0o444)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise StoreFull(
            f"The copy could not be written ({error.strerror}).",
            "make room on the disk; the version published before stays as it is.",
            place=home.published.name,
        ) from error
    reach("publish.copied")
    new.rename(path)
    _sync_folder(home.published)


def _pour(source: int, target: int) -> None:
    """Copy the rest of one open file into another, inside the kernel where it can.

    A file system that shares blocks (XFS, Btrfs) then copies nothing until one of them changes.
    """
    try:
        while os.copy_file_range(source, target, 1 << 30):
            pass
    except (AttributeError, OSError) as error:  # not every system has the call
        if isinstance(error, OSError) and error.errno not in _NOT_HERE:
            raise
        while some := os.read(source, 1 << 20):
            rest = memoryview(some)
            while rest:
                rest = rest[os.write(target, rest) :]


def _point(home: Home, path: Path) -> bool:
    """Let the stable names be the version at `path`; returns whether one was not."""
    anew = False
    for name in (home.current, home.readable):
        if name.exists() and name.samefile(path):
            continue
        anew = True
        link = name.with_name(name.name + ".tmp")
        link.unlink(missing_ok=True)
        try:
            os.link(path, link)
        except OSError:
            link.symlink_to(path.name)  # a file system without hard links
        link.replace(name)
    _sync_folder(home.published)
    return anew


def _tell(home: Home, path: Path, version: str, number: str, now: datetime) -> None:
    said = {
        "version": version,
        "file": path.name,
        "projection": number,
        "published_at": now.astimezone(UTC).isoformat(),
        "bytes": path.stat().st_size,
    }
    new = home.published / f"{POINTER}.tmp"
    new.write_text(json.dumps(said), "utf-8")
    new.replace(home.published / POINTER)


def _sweep(home: Home) -> None:
    """Remove what a killed publishing left; we hold the lock, so nobody is writing it."""
    for left in home.published.glob("*.tmp"):
        left.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
