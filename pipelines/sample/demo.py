"""`isthmus demo`: the sample company synced as any other, and what the store then answers."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console

from pipelines.outcome import PublishOutcome, StreamOutcome, exit_code
from pipelines.sample.files import write_office
from pipelines.sample.place import sample_workspace
from pipelines.sample.report import NEXT, print_report
from pipelines.sample.servers import running
from pipelines.sample.story import tell
from pipelines.texts import t

if TYPE_CHECKING:
    from pipelines.listen import Progress
    from pipelines.workspace import Workspace

CONNECTIONS = ("shop", "gateway", "office")
WIDE = 160


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
    write_office(office, story)
    with running(story):
        streams, published = _sync(space, console)
    _print_runs(console, streams, time.perf_counter() - begun)
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


def _sync(space: Workspace, console: Console) -> tuple[list[StreamOutcome], PublishOutcome]:
    from pipelines.runs import run_publish, run_sync

    outcomes: list[StreamOutcome] = []
    with console.status(t("sample.intro")) as status:

        def told(progress: Progress) -> None:
            name = f"{progress.connection}/{progress.stream}"
            status.update(t("sample.writing", stream=name, read=progress.read))

        for name in CONNECTIONS:
            outcomes += run_sync(space, name, progress=told, publish=False).streams
        status.update("unify_publish")
        return outcomes, run_publish(space)


def _print_runs(console: Console, streams: list[StreamOutcome], seconds: float) -> None:
    from pipelines.sample.report import print_table

    names = ("stream", "status", "read", "unchanged", "inserted", "updated", "quarantined")
    print_table(
        console,
        t("sample.synced", seconds=f"{seconds:.1f}"),
        [t(f"sync.col.{name}") for name in names],
        [
            (
                f"{o.connection}/{o.stream}", t(f"sync.status.{o.status}"), o.read, o.unchanged,
                o.inserted, o.updated, o.quarantined,
            )
            for o in streams
        ],
        right=(2, 3, 4, 5, 6),
    )  # fmt: skip
