"""Pairwise precision and recall of groups against the truth, over all pairs of rows.

A pair is two rows, of one connection or of two. Rows without truth are left out of every count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of pairs; the shares follow from them.

    `suggested`: true pairs that stand in two groups and are themselves in the suggestions.
    `accepted`: true pairs that stand in one group once a person has accepted every suggestion that
    is right (accepting one pair joins two groups), `right` included.
    """

    true: int
    found: int
    right: int
    suggestions: int
    suggested: int
    accepted: int

    @property
    def precision(self) -> float:
        """Share of the found pairs that are true; 1 where nothing was found."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that were found; 1 where there are none."""
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 0 where both are 0."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def recall_with_suggestions(self) -> float:
        """Share of the true pairs that are found or suggested as they are."""
        return (self.right + self.suggested) / self.true if self.true else 1.0

    @property
    def recall_if_accepted(self) -> float:
        """Share of the true pairs in one group after every right suggestion was accepted."""
        return self.accepted / self.true if self.true else 1.0


def score(
    parties: Sequence[str], groups: Sequence[Hashable], suggestions: Iterable[tuple[int, int]] = ()
) -> Score:
    """Return the counts; row by row the true party ('' unknown) and the group it was put in."""
    judged = [place for place, party in enumerate(parties) if party]
    both = Counter((parties[one], groups[one]) for one in judged)
    offered = {(min(pair), max(pair)) for pair in suggestions}
    told = [(a, b) for a, b in offered if parties[a] and parties[b]]
    right = [(a, b) for a, b in told if parties[a] == parties[b] and groups[a] != groups[b]]
    return Score(
        true=_pairs(Counter(parties[one] for one in judged)),
        found=_pairs(Counter(groups[one] for one in judged)),
        right=_pairs(both),
        suggestions=len(told),
        suggested=len(right),
        accepted=_accepted(both, [(parties[a], groups[a], groups[b]) for a, b in right]),
    )


def _pairs(sizes: Counter[Hashable] | Counter[str] | Counter[tuple[str, Hashable]]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _accepted(
    both: Counter[tuple[str, Hashable]], joins: Iterable[tuple[str, Hashable, Hashable]]
) -> int:
    """Return the true pairs in one group when, party by party, the joins are made."""
    sizes: dict[str, dict[Hashable, int]] = defaultdict(dict)
    for (party, group), size in both.items():
        sizes[party][group] = size
    wanted: dict[str, list[tuple[Hashable, Hashable]]] = defaultdict(list)
    for party, a, b in joins:
        wanted[party].append((a, b))
    total = 0
    for party, parts in sizes.items():
        root = {group: group for group in parts}
        for a, b in wanted[party]:
            keep, drop = root[a], root[b]
            root = {group: keep if found == drop else found for group, found in root.items()}
        whole: Counter[Hashable] = Counter()
        for group, size in parts.items():
            whole[root[group]] += size
        total += _pairs(whole)
    return total
