"""Entries of the ledger that are to settle: remembered until they did, then read again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.changes import unreadable_bookmark
from connectors.stripe.lists import decoded

AT_MOST, AT_LEAST = 86_400, 3_600
"""Seconds between two looks at pending entries: the day may be moved, and be late."""


def is_pending(said: Any) -> bool:
    """Say whether a bookmark's member is what a ledger writes there; {} is nothing pending."""
    if not isinstance(said, Mapping):
        return False
    return not said or all(type(said.get(name)) is int for name in ("from", "due"))


class _Entry(msgspec.Struct):
    created: int
    status: str = ""
    available_on: int = 0


class Ledger:
    """The oldest pending entry and when the first of them is due, in seconds since 1970.

    An entry moves from pending to available at `available_on` and no event tells of it. `active`
    False does nothing, for lists whose members do not settle. Raises ContractBroken for a bookmark
    that is not ours.
    """

    def __init__(
        self, active: bool, now: datetime, bookmark: Mapping[str, Any] | None = None
    ) -> None:
        self._active = active
        self._now = int(now.timestamp())
        before = (bookmark or {}).get("pending") or {}
        if not is_pending(before):
            raise unreadable_bookmark()
        self._before: Mapping[str, int] = dict(before)
        self._found: dict[str, int] = {}

    def go_on(self, resume: Mapping[str, Any]) -> None:
        """Take over what the interrupted part of a walk found."""
        found = resume.get("pending") or {}
        self._found = dict(found) if is_pending(found) else {}

    def reach(self, low: datetime) -> datetime:
        """Return where to read from: the oldest pending entry's second where one is due."""
        known = self._before
        if not known:
            return low
        if self._now >= known["due"]:
            low = min(low, datetime.fromtimestamp(known["from"], UTC))
        if low.timestamp() <= known["from"]:
            self._before = {}  # all of them come again
        return low

    def see(self, records: Iterable[bytes]) -> None:
        """Take note of a page's pending entries."""
        if not self._active:
            return
        for record in records:
            entry: _Entry = decoded(record, _Entry, "/v1/balance_transactions")
            if entry.status == "pending":
                self._add(entry.created, entry.available_on)

    def _add(self, made: int, due: int) -> None:
        found = self._found
        due = min(max(due, self._now + AT_LEAST), self._now + AT_MOST)
        found["from"] = min(found.get("from", made), made)
        found["due"] = min(found.get("due", due), due)

    def mark(self) -> dict[str, Any]:
        """Return the member of the bookmark; nothing where nothing is pending."""
        found = dict(self._found)
        for name, value in self._before.items():
            found[name] = min(found.get(name, value), value)
        return {"pending": found} if found else {}
