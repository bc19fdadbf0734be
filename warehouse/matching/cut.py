"""Cuts one connected set of rows where joining all of it would contradict itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

MANUAL = 2.0


class Member(NamedTuple):
    """What of a living row may contradict another; `name` is the number of its whole name."""

    id: UUID
    kind: str | None
    uscc: str | None
    citizen: str | None
    name: int | None


class Edge(NamedTuple):
    """A pair that would join; `score` is MANUAL where a person said so."""

    a: UUID
    b: UUID
    score: float


@dataclass(slots=True)
class _Group:
    ids: set[UUID]
    kinds: set[str]
    usccs: set[str]
    citizens: set[str]
    names: set[int] = field(default_factory=set)

    def take(self, other: _Group) -> None:
        self.ids |= other.ids
        self.kinds |= other.kinds
        self.usccs |= other.usccs
        self.citizens |= other.citizens
        self.names |= other.names


class Cutter:
    """Joins the strongest edges first and refuses those that contradict.

    `apart`: pairs of rows that people ruled apart; `unlike`: pairs of numbers of whole names that
    are two parties' names (both ways round in either).
    """

    def __init__(
        self,
        members: Iterable[Member],
        apart: Mapping[UUID, set[UUID]],
        unlike: set[tuple[int, int]],
    ) -> None:
        self._apart = apart
        self._unlike = unlike
        self._of = {
            m.id: _Group(
                {m.id},
                {m.kind} if m.kind else set(),
                {m.uscc} if m.uscc else set(),
                {m.citizen} if m.citizen else set(),
                set() if m.name is None else {m.name},
            )
            for m in members
        }

    def groups(self, edges: Sequence[Edge]) -> dict[UUID, UUID]:
        """Return for each row the least id of its group."""
        ordered = sorted(edges, key=lambda e: (-e.score, e.a, e.b))
        for score, tier in groupby(ordered, key=lambda e: e.score):
            self._join_tier(list(tier), by_people=score >= MANUAL)
        return {id: min(group.ids) for id, group in self._of.items()}

    def _join_tier(self, tier: list[Edge], *, by_people: bool) -> None:
        near: dict[int, dict[int, _Group]] = defaultdict(dict)
        for edge in tier:
            g, h = self._of[edge.a], self._of[edge.b]
            if g is not h:
                near[id(g)][id(h)] = h
                near[id(h)][id(g)] = g
        doubtful = set() if by_people else self._doubtful(near)
        # A group that grows keeps its object, so what was found doubtful before is asked first.
        sure = [e for e in tier if (id(self._of[e.a]), id(self._of[e.b])) not in doubtful]
        for edge in sure:
            g, h = self._of[edge.a], self._of[edge.b]
            if g is h or self._clash(g, h, by_people=by_people):
                continue
            big, small = (g, h) if len(g.ids) >= len(h.ids) else (h, g)
            big.take(small)
            for row in small.ids:
                self._of[row] = big

    def _doubtful(self, near: dict[int, dict[int, _Group]]) -> set[tuple[int, int]]:
        """Return the ties: a group equally near to two that contradict each other joins neither."""
        found: set[tuple[int, int]] = set()
        for centre, around in near.items():
            others = list(around.values())
            for i, g in enumerate(others):
                for h in others[i + 1 :]:
                    if self._clash(g, h, by_people=False):
                        for side in (id(g), id(h)):
                            found |= {(centre, side), (side, centre)}
        return found

    def _clash(self, g: _Group, h: _Group, *, by_people: bool) -> bool:
        small, big = (g, h) if len(g.ids) <= len(h.ids) else (h, g)
        if any(not big.ids.isdisjoint(self._apart.get(row, ())) for row in small.ids):
            return True
        if by_people:
            return False
        for mine, theirs in ((g.usccs, h.usccs), (g.citizens, h.citizens)):
            if mine and theirs:
                return mine.isdisjoint(theirs)
        if g.kinds and h.kinds and g.kinds.isdisjoint(h.kinds):
            return True
        pairs = [(x, y) for x in g.names for y in h.names]
        unlike = [p in self._unlike for p in pairs]
        return any(unlike) and all(unlike)
