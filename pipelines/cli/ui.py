"""`ui`: Dagster for the connections of this folder, schedules included."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from pipelines.cli.session import workspace
from pipelines.cli.show import say
from pipelines.texts import t


def ui(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help=t("opt.port"))] = 3000,
) -> None:
    """Open Dagster on this folder: schedules and the sensor run as long as it does."""
    from pipelines.ui import serve

    ended = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ended.set())
    say(t("sample.ui", url=f"http://127.0.0.1:{port}"))
    raise typer.Exit(serve(workspace(), port, ended))
