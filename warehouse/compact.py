"""Bounds the landing: many small batches of a stream become few packs, and nothing is lost.

A pack is written, read back and compared with what it was made of before its sidecar makes it
count; only then the old files go. Killed at any moment, every batch stands by itself, in a pack, or
in both with the same content; the next compaction removes what stands twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from stat import S_ISREG

from warehouse import packfiles, packs
from warehouse.batch import Batch, name_of
from warehouse.erase.marker import expect_none
from warehouse.errors import LandingBusy
from warehouse.landing import Landing

MOST_RECORDS = 50_000
MOST_BYTES = 4_000_000
"""A pack is as large as a batch may be: 16 MB of records are about 4 MB of zstd."""
MOST_BATCHES = 2_000
ALONE = 1_000_000
"""A batch of so many bytes is worth being compressed harder by itself."""

Room = Callable[[int], None]
"""Hears how many bytes are about to be written; raises where there is no room for them."""
Place = tuple[str, str]
"""Connection and stream."""


@dataclass(slots=True)
class Taken:
    """What a folder takes: files, their bytes, and the bytes of the blocks that hold them."""

    files: int = 0
    bytes: int = 0
    blocks: int = 0


@dataclass(slots=True)
class Compacted:
    """What was done with one stream: `batches` went into `packs`.

    `busy` says that a read had the stream, so that nothing was done. Of a dry run `after` has the
    number of files alone: how far records compress is known once they are written.
    """

    connection: str
    stream: str
    batches: int = 0
    packs: int = 0
    busy: bool = False
    before: Taken = field(default_factory=Taken)
    after: Taken = field(default_factory=Taken)


@dataclass(slots=True)
class Source:
    """Batches that stand together: one by itself, or those of a pack."""

    batches: list[Batch]
    files: list[Path]
    rows: int
    bytes: int
    form: object
    is_pack: bool = False


@dataclass(slots=True)
class Run:
    """Sources that follow each other and become one pack; `bytes` of what it takes the place of.

    `form` is that of the records, None where there are none.
    """

    sources: list[Source] = field(default_factory=list)
    form: object = None
    rows: int = 0
    bytes: int = 0
    many: int = 0

    @property
    def batches(self) -> list[Batch]:
        """All batches, in order."""
        return [batch for one in self.sources for batch in one.batches]

    @property
    def loose(self) -> int:
        """How many batches stand by themselves."""
        return sum(not one.is_pack for one in self.sources)

    @property
    def is_worth(self) -> bool:
        """Whether the landing gets smaller by it."""
        return self.loose > 0 and (len(self.sources) > 1 or self.bytes >= ALONE)

    def takes(self, one: Source) -> bool:
        """Say whether `one` goes into the same pack."""
        return not self.sources or (
            (one.form is None or self.form is None or one.form == self.form)
            and self.rows + one.rows <= MOST_RECORDS
            and self.bytes + one.bytes <= MOST_BYTES
            and self.many + len(one.batches) <= MOST_BATCHES
            and one.batches[0].sequence == self.sources[-1].batches[-1].sequence + 1
        )

    def add(self, one: Source) -> None:
        """Take `one` in."""
        self.sources.append(one)
        self.form = one.form if self.form is None else self.form
        self.rows, self.bytes = self.rows + one.rows, self.bytes + one.bytes
        self.many += len(one.batches)


def streams(landing: Landing, connection: str | None = None) -> list[Place]:
    """Return the streams that are landed, of one connection or all."""
    return [place for place in landing.streams() if connection in (None, place[0])]


def plan(
    landing: Landing,
    place: Place,
    *,
    before: datetime | None = None,
    least: int = 1,
    most: int | None = None,
) -> list[Run]:
    """Return what would become packs, in order; sidecars and forms of tables alone are read.

    `before` leaves batches alone that were landed later. Streams of which fewer than `least`
    batches by themselves would go into packs are left alone. With `most` the rest of the stream
    is not looked at once so many packs are known.
    """
    runs: list[Run] = []
    for source in _sources(landing, place, before):
        if not runs or not runs[-1].takes(source):
            if most is not None and sum(run.is_worth for run in runs) >= most:
                break
            runs.append(Run())
        runs[-1].add(source)
    worth = [run for run in runs if run.is_worth]
    return worth if sum(run.loose for run in worth) >= least else []


def compact(
    landing: Landing,
    place: Place,
    room: Room,
    *,
    before: datetime | None = None,
    least: int = 1,
    most: int | None = None,
    dry_run: bool = False,
) -> Compacted:
    """Make packs of a stream's batches, at most `most`: the stream is held for all of them.

    Raises LandingDamaged where a landed file is not as it was written, and what `room` raises,
    which is asked before anything is written.
    """
    expect_none(landing.root)
    folder = landing.folder(*place)
    done = Compacted(*place, before=taken(folder))
    if dry_run:
        _count(done, plan(landing, place, before=before, least=least))
        return done
    try:
        lock = landing.hold(*place)
    except LandingBusy:
        done.busy, done.after = True, done.before
        return done
    with lock:
        landing.clear(*place)
        packfiles.settle(folder)
        runs = plan(landing, place, before=before, least=least, most=most)
        room(max((run.bytes for run in runs), default=0))
        for run in runs:
            room(run.bytes)
            packfiles.make(folder, run.batches)
            packfiles.remove(folder, [p.name for one in run.sources for p in one.files])
            done.packs += 1
            done.batches += run.loose
    done.after = taken(folder)
    return done


def taken(folder: Path) -> Taken:
    """Return what the files of a folder take, not those of folders in it."""
    found = Taken()
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # a read has files that come and go
                stat = entry.stat(follow_symlinks=False)
                if S_ISREG(stat.st_mode):
                    found.files += 1
                    found.bytes += stat.st_size
                    found.blocks += stat.st_blocks * 512
    return found


def _count(done: Compacted, runs: list[Run]) -> None:
    gone = sum(len(one.files) for run in runs for one in run.sources)
    made = sum(len(_ends(run)) for run in runs)
    done.batches, done.packs = sum(run.loose for run in runs), len(runs)
    done.after = Taken(done.before.files - gone + made)


def _ends(run: Run) -> set[str]:
    """Return the ends of the names of the files of the pack of a run."""
    sides = [batch.sidecar for batch in run.batches]
    found = {"json", *(packs.data_end(side) for side in sides if side.rows)}
    return found | {packs.KEYS for one in run.sources if _has_keys(one)}


def _has_keys(one: Source) -> bool:
    return any(path.name.endswith(packs.KEYS) for path in one.files)


def _sources(landing: Landing, place: Place, before: datetime | None) -> Iterator[Source]:
    """Yield what stands in the folder of a stream, in the order of the batches.

    The last batch is left out where it stands by itself: extraction goes on from its sidecar, and
    a release before packs takes files with a number above the last such sidecar for orphans.
    """
    folder = landing.folder(*place)
    inside: dict[int, packs.Pack] = {}
    for range_ in packs.among(os.listdir(folder)):
        with suppress(FileNotFoundError):  # of a dry run: a larger pack took its place
            pack = packs.read_pack(folder, range_)
            inside |= dict.fromkeys(range(range_[0], range_[1] + 1), pack)
    done = 0
    numbers = landing.sequences(*place)
    for number in numbers:
        if number <= done or (number == numbers[-1] and number not in inside):
            continue
        if number in inside:
            pack = inside[number]
            done = pack.range[1]
            yield _source(list(pack.batches()), pack.files(), is_pack=True)
            continue
        batch = landing.batch(*place, number)
        if isinstance(batch, packs.PackedBatch):
            continue  # of a dry run: it has been packed since the folder was looked at
        if before is not None and datetime.fromisoformat(batch.sidecar.ended_at) >= before:
            return
        yield _source([batch], _files(batch))


def _source(batches: list[Batch], files: list[Path], *, is_pack: bool = False) -> Source:
    rows = sum(b.sidecar.rows for b in batches)
    size = sum(_size(path) for path in files)
    return Source(batches, files, rows, size, _form(batches), is_pack)


def _size(path: Path) -> int:
    """Return the size of a file; 0 where it has gone, as without the lock it may."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _files(batch: Batch) -> list[Path]:
    found = [batch.folder / f"{name_of(batch.sequence)}.{end}" for end in packs.LOOSE]
    return [path for path in found if path.exists()]


def _form(batches: list[Batch]) -> object:
    """Return what records must have in common to stand in one file, None where there are none."""
    for batch in batches:
        side = batch.sidecar
        if side.content != "deletions" and side.encoding == packs.TABLE:
            return _schema(batch)
        if side.content != "deletions" and side.rows:
            return "ndjson.zst"
    return None


def _schema(batch: Batch) -> str:
    """Return the columns and types of a table, with what the file says of them."""
    import pyarrow.parquet as pq

    return str(pq.read_schema(batch.here().data).to_string(truncate_metadata=False))
