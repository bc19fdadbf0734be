"""Makes landing and store smaller, and loses nothing: for the command line and Dagster's jobs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.errors import ConfigError
from pipelines.space import DiskFull
from pipelines.waiting import waiting

if TYPE_CHECKING:
    from pipelines.outcome import PublishOutcome
    from pipelines.workspace import Workspace
    from warehouse.compact import Compacted

Now = Callable[[], datetime]
WORTH = 0.3
"""Share of a DuckDB file's blocks that hold nothing, from which on it is written anew."""
NIGHTLY_OLDER = timedelta(days=2)
"""The night leaves alone what is younger: an hourly backup has the files of before by then."""
NIGHTLY_LEAST = 100
"""Batches by themselves from which on the night makes packs of a stream."""


@dataclass(slots=True)
class Part:
    """What a connection's landing, the store or its projection took before, and takes now.

    `bytes` are those of the blocks on the disk: a small file takes a whole one. `after_bytes` is
    None where a dry run cannot know.
    """

    name: str
    files: int = 0
    bytes: int = 0
    after_files: int = 0
    after_bytes: int | None = None
    batches: int = 0
    packs: int = 0
    busy: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What was done; `publish` is None where the projection stayed as it was."""

    dry_run: bool
    parts: list[Part] = field(default_factory=list)
    publish: PublishOutcome | None = None

    def figures(self) -> dict[str, int]:
        """Return the sums."""
        known = [p for p in self.parts if p.after_bytes is not None]
        return {
            "batches": sum(p.batches for p in self.parts),
            "packs": sum(p.packs for p in self.parts),
            "files gone": sum(p.files - p.after_files for p in self.parts),
            "bytes gone": sum(p.bytes - (p.after_bytes or 0) for p in known),
        }

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON members."""
        publish = None if self.publish is None else self.publish.as_json()
        return {
            "dry_run": self.dry_run, "parts": [asdict(p) for p in self.parts], "publish": publish,
        }  # fmt: skip


def compact(
    space: Workspace,
    now: Now,
    connection: str | None = None,
    *,
    dry_run: bool = False,
    older: timedelta | None = None,
    least: int = 1,
) -> Report:
    """Make packs of landed batches; write store and projection anew where 30 % of them are free.

    A `connection` bounds it to its landing. `older` leaves batches alone that were landed in that
    time, `least` streams with fewer batches by themselves. Raises ConfigError for a connection of
    which nothing was landed, DiskFull before anything is written where the largest file to be made
    would leave less than `min_free`, and what a damaged landing or store raises.
    """
    from warehouse import compact as landing_of
    from warehouse.landing import Landing

    landing = Landing(space.home.make().landing, now=now)
    places = landing_of.streams(landing, connection)
    if connection is not None and not places:
        raise ConfigError(
            f"Nothing was ever landed of {connection}.", f"sync it: `isthmus sync {connection}`."
        )
    before = now() - older if older is not None else None
    room = _room(space)
    if not dry_run:
        plans = [landing_of.plan(landing, p, before=before, least=least) for p in places]
        room(max((run.bytes for runs in plans for run in runs), default=0))
    report = Report(dry_run)
    share = _free_share(space, now) if connection is None and space.home.store.exists() else 0.0
    if share >= WORTH and not dry_run:
        room(int(space.home.store.stat().st_size * (1 - share)))
    for place in places:
        done = landing_of.compact(landing, place, room, before=before, least=least, dry_run=dry_run)
        _add(report, done, dry_run)
    if connection is None and space.home.store.exists():
        _store(space, now, report, share, room)
    return report


def _add(report: Report, done: Compacted, dry_run: bool) -> None:
    name = f"landing/{done.connection}"
    if not report.parts or report.parts[-1].name != name:
        report.parts.append(Part(name, after_bytes=0))
    part = report.parts[-1]
    part.files, part.bytes = part.files + done.before.files, part.bytes + done.before.blocks
    part.after_files += done.after.files
    if dry_run and done.batches:
        part.after_bytes = None
    elif part.after_bytes is not None:
        part.after_bytes += (done.before if dry_run else done.after).blocks
    part.batches, part.packs = part.batches + done.batches, part.packs + done.packs
    if done.busy:
        part.busy.append(f"{done.connection}/{done.stream}")


def _free_share(space: Workspace, now: Now) -> float:
    from warehouse import anew
    from warehouse.store import open_store

    with open_store(space.home, clock=now, on_wait=waiting) as store:
        store.checkpoint()
        return anew.free_share(store.con)


def _store(
    space: Workspace, now: Now, report: Report, share: float, room: Callable[[int], None]
) -> None:
    """Write the store anew where it is worth it, and have the projection made anew."""
    from pipelines.sync import unify_publish
    from warehouse import anew
    from warehouse.store import open_store

    home, dry_run = space.home, report.dry_run
    store, public = _file("store", home.store), _file("projection", home.public)
    report.parts += [store, public]
    if share >= WORTH and dry_run:
        store.after_bytes = None
    elif share >= WORTH:
        with open_store(home, clock=now, on_wait=waiting) as live:
            room(int(home.store.stat().st_size * (1 - share)))
            anew.copy(live, "compact.store_copied")
        store.after_bytes = _size(home.store)
    if anew.forget_projection(home, now, share=WORTH, dry_run=dry_run):
        if dry_run:
            public.after_bytes = None
        else:
            report.publish = unify_publish(space, now=now)
            public.after_bytes = _size(home.public)


def _file(name: str, path: Any) -> Part:
    size, count = _size(path), int(path.exists())
    return Part(name, count, size, count, size)


def _size(path: Any) -> int:
    return path.stat().st_blocks * 512 if path.exists() else 0


def _room(space: Workspace) -> Callable[[int], None]:
    """Return what raises DiskFull where so many bytes more would leave less than the least."""
    home, least = space.home, space.company().min_free

    def room(size: int) -> None:
        free = shutil.disk_usage(home.root).free
        if size and free < least + size:
            raise DiskFull(
                f"compacting writes up to {size / 1e6:,.1f} MB beside what it takes the place of,"
                f" and {least / 1e6:,.1f} MB (min_free) must stay free: "
                f"{(least + size) / 1e6:,.1f} MB are needed, {free / 1e6:,.1f} MB are free.",
                "free space elsewhere first, or lower min_free in the company's file for this"
                " once; what is there is as it was.",
                place=str(home.root),
            )

    return room
