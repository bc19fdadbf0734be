"""What FORMS.md says of versions, deletions, children and quarantine, in plain Python.

One stream of orders with lines. Batches come in the order of the log; nothing here is SQL, and
nothing is imported from the warehouse.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

Line = tuple[str, str, Decimal]  # key, sku, quantity
Place = tuple[int, int]  # batch, position


@dataclass(frozen=True)
class Said:
    """What one record says. Two of equal `content` say the same, whatever their version."""

    key: str | None
    version: str | None
    deleted: bool
    number: str
    total: Decimal | None
    lines: tuple[Line, ...]
    is_bad: bool

    @property
    def content(self) -> tuple[object, ...]:
        """What is compared before anything is written."""
        return (self.number, self.total, self.deleted, () if self.deleted else self.lines)


@dataclass(frozen=True)
class Row:
    """One source row, or tombstone. `absent`: marked by the log, not by the record's own flag."""

    said: Said
    place: Place
    since: datetime
    deleted: bool = False
    absent: bool = False
    flagged: bool = False


@dataclass
class Model:
    """The store as it should be."""

    rows: dict[str, Row] = field(default_factory=dict)
    history: list[tuple[str, datetime, datetime, str | None, bool]] = field(default_factory=list)
    quarantine: dict[Place, tuple[str | None, str]] = field(default_factory=dict)
    counts: dict[int, Counter[str]] = field(default_factory=dict)

    def records(
        self, batch: int, lines: Iterable[bytes], ended: datetime, *, trusted: bool
    ) -> None:
        """Apply a batch of records."""
        self.counts[batch] = count = Counter[str]()
        newest: dict[str, tuple[int, Said]] = {}
        every = [(n, read(line)) for n, line in enumerate(lines, 1)]
        for position, said in every:
            if said.key is None:
                self.quarantine[batch, position] = (None, "open")
                count["quarantined"] += 1
            elif said.key not in newest or order(said.version, newest[said.key][1].version) >= 0:
                newest[said.key] = (position, said)
        for position, said in every:
            if said.key is not None and newest[said.key][0] != position:
                same = said.content == newest[said.key][1].content
                count["unchanged" if same else "refused"] += 1
        for position, said in newest.values():
            count[self._take(said, (batch, position), ended, trusted)] += 1

    def deletions(self, batch: int, keys: Iterable[str], ended: datetime) -> None:
        """Apply a batch of deletions: what the log knew before is gone, whatever its version."""
        self.counts[batch] = count = Counter[str]()
        for position, key in enumerate(keys, 1):
            row = self.rows.get(key)
            if row is not None and not row.deleted:
                self._keep(key, row, ended)
                self.rows[key] = replace(
                    row, place=(batch, position), since=ended, deleted=True, absent=True,
                    flagged=False,
                )  # fmt: skip
                count["deleted"] += 1
            self._supersede(key, (batch, 0))

    def discard(self, place: Place) -> None:
        """Put a quarantined record aside for good."""
        key, _ = self.quarantine[place]
        self.quarantine[place] = (key, "discarded")
        waiting = {k for k, status in self.quarantine.values() if status == "open"}
        for other, row in self.rows.items():
            if other not in waiting:
                self.rows[other] = replace(row, flagged=False)

    def _take(self, said: Said, place: Place, ended: datetime, trusted: bool) -> str:
        """Apply one record; returns as what it counts."""
        key = said.key or ""
        old = self.rows.get(key)
        moved = 1 if old is None else 0 if trusted else order(said.version, old.said.version)
        is_late = moved < 0 and old is not None and not old.absent
        if said.is_bad:
            self.quarantine[place] = (key, "superseded" if is_late else "open")
            if not is_late:
                self._supersede(key, place)
                if old is not None:
                    self.rows[key] = replace(old, flagged=True)
            return "quarantined"
        new = Row(said, place, ended, said.deleted)
        if old is None:
            self.rows[key] = new
            self._supersede(key, place)
            return "deleted" if said.deleted else "inserted"
        if said.content == old.said.content and not old.absent:
            restamped = trusted and said.version != old.said.version
            if moved > 0 or (not is_late and (old.flagged or restamped)):
                kept = replace(old.said, version=said.version)
                self.rows[key] = replace(old, said=kept, place=place, flagged=False)
                self._supersede(key, place)
            return "unchanged"
        if is_late:
            return "refused"
        self._keep(key, old, ended)
        self.rows[key] = new
        self._supersede(key, place)
        return "deleted" if said.deleted and not old.deleted else "updated"

    def _keep(self, key: str, row: Row, until: datetime) -> None:
        self.history.append((key, row.since, until, row.said.version, row.deleted))

    def _supersede(self, key: str, place: Place) -> None:
        for at, (of, status) in self.quarantine.items():
            if of == key and status == "open" and at < place:
                self.quarantine[at] = (of, "superseded")


def order(new: str | None, old: str | None) -> int:
    """Compare two versions, instants here: below 0 is strictly older; none never beats a known."""
    if new is None or old is None:
        return (new is not None) - (old is not None)
    left, right = datetime.fromisoformat(new), datetime.fromisoformat(old)
    return (left > right) - (left < right)


def read(line: bytes) -> Said:
    """Return what a landed line says."""
    record: Mapping[str, Any] = json.loads(line)
    key, deleted = record["id"], record.get("deleted") is True
    total = number(record["total"])
    lines = tuple((x["id"], x["sku"], number(x["quantity"])) for x in record["lines"])
    names = [x[0] for x in lines]
    bad = total is None or None in (x[2] for x in lines) or len(set(names)) < len(names)
    return Said(
        None if key is None else str(key), record["updated_at"], deleted, record["name"], total,
        lines, bad and not deleted,
    )  # fmt: skip


def number(text: object) -> Decimal | None:
    """Return the number that a text is, or None."""
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None
