"""The job `export` and its schedule: marts as files in a shared folder, every night.

No postponed annotations here: Dagster reads the step's `context` parameter by its class.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from connectors.base import utc_now
from connectors.errors import ConfigError
from pipelines.export import export_marts
from pipelines.outcome import ErrorText
from pipelines.streams import failure
from pipelines.workspace import Workspace
from warehouse.errors import WarehouseError

JOB = "export"
SCHEDULE = "nightly_export"


@dg.op(name="write_files", description="Writes the marts of the published file as files.")
def write_files(context: dg.OpExecutionContext) -> None:
    """Write them; the run fails where a file could not be written, when all others are."""
    try:
        done = export_marts(
            Workspace.discover(),
            utc_now,
            told=lambda one: context.log.info(
                f"{one.mart}: {one.rows} rows, {len(one.files)} files"
            ),
        )
    except (ConfigError, WarehouseError) as error:
        raise failure(ErrorText(type(error).__name__, error.what, error.do, error.place)) from None
    shown: dict[str, Any] = {
        "folder": dg.MetadataValue.path(done.folder),
        "files": done.files,
        "data of": done.published,
        "rows": dg.MetadataValue.json({one.mart: one.rows for one in done.marts}),
    }
    if done.left_out:
        shown["left out"] = "; ".join(done.left_out)
    context.add_output_metadata(shown)
    if done.failed:
        raise dg.Failure("; ".join(done.failed), allow_retries=False)


@dg.job(name=JOB, executor_def=dg.in_process_executor)
def export() -> None:
    """Hands the marts out as Excel and Parquet files."""
    write_files()


def export_defs(workspace: Workspace) -> dg.Definitions:
    """Return the job, and its schedule where the company's file asks for one."""
    return dg.Definitions(jobs=[export], schedules=list(_schedules(workspace)))


def _schedules(workspace: Workspace) -> Iterator[dg.ScheduleDefinition]:
    try:
        company = workspace.company()
    except ConfigError:
        return  # the company's file says its own mistake
    if company.export is None or company.export.at == "never":
        return
    hour, _, minute = company.export.at.partition(":")
    yield dg.ScheduleDefinition(
        name=SCHEDULE,
        job=export,
        cron_schedule=f"{int(minute)} {int(hour)} * * *",
        execution_timezone=company.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Marts as files in {company.export.folder}, every night.",
    )
