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
    from pipelines.workspace import Workspace
    from warehouse.quarantine import Entry
    from warehouse.store import Store


def replay_entries(ids: Sequence[str], connection: str, stream: str, *, json: bool) -> None:
    """Replay open entries (those of `ids`, else of the stream named, else all), then publish."""
    from warehouse import quarantine
    from warehouse.landing import Landing
    from warehouse.store import open_store

    space = workspace()
    landing = Landing(space.home.landing)
    good = bad = 0
    with open_store(space.home, clock=now, on_wait=waiting) as store:
        for (owner, name), entries in _open(store, ids, connection, stream).items():
            plan = space.connection(owner).plan(name)
            report = quarantine.replay(store, landing, plan, [e.id for e in entries], now=now)
            good += report.replayed + report.superseded
            bad += report.still_broken
    text = t("quarantine.replayed", good=good, bad=bad)
    _publish(space, {"good": good, "still_broken": bad}, text, json=json)


def discard_entries(ids: Sequence[str], why: str, *, json: bool) -> None:
    """Discard open entries by a decision that is kept, then publish."""
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
    _publish(space, {"discarded": count}, t("quarantine.discarded", count=count), json=json)


def _open(
    store: Store, ids: Sequence[str], connection: str, stream: str
) -> dict[tuple[str, str], list[Entry]]:
    """Return the open entries that are meant, by (connection, stream)."""
    from warehouse import quarantine

    entries = quarantine.list_(
        store.con, connection=connection or None, stream=stream or None, ids=list(ids) or None
    )
    unknown = sorted(set(ids) - {e.id for e in entries})
    if unknown:
        raise CliError(t("quarantine.unknown", id=unknown[0]), t("quarantine.unknown_do"))
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        found.setdefault((entry.connection, entry.stream), []).append(entry)
    return found


def _publish(space: Workspace, figures: dict[str, Any], text: str, *, json: bool) -> None:
    from pipelines.sync import unify_publish

    outcome = unify_publish(space, now=now)
    if json:
        as_json(figures | {"publish": asdict(outcome)})
    else:
        say(text)
    if outcome.error is not None:
        raise CliError(outcome.error.what, outcome.error.do, outcome.exit_code)
