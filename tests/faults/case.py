"""What a family of faults hands to the runner: cases, and what each came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tests.faults.data_checks import judge_store
from tests.faults.oracle import DEFECTS, Counts
from tests.faults.world import World

Size = Literal["quick", "full"]


@dataclass
class Result:
    """One case, played. `fired` counts the faults that really happened.

    `problems` are expectations beyond the oracle's that were not met, each a sentence.
    """

    fired: int = 0
    counts: Counts = field(default_factory=Counts)
    problems: list[str] = field(default_factory=list)
    more: Counter[str] = field(default_factory=Counter)
    """Further figures for the page, by their word."""

    def expect(self, condition: object, text: str) -> None:
        """Write down a problem where `condition` does not hold."""
        if not condition:
            self.problems.append(text)

    @property
    def survived(self) -> bool:
        """Whether nothing was lost and nothing else went wrong."""
        return self.counts.is_clean and not self.problems


@dataclass(frozen=True)
class Case:
    """One fault to play: `id` is the row of the fault list (F1 … D10), `name` is unique in it.

    `run` is given an empty folder and plays everything; it raises nothing that it expects.
    `planned` is how many faults it means to fire.
    """

    id: str
    name: str
    run: Callable[[Path], Result]
    planned: int = 1


def stories(
    row: str, size: Size, seeds: Sequence[int], play: Callable[..., Result], *,
    rounds: tuple[int, int], cuts: int = 2,
) -> list[Case]:  # fmt: skip
    """Return random stories, each with reads that are cut off; `seeds` say the first.

    `play` is given seed, folder and how many rounds: those of the full size, or of the quick one.
    """
    first = next(iter(seeds), 0)
    count, many = (24, rounds[0]) if size == "full" else (1, rounds[1])
    return [
        Case(row, f"seed {seed}", partial(play, seed, rounds=many), cuts)
        for seed in range(first, first + count)
    ]


@dataclass
class Tally:
    """The figures of one row of the fault list."""

    id: str
    cases: int = 0
    planned: int = 0
    fired: int = 0
    survived: int = 0
    seconds: float = 0.0
    counts: Counts = field(default_factory=Counts)
    failures: list[str] = field(default_factory=list)
    more: Counter[str] = field(default_factory=Counter)

    def take(self, case: Case, result: Result, seconds: float) -> None:
        """Add one played case; one whose faults did not fire has proved nothing."""
        self.cases += 1
        self.planned += case.planned
        self.fired += result.fired
        self.seconds += seconds
        self.counts.add(result.counts)
        self.more.update(result.more)  # a count of 0 is said, too
        if result.survived and result.fired >= case.planned:
            self.survived += 1
            return
        said = [*result.problems, *result.counts.details]
        if result.fired < case.planned:
            said.append(f"only {result.fired} of {case.planned} faults fired")
        self.failures.append(f"{case.name}: {'; '.join(said[:5])}")

    def figures(self) -> dict[str, float]:
        """Return the figures as plain members."""
        found: dict[str, float] = {
            "cases": self.cases, "planned": self.planned, "fired": self.fired,
            "survived": self.survived, "rows": self.counts.rows,
        }  # fmt: skip
        found |= {name: getattr(self.counts, name) for name in DEFECTS}
        return found | {"seconds": round(self.seconds, 1)}

    def as_json(self) -> dict[str, Any]:
        """Return everything of the row for a file."""
        return self.figures() | {"more": dict(self.more), "failures": self.failures}

    @classmethod
    def from_json(cls, row: str, said: Mapping[str, Any]) -> Tally:
        """Return the row that `as_json` wrote."""
        plain = {n: said[n] for n in ("cases", "planned", "fired", "survived", "seconds")}
        counts = Counts(**{n: said[n] for n in ("rows", *DEFECTS)})
        return cls(row, **plain, counts=counts, failures=list(said["failures"]),
                   more=Counter(said["more"]))  # fmt: skip


def settle(made: World, result: Result, *, read: bool = True) -> Result:
    """End a case as all end: quiesce, all runs ok, the judge's counts into `result`.

    `read` False where the incremental sync past the lookback was done and judged just now.
    """

    def between() -> None:
        if read:
            store = made.home / "store" / "store.duckdb"
            result.counts.add(judge_store(made.journal.path, store))

    for outcome in made.quiesce(read=read, between=between):
        result.expect(outcome.status == "ok", f"after the fault: {outcome.stream} {outcome.error}")
    result.counts.add(made.missed)
    result.counts.add(made.judge())
    return result
