"""`party`: which records are one customer, in a person's word where the rules are not sure."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.options import AsJson
from pipelines.texts import t

app = typer.Typer(no_args_is_help=True)

Why = Annotated[str, typer.Option("--why", help=t("opt.why"))]
One = Annotated[str, typer.Argument(metavar="A", help=t("opt.party"), show_default=False)]


@app.command("review", help=t("help.party_review"))
def review(
    limit: Annotated[int, typer.Option("--limit", min=1, help=t("opt.pairs"))] = 20,
    why: Annotated[str, typer.Option("--why", help=t("opt.why"))] = "",
    json: AsJson = False,
) -> None:
    """Show pairs that may be one party, the likeliest first; at a terminal, ask about each."""
    from pipelines.cli.review import ask, at_terminal, show, waiting_pairs

    pairs, count = waiting_pairs(limit)
    if pairs and not json and at_terminal():
        ask(pairs, count, why)
    else:
        show(pairs, count, json=json)


@app.command("merge", help=t("help.party_merge"))
def merge(
    parties: Annotated[
        list[str], typer.Argument(metavar="A B…", help=t("opt.parties"), show_default=False)
    ],
    why: Why,
    json: AsJson = False,
) -> None:
    """Decide that records are one party, for ever, and publish."""
    from pipelines.cli.identity import decide

    if len(parties) < 2:
        raise CliError(t("party.one"), t("party.one_do"))
    decide("merge", parties, why, json=json)


@app.command("unmerge", help=t("help.party_unmerge"))
def unmerge(
    party: One,
    other: Annotated[str, typer.Argument(metavar="[B]", help=t("opt.other_party"))] = "",
    *,
    why: Why,
    json: AsJson = False,
) -> None:
    """Decide that a record is not the party of another, or of any it stands with, and publish."""
    from pipelines.cli.identity import decide

    decide("unmerge", [party, other] if other else [party], why, json=json)
