"""`isthmus demo`: the sample company synced as any other, and what the store then answers."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from pipelines.outcome import PublishOutcome, StreamOutcome, exit_code
from pipelines.sample.files import write_office
from pipelines.sample.place import sample_workspace
from pipelines.sample.report import NEXT, print_report, print_table
from pipelines.sample.servers import PORTS, build, running
from pipelines.sample.story import tell
from pipelines.texts import t

if TYPE_CHECKING:
    from pipelines.listen import Progress
    from pipelines.workspace import Workspace

AFTER = tuple(name for name in ("logistics",) if name in PORTS)
"""Asks for the parcels that the store knows of: it is synced when the others are published."""
FIRST = (*(name for name in PORTS if name not in AFTER), "office")
WIDE = 160


@dataclass(frozen=True, slots=True)
class Run:
    """The streams of one connection, and how long they took."""

    connection: str
    streams: list[StreamOutcome]
    seconds: float


def run_demo(workspace: Workspace, console: Console | None = None) -> int:
    """Start the sample company, sync it, publish, print; return the exit code of a sync.

    The runs are those of `isthmus sync`, so the Dagster UI lists them. Raises ConfigError where a
    port is taken.
    """
    console = console or Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)
    begun = time.perf_counter()
    space, office = sample_workspace(workspace)
    console.print(t("sample.intro"))
    story = tell()
    apps = build(story)
    write_office(office, story)
    runs: list[Run] = []
    with running(apps):
        for names in (FIRST, AFTER):
            published = _sync(space, console, names, runs)
    streams = [outcome for run in runs for outcome in run.streams]
    _print_runs(console, runs, time.perf_counter() - begun)
    for failed in (o for o in streams if o.error is not None):
        name = f"{failed.connection}/{failed.stream}"
        console.print(t("sample.failed", stream=name, error=failed.error), style="red")
    if published.error is not None:
        console.print(t("sample.failed", stream="unify_publish", error=published.error))
    if space.home.current.exists():
        print_report(console, space.home.current)
    console.print()
    changed = sum(o.inserted + o.updated + o.deleted for o in streams)
    if changed:
        console.print(t("sample.changed.some", count=f"{changed:,}"))
    else:
        console.print(t("sample.changed.none"))
    console.print(t("sample.published", file=space.home.readable), soft_wrap=True)
    console.print(t("sample.next", first=NEXT[0], second=NEXT[1]), soft_wrap=True)
    console.print(t("sample.whole", seconds=f"{time.perf_counter() - begun:.1f}"))
    return exit_code(streams, published)


def _sync(
    space: Workspace, console: Console, names: Sequence[str], runs: list[Run]
) -> PublishOutcome:
    """Sync connections one after the other, then publish."""
    from pipelines.runs import run_publish, run_sync

    with console.status(t("sample.intro")) as status:

        def told(progress: Progress) -> None:
            name = f"{progress.connection}/{progress.stream}"
            status.update(t("sample.writing", stream=name, read=progress.read))

        for name in names:
            begun = time.perf_counter()
            done = run_sync(space, name, progress=told, publish=False).streams
            runs.append(Run(name, done, time.perf_counter() - begun))
        status.update("unify_publish")
        return run_publish(space)


def _print_runs(console: Console, runs: list[Run], seconds: float) -> None:
    names = ("connection", "status", "streams", "read", "unchanged", "inserted", "updated",
             "quarantined", "seconds")  # fmt: skip
    print_table(
        console,
        t("sample.synced", seconds=f"{seconds:.1f}"),
        [t(f"sync.col.{name}") for name in names],
        [
            (
                run.connection,
                t(f"sync.status.{_worst(run.streams)}"),
                len(run.streams),
                *(
                    sum(getattr(o, name) for o in run.streams)
                    for name in ("read", "unchanged", "inserted", "updated", "quarantined")
                ),
                f"{run.seconds:.1f}",
            )
            for run in runs
        ],
        right=range(2, 9),
    )


def _worst(streams: Sequence[StreamOutcome]) -> str:
    return next((o.status for o in streams if o.status != "ok"), "ok")
