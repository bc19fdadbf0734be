"""Faults of a folder of files: what becomes of the files over time, kills, two runs at once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from pipelines.listen import Progress
from pipelines.outcome import StreamOutcome
from tests.faults.case import Case, Result, Size
from tests.faults.files_world import FilesWorld, as_csv, files_case, row
from tests.faults.kills_child import KILLED, Child

ROWS = [row(n) for n in range(300)]
LATE = ("february.csv", "zz late.csv")
POINTS = ("extract.page", "land.data_written", "land.data_renamed", "land.sidecar", "load.begun",
          "load.written", "load.committed", "load.checkpointed")  # fmt: skip


def cases(size: Size) -> list[Case]:
    """Return the cases; `tests.faults.files` chooses among them."""
    points = POINTS if size == "full" else POINTS[2:4]
    return [
        files_case("D1", "a late file with older stamps", late, 2, versioned=True),
        files_case("D3", "a row gone, back, a file shorter", gone, 4),
        files_case("D3", "a file gone", file_gone, 2, more=", vanished: delete"),
        files_case("D3", "a listing of keys between a change and its reading", swept, 1),
        files_case("D9", "no byte, headings, 1 row, a batch, one more", sizes, 5),
        files_case("D10", "the folder restored from a backup", restored, 1),
        files_case("D10", "rows with stamps restored", restored_stamps, 1, versioned=True),
        files_case("F3", "growing, temporary and renamed", growing, 4, settle=0.2),
        files_case(
            "K1",
            "killed while files are read, then again",
            killed,
            len(points) * 2 - 2,
            points=points,
        ),
        files_case("K5", "a second run inside the first", twice, 1),
        files_case("S4", "names with quotes, newlines and blanks", names, 6),
    ]


def put(world: FilesWorld, rows: list[Any], name: str = "a.csv") -> StreamOutcome:
    """Write a file and sync."""
    world.remember()
    world.put(name, rows)
    return world.sync()


# --- D1, D3 ------------------------------------------------------------------------------------
def late(world: FilesWorld, result: Result) -> None:
    """A file that comes late with older stamps brings its new keys and no old values."""
    new = [row(n, "9.00", stamp="2026-03-01 00:00:00") for n in range(100)]
    put(world, new, "march.csv")
    for at, name in enumerate(LATE):
        old = [row(n, f"{at + 1}.00", stamp="2026-02-01 00:00:00") for n in range(50, 150 + at)]
        path = world.put(name, old)
        os.utime(path, (1_000_000_000, 1_000_000_000))
        told = world.sync()
        result.fired += 1
        result.expect(told.refused >= 50, f"{told.refused} rows with older stamps refused")
        result.counts.add(world.judge(_newest(world), told))
    for name in LATE:  # so that the folder says what is to be stored
        (world.folder / name).unlink()
    more = [row(n, "2.00", stamp="2026-03-01 00:00:00") for n in range(100, 151)]
    world.put("march.csv", [*new, *more])


def _newest(world: FilesWorld) -> dict[str, Any]:
    found = world.plain()
    aside = world.root / "aside"
    aside.mkdir(exist_ok=True)
    for name in LATE:
        if (world.folder / name).exists():
            shutil.move(world.folder / name, aside / name)
    found |= world.plain()
    for path in aside.iterdir():
        shutil.move(path, world.folder / path.name)
    return found


def gone(world: FilesWorld, result: Result) -> None:
    """A row that is gone from a file is deleted; more than the breaker lets pass wait."""
    put(world, ROWS)
    told = put(world, ROWS[:290])
    result.expect(told.deleted == 10, f"{told.deleted} of 10 rows deleted")
    result.counts.add(world.judge(outcome=told))
    told = put(world, ROWS)
    result.expect(told.inserted + told.updated == 10, "the rows that came back are not there")
    result.counts.add(world.judge(outcome=told))
    want = world.plain()
    told = put(world, ROWS[:100])
    result.expect((told.deleted, told.held) == (0, 200), f"{told.deleted} deleted, {told.held}")
    result.counts.add(world.judge(want))
    told = put(world, [row(n, "5.00") for n in range(100)])
    result.expect(told.deleted == 0, "a second shorter file passed the breaker")
    want |= {key: value for key, value in world.plain().items() if key in want}
    result.counts.add(world.judge(want))
    result.fired += 4
    put(world, ROWS)


def file_gone(world: FilesWorld, result: Result) -> None:
    """A file that is gone takes its rows along, but never the whole folder's."""
    put(world, ROWS)
    put(world, [row(n) for n in range(1_000, 1_030)], "b.csv")
    (world.folder / "b.csv").unlink()
    told = world.sync()
    result.expect(told.deleted == 30, f"{told.deleted} of 30 rows deleted")
    result.counts.add(world.judge(outcome=told))
    want = world.plain()
    (world.folder / "a.csv").rename(world.root / "a.csv")
    told = world.sync()
    result.expect(told.deleted == 0 and told.warnings, "an empty folder deleted rows")
    result.counts.add(world.judge(want))
    (world.root / "a.csv").rename(world.folder / "a.csv")
    result.fired += 2


def swept(world: FilesWorld, result: Result) -> None:
    """A run that lists keys only does not make a changed file known."""
    put(world, ROWS)
    world.remember()
    world.put("a.csv", [row(n, "8.88") for n in range(310)])
    told = world.sync(sweep=True)
    result.fired += 1
    result.expect(told.deleted == 0, f"{told.deleted} rows deleted")


