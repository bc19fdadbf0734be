"""`space`: what takes the disk, and when it will be full; `compact`: makes it less."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.cli.codes import FAILED, CliError
from pipelines.cli.options import AsJson
from pipelines.cli.query import now
from pipelines.cli.session import workspace
from pipelines.cli.show import as_json, remark, say, table
from pipelines.texts import t


def space(json: AsJson = False) -> None:
    """Tell how much room each connection's landing takes, the rest of the home, and a forecast."""
    from pipelines.sizes import room

    here = workspace()
    found = room(here.home.make(), here.company().min_free, now())
    if json:
        as_json(found.as_json())
        return
    rows = [
        (f"landing/{one.name}", one.files, _megabytes(one.bytes), _megabytes(one.a_day))
        for one in found.connections
    ]
    rows += [(one.name, one.files, _megabytes(one.bytes), "") for one in found.others]
    columns = ("what", "files", "bytes", "a_day")
    table([t(f"space.col.{c}") for c in columns], rows, right=(1, 2, 3))
    free, least = _megabytes(found.free), _megabytes(found.min_free)
    if found.days is None:
        say(t("space.still", free=free, least=least))
    else:
        say(t("space.forecast", free=free, least=least, days=f"{found.days:,.0f}"))


def compact(
    connection: Annotated[
        str, typer.Argument(metavar="CONNECTION", help=t("opt.compact_connection"))
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=t("opt.compact_dry_run"))] = False,
    json: AsJson = False,
) -> None:
    """Make packs of landed batches, and store and projection anew where much of them is free."""
    from pipelines.compact import compact as make_smaller

    done = make_smaller(workspace(), now, connection or None, dry_run=dry_run)
    if json:
        as_json(done.as_json())
    else:
        rows = [
            (p.name, p.batches or "", p.files, p.after_files, _megabytes(p.bytes),
             "?" if p.after_bytes is None else _megabytes(p.after_bytes))
            for p in done.parts
        ]  # fmt: skip
        columns = ("what", "batches", "files", "files_after", "bytes", "bytes_after")
        table([t(f"compact.col.{c}") for c in columns], rows, right=(1, 2, 3, 4, 5))
        for part in done.parts:
            for name in part.busy:
                remark(t("compact.busy", name=name))
        figures = done.figures()
        gone = _megabytes(figures["bytes gone"])
        said = {"batches": figures["batches"], "packs": figures["packs"], "bytes": gone}
        say(t("compact.would", **said) if dry_run else t("compact.done", **said))
    if done.error is not None:
        raise CliError(done.error.what, done.error.do, FAILED)


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f} MB"
