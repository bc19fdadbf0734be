"""`alerts`: what people were told, and whether it reaches them."""

from __future__ import annotations

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.options import AsJson
from pipelines.cli.query import now
from pipelines.cli.session import workspace
from pipelines.cli.show import age, as_json, remark, say, table
from pipelines.texts import language, t

app = typer.Typer(no_args_is_help=True)


@app.command("list", help=t("help.alerts_list"))
def list_(json: AsJson = False) -> None:
    """List the causes that stand, and the messages that nobody took."""
    from pipelines.alerts.ledger import Ledger
    from pipelines.alerts.messages import Voice, title

    space = workspace()
    company, ledger = space.company(), Ledger(space.control)
    stands, waits = ledger.standing(), ledger.waiting()
    if json:
        as_json(
            {
                "standing": [s.cause.facts() | {"first": s.first.isoformat()} for s in stands],
                "waiting": [
                    {n: str(row[n]) for n in ("address", "title", "made_at", "attempts", "error")}
                    for row in waits
                ],
            }
        )
        return
    if not company.alerts:
        remark(t("alerts.nobody"))
    voice = Voice.of(company, language())
    if stands:
        table(
            [t("alerts.col.cause"), t("col.since"), t("alerts.col.severity")],
            [(title(s.cause, voice), age(s.first, now()), s.cause.severity) for s in stands],
        )
    else:
        say(t("alerts.none"))
    for row in waits:
        remark(t("alerts.waits", address=row["address"], title=row["title"], error=row["error"]))


@app.command("test", help=t("help.alerts_test"))
def test() -> None:
    """Send a message to every address of the company's file and say which took it."""
    from pipelines.alerts.messages import trial
    from pipelines.alerts.watch import addresses_of, reach

    space = workspace()
    addresses = addresses_of(space.company())
    if not addresses:
        raise CliError(t("alerts.nobody"), t("alerts.nobody_do"))
    failed = 0
    for one in addresses:
        why = reach(space, one, [trial(one.voice)])
        say(
            t("alerts.refused", address=one.to, why=why)
            if why
            else t("alerts.taken", address=one.to)
        )
        failed += bool(why)
    if failed:
        raise typer.Exit(1)
