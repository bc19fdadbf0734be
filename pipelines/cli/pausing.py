"""`pause` and `resume`: no schedule reads a connection for a while."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.options import AsJson, ConnectionName
from pipelines.cli.query import now
from pipelines.cli.session import unknown, workspace
from pipelines.cli.show import as_json, minute, say
from pipelines.texts import t


def pause(
    connection: ConnectionName,
    why: Annotated[str, typer.Option("--why", help=t("opt.why"))],
    span: Annotated[str, typer.Option("--for", metavar="4h", help=t("opt.pause_for"))] = "",
    json: AsJson = False,
) -> None:
    """Let no schedule read a connection, for a time or until `resume`."""
    from pipelines.pauses import pause as write
    from pipelines.units import parse_duration

    space, moment = workspace(), now()
    if connection not in space.connections():
        raise unknown(space, connection)
    try:
        until = moment + parse_duration(span) if span else None
    except (ValueError, OverflowError) as error:
        raise CliError(t("pause.span", span=span), str(error)) from None
    made = write(space.control, connection, until=until, who=getpass.getuser(), why=why, now=moment)
    if json:
        as_json({"connection": connection, "until": until.isoformat() if until else None})
    elif made.until:
        say(t("pause.until", name=connection, until=minute(made.until)))
    else:
        say(t("pause.open", name=connection))


def resume(connection: ConnectionName, json: AsJson = False) -> None:
    """End a pause: the next tick reads what was missed."""
    from pipelines.pauses import resume as end

    space = workspace()
    was = end(space.control, connection)
    if json:
        as_json({"connection": connection, "was_paused": was})
    else:
        say(t("pause.ended", name=connection) if was else t("pause.none", name=connection))
