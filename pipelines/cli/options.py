"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.texts import t

AsJson = Annotated[bool, typer.Option("--json", help=t("opt.json"))]
ConnectionName = Annotated[
    str, typer.Argument(metavar="CONNECTION", help=t("opt.connection"), show_default=False)
]
