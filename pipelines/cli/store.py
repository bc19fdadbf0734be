"""`publish` and `rebuild`: what changes the store beside a sync."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.options import AsJson
from pipelines.cli.query import now
from pipelines.cli.session import workspace
from pipelines.cli.show import as_json, remark, say, span
from pipelines.texts import t


def publish(
    new_key: Annotated[bool, typer.Option("--new-key", help=t("opt.new_key"))] = False,
    json: AsJson = False,
) -> None:
    """Unify and publish what is loaded, now."""
    from pipelines.sync import unify_publish

    outcome = unify_publish(workspace(), now=now, new_key=new_key)
    if json:
        as_json(outcome.as_json())
    elif outcome.error is not None:
        raise CliError(outcome.error.what, outcome.error.do, outcome.exit_code)
    elif outcome.changed:
        say(t("sync.published", path=outcome.path, changed=outcome.changed,
              seconds=span(outcome.seconds)))  # fmt: skip
    elif outcome.published:
        say(t("sync.renewed", path=outcome.path))
    else:
        say(t("sync.nothing_new"))
    raise typer.Exit(outcome.exit_code)


def rebuild(
    connection: Annotated[
        str, typer.Argument(metavar="CONNECTION", help=t("opt.rebuild_connection"))
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=t("opt.yes"))] = False,
    accept_loss: Annotated[bool, typer.Option("--accept-loss", help=t("opt.accept_loss"))] = False,
    json: AsJson = False,
) -> None:
    """Make the store anew from landing and decisions, with the same ids; then publish."""
    from pipelines.repair import rebuild as make_anew

    space = workspace()
    if not yes:
        if not sys.stdin.isatty():
            raise CliError(t("rebuild.nobody"), t("rebuild.nobody_do"))
        what = connection or space.home.store
        typer.confirm(t("rebuild.sure", store=what), abort=True)
    done = make_anew(space, now, connection=connection or None, accept_loss=accept_loss)
    report, outcome = done.report, done.publish
    if json:
        as_json({"rebuild": report.as_json(), "publish": outcome.as_json()})
    else:
        for name in report.left_out:
            remark(t("rebuild.left_out", name=name))
        for name, void in report.void.items():
            for text, count in void.items():
                remark(t("sync.warning", name=name, text=text, count=count))
        say(t("rebuild.done", report=report))
    if outcome.error is not None:
        raise CliError(outcome.error.what, outcome.error.do, outcome.exit_code)