# --- D9, D10 -----------------------------------------------------------------------------------
def sizes(world: FilesWorld, result: Result) -> None:
    """Files of no byte, headings only, one row, exactly a batch, and one row more."""
    world.broken("0.csv", b"")
    result.expect("0.csv" in str(world.sync().error), "a file of no byte was not named")
    (world.folder / "0.csv").unlink()
    for name, count in (("headings", 0), ("one", 1), ("batch", 50_000), ("more", 50_001)):
        start = count * 10
        told = put(world, [row(start + n) for n in range(count)], f"{name}.csv")
        result.expect(told.error is None, f"{name}: {told.error}")
        result.expect(told.read == count, f"{name}: {told.read} rows read")
        result.fired += 1
    result.fired += 1


def restored(world: FilesWorld, result: Result) -> None:
    """The folder goes back to an older state, times too: the store says what it says."""
    put(world, ROWS)
    backup = world.root / "backup"
    shutil.copytree(world.folder, backup)
    put(world, [row(n, "8.88") for n in range(310)])
    shutil.rmtree(world.folder)
    shutil.copytree(backup, world.folder)
    told = world.sync()
    result.fired += 1
    result.expect(told.deleted == 10, f"{told.deleted} of 10 rows deleted")
    result.counts.add(world.judge(outcome=told))


def restored_stamps(world: FilesWorld, result: Result) -> None:
    """Restored rows have older stamps: refused and counted, taken by `--full --trust-source`."""
    old = [row(n, stamp="2026-01-01 00:00:00") for n in range(100)]
    put(world, old)
    put(world, [row(n, "8.88", stamp="2026-02-01 00:00:00") for n in range(100)])
    want = world.plain()
    told = put(world, old)
    result.fired += 1
    result.expect(told.refused == 100, f"{told.refused} older rows refused")
    result.counts.add(world.judge(want, told))
    told = world.sync(full=True, trust_source=True)
    result.counts.add(world.judge(outcome=told))


# --- files under way, kills --------------------------------------------------------------------
def growing(world: FilesWorld, result: Result) -> None:
    """A file that grows between two looks, or has a temporary name, waits for the next run."""
    put(world, ROWS)
    want = world.plain()
    path = world.folder / "b.csv"
    text = as_csv([row(n) for n in range(400, 700)])
    path.write_text(text[:2_000], encoding="utf-8")
    world.now, world.wait = datetime.now(UTC), timedelta()  # as young as the file
    world.pause = lambda seconds: _append(world, text[2_000:9_000])
    told = world.sync()
    result.expect("b.csv: still being written" in str(told.warnings), f"{told.warnings}")
    result.counts.add(world.judge(want))
    world.pause = None
    path.unlink()
    for name in ("b.csv.part", ".b.csv", "b.csv.tmp"):
        aside = world.folder / name
        aside.write_text(text[:2_000], encoding="utf-8")
        told = world.sync()
        result.expect(told.error is None and told.read == 0, f"{name} was read: {told.error}")
        result.counts.add(world.judge(want))
        aside.write_text(text, encoding="utf-8")
        aside.rename(path if name.endswith(".tmp") else world.root / name)
    result.fired += 4


def _append(world: FilesWorld, text: str) -> None:
    with (world.folder / "b.csv").open("a", encoding="utf-8") as file:
        file.write(text)


def killed(world: FilesWorld, result: Result, points: Sequence[str]) -> None:
    """SIGKILL at each point while a changed file is read and loaded, and again in the recovery."""
    put(world, ROWS)
    for number, point in enumerate(points):
        world.put("a.csv", [row(n, f"{number}.50") for n in range(number, 300)])
        world.put(f"new {number}.csv", [row(1_000 * (number + 1) + n) for n in range(40)])
        for _ in range(2):
            child = Child(cast("Any", world), world.sync, crash_at=point)
            result.fired += child.wait() == KILLED
        told = world.sync()
        result.expect(told.error is None, f"after {point}: {told.error}")
        result.counts.add(world.judge())
        world.remember()


def twice(world: FilesWorld, result: Result) -> None:
    """A run that begins while another reads is refused; the first is not disturbed."""
    world.put("a.csv", ROWS)
    seen: list[StreamOutcome] = []

    def second(progress: Progress) -> None:
        if progress.phase == "read" and not seen:
            seen.append(StreamOutcome("", ""))
            seen[0] = world.sync()

    told = world.sync(progress=second)
    result.expect(told.error is None, f"the first run: {told.error}")
    result.expect(seen and seen[0].error and "already running" in str(seen[0].error).lower(),
                  f"the second run: {seen and seen[0].error}")  # fmt: skip
    result.fired += len(seen)
    result.counts.add(world.judge(outcome=told))


def names(world: FilesWorld, result: Result) -> None:
    """Files may be called anything; nothing is written into the folder."""
    odd = ("it's.csv", 'say "x".csv', "two\nlines.csv", "对账单 2026.csv", "a;b --.csv", "%s{}.csv")
    for number, name in enumerate(odd):
        world.put(name, [row(100 * number + n) for n in range(20)])
        result.fired += 1
    before = sorted((p.name, p.stat().st_mtime_ns) for p in world.folder.iterdir())
    told = world.sync()
    result.expect(told.error is None, f"odd names: {told.error}")
    result.counts.add(world.judge(outcome=told))
    after = sorted((p.name, p.stat().st_mtime_ns) for p in world.folder.iterdir())
    result.expect(before == after, "the folder was written to")
    world.put(odd[2], [row(200 + n) for n in range(19)])
    told = world.sync()
    result.expect(told.deleted == 1, f"{told.deleted} of 1 rows deleted")
