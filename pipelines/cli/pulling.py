"""`pull`: the published file on an analyst's own machine."""

from __future__ import annotations

import base64
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.options import AsJson
from pipelines.cli.show import as_json, remark, say
from pipelines.texts import t


def pull(
    url: Annotated[str, typer.Argument(metavar="URL", help=t("opt.pull_url"))],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help=t("opt.pull_folder"))],
    login: Annotated[str, typer.Option("--login", metavar="REF", help=t("opt.pull_login"))] = "",
    token: Annotated[str, typer.Option("--token", metavar="REF", help=t("opt.pull_token"))] = "",
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help=t("opt.allow_private"))
    ] = False,
    json: AsJson = False,
) -> None:
    """Bring the newest published version into FOLDER; open files are not disturbed."""
    from connectors.base import Context
    from connectors.errors import ConnectorError
    from connectors.folder import WebFolder
    from pipelines.pull import STABLE
    from pipelines.pull import pull as bring
    from pipelines.secrets import Secrets

    secrets = Secrets(os.environ, Path.cwd())

    def authorization() -> str:
        if token:
            return f"Bearer {secrets.resolve(token)}"
        return "Basic " + base64.b64encode(secrets.resolve(login).encode()).decode()

    def shown(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done * 100 // total} %", end="", file=sys.stderr, flush=True)

    try:
        source = WebFolder(
            url, Context("pull"), authorization=authorization if token or login else None,
            allow_private=allow_private,
        )  # fmt: skip
        try:
            done = bring(source, folder, shown)
        finally:
            source.close()
    except ConnectorError as error:
        raise CliError(error.what, error.do, 1) from None
    if json:
        as_json(asdict(done) | {"path": str(done.path)})
        return
    say(t("pull.new", path=done.path) if done.changed else t("pull.same", path=done.path))
    if done.path.name != STABLE:
        remark(t("pull.beside", name=STABLE))
