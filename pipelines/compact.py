"""Makes landing and store smaller, and loses nothing: for the command line and Dagster's jobs.

What cannot be made smaller is in the report with its error; all else is done.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.errors import ConfigError
from pipelines.compact_report import Failed, Part, Report
from pipelines.explain import explain
from pipelines.space import DiskFull
from pipelines.waiting import waiting

if TYPE_CHECKING:
    from pipelines.workspace import Workspace
    from warehouse.compact import Compacted, Place
    from warehouse.landing import Landing

Now = Callable[[], datetime]
WORTH = 0.3
"""Share of a DuckDB file's blocks that hold nothing, from which on it is written anew."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is left alone: batches landed in the last `older`, streams with fewer than `least`.

    `least` counts the batches by themselves that would go into packs. Of a stream at most `packs`
    packs are made, a store with more than `store` bytes in use is not copied.
    """

    older: timedelta | None = None
    least: int = 1
    packs: int | None = None
    store: int | None = None


BY_HAND = Limits()
NIGHTLY = Limits(
    # An hourly or daily backup has the files of before by then.
    older=timedelta(days=2),
    # Fewer files are not worth a pack that is written again until it is full.
    least=100,
    # A pack takes up to ten seconds, in which its stream cannot be landed. Ten are up to 20,000
    # batches: what a stream gets in ten weeks when it is read every five minutes.
    packs=10,
    # A sync waits ten minutes for the store, a copy takes about a minute a gigabyte: half of the
    # ten is for slower disks, and for the projection that is made anew after it.
    store=5_000_000_000,
)


def compact(
    space: Workspace,
    now: Now,
    connection: str | None = None,
    *,
    dry_run: bool = False,
    limits: Limits = BY_HAND,
) -> Report:
    """Make packs of landed batches; write store and projection anew where 30 % of them are free.

    A `connection` bounds it to its landing. Raises ConfigError for a connection of which nothing
    was landed, DiskFull before anything is written where the largest file to be made would leave
    less than `min_free`, LandingError while a person is erased. A dry run changes no file, takes
    no lock and waits for nobody.
    """
    from warehouse import compact as landing_of
    from warehouse.erase.marker import expect_none
    from warehouse.landing import Landing

    home = space.home if dry_run else space.home.make()
    expect_none(home.landing)
    landing = Landing(home.landing, now=now)
    places = landing_of.streams(landing, connection)
    if connection is not None and not places:
        raise ConfigError(
            f"Nothing was ever landed of {connection}.", f"sync it: `isthmus sync {connection}`."
        )
    work = _Work(space, now, landing, Report(dry_run), limits)
    worth = work.planned(places)
    if connection is None and not dry_run:
        work.expect_room_for_store()
    for place in worth:
        with work.part(f"landing/{'/'.join(place)}"):
            work.stream(place)
    if connection is None and home.store.exists():
        with work.part("store"):
            work.store()
        with work.part("projection"):
            work.projection()
    return work.report


class _Work:
    """One compaction: a part after the other, each of which may fail alone."""

    def __init__(
        self, space: Workspace, now: Now, landing: Landing, report: Report, limits: Limits
    ) -> None:
        self.space, self.now, self.landing = space, now, landing
        self.report, self.limits = report, limits
        self.before = now() - limits.older if limits.older is not None else None
        self.least_free = space.company().min_free

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Put into the report what the block raises."""
        try:
            yield
        except Exception as error:  # the boundary of a part: its failure is data
            text = explain(error, self.space.home, self.space.secrets.given)
            self.report.failed.append(Failed(name, text))

    def planned(self, places: list[Place]) -> list[Place]:
        """Return the streams whose plans can be made; raises DiskFull for the largest pack."""
        from warehouse import compact as landing_of

        sound: list[Place] = []
        most, limits = 0, self.limits
        for place in places:
            with self.part(f"landing/{'/'.join(place)}"):
                runs = landing_of.plan(
                    self.landing, place, before=self.before, least=limits.least
                )  # fmt: skip
                most = max([most, *(run.bytes for run in runs)])
                sound.append(place)
        if not self.report.dry_run:
            self.room(most, self.landing.root)
        return sound

    def stream(self, place: Place) -> None:
        """Make packs of a stream, its lock given back after each of them."""
        from warehouse import compact as landing_of

        limits, dry_run = self.limits, self.report.dry_run
        made, least = 0, limits.least
        while True:
            done = landing_of.compact(
                self.landing, place, self._landing_room, before=self.before, least=least,
                most=None if dry_run else 1, dry_run=dry_run,
            )  # fmt: skip
            self._add(done, is_first=made == 0)
            made, least = made + done.packs, 1
            if dry_run or done.busy or not done.packs:
                return
            if made == limits.packs:
                if landing_of.plan(self.landing, place, before=self.before, most=1):
                    self.report.part(f"landing/{place[0]}").unfinished.append("/".join(place))
                return

    def _add(self, done: Compacted, *, is_first: bool) -> None:
        part, dry_run = self.report.part(f"landing/{done.connection}"), self.report.dry_run
        if is_first:
            part.files, part.bytes = part.files + done.before.files, part.bytes + done.before.blocks
        part.after_files += done.after.files - (0 if is_first else done.before.files)
        if dry_run and done.batches:
            part.after_bytes = None
        elif part.after_bytes is not None:
            after = (done.before if dry_run else done.after).blocks
            part.after_bytes += after - (0 if is_first else done.before.blocks)
        part.batches, part.packs = part.batches + done.batches, part.packs + done.packs
        if done.busy:
            part.busy.append(f"{done.connection}/{done.stream}")

    def expect_room_for_store(self) -> None:
        """Raise DiskFull where the copy of the store would not fit."""
        from warehouse.free import share_of

        store = self.space.home.store
        share = share_of(store)
        if share is not None and share >= WORTH and not self._is_left(share):
            self.room(int(store.stat().st_size * (1 - share)), store.parent)

    def _is_left(self, share: float) -> bool:
        most = self.limits.store
        return most is not None and self.space.home.store.stat().st_size * (1 - share) > most

    def store(self) -> None:
        """Write the store anew where it is worth it."""
        from warehouse import anew
        from warehouse.free import share_of
        from warehouse.store import open_store

        home = self.space.home
        part = _file("store", home.store)
        self.report.parts.append(part)
        if self.report.dry_run:
            share = share_of(home.store)
            part.after_bytes = part.bytes if share is not None and share < WORTH else None
            return
        with open_store(home, clock=self.now, on_wait=waiting) as live:
            live.checkpoint()
            share = anew.free_share(live.con)
            part.is_left = share >= WORTH and self._is_left(share)
            if share >= WORTH and not part.is_left:
                self.room(int(home.store.stat().st_size * (1 - share)), home.store.parent)
                anew.copy(live, "compact.store_copied")
        part.after_bytes = _size(home.store)

    def projection(self) -> None:
        """Have the projection made anew where it is worth it."""
        from pipelines.sync import unify_publish
        from warehouse import anew
        from warehouse.free import share_of

        home = self.space.home
        part = _file("projection", home.public)
        self.report.parts.append(part)
        if self.report.dry_run:
            share = share_of(home.public)
            is_kept = not home.public.exists() or (share is not None and share < WORTH)
            part.after_bytes = part.bytes if is_kept else None
            return
        if any(p.is_left for p in self.report.parts):  # it would be made of a store as large
            part.is_left = True
        elif anew.forget_projection(home, self.now, share=WORTH):
            self.report.publish = unify_publish(self.space, now=self.now)
            part.after_bytes = _size(home.public)

    def room(self, size: int, folder: Path) -> None:
        """Raise DiskFull where so many bytes more in `folder` would leave less than the least."""
        least, free = self.least_free, shutil.disk_usage(folder).free
        if size and free < least + size:
            raise DiskFull(
                f"compacting writes up to {size / 1e6:,.1f} MB beside what it takes the place of,"
                f" and {least / 1e6:,.1f} MB (min_free) must stay free: "
                f"{(least + size) / 1e6:,.1f} MB are needed, {free / 1e6:,.1f} MB are free.",
                "free space elsewhere first, or lower min_free in the company's file for this"
                " once; what is there is as it was.",
                place=str(folder),
            )

    def _landing_room(self, size: int) -> None:
        self.room(size, self.landing.root)


def _file(name: str, path: Path) -> Part:
    size, count = _size(path), int(path.exists())
    return Part(name, count, size, count, size)


def _size(path: Path) -> int:
    return path.stat().st_blocks * 512 if path.exists() else 0
