"""A set's own ceiling: what share of its true pairs has evidence that points to one party only.

Of two rows of one party, let S be all features (features.py) that both carry. The pair is
**decidable** when

1. S holds at least one feature that points: not context (place, kind, single characters), and held
   by at most one of 500 parties (RARE), or of at most 5 in a small set;
2. no row of any other party carries all of S. S is the most that the pair has to show: if another
   party's row shows as much, then no rule over the values of these two rows tells them apart.

Matchers go from row to row, so a pair also counts when decidable pairs of its party lead from one
row to the other (`ceiling`; `direct` is without). It is an upper bound of recall for matchers that
never guess: S may be unique by chance, and features undo every corruption without a mistake. The
truth is used for "of another party" alone; no feature comes from it. `plain` is the same with whole
values as features, so with nothing undone: what a matcher without any normalising could decide.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

from tests.eval.features import CONTEXT, features, whole_values
from tests.eval.party import Row

RARE = 500
_FEW = 5


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Shares of the true pairs, 0 to 1, and the pairs (places of rows) that nothing decides."""

    ceiling: float
    direct: float
    plain: float
    open_pairs: tuple[tuple[int, int], ...]


def ceiling(rows: list[Row]) -> Ceiling:
    """Return the ceiling of rows with truth; 1 where there is no true pair."""
    undone, direct, far = _bound(rows, features)
    return Ceiling(undone, direct, _bound(rows, whole_values)[0], tuple(far))


def _bound(
    rows: list[Row], of: Callable[[Row], frozenset[str]]
) -> tuple[float, float, list[tuple[int, int]]]:
    judged = _Evidence(rows, of)
    pairs = direct = reached = 0
    undecided = []
    for members in judged.parties.values():
        links = [pair for pair in combinations(members, 2) if judged.decidable(*pair)]
        root = _components(members, links)
        count = len(members) * (len(members) - 1) // 2
        pairs, direct = pairs + count, direct + len(links)
        far = [(a, b) for a, b in combinations(members, 2) if root[a] != root[b]]
        undecided += far
        reached += count - len(far)
    if not pairs:
        return 1.0, 1.0, []
    return reached / pairs, direct / pairs, undecided


class _Evidence:
    """The features of all rows, and which rows carry each."""

    def __init__(self, rows: list[Row], of: Callable[[Row], frozenset[str]]) -> None:
        self.party = [row.party for row in rows]
        self.of = [of(row) for row in rows]
        self.carriers: dict[str, list[int]] = defaultdict(list)
        self.parties: dict[str, list[int]] = defaultdict(list)
        for place, row in enumerate(rows):
            if row.party:
                self.parties[row.party].append(place)
            for one in self.of[place]:
                self.carriers[one].append(place)
        self.held: Counter[str] = Counter(
            {one: len({self.party[place] for place in places})
             for one, places in self.carriers.items()}
        )  # fmt: skip
        self.few = max(_FEW, len(self.parties) // RARE)

    def decidable(self, a: int, b: int) -> bool:
        shared = self.of[a] & self.of[b]
        points = (one for one in shared if one.partition(":")[0] not in CONTEXT)
        if not any(self.held[one] <= self.few for one in points):
            return False
        rarest = min(shared, key=lambda one: len(self.carriers[one]))
        mine = self.party[a]
        return not any(self.party[other] != mine and shared <= self.of[other]
                       for other in self.carriers[rarest])  # fmt: skip


def _components(members: list[int], links: list[tuple[int, int]]) -> dict[int, int]:
    root = {one: one for one in members}
    for a, b in links:
        keep, drop = root[a], root[b]
        root = {one: keep if found == drop else found for one, found in root.items()}
    return root
