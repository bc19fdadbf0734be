"""Parcels of which nothing is found: asked for ever more seldom, until what is asked changes."""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.kuaidi100.parcels import Parcel
from connectors.kuaidi100.settings import LEAST, Kuaidi100Settings
from connectors.shared import Asked


class Unanswered:
    """Since when each parcel was asked for in vain, with the phone it was asked with.

    A wrong carrier or phone, or a number that was never handed over, is answered the same at each
    question, and each is billed. So the time to the next is as long as it has been in vain already:
    it doubles, from `every` to `max_every`. One mark a parcel says it, kept beside those of when
    it was asked for last, and let go of with them.
    """

    def __init__(self, asked: Asked, stream: str, settings: Kuaidi100Settings) -> None:
        self._asked, self._stream = asked, f"{stream}/unanswered"
        self._settings = settings
        self._since: dict[str, dict[str, datetime]] = {}

    def load(self, before: datetime) -> None:
        """Take up what is known; let go of what began before an instant."""
        self._asked.forget(self._stream, before)
        self._since = {}
        for item, at in self._asked.times(self._stream).items():
            key, _, phone = item.rpartition("/")
            self._since.setdefault(key, {})[phone] = at

    def wait(self, parcel: Parcel, at: datetime) -> timedelta:
        """Return how long after the question of `at` a parcel is asked for again.

        One that is asked for with another phone now is a new question: only the vendor's own bound
        for one number holds it.
        """
        since = self._since.get(parcel.key)
        if not since:
            return self._settings.every
        begun = since.get(_phone(parcel))
        if begun is None:
            return LEAST
        return max(self._settings.every, min(at - begun, self._settings.max_every))

    def begin(self, parcel: Parcel, at: datetime) -> None:
        """Say that nothing was found of a parcel at `at`."""
        if _phone(parcel) not in self._since.get(parcel.key, {}):
            self.end(parcel)
            self._asked.mark(self._stream, f"{parcel.key}/{_phone(parcel)}", at)

    def end(self, parcel: Parcel) -> None:
        """Say that it was found, or is another question now."""
        for phone in self._since.pop(parcel.key, {}):
            self._asked.mark(self._stream, f"{parcel.key}/{phone}", None)


def _phone(parcel: Parcel) -> str:
    return parcel.phone[-4:]
