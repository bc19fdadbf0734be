"""When to unify and publish under the daemon, and which runs died without saying so.

A plain polling sensor: it compares what is loaded with what is published. Automation conditions
and run-status sensors were tried: they fire in the middle of a burst, or once a finished run.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

from connectors.base import utc_now
from connectors.errors import ConfigError
from pipelines.dead_runs import UNFINISHED, report_dead_runs
from pipelines.jobs import JOB
from pipelines.unify_job import is_over, store_mark
from pipelines.workspace import Workspace

NAME = "unify_when_due"
INTERVAL_SECONDS = 5
FAILED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
QUIET = timedelta(seconds=20)
LONGEST_WAIT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the sensor remembers between ticks: a state of the store not yet published.

    `since` is when news were first seen after the last publish, `changed` when the newest came.
    """

    mark: str
    since: datetime
    changed: datetime

    def text(self) -> str:
        """Return it as a cursor."""
        return json.dumps([self.mark, self.since.isoformat(), self.changed.isoformat()])

    @classmethod
    def of(cls, cursor: str | None) -> "Waiting | None":
        """Return what a cursor says; one that cannot be read counts as none."""
        try:
            mark, since, changed = json.loads(cursor or "")
            return cls(mark, datetime.fromisoformat(since), datetime.fromisoformat(changed))
        except (ValueError, TypeError):
            return None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a tick does: ask for a run with this key, or say why not."""

    reason: str
    run_key: str | None = None
    waiting: Waiting | None = None


def decide(
    *,
    mark: str,
    published: str,
    last_publish: datetime | None,
    failures: int,
    deaths: int = 0,
    is_running: bool,
    waiting: Waiting | None,
    publish_every: timedelta,
    now: datetime,
) -> Decision:
    """Return whether to unify and publish now.

    `mark` is the state of the store, `published` that of the last good publish. A failed attempt
    is tried again after ever longer pauses, under a key of its own: a key is asked for once.
    `failures` recorded themselves, `deaths` are runs that Dagster saw fail since the last good
    publish: one that was killed records nothing, one that raised counts as both.
    """
    if not mark:
        return Decision("nothing is loaded yet")
    if published.partition("@")[0] == mark:
        if not is_over(published, mark, now):
            return Decision("nothing new since the last publish")
        mark = published  # nothing is loaded, and a break is open by time alone
    if waiting is None:
        waiting = Waiting(mark, now, now)
    elif waiting.mark != mark:
        waiting = Waiting(mark, waiting.since, now)
    if is_running:
        return Decision("a unify run is in progress", waiting=waiting)
    pause = publish_every * 2 ** min(max(failures, deaths), 6)
    if last_publish is not None and now - last_publish < pause:
        return Decision(f"at most one publish each {pause.total_seconds():.0f} s", waiting=waiting)
    quiet, oldest = now - waiting.changed, now - waiting.since
    if quiet < QUIET and oldest < LONGEST_WAIT:
        return Decision("waiting for a quiet moment", waiting=waiting)
    return Decision("due", run_key=_key(mark, failures, deaths), waiting=waiting)


def _key(mark: str, failures: int, deaths: int) -> str:
    # Both, each grows alone: a run that dies after a failure of the command line is asked for too.
    return f"{mark}#{failures}" + (f".{deaths}" if deaths else "")


def tick(
    workspace: Workspace,
    instance: dg.DagsterInstance,
    cursor: str | None,
    now: Callable[[], datetime] = utc_now,
) -> Decision:
    """Return the decision of this moment, from the store's file, the control database and runs."""
    control = workspace.control
    good, last = control.last_publish(), control.last_publish(good=False)
    unfinished = instance.get_run_records(dg.RunsFilter(job_name=JOB, statuses=UNFINISHED), limit=1)
    failed = dg.RunsFilter(
        job_name=JOB, statuses=FAILED, created_after=good["ended_at"] if good else None
    )
    deaths = instance.get_runs_count(failed)
    tried = [last["ended_at"]] if last else []
    tried += [r.update_timestamp for r in instance.get_run_records(failed, limit=1)]
    return decide(
        mark=store_mark(workspace.home),
        published=good["mark"] if good else "",
        last_publish=max(tried, default=None),
        failures=control.failures_since_publish(),
        deaths=deaths,
        is_running=bool(unfinished),
        waiting=Waiting.of(cursor),
        publish_every=workspace.company().publish_every,
        now=now(),
    )


@dg.sensor(
    name=NAME,
    job_name=JOB,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for unify_publish when loaded batches wait, at most once a publish_every.",
)
def unify_when_due(
    context: dg.SensorEvaluationContext,
) -> dg.SensorResult:
    """Report dead runs, then ask for a run of `unify_publish` if one is due."""
    workspace = Workspace.discover()
    dead = report_dead_runs(context.instance)
    try:
        decision = tick(workspace, context.instance, context.cursor)
    except ConfigError as error:
        return dg.SensorResult(skip_reason=str(error))
    cursor = decision.waiting.text() if decision.waiting else ""
    if decision.run_key is None:
        ended = f"; {len(dead)} dead runs reported" if dead else ""
        return dg.SensorResult(skip_reason=decision.reason + ended, cursor=cursor)
    request = dg.RunRequest(run_key=decision.run_key, tags={"isthmus/trigger": "unify_when_due"})
    return dg.SensorResult(run_requests=[request], cursor=cursor)
