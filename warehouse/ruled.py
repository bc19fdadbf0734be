"""What people ruled about pairs of records: decisions `merge` and `unmerge`, read and written.

A decision names two records or more, whole or not at all: a merge joins each with the one before
it, an unmerge parts the first from each of the others. The newest decision holds: what an older one
says against it, of the same pair or by a chain of merges, does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from warehouse.decisions import Decision, Decisions
from warehouse.errors import DecisionError
from warehouse.identity import golden_id
from warehouse.matching.rulings import Rulings

MERGE, UNMERGE = "merge", "unmerge"
Kind = Literal["merge", "unmerge"]


class Record(NamedTuple):
    """A source record by its clear key."""

    connection: str
    stream: str
    source_key: str


class Ruling(NamedTuple):
    """What one decision says of one pair; `low` < `high` are ids that the records found."""

    sequence: int
    entity: str
    kind: str
    low: UUID
    high: UUID


@dataclass(slots=True)
class _Parts:
    """Records joined by merges that hold, and which of those parts are kept from each other."""

    above: dict[UUID, UUID] = field(default_factory=dict)
    foes: dict[UUID, set[UUID]] = field(default_factory=dict)

    def part(self, one: UUID) -> UUID:
        while (up := self.above.get(one, one)) != one:
            self.above[one] = self.above.get(up, up)
            one = up
        return one

    def take(self, ruling: Ruling) -> bool:
        """Take a ruling in; returns whether nothing newer speaks against it."""
        a, b = self.part(ruling.low), self.part(ruling.high)
        if ruling.kind == UNMERGE:
            if a == b:
                return False
            self.foes.setdefault(a, set()).add(b)
            self.foes.setdefault(b, set()).add(a)
        elif b in self.foes.get(a, ()):
            return False
        elif a != b:
            self._join(a, b)
        return True

    def _join(self, into: UUID, part: UUID) -> None:
        self.above[part] = into
        for foe in self.foes.pop(part, set()):
            self.foes[foe].discard(part)
            self.foes[foe].add(into)
            self.foes.setdefault(into, set()).add(foe)


def rulings(log: Iterable[Decision]) -> dict[str, Rulings]:
    """Return what holds of the decisions `log` by entity: pairs sorted, the lower id first."""
    found: dict[str, Rulings] = {}
    holding = in_force(log)
    for entity in sorted({r.entity for r in holding}):
        pairs = {
            kind: {(r.low, r.high) for r in holding if (r.entity, r.kind) == (entity, kind)}
            for kind in (MERGE, UNMERGE)
        }
        found[entity] = Rulings(tuple(sorted(pairs[MERGE])), tuple(sorted(pairs[UNMERGE])))
    return found


def in_force(log: Iterable[Decision]) -> list[Ruling]:
    """Return the rulings of `log` that no newer one speaks against, the newest first."""
    told = [ruling for decision in log for ruling in pairs_of(decision)]
    parts: dict[str, _Parts] = {}
    seen: set[tuple[str, UUID, UUID]] = set()
    found = []
    for ruling in sorted(told, key=lambda r: (-r.sequence, r.entity, r.low, r.high)):
        pair = (ruling.entity, ruling.low, ruling.high)
        if pair in seen:
            continue
        seen.add(pair)
        if parts.setdefault(ruling.entity, _Parts()).take(ruling):
            found.append(ruling)
    return found


def pairs_of(decision: Decision) -> Iterator[Ruling]:
    """Return what a decision says of pairs; nothing for one of another kind."""
    if decision.kind not in (MERGE, UNMERGE):
        return
    entity = str(decision.about["entity"])
    ids = [golden_id(entity, *map(str, row)) for row in decision.about["rows"]]
    firsts = ids[:-1] if decision.kind == MERGE else ids[:1] * (len(ids) - 1)
    for one, other in zip(firsts, ids[1:], strict=True):
        if one != other:
            yield Ruling(decision.sequence, entity, decision.kind, *sorted((one, other)))


def read(decisions: Decisions) -> tuple[int, dict[str, Rulings]]:
    """Return the number of the last decision that was read, and what holds by entity."""
    log = decisions.all()
    return (log[-1].sequence if log else 0), rulings(log)


def opposed(
    decisions: Decisions, entity: str, kind: Kind, rows: Sequence[Record]
) -> list[Decision]:
    """Return the decisions that hold now and would not, in part, after one more of `kind`."""
    log = decisions.all()
    new = Decision(
        sequence=len(log) + 1, kind=kind, who="", why="", at="", about=_about(entity, rows)
    )
    said_again = {(r.kind, r.low, r.high) for r in pairs_of(new)}
    lost = {
        r.sequence
        for r in set(in_force(log)) - set(in_force([*log, new]))
        if (r.kind, r.low, r.high) not in said_again
    }
    return [decision for decision in log if decision.sequence in lost]


def decide(
    decisions: Decisions,
    kind: Kind,
    rows: Sequence[Record],
    *,
    why: str,
    at: datetime,
    entity: str = "party",
    who: str = "",
) -> Decision:
    """Write down that `rows` are one thing, or that the first is none of the others.

    The next unification acts on it. Raises DecisionError for less than two different records.
    """
    if len(dict.fromkeys(rows)) < 2:
        raise DecisionError(
            "a decision about identity needs two different records.",
            "name two: golden ids, connection/stream/key, or identifiers.",
        )
    return decisions.append(kind, why=why, at=at, who=who, about=_about(entity, rows))


def _about(entity: str, rows: Sequence[Record]) -> dict[str, object]:
    return {"entity": entity, "rows": [list(row) for row in dict.fromkeys(rows)]}
