"""What a person does to repair, for the command line and for Dagster's jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.errors import ConfigError
from pipelines.space import need_space
from pipelines.waiting import waiting

if TYPE_CHECKING:
    from pipelines.outcome import PublishOutcome, StreamOutcome
    from pipelines.stretches import Days
    from pipelines.workspace import Workspace
    from warehouse.model.plan import StreamPlan
    from warehouse.quarantine import Entry
    from warehouse.rebuild import Rebuilt
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
class Reread:
    """What was read again of a stream, and the publish after it."""

    outcome: StreamOutcome
    publish: PublishOutcome


@dataclass(slots=True)
class Remade:
    """What a rebuild made, and the publish after it."""

    report: Rebuilt
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


def read_again(
    space: Workspace, now: Now, connection: str, stream: str, days: Days | None, *, run_id: str = ""
) -> Reread:
    """Read the days of a stream again, or without days all of it; then publish.

    What equals the landing is not landed again, and days prove nothing gone: that takes all of it.
    """
    from pipelines.sync import sync_stream, unify_publish

    done = sync_stream(
        space, connection, stream, days=days, full=days is None, now=now, run_id=run_id or None
    )
    return Reread(done, unify_publish(space, now=now))


def rebuild(
    space: Workspace, now: Now, *, connection: str | None = None, accept_loss: bool = False
) -> Remade:
    """Make the store anew from landing and decisions, or of it one connection; then publish.

    Raises ConfigError for a connection whose file has mistakes, DiskFull where a second store
    would leave less than the company's least, and what `warehouse.rebuild` does.
    """
    from pipelines.sync import unify_publish
    from warehouse.landing import Landing
    from warehouse.rebuild import rebuild as make_anew

    connections = space.connections()
    landing = Landing(space.home.landing)
    # A second store is written beside the first one.
    size = space.home.store.stat().st_size if space.home.store.exists() else 0
    need_space(space.home.make(), space.company().min_free + size)
    if connection is not None and connection not in {name for name, _ in landing.streams()}:
        raise ConfigError(
            f"Nothing was ever landed of {connection}.", f"sync it: `isthmus sync {connection}`."
        )

    def plan_for(name: str, stream: str) -> StreamPlan | None:
        # Only what was removed is left out: a broken file must not empty the store.
        if name not in connections:
            return None
        found = space.connection(name)
        return found.plan(stream) if stream in (s.name for s in found.streams) else None

    report = make_anew(
        space.home, landing, plan_for, now, on_wait=waiting, accept_loss=accept_loss,
        connection=connection,
    )  # fmt: skip
    return Remade(report, unify_publish(space, now=now))


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
