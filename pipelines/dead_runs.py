"""Finds runs whose process ended without saying so, and reports them failed.

Dagster's monitoring sees only runs that its daemon started. A run of the command line that was
killed would stay STARTED for ever: it carries host, boot id, pid and start time in its tags.
"""

from __future__ import annotations

import dagster as dg

from pipelines.process import Process

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
STARTED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
    dg.DagsterRunStatus.NOT_STARTED,
]


def report_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Report runs of dead processes of this machine as failed; returns their ids."""
    dead: list[str] = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=STARTED)):
        run = record.dagster_run
        process = Process.of_run(run.run_id, run.tags)
        if process is not None and process.is_dead():
            instance.report_run_failed(
                run,
                f"The process of this run ended without a word (pid {process.pid} on "
                f"{process.host}): it was killed, or the machine went down. Do: run it again; "
                "it goes on after the last complete batch.",
            )
            dead.append(run.run_id)
    _free_slots(instance)
    return dead


def _free_slots(instance: dg.DagsterInstance) -> None:
    """Give back the pool slots of runs that have ended: a killed one took its slot along.

    Dagster's monitoring does so for the runs that its daemon started; without this the next run
    of the command line would wait for the slot for ever.
    """
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return
    for run_id in storage.get_concurrency_run_ids():
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            storage.free_concurrency_slots_for_run(run_id)
