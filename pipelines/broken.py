"""What stands in the asset graph for a folder whose definitions have mistakes."""

from pathlib import Path

import dagster as dg

from pipelines.outcome import ErrorText
from pipelines.schedules import job_name
from pipelines.streams import failure


def broken_defs(name: str, path: Path, text: str) -> dg.Definitions:
    """Return an asset `<name>/broken` that says file, line and message, and fails when run."""
    key = dg.AssetKey([name, "broken"])

    @dg.asset(
        key=key,
        group_name=name,
        kinds={"broken"},
        description=f"**{name} is not run: its file has mistakes.**\n\n```\n{text}\n```",
        metadata={"defs.yaml": dg.MetadataValue.path(str(path)), "mistakes": text},
        tags={"isthmus/connection": name},
    )
    def step() -> None:
        raise failure(
            ErrorText("ConfigError", text, f"mend the file, then isthmus check {name}.", str(path))
        ) from None

    job = dg.define_asset_job(
        job_name(name),
        selection=dg.AssetSelection.assets(key),
        description=f"Fails until {path.name} of {name} is mended.",
        executor_def=dg.in_process_executor,
    )
    return dg.Definitions(assets=[step], jobs=[job])
