"""Which parcels a run asks for: the rows wanted, their carriers' codes, what is due, in turn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.kuaidi100.carriers import Carriers
from connectors.kuaidi100.settings import Kuaidi100Settings

WANTS = ("carrier", "number", "phone_last4")
_NUMBER = re.compile(r"(?=(?:.*[0-9]){4})[0-9A-Z][0-9A-Z-]{4,31}")
"""Four digits at least: people write remarks where the number belongs."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Parcel:
    """One number of one carrier; `phone` are digits, "" where none is known."""

    com: str
    num: str
    phone: str = ""

    @property
    def key(self) -> str:
        """The key of its record."""
        return f"{self.com}/{self.num}"


@dataclass(slots=True)
class Choice:
    """What is asked for, in order, and what is not and why."""

    parcels: list[Parcel]
    tally: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def choose(
    rows: Iterable[Mapping[str, str | None]],
    settings: Kuaidi100Settings,
    carriers: Carriers,
    *,
    asked: Mapping[str, datetime],
    wait: Callable[[Parcel, datetime], timedelta],
    now: datetime,
    after: str = "",
) -> Choice:
    """Return the parcels that are due, those first that were asked for longest ago.

    `wait` is how long after it was asked for at an instant a parcel is asked for again.
    Those of which nothing is known come before them, in the order of their keys from `after` on.
    """
    choice = Choice([])
    unknown: Counter[str] = Counter()
    parcels: dict[str, Parcel] = {}
    for row in rows:
        made = _parcel(row, settings, carriers, choice.tally, unknown)
        if made is not None and not (parcels.get(made.key) or Parcel("", "")).phone:
            parcels[made.key] = made
    due: list[tuple[datetime, bool, str, Parcel]] = []
    for key, parcel in parcels.items():
        at = asked.get(key, _NEVER)
        if at <= now < at + wait(parcel, at):  # a mark of the future was set by a clock ahead
            choice.tally["not due" if now < at + settings.every else "put off"] += 1
        elif not parcel.phone and parcel.com in settings.needs_phone:
            choice.tally["phone needed"] += 1
        else:
            due.append((min(at, now), key <= after, key, parcel))
    choice.parcels = [parcel for *_, parcel in sorted(due, key=lambda one: one[:3])]
    if unknown:
        choice.notes.append(_unknown(unknown))
    return choice


def _parcel(
    row: Mapping[str, str | None],
    settings: Kuaidi100Settings,
    carriers: Carriers,
    tally: Counter[str],
    unknown: Counter[str],
) -> Parcel | None:
    number = re.sub(r"\s+", "", row["number"] or "").upper()
    if not _NUMBER.fullmatch(number):  # masked too: it has a colon
        tally["no number" if not number else "not a number"] += 1
        return None
    word = row["carrier"]
    com = carriers.code(word) or (carriers.guess(number) if settings.guess else None)
    if com is None:
        tally["unknown carrier"] += 1
        unknown[(word or "").strip()[:40] or "no name"] += 1
        return None
    digits = row["phone_last4"] or ""
    if not re.fullmatch("[0-9]{4}|[0-9]{11}", digits):
        digits = settings.sender_phone or ""
    return Parcel(com, number, digits)


def _unknown(words: Counter[str]) -> str:
    shown = ", ".join(f"{word} ({count})" for word, count in words.most_common(_SHOWN))
    more = ", …" if len(words) > _SHOWN else ""
    return (
        f"These carriers are not known, their parcels were not asked for: {shown}{more}. Say what "
        "they are: carriers: {name: code}."
    )
