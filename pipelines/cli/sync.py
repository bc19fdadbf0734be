"""`sync`: the same job as the UI runs, then unify and publish, with progress on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.options import AsJson
from pipelines.cli.query import now
from pipelines.cli.session import connection, split, workspace
from pipelines.cli.show import (
    as_json,
    progress_console,
    quota_text,
    remark,
    say,
    span,
    table,
    tally_text,
)
from pipelines.stretches import Days
from pipelines.texts import t

if TYPE_CHECKING:
    from pipelines.listen import OnProgress, Progress
    from pipelines.outcome import PublishOutcome, StreamOutcome
    from pipelines.workspace import Workspace

NAMED = 3
"""Streams that a warning of several names."""


def sync(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="CONNECTION [STREAM]...", help=t("opt.sync"))
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help=t("opt.sync_all"))] = False,
    full: Annotated[bool, typer.Option("--full", help=t("opt.full"))] = False,
    trust_source: Annotated[
        bool, typer.Option("--trust-source", help=t("opt.trust_source"))
    ] = False,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help=t("opt.sync_since"))
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help=t("opt.sync_until"))
    ] = None,
    json: AsJson = False,
) -> None:
    """Read, land and load streams, then unify and publish."""
    space = workspace()
    if (until and not since) or (since and (full or trust_source)):
        raise CliError(t("sync.days"), t("sync.days_do"))
    days = Days(since.date(), until.date() if until else None) if since else None
    if bool(names) == everything:
        raise CliError(t("sync.which"), t("sync.which_do"))
    wanted, broken = split(space, names or []), []
    if everything:
        from pipelines.connection import Connection
        from pipelines.control_view import view

        stopped = view(space).paused(now())
        for name, found in space.connections().items():
            if name in stopped:
                remark(t("pause.skipped", name=name, who=stopped[name].who, why=stopped[name].why))
            elif isinstance(found, Connection):
                wanted[name] = []
            else:
                broken.append(name)
                for problem in found.problems:
                    remark(str(problem))
    for name in wanted:
        connection(space, name)  # a broken one ends the command before anything is read
    from pipelines.outcome import exit_code
    from pipelines.runs import run_publish, run_sync

    outcomes: list[StreamOutcome] = []
    with _bars() as progress:
        for name, streams in wanted.items():
            run = run_sync(
                space, name, streams, full=full, trust_source=trust_source, days=days,
                progress=progress, publish=False,
            )  # fmt: skip
            outcomes += run.streams
    published = run_publish(space)  # once for all connections, whatever became of them
    if json:
        as_json(
            {
                "streams": [o.as_json() for o in outcomes],
                "publish": published.as_json() if published else None,
            }
        )
    else:
        _summary(outcomes, published)
    _remarks(outcomes, published)
    _tell(space)
    code = exit_code(outcomes, published)
    if broken and code == 0:
        from pipelines.cli.codes import USAGE

        code = USAGE
    raise typer.Exit(code)


def _tell(space: Workspace) -> None:
    """Tell the company's addresses what fails or is over; what hinders that is a remark."""
    from connectors.errors import ConnectorError
    from pipelines.alerts.watch import watch

    try:
        refused = watch(space).refused
    except ConnectorError as error:
        refused = [str(error)]
    for why in refused:
        remark(t("sync.not_told", why=why))


@contextmanager
def _bars() -> Iterator[OnProgress | None]:
    """Show a bar a stream on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bars

    tasks: dict[str, TaskID] = {}
    with Bars(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[phase]}"), TimeElapsedColumn(),
        console=progress_console(), transient=True,
    ) as bars:  # fmt: skip

        def told(progress: Progress) -> None:
            name = f"{progress.connection}/{progress.stream}"
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=progress.total, phase="")
            bars.update(
                tasks[name], completed=progress.read, total=progress.total,
                phase=t(f"sync.phase.{progress.phase}"),
            )  # fmt: skip

        yield told


def _summary(outcomes: Sequence[StreamOutcome], published: PublishOutcome | None) -> None:
    columns = ("stream", "status", "read", "landed", "unchanged", "inserted", "updated",
               "deleted", "quarantined", "seconds")  # fmt: skip
    table(
        [t(f"sync.col.{c}") for c in columns],
        [
            (
                f"{o.connection}/{o.stream}", t(f"sync.status.{o.status}"), o.read, o.landed,
                o.unchanged, o.inserted, o.updated, o.deleted, o.quarantined, f"{o.seconds:.1f}",
            )
            for o in outcomes
        ],
        right=range(2, len(columns)),
    )  # fmt: skip
    if published is None or published.error:
        return
    if published.changed:
        say(t("sync.published", path=published.path, changed=published.changed,
              seconds=span(published.seconds)))  # fmt: skip
    elif published.published:
        say(t("sync.renewed", path=published.path))
    else:
        say(t("sync.nothing_new"))


def _remarks(outcomes: Sequence[StreamOutcome], published: PublishOutcome | None) -> None:
    """Say on stderr what a person has to know: failures, quarantine, held deletions, warnings.

    A warning that several streams give is said once.
    """
    warned: dict[str, list[tuple[str, int]]] = {}
    for o in outcomes:
        name = f"{o.connection}/{o.stream}"
        if o.error is not None:
            remark(t("sync.failed", name=name, error=o.error))
        if o.quota is not None:
            remark(quota_text(name, o.quota, o.quota_until))
        elif o.status == "partial":
            remark(t("sync.partial", name=name))
        if o.tally:
            remark(tally_text(name, o.tally))
        if o.quarantined:
            remark(t("sync.quarantined", name=name, count=o.quarantined, connection=o.connection))
        if o.is_over_limit:
            remark(t("sync.over_limit", name=name, share=f"{o.quarantine_share:.1%}",
                     limit=f"{o.quarantine_limit:.1%}"))  # fmt: skip
        for change in o.drift:
            if change["is_read"] and change["kind"] != "new":
                remark(t("sync.drift", name=name, field=change["field"], was=change["was"],
                         now=change["now"] or "-"))  # fmt: skip
        if o.held:
            remark(t("sync.held", name=name, count=o.held))
        if o.refused:
            remark(t("sync.refused", name=name, count=o.refused))
        for text, count in o.warnings.items():
            warned.setdefault(text, []).append((name, count))
    for text, places in warned.items():
        said = [name for name, _ in places]
        if len(said) > NAMED + 1:
            said[NAMED:] = [t("sync.more_streams", count=len(said) - NAMED)]
        count = sum(many for _, many in places)
        remark(t("sync.warning", name=", ".join(said), text=text, count=count))
    if published is not None and published.error is not None:
        remark(t("sync.publish_failed", error=published.error))
