"""`deletions`: what the breaker held back, and a person's word that it is really gone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.options import AsJson, ConnectionName
from pipelines.cli.query import now
from pipelines.cli.session import workspace
from pipelines.cli.show import as_json, remark, say, table
from pipelines.texts import t

app = typer.Typer(no_args_is_help=True)


@app.command("list", help=t("help.deletions_list"))
def list_(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help=t("opt.connection"))] = "",
    json: AsJson = False,
) -> None:
    """List the deletions that wait, with the first keys of each."""
    from pipelines.repair import held

    found = [asdict(one) for one in held(workspace(), connection or None)]
    if json:
        as_json(found)
    elif found:
        table(
            [t("sync.col.stream"), t("col.batch"), t("col.key"), t("col.at"), t("col.first_keys")],
            [
                (f"{f['connection']}/{f['stream']}", f["batch"], f["keys"], str(f["at"])[:19],
                 ", ".join(f["first_keys"]))
                for f in found
            ],
        )  # fmt: skip
        remark(t("deletions.next"))
    else:
        say(t("deletions.none"))


@app.command("accept", help=t("help.deletions_accept"))
def accept(
    connection: ConnectionName,
    stream: Annotated[str, typer.Argument(metavar="STREAM", help=t("opt.stream"))],
    batch: Annotated[int, typer.Argument(metavar="BATCH", help=t("opt.batch"))],
    why: Annotated[str, typer.Option("--why", help=t("opt.why"))],
    json: AsJson = False,
) -> None:
    """Accept held deletions by a decision that is kept, apply them, publish."""
    from pipelines.repair import accept as accept_held

    space = workspace()
    if not why.strip():
        raise CliError(t("quarantine.no_why"), t("quarantine.no_why_do"))
    done = accept_held(space, now, connection, stream, batch, why=why.strip())
    outcome = done.publish
    if json:
        as_json(asdict(done))
    else:
        say(t("deletions.accepted", count=done.deleted, kept=done.seen_since))
    if outcome.error is not None:
        raise CliError(outcome.error.what, outcome.error.do, outcome.exit_code)
