"""Runs of the command line, recorded so that the Dagster UI lists and re-executes them.

With `event_log.py` the only place that reaches into Dagster's private modules (1.13.27, pinned):
the public ways to run a job record it without its code location, and then the UI cannot re-execute
it. A test holds origin, job list and re-execution.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.utils import make_new_run_id

from pipelines import outcome as outcomes
from pipelines.connection import Connection
from pipelines.dagster_home import prepare
from pipelines.dead_runs import report_dead_runs
from pipelines.definitions import LOCATION
from pipelines.event_log import held_open
from pipelines.jobs import JOB
from pipelines.listen import OnProgress, listening
from pipelines.outcome import INTERRUPTED, ErrorText, PublishOutcome, StreamOutcome
from pipelines.process import this_process
from pipelines.schedules import job_name, op_name
from pipelines.stretches import Days
from pipelines.workspace import Workspace

MODULE = "pipelines.definitions"
REPOSITORY = "__repository__"


@dataclass
class SyncRun:
    """What a run of the command line did. `run_id` is the one that the UI shows."""

    run_id: str
    streams: list[StreamOutcome] = field(default_factory=list)
    published: PublishOutcome | None = None

    @property
    def exit_code(self) -> int:
        """0 ok, 1 a stream failed or too much is in quarantine, 3 ended early and goes on."""
        return outcomes.exit_code(self.streams, self.published)


def run_sync(
    workspace: Workspace,
    connection: str,
    streams: Sequence[str] = (),
    *,
    full: bool = False,
    trust_source: bool = False,
    days: Days | None = None,
    progress: OnProgress | None = None,
    publish: bool = True,
) -> SyncRun:
    """Run `<connection>_sync` in this process, then unify and publish whatever the outcome.

    `streams` empty means all, `days` reads those again. Raises ConfigError for a connection or
    stream that is not there; what goes wrong in a stream is in its outcome. Raises
    KeyboardInterrupt after a signal stopped the run: what was landed stays, the next run goes on.
    """
    found = workspace.connection(connection)
    wanted = [found.stream(name).name for name in streams] or [s.name for s in found.streams]
    prepare(workspace)
    with _instance() as instance, listening(progress) as heard:
        report_dead_runs(instance)
        run_id = _execute(
            instance,
            job_name(connection),
            # None is the whole job: the UI then offers it under the job's own name.
            keys=[dg.AssetKey([connection, s]) for s in wanted] if streams else None,
            config=_config(found, wanted, full=full, trust_source=trust_source, days=days),
        )
        done = SyncRun(run_id, list(heard.streams))
        done.streams += _silent(workspace, connection, wanted, done)
        if any(o.error is not None and o.error.kind == INTERRUPTED for o in done.streams):
            raise KeyboardInterrupt  # Dagster recorded the run as failed and went on as if told not
        if publish:
            done.published = _publish(instance)
    return done


def run_publish(workspace: Workspace) -> PublishOutcome:
    """Run the job `unify_publish` in this process and return its outcome.

    Raises KeyboardInterrupt after a signal stopped it: the next one goes on.
    """
    prepare(workspace)
    with _instance() as instance:
        report_dead_runs(instance)
        return _publish(instance)


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    with quiet(), dg.DagsterInstance.get() as instance, held_open(instance):
        yield instance


def _publish(instance: dg.DagsterInstance) -> PublishOutcome:
    with listening() as heard:
        run_id = _execute(instance, JOB, keys=None, config={})
    if heard.stopped:
        raise KeyboardInterrupt  # Dagster recorded it and went on as if told not
    if heard.published is not None:
        return heard.published
    text = ErrorText(
        "RunStopped", f"the run {run_id} ended before its step began.",
        "look at the run in the Dagster UI.", retriable=True,
    )  # fmt: skip
    return PublishOutcome(status="failed", error=text)


def _execute(
    instance: dg.DagsterInstance,
    name: str,
    *,
    keys: Sequence[dg.AssetKey] | None,
    config: dict[str, object],
) -> str:
    """Record a run with its code-location origin, execute it here, return its id."""
    repository = ReconstructableRepository.for_module(MODULE, "defs")
    job = repository.get_reconstructable_job(name)
    if keys:
        job = job.get_subset(asset_selection=frozenset(keys))
    location = ManagedGrpcPythonEnvCodeLocationOrigin(
        LoadableTargetOrigin(module_name=MODULE), LOCATION
    )
    definition = job.get_definition()
    run_id = make_new_run_id()
    run = instance.create_run_for_job(
        definition,
        run_id=run_id,
        run_config=config,
        tags={**definition.run_tags, **this_process().tags(run_id), "isthmus/trigger": "cli"},
        remote_job_origin=RemoteJobOrigin(RemoteRepositoryOrigin(location, REPOSITORY), name),
        job_code_origin=job.get_python_origin(),
        asset_selection=frozenset(keys) if keys else None,
    )
    execute_run(job, run, instance, raise_on_error=False)
    return run_id


def _config(
    connection: Connection,
    streams: Sequence[str],
    *,
    full: bool,
    trust_source: bool,
    days: Days | None,
) -> dict[str, object]:
    if not full and not trust_source and days is None:
        return {}
    values: dict[str, object] = {"full": full, "trust_source": trust_source}
    if days is not None:
        values |= {"since": str(days.first), "until": str(days.last or "")}
    return {"ops": {op_name(connection.name, name): {"config": values} for name in streams}}


def _silent(
    workspace: Workspace, connection: str, wanted: Sequence[str], done: SyncRun
) -> Iterator[StreamOutcome]:
    """Yield a failed outcome for each stream whose step never spoke."""
    heard = {outcome.stream for outcome in done.streams}
    recorded = {row["stream"]: row["error"] for row in workspace.control.runs_in(done.run_id)}
    for name in wanted:
        if name not in heard:
            text = ErrorText(**recorded[name]) if recorded.get(name) else ErrorText(
                "RunStopped", f"the run {done.run_id} ended before this stream's step.",
                "look at the run in the Dagster UI, then run it again.", retriable=True,
            )  # fmt: skip
            yield StreamOutcome(connection, name, "failed", error=text, run_id=done.run_id)


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back Dagster's console log, which prints every event, and its warnings of beta parts."""
    logger = logging.getLogger("dagster")
    level, previous = logger.level, logging.root.manager.disable
    logger.setLevel(logging.CRITICAL + 1)
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            warnings.simplefilter("ignore", dg.PreviewWarning)
            yield
    finally:
        logging.disable(previous)
        logger.setLevel(level)
