"""K6: the power goes at a step: what was not synced to disk is gone.

The model, played in a child: every `os.fsync` of ours is seen. At the step an image of the home is
made in which a file of ours has the content of its last fsync (none: it is empty) and a folder the
names of its last fsync (none: those it had when the run began). Files that DuckDB and SQLite write
themselves (store/, control.db, seen.db) are taken as they are at that moment: both sync
at each commit and checkpoint, which Python does not see; their half-written logs are played by S3
(cut at any byte). The order in which a disk loses several unsynced writes is not played.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.faults.case import Case, Result, Size, settle
from tests.faults.kills_child import Child, play
from tests.faults.kills_points import DECISION, change, clean, forget, judged
from tests.faults.stores_state import put_back
from tests.faults.world import World, world
from warehouse import crashpoints
from warehouse.crashpoints import POINTS

CUT = 77
"""The exit code of a child whose power went."""


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return a sweep over the points of a later and of a first run."""
    if size == "quick":
        few = ("land.data_renamed", "publish.versioned")
        return [Case("K6", "power cut at two points", partial(run, first=False, points=few), 2)]
    points = [p for p in POINTS if p != DECISION]
    return [
        Case("K6", f"power cut at every point, {name}", partial(
            run, first=name == "first run", points=points), len(points))
        for name in ("first run", "later run")
    ]  # fmt: skip


def run(folder: Path, *, first: bool, points: Sequence[str]) -> Result:
    """Cut the power at each of `points`; the next run opens what is left and replays the rest."""
    result = Result()
    with world(folder) as made:
        clean(made, result, "at first")
        for number, point in enumerate(points):
            if first:
                forget(made)
            change(made, number)
            image = made.folder / "image"
            child = Child(made, partial(_powered, made, point, image))
            result.fired += child.wait() == CUT
            if not image.exists():
                result.problems.append(f"{point} was not reached")
                continue
            put_back(made, image)
            shutil.rmtree(image)
            clean(made, result, f"a power cut at {point}")
            judged(made, result, f"a power cut at {point}")
        return settle(made, result)


def _powered(made: World, point: str, image: Path) -> object:
    disk = Disk(made.home)

    def told(reached: str) -> None:
        if reached == point:
            disk.write(image)
            os._exit(CUT)

    crashpoints.told = told
    return play(made, ["orders", "customers", "publish"])


class Disk:
    """What of `home` is on the disk for certain; made in the process that writes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.names: dict[str, dict[str, int]] = {}
        self.held: dict[int, int] = {}  # inode -> a handle, so that no new file gets its number
        self.content: dict[int, bytes] = {}
        for folder, _, files in os.walk(home):
            self._sync_folder(folder)
            for name in files:
                path = Path(folder, name)
                if not _is_database(home, path):
                    self._sync_file(os.open(path, os.O_RDONLY))
        self._fsync = os.fsync
        os.fsync = self._heard

    def _heard(self, handle: object) -> None:
        number = handle if isinstance(handle, int) else handle.fileno()  # type: ignore[attr-defined]
        self._fsync(number)
        if stat.S_ISDIR(os.fstat(number).st_mode):
            self._sync_folder(os.readlink(f"/proc/self/fd/{number}"))
        else:
            self._sync_file(os.dup(number))

    def _sync_folder(self, folder: str) -> None:
        with os.scandir(folder) as entries:
            self.names[folder] = {e.name: e.inode() for e in entries}

    def _sync_file(self, handle: int) -> None:
        inode = os.fstat(handle).st_ino
        self.content[inode] = Path(f"/proc/self/fd/{handle}").read_bytes()
        self.held.setdefault(inode, handle)

    def write(self, image: Path) -> None:
        """Write what the disk holds after the power came back."""
        self._folder(self.home, image)

    def _folder(self, folder: Path, image: Path) -> None:
        image.mkdir(mode=0o700)
        there = {e.name: e.inode() for e in os.scandir(folder)} if folder.is_dir() else {}
        names = dict(self.names.get(str(folder), {}))
        for name in there:
            if _is_database(self.home, folder / name):
                names[name] = there[name]
        for name, inode in names.items():
            path = folder / name
            if _is_database(self.home, path):
                if path.is_file():
                    shutil.copyfile(path, image / name)
            elif inode in self.content:
                (image / name).write_bytes(self.content[inode])
            elif str(path) in self.names or path.is_dir():
                self._folder(path, image / name)
            else:
                (image / name).touch()


def _is_database(home: Path, path: Path) -> bool:
    """Whether DuckDB or SQLite writes the file; its name counts as kept."""
    if path.is_dir():
        return False
    return path.parent == home / "store" or ".db" in path.name
