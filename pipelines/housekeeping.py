"""Bounds the history of runs (Dagster's own retention bounds ticks only), merges landed files.

No postponed annotations here: Dagster reads the step's `context` parameter by its class.
"""

from collections.abc import Callable
from datetime import datetime

import dagster as dg

from connectors.base import utc_now
from pipelines.compact_job import compact_nightly
from pipelines.workspace import Workspace

JOB = "housekeeping"
CRON = "40 3 * * *"
AT_ONCE = 2000
"""Runs deleted at most in one go; what is left waits for the next night."""
ENDED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]


def delete_old_runs(
    instance: dg.DagsterInstance,
    workspace: Workspace,
    now: Callable[[], datetime] = utc_now,
    limit: int = AT_ONCE,
) -> int:
    """Delete ended runs older than the company's `keep: runs`; returns how many."""
    before = now() - workspace.company().keep.runs
    filters = dg.RunsFilter(statuses=ENDED, created_before=before)
    old = instance.get_run_records(filters, limit=limit, ascending=True)
    for record in old:
        instance.delete_run(record.dagster_run.run_id)
    workspace.control.forget_runs(before)
    return len(old)


@dg.op(description="Deletes runs older than the company's keep: runs.")
def delete_runs(context: dg.OpExecutionContext) -> None:
    """Delete old runs and say how many."""
    count = delete_old_runs(context.instance, Workspace.discover())
    context.log.info(f"{count} runs deleted")


@dg.job(name=JOB, executor_def=dg.in_process_executor)
def housekeeping() -> None:
    """Bounds the history of runs; makes landed files fewer."""
    delete_runs()
    compact_nightly()


nightly = dg.ScheduleDefinition(
    job=housekeeping,
    cron_schedule=CRON,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Once a night; how long runs are kept stands in the company's file.",
)
