"""The table of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.cli import (
    alerts,
    breaks,
    checking,
    connectors,
    deletions,
    demo,
    dictionary,
    erase,
    explain,
    explore,
    exporting,
    folder,
    new_connector,
    party,
    pausing,
    preview,
    pulling,
    quarantine,
    query,
    room,
    simulator,
    status,
    store,
    sync,
    ui,
    verify,
)
from pipelines.texts import t

app = typer.Typer(
    name="isthmus",
    help=t("help.isthmus"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"isthmus {version('isthmus')}")
        raise typer.Exit


@app.callback()
def isthmus(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=t("opt.version"))
    ] = False,
) -> None:
    """Hold the options that stand before a command."""


app.command("init", help=t("help.init"))(folder.init)
app.command("connect", help=t("help.connect"))(folder.connect)
app.command("check", help=t("help.check"))(checking.check)
app.command("preview", help=t("help.preview"))(preview.preview)
app.command("sync", help=t("help.sync"))(sync.sync)
app.command("status", help=t("help.status"))(status.status)
app.command("connectors", help=t("help.connectors"))(connectors.connectors)
app.command("verify", help=t("help.verify"))(verify.verify)
app.command("query", help=t("help.query"))(query.query)
app.command("explain", help=t("help.explain"))(explain.explain)
app.command("explore", help=t("help.explore"))(explore.explore)
app.add_typer(quarantine.app, name="quarantine", help=t("help.quarantine"))
app.add_typer(party.app, name="party", help=t("help.party"))
app.add_typer(breaks.app, name="breaks", help=t("help.breaks"))
app.add_typer(deletions.app, name="deletions", help=t("help.deletions"))
app.add_typer(alerts.app, name="alerts", help=t("help.alerts"))
app.command("pause", help=t("help.pause"))(pausing.pause)
app.command("resume", help=t("help.resume"))(pausing.resume)
app.command("docs", help=t("help.docs"))(dictionary.docs)
app.command("export", help=t("help.export"))(exporting.export)
app.command("pull", help=t("help.pull"))(pulling.pull)
app.command("rebuild", help=t("help.rebuild"))(store.rebuild)
app.command("publish", help=t("help.publish"))(store.publish)
app.command("space", help=t("help.space"))(room.space)
app.command("compact", help=t("help.compact"))(room.compact)
app.command("erase", help=t("help.erase"))(erase.erase)
app.command("ui", help=t("help.ui"))(ui.ui)
app.command("new-connector", help=t("help.new_connector"))(new_connector.new_connector)
app.command("simulator", help=t("help.simulator"))(simulator.simulator)
app.command("demo", help=t("help.demo"))(demo.demo)
