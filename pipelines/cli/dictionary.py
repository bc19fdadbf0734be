"""`docs`: the data dictionary as web pages that open without a server."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.options import AsJson
from pipelines.cli.query import now
from pipelines.cli.session import workspace
from pipelines.cli.show import as_json, remark, say
from pipelines.texts import language, t


def docs(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help=t("opt.docs_folder"))],
    json: AsJson = False,
) -> None:
    """Write the dictionary into FOLDER."""
    from pipelines.dictionary.facts import gather
    from pipelines.dictionary.site import NotOurs, write_site

    told = gather(workspace(), now())
    try:
        done = write_site(told, folder.absolute(), language())
    except NotOurs:
        raise CliError(t("docs.not_ours", folder=folder), t("docs.not_ours_do")) from None
    except OSError as error:
        raise CliError(
            t("docs.unwritable", folder=folder, why=error.strerror or error),
            t("docs.unwritable_do"),
        ) from None
    if json:
        as_json(asdict(done) | {"index": str(done.index)})
        return
    say(t("docs.done", path=done.index, pages=done.pages, columns=f"{done.columns:,}"))
    if not told.published_at:
        remark(t("docs.nothing_published"))
