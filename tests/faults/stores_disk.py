"""S1, S4, S6: a full disk, folders that cannot be written, names with spaces, little memory."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.faults.case import Case, Result, Size, settle
from tests.faults.kills_child import Child, play
from tests.faults.kills_points import change, clean, judged
from tests.faults.oracle import judge
from tests.faults.world import World, world

FULL = frozenset({"DiskFull", "LandingFull", "StoreFull"})
MEGABYTE = 1 << 20
NOBODY = 65_534
STEPS = ("extract.page", "land.data_renamed", "load.begun", "load.written", "load.committed",
         "unify.written", "unify.committed", "project.written", "project.committed",
         "publish.copied")  # fmt: skip
"""Where the disk fills up: before landing, staging, committing, the checkpoint, publishing."""


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return what can be played here: some cases need root, and are left out without it."""
    found = []
    if _may_mount():
        steps = ("load.written", "project.written") if size == "quick" else STEPS
        case = partial(full_disk, steps=steps)
        name = f"a disk of its own fills up at {len(steps)} steps"
        found.append(Case("S1", name, case, len(steps)))
    if size == "quick":
        return found
    found.append(Case("S1", "no file may grow, at every step", limited, len(STEPS)))
    found.append(Case("S4", "a path with spaces and Chinese", odd_path))
    if os.geteuid() == 0:
        found += [
            Case("S4", f"{name}/ belongs to somebody else", partial(foreign, name=name))
            for name in ("landing", "store", "published")
        ]
    return found


def _may_mount() -> bool:
    return os.geteuid() == 0 and shutil.which("mount") is not None and _mounts()


def _mounts() -> bool:
    done = subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True)
    return done.returncode == 0


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a file system of that size at `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def full_disk(folder: Path, *, steps: Sequence[str]) -> Result:
    """Fill the disk of the home while a run waits at a step; it says so; afterwards all is well."""
    result = Result()
    with small_disk(folder, 300) as disk, world(disk / "world") as made:
        clean(made, result, "at first")
        for number, step in enumerate(steps):
            change(made, number)
            for order in range(100, 140):
                made.put(order)
            made.sync("customers") if step.startswith(("unify", "project", "publish")) else None
            child = Child(made, partial(_tell, made), hold_at=step)
            result.expect(child.until(step), f"{step} was not reached")
            with _filled(disk / "filler"):
                child.go()
                code = child.wait()
                result.fired += code == 1
                _said(made, result, step, code)
                found = judge(made.journal.path, made.published)
                result.expect(not found.duplicated and not found.wrong, f"{step}: readable no more")
            clean(made, result, f"{step} and room again")
            judged(made, result, f"{step} and room again")
        return settle(made, result)


def limited(folder: Path) -> Result:
    """Let every write fail that makes a file grow, from a step on (a quota, RLIMIT_FSIZE)."""
    result = Result()
    with world(folder) as made:
        clean(made, result, "at first")
        for number, step in enumerate(STEPS):
            change(made, number)
            child = Child(made, partial(_tell, made), hold_at=step)
            result.expect(child.until(step), f"{step} was not reached")
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (4096, 4096))
            child.go()
            code = child.wait()
            result.fired += code != 0
            result.expect(code in (0, 1), f"{step}: ended with {code}")
            clean(made, result, f"{step} and no limit")
            judged(made, result, f"{step} and no limit")
        return settle(made, result)


def _tell(made: World) -> object:
    outcome = play(made, ["orders", "publish"])
    error = getattr(outcome, "error", None)
    if error is not None:
        (made.folder / "said.txt").write_text(f"{error.kind}: {error}", "utf-8")
    return outcome


@contextmanager
def _filled(path: Path) -> Iterator[None]:
    with path.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4096):
            with_room = True
            while with_room:
                try:
                    with_room = file.write(b"x" * size) == size
                except OSError:
                    with_room = False
    try:
        yield
    finally:
        path.unlink()


def _said(made: World, result: Result, step: str, code: int) -> None:
    """A run that failed on a full disk names it: a line of its own kind, and what to do."""
    path = made.folder / "said.txt"
    text = path.read_text("utf-8") if path.exists() else ""
    path.unlink(missing_ok=True)
    result.expect(code in (0, 1), f"{step}: ended with {code}")
    if code == 1 and text:
        kind = text.partition(":")[0]
        result.expect(kind in FULL, f"{step}: said {text[:250]}")


def odd_path(folder: Path) -> Result:
    """Play in a folder whose name needs quoting everywhere."""
    result = Result(fired=1)
    with world(folder / "数据 (仓库) it's 50% \"x\"; --'") as made:
        clean(made, result, "an odd path")
        change(made, 1)
        clean(made, result, "an odd path")
        judged(made, result, "an odd path")
        return settle(made, result)


def foreign(folder: Path, *, name: str) -> Result:
    """Run as a user who may not write one of the folders: a clear error, nothing is harmed."""
    result = Result()
    with world(folder) as made:
        clean(made, result, "at first")
        _give(made.folder, NOBODY)
        for above in (made.folder, *made.folder.parents):
            if above.stat().st_uid == 0 and len(above.parts) > 2:
                above.chmod(above.stat().st_mode | 0o055)
        _give(made.home / name, 0)
        (made.home / name).chmod(0o555)
        change(made, 1)
        (made.folder / "said.txt").touch()
        os.chown(made.folder / "said.txt", NOBODY, NOBODY)
        child = Child(made, _as(NOBODY, partial(_tell, made)))
        code = child.wait()
        said = (made.folder / "said.txt").read_text("utf-8")
        result.expect(code == 1, f"{name}: ended with {code}")
        result.expect("ermission" in said or "not be written" in said, f"{name}: said {said[:300]}")
        result.fired += 1
        (made.home / name).chmod(0o755)
        _give(made.folder, 0)
        clean(made, result, f"{name} is ours again")
        return settle(made, result)


def _as(user: int, work: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        os.setgid(user)
        os.setuid(user)
        return work()

    return run


def _give(path: Path, user: int, *, deep: bool = True) -> None:
    os.chown(path, user, user)
    if deep and path.is_dir():
        for one in path.rglob("*"):
            os.chown(one, user, user, follow_symlinks=False)
