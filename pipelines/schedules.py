"""The job of a connection and its schedules: streams of one cron text share a run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import dagster as dg
from dagster import DefaultScheduleStatus

from connectors.base import utc_now
from pipelines.connection import NEVER, NIGHTLY, Connection
from pipelines.control_view import view
from pipelines.dead_runs import UNFINISHED
from pipelines.workspace import Workspace

JOB_SUFFIX = "_sync"
PATIENCE = 20
"""Minutes for which a scheduled proof waits for a run that reads the stream."""


def job_name(connection: str) -> str:
    """Return the name of a connection's job."""
    return connection + JOB_SUFFIX


def op_name(connection: str, stream: str) -> str:
    """Return the name of a stream's step, under which run config and events know it.

    Dagster wants no two alike: names that would be told apart by their underscores alone get a
    hash behind them.
    """
    plain = f"{connection}__{stream}"
    if "__" in connection or connection.endswith("_"):
        return f"{plain}_{hashlib.sha256(f'{connection}/{stream}'.encode()).hexdigest()[:8]}"
    return plain


def build_jobs(connection: Connection) -> tuple[Any, list[dg.ScheduleDefinition]]:
    """Return the job over all streams, and one schedule a cron text for reads and for sweeps."""
    name = connection.name
    keys = [dg.AssetKey([name, spec.name]) for spec in connection.streams]
    job = dg.define_asset_job(
        job_name(name),
        # A proof of completeness is no part of a sync: it is asked for by itself.
        selection=dg.AssetSelection.assets(*keys)
        - dg.AssetSelection.checks(*(dg.AssetCheckKey(key, "complete") for key in keys)),
        description=f"Reads {connection.title} into the store, stream by stream.",
        tags={"isthmus/connection": name},
        # A process a step costs seconds each; connections run side by side as runs of their own.
        executor_def=dg.in_process_executor,
    )
    reads: dict[str, list[str]] = {}
    sweeps: dict[str, list[str]] = {}
    for spec in connection.streams:
        if spec.schedule:
            reads.setdefault(spec.schedule, []).append(spec.name)
        if spec.sweep:
            sweeps.setdefault(spec.sweep, []).append(spec.name)
    schedules = [
        _schedule(connection, job, cron, streams, sweep=sweep)
        for groups, sweep in ((reads, False), (sweeps, True))
        for cron, streams in groups.items()
    ]
    return job, schedules


def proof_schedules(connection: Connection, job: str) -> list[dg.ScheduleDefinition]:
    """Return when `job` proves streams complete: the nightly one, and one a cron text of streams.

    By night the last month of what the source counts by time; where the file says nothing of it,
    of the streams that a schedule reads. The minute is the connection's own, so that not all ask
    and load at once.
    """
    when: dict[tuple[str, bool], list[str]] = {}
    for spec in connection.streams:
        if spec.verify:
            when.setdefault((spec.verify, False), []).append(spec.name)
        said = connection.file.verify
        if said != NEVER and (said or spec.schedule):
            cron = _by_night(connection.name) if said in (None, NIGHTLY) else str(said)
            when.setdefault((cron, True), []).append(spec.name)
    return [
        _proof_schedule(connection, job, cron, streams, recent=recent)
        for (cron, recent), streams in when.items()
    ]


def _by_night(name: str) -> str:
    """Return a cron text between two and five at night, ever the same for a connection."""
    minute = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % 180
    return f"{minute % 60} {2 + minute // 60} * * *"


def _proof_schedule(
    connection: Connection, job: str, cron: str, streams: Sequence[str], *, recent: bool
) -> dg.ScheduleDefinition:
    config = {"connection": connection.name, "streams": list(streams), "recent": recent,
              "patience": PATIENCE}  # fmt: skip
    verb = "verify" if recent else "verify_all"
    name = f"{connection.name}_{verb}_{_slug(cron)}"

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        company = Workspace.discover().company()
        if recent and connection.file.verify is None and company.verify == NEVER:
            return dg.SkipReason("the company's file says verify: never")
        return _held_back(context, connection.name, name, job) or dg.RunRequest(
            run_config={"ops": {"prove": {"config": config}}},
            tags={"isthmus/trigger": "verify", "isthmus/connection": connection.name},
        )

    return dg.ScheduleDefinition(
        name=name,
        cron_schedule=cron,
        job_name=job,
        execution_fn=request,
        execution_timezone=connection.timezone,
        default_status=DefaultScheduleStatus.RUNNING,
        description=f"proves {'the last month' if recent else 'all'} of {', '.join(streams)}",
    )


def _held_back(
    context: dg.ScheduleEvaluationContext, connection: str, schedule: str, job: str
) -> dg.SkipReason | None:
    """Return why a schedule asks for no run now: the connection is paused, or its last goes on."""
    stopped = view(Workspace.discover()).paused(utc_now()).get(connection)
    if stopped is not None:
        until = f" until {stopped.until:%Y-%m-%d %H:%M %Z}" if stopped.until else ""
        return dg.SkipReason(f"paused{until} by {stopped.who}: {stopped.why}")
    unfinished = dg.RunsFilter(
        job_name=job, statuses=UNFINISHED, tags={"dagster/schedule_name": schedule}
    )
    before = context.instance.get_run_records(unfinished, limit=1)
    if before:
        return dg.SkipReason(f"run {before[0].dagster_run.run_id} of this schedule still goes on")
    return None


def _schedule(
    connection: Connection, job: Any, cron: str, streams: Sequence[str], *, sweep: bool
) -> dg.ScheduleDefinition:
    verb = "sweep" if sweep else "read"
    keys = [dg.AssetKey([connection.name, stream]) for stream in streams]
    config = {"ops": {op_name(connection.name, s): {"config": {"sweep": sweep}} for s in streams}}

    name = f"{connection.name}_{verb}_{_slug(cron)}"

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        held = _held_back(context, connection.name, name, job_name(connection.name))
        return held or dg.RunRequest(
            asset_selection=keys,
            run_config=config if sweep else None,
            tags={"isthmus/trigger": verb},
        )

    return dg.ScheduleDefinition(
        name=name,
        cron_schedule=cron,
        job=job,
        execution_fn=request,
        execution_timezone=connection.timezone,
        default_status=DefaultScheduleStatus.RUNNING,
        description=f"{verb}: {', '.join(streams)}",
    )


def _slug(cron: str) -> str:
    """Return `cron` as part of a name: */15 6-20 * * 1,5 -> e15_6to20_x_x_1a5."""
    words = cron.replace("*/", "e").replace("*", "x").replace("-", "to").replace(",", "a")
    return "_".join("".join(c if c.isalnum() else "per" for c in w) for w in words.split()).lower()
