"""`export`: marts as Excel and Parquet files in a folder, now."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.codes import FAILED
from pipelines.cli.options import AsJson
from pipelines.cli.query import now
from pipelines.cli.session import workspace
from pipelines.cli.show import as_json, remark, say, table
from pipelines.texts import t


class Form(StrEnum):
    """Forms that can be asked for."""

    xlsx = "xlsx"
    parquet = "parquet"


def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help=t("opt.export_folder"))
    ] = None,
    mart: Annotated[
        list[str] | None, typer.Option("--mart", metavar="NAME", help=t("opt.export_mart"))
    ] = None,
    form: Annotated[
        list[Form] | None, typer.Option("--format", help=t("opt.export_format"))
    ] = None,
    json: AsJson = False,
) -> None:
    """Write the marts of the published file into FOLDER."""
    from pipelines.export import export_marts

    done = export_marts(
        workspace(),
        now,
        folder=folder.absolute() if folder else None,
        marts=mart or (),
        formats=[one.value for one in form or ()],
    )
    if json:
        as_json({
            "folder": str(done.folder), "published": done.published,
            "marts": [{"mart": m.mart, "rows": m.rows, "files": {k: str(f) for k, f in
                       m.files.items()}, "left_out": m.left_out, "failed": m.failed}
                      for m in done.marts],
        })  # fmt: skip
    else:
        table(
            [t("col.mart"), t("col.rows"), t("col.files")],
            [(m.mart, f"{m.rows:,}", ", ".join(f.name for f in m.files.values()))
             for m in done.marts],
            right=[1],
        )  # fmt: skip
        say(t("export.done", files=done.files, folder=done.folder))
    for text in done.left_out:
        remark(t("export.left_out", text=text))
    for text in done.failed:
        remark(t("export.failed", text=text))
    if done.failed:
        raise typer.Exit(FAILED)
