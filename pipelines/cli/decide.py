"""What changes quarantine entries: replay under the mapping of now, or put aside for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipelines.cli.codes import CliError
from pipelines.cli.query import now
from pipelines.cli.session import workspace
from pipelines.cli.show import as_json, say
from pipelines.texts import t
from pipelines.waiting import waiting

if TYPE_CHECKING:
    from pipelines.outcome import PublishOutcome


def replay_entries(ids: Sequence[str], connection: str, stream: str, *, json: bool) -> None:
    """Replay open entries (those of `ids`, else of the stream named, else all), then publish."""
    from pipelines.repair import UnknownEntry, replay

    try:
        done = replay(workspace(), now, connection=connection, stream=stream, ids=ids)
    except UnknownEntry as error:
        raise CliError(
            t("quarantine.unknown", id=error.entry), t("quarantine.unknown_do")
        ) from None
    text = t("quarantine.replayed", good=done.good, bad=done.still_broken)
    _tell({"good": done.good, "still_broken": done.still_broken}, text, done.publish, json=json)


def discard_entries(ids: Sequence[str], why: str, *, json: bool) -> None:
    """Discard open entries by a decision that is kept, then publish."""
    from pipelines.sync import unify_publish
    from warehouse import quarantine
    from warehouse.landing import Landing
    from warehouse.store import open_store

    space = workspace()
    if not why.strip():
        raise CliError(t("quarantine.no_why"), t("quarantine.no_why_do"))
    with open_store(space.home, clock=now, on_wait=waiting) as store:
        count = quarantine.discard(
            store, Landing(space.home.landing), list(ids), why=why.strip(), now=now
        )
    published = unify_publish(space, now=now)
    _tell({"discarded": count}, t("quarantine.discarded", count=count), published, json=json)


def _tell(figures: dict[str, Any], text: str, outcome: PublishOutcome, *, json: bool) -> None:
    if json:
        as_json(figures | {"publish": asdict(outcome)})
    else:
        say(text)
    if outcome.error is not None:
        raise CliError(outcome.error.what, outcome.error.do, outcome.exit_code)
