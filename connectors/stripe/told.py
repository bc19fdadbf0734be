"""What events say: which objects changed, and which events were acted on already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from connectors.body import scalar_text
from connectors.stripe.lists import decoded
from connectors.stripe.streams import Listed

KEEP = 1000
"""Ids of events that a bookmark carries; beyond them an object is merely read once more."""


class _Data(msgspec.Struct):
    object: dict[str, msgspec.Raw]


class _Event(msgspec.Struct):
    id: str
    created: int
    data: _Data


@dataclass(slots=True)
class Told:
    """Collects events. `done` are ids that an earlier run acted on: those ask for nothing."""

    listed: Listed
    done: frozenset[str]
    objects: dict[str, None] = field(default_factory=dict)
    _events: dict[str, int] = field(default_factory=dict)

    def see(self, records: Iterable[bytes]) -> None:
        """Take note of events, in whatever order and however often they come."""
        for record in records:
            event: _Event = decoded(record, _Event, "/v1/events")
            self._events[event.id] = event.created
            if event.id not in self.done:
                named = self._named(event.data.object)
                if named:
                    self.objects[named] = None

    def _named(self, said: dict[str, Any]) -> str | None:
        """Return the object that an event is about: its own, or one that its own belongs to."""
        kind = self.listed.object
        own = "object" in said and scalar_text(said["object"]) == kind
        raw = said.get("id" if own else kind)
        return None if raw is None else scalar_text(raw)

    def acted_on(self, since: datetime) -> list[str]:
        """Return the ids of the newest events from `since` on, for the next bookmark."""
        low = int(since.timestamp())
        recent = sorted((-at, name) for name, at in self._events.items() if at >= low)
        return [name for _, name in recent[:KEEP]]
