"""How much room a home takes, connection by connection, and when the disk will be full."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from warehouse.home import Home

WINDOW = timedelta(days=30)
"""What was landed in so many days is taken for what will be."""
_DECISIONS = "_decisions"


@dataclass(slots=True)
class Size:
    """Bytes and files below a name; `a_day` is what came in a day of the window, on average."""

    name: str
    files: int = 0
    bytes: int = 0
    a_day: float = 0.0


@dataclass(slots=True)
class Room:
    """What a home takes. `days` until no more than `min_free` is left, None if nothing grows."""

    free: int
    min_free: int
    connections: list[Size] = field(default_factory=list)
    others: list[Size] = field(default_factory=list)
    days: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON members."""
        return asdict(self)


def room(home: Home, min_free: int, now: datetime) -> Room:
    """Return what stands under `home`, and a forecast from what the landing took of late.

    The forecast is of the landing alone: store and published versions follow it, at most once the
    share that they have of it now.
    """
    found = Room(shutil.disk_usage(home.root).free, min_free)
    since = (now - WINDOW).timestamp()
    if home.landing.is_dir():
        for folder in sorted(home.landing.iterdir()):
            if folder.is_dir() and folder.name != _DECISIONS:
                found.connections.append(_size(folder, since, now.timestamp()))
    for name, paths in (
        ("store", [home.store.parent]),
        ("published", [home.published]),
        ("decisions", [home.landing / _DECISIONS]),
        ("control", [*home.root.glob("control.db*")]),
        ("dagster", [home.dagster]),
    ):
        parts = [_size(path, since, now.timestamp()) for path in paths if path.exists()]
        found.others.append(Size(name, sum(p.files for p in parts), sum(p.bytes for p in parts)))
    landed = sum(one.bytes for one in found.connections)
    a_day = sum(one.a_day for one in found.connections)
    if a_day > 0 and landed:
        follows = 1 + next(o.bytes for o in found.others if o.name == "store") / landed
        found.days = round(max(0.0, (found.free - min_free) / (a_day * follows)), 1)
    return found


def _size(path: Path, since: float, now: float) -> Size:
    size, recent, first = Size(path.name), 0, now
    for stat in _files(path):
        size.files += 1
        size.bytes += stat.st_size
        if stat.st_mtime >= since:
            recent += stat.st_size
            first = min(first, stat.st_mtime)
    # A connection of yesterday: what came in its first read is not what comes every day.
    days = max((now - first) / 86_400, 1.0)
    size.a_day = round(recent / days, 1)
    return size


def _files(path: Path) -> Iterator[os.stat_result]:
    """Yield the files below a path, each inode once; what vanishes meanwhile is left out."""
    seen: set[tuple[int, int]] = set()
    found = (Path(f) / name for f, _, names in os.walk(path) for name in names)
    for file in found if path.is_dir() else [path]:
        try:
            stat = file.lstat()
        except FileNotFoundError:
            continue
        if (stat.st_dev, stat.st_ino) not in seen:
            seen.add((stat.st_dev, stat.st_ino))
            yield stat
