"""What a person does to repair, for the command line and for Dagster's jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.errors import ConfigError
from pipelines.waiting import waiting

if TYPE_CHECKING:
    from pipelines.outcome import PublishOutcome
    from pipelines.workspace import Workspace
    from warehouse.quarantine import Entry
    from warehouse.store import Store

Now = Callable[[], datetime]
SHOWN = 10
"""Keys of held deletions that are shown."""


class UnknownEntry(ConfigError):
    """An entry of the quarantine that is not there, or not open any more."""

    def __init__(self, entry: str) -> None:
        super().__init__(
            f"{entry} is no open entry of the quarantine.", "isthmus quarantine list has them."
        )
        self.entry = entry


@dataclass(slots=True)
class Replayed:
    """Entries whose records are good under the mapping of now, and those that are still broken."""

    good: int
    still_broken: int
    publish: PublishOutcome


@dataclass(slots=True)
class Accepted:
    """Deletions that were applied, and keys that were seen again since and stay."""

    deleted: int
    seen_since: int
    publish: PublishOutcome


@dataclass(slots=True)
class Held:
    """Deletions of one stream that wait for a person, with their first keys."""

    connection: str
    stream: str
    batch: int
    keys: int
    at: str
    part: str | None
    first_keys: list[str] = field(default_factory=list)


def replay(
    space: Workspace, now: Now, *, connection: str = "", stream: str = "", ids: Sequence[str] = ()
) -> Replayed:
    """Replay open entries (those of `ids`, else of the stream named, else all), then publish.

    Raises UnknownEntry for an id that is not open.
    """
    from pipelines.sync import unify_publish
    from warehouse import quarantine
    from warehouse.landing import Landing
    from warehouse.store import open_store

    landing, good, broken = Landing(space.home.landing), 0, 0
    with open_store(space.home, clock=now, on_wait=waiting) as store:
        for (owner, name), entries in _open(store, ids, connection, stream).items():
            plan = space.connection(owner).plan(name)
            report = quarantine.replay(store, landing, plan, [e.id for e in entries], now=now)
            good += report.replayed + report.superseded
            broken += report.still_broken
    return Replayed(good, broken, unify_publish(space, now=now))


def held(space: Workspace, connection: str | None = None) -> list[Held]:
    """Return the deletions that wait for a decision."""
    from warehouse.holds import list_holds
    from warehouse.landing import Landing

    landing = Landing(space.home.landing)
    return [
        Held(
            one.connection, one.stream, one.batch, one.keys, one.at, one.part,
            [key for key, _ in landing.batch(one.connection, one.stream, one.batch).deletions()][
                :SHOWN
            ],
        )
        for one in list_holds(landing, connection)
    ]  # fmt: skip


def accept(
    space: Workspace, now: Now, connection: str, stream: str, batch: int, *, why: str, who: str = ""
) -> Accepted:
    """Accept held deletions by a decision that is kept, apply them, publish."""
    from pipelines.sync import unify_publish
    from warehouse import holds
    from warehouse.landing import Landing
    from warehouse.load import load_pending
    from warehouse.store import open_store

    plan = space.connection(connection).plan(stream)
    landing = Landing(space.home.landing)
    decision = holds.accept(landing, connection, stream, batch, why=why, who=who, now=now)
    with open_store(space.home, clock=now, on_wait=waiting) as store:
        report = load_pending(store, landing, plan, now=now)
    kept = len(decision.about["except"])
    return Accepted(report.deleted, kept, unify_publish(space, now=now))


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
        raise UnknownEntry(unknown[0])
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        found.setdefault((entry.connection, entry.stream), []).append(entry)
    return found
