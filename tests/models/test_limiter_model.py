"""A rate budget as a state machine: two processes, any pattern of requests, holds and deaths."""

from __future__ import annotations

import os

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connectors.errors import Throttled
from connectors.rate import Budget, Place, Rate
from connectors.shared import OwnShelf

FULL = os.environ.get("ISTHMUS_HYPOTHESIS") == "full"
BEGIN = 1_700_000_000.0
PATIENCE = 120.0
LONGEST = 30.0


class OneOf(OwnShelf):
    """The shelf as one of two processes sees it."""

    def __init__(self, shelf: OwnShelf, owner: str, dead: set[str]) -> None:
        self.owner = owner
        self.read, self.change = shelf.read, shelf.change
        self.dead = dead

    def is_dead(self, owner: str) -> bool:
        return owner in self.dead


class BudgetMachine(RuleBasedStateMachine):
    """`calls` are the moments at which requests arrived, whenever they were let go."""

    def __init__(self) -> None:
        super().__init__()
        self.at = BEGIN
        self.calls: list[float] = []
        self.out: list[tuple[Place, float, str]] = []
        self.held = BEGIN
        self.lives = [0, 0]
        self.dead: set[str] = set()
        self.shelf = OwnShelf()
        self.rates: tuple[Rate, ...] = ()

    @initialize(
        rates=st.lists(
            st.builds(Rate, st.integers(1, 5), st.sampled_from([1.0, 10.0, 60.0])),
            min_size=1, max_size=3,
        )
    )  # fmt: skip
    def begin(self, rates: list[Rate]) -> None:
        self.rates = tuple(rates)

    def budget(self, holder: int) -> tuple[Budget, str]:
        owner = f"{holder}.{self.lives[holder]}"
        shelf = OneOf(self.shelf, owner, self.dead)
        return Budget(
            self.rates, shelf, now=lambda: self.at, pause=self.pause, patience=PATIENCE,
            longest=LONGEST,
        ), owner  # fmt: skip

    def pause(self, seconds: float) -> None:
        self.at += seconds

    @rule(holder=st.integers(0, 1), gap=st.floats(0, 3), way=st.floats(0, 2))
    def take(self, holder: int, gap: float, way: float) -> None:
        self.at += gap
        begun, free = self.at, not self.out
        longest = max(rate.seconds for rate in self.rates) * 1.01 + 0.01
        try:
            one, owner = self.budget(holder)
            place = one.take()
        except Throttled:
            # Only where a hold, the windows or requests under way are longer than anybody waits.
            assert self.held - begun > 0 or not free or longest * 2 > PATIENCE
            return
        assert place.waited <= PATIENCE
        if free:  # nobody starves: not longer than the hold and one window
            assert place.waited <= max(self.held - begun, 0) + longest
        assert self.at >= min(self.held, begun + PATIENCE) - 1e-3
        self.calls.append(self.at + way)
        self.out.append((place, self.at + way, owner))

    @precondition(lambda self: self.out)
    @rule(which=st.integers(0, 9), back=st.floats(0, 2))
    def answer(self, which: int, back: float) -> None:
        place, arrives, _ = self.out.pop(which % len(self.out))
        self.at = max(self.at, arrives) + back
        place.done()

    @precondition(lambda self: self.out)
    @rule(holder=st.integers(0, 1))
    def die(self, holder: int) -> None:
        """What was under way has arrived by now, and nobody says so."""
        owner = f"{holder}.{self.lives[holder]}"
        mine = [one for one in self.out if one[2] == owner]
        self.at = max([self.at, *(arrives for _, arrives, _ in mine)])
        self.out = [one for one in self.out if one[2] != owner]
        self.lives[holder] += 1
        self.dead.add(owner)

    @rule(holder=st.integers(0, 1), seconds=st.floats(0, 60))
    def hold(self, holder: int, seconds: float) -> None:
        self.budget(holder)[0].hold(seconds)
        self.held = max(self.held, self.at + seconds)

    @rule(seconds=st.floats(0, 200))
    def rest(self, seconds: float) -> None:
        for place, arrives, _ in self.out:  # no request lives longer than LONGEST
            if arrives + LONGEST / 2 < self.at + seconds:
                self.at = max(self.at, arrives)
                place.done()
        self.out = [one for one in self.out if one[1] + LONGEST / 2 >= self.at + seconds]
        self.at += seconds

    @invariant()
    def no_window_has_more(self) -> None:
        calls = sorted(self.calls)
        for rate in self.rates:
            for first, last in zip(calls, calls[rate.count :], strict=False):
                assert last - first >= rate.seconds - 1e-6, (
                    f"{rate.count + 1} calls in {last - first:.3f} s"
                )


TestBudget = BudgetMachine.TestCase
TestBudget.settings = settings(
    max_examples=300 if FULL else 15, stateful_step_count=40 if FULL else 20, deadline=None
)
