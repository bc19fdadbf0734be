"""A rate budget as a state machine: two holders of one file, any pattern of arrivals and holds."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from connectors.errors import Throttled
from connectors.rate import Budget, Rate

FULL = os.environ.get("ISTHMUS_HYPOTHESIS") == "full"
BEGIN = 1_700_000_000.0
PATIENCE = 120.0


class BudgetMachine(RuleBasedStateMachine):
    """`calls` are the moments at which requests went out."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.at = BEGIN
        self.calls: list[float] = []
        self.held = BEGIN
        self.holders: list[Budget] = []
        self.rate = Rate(1, 1.0)

    @initialize(count=st.integers(1, 5), seconds=st.sampled_from([1.0, 10.0, 60.0]))
    def begin(self, count: int, seconds: float) -> None:
        self.rate = Rate(count, seconds)
        path = str(Path(self.folder.name) / "budget.db")
        self.holders = [
            Budget(self.rate, path, now=lambda: self.at, pause=self.pause, patience=PATIENCE)
            for _ in range(2)
        ]

    def pause(self, seconds: float) -> None:
        self.at += seconds

    @rule(holder=st.integers(0, 1), gap=st.floats(0, 3))
    def take(self, holder: int, gap: float) -> None:
        self.at += gap
        begun = self.at
        try:
            waited = self.holders[holder].take()
        except Throttled:
            # Only where a hold or the window really is longer than anybody waits.
            full = len([c for c in self.calls if c > begun - self.rate.seconds * 1.06])
            assert self.held - begun > 0 or full >= self.rate.count
            assert self.at == begun
            return
        assert waited <= PATIENCE
        # Nobody starves: not longer than the hold and one window (with its margin).
        assert waited <= max(self.held - begun, 0) + self.rate.seconds * 1.06
        assert self.at >= min(self.held, begun + PATIENCE) - 1e-3
        self.calls.append(self.at)

    @rule(holder=st.integers(0, 1), seconds=st.floats(0, 60))
    def hold(self, holder: int, seconds: float) -> None:
        self.holders[holder].hold(seconds)
        self.held = max(self.held, self.at + seconds)

    @rule(seconds=st.floats(0, 200))
    def rest(self, seconds: float) -> None:
        self.at += seconds

    @invariant()
    def no_window_has_more(self) -> None:
        count, seconds = self.rate.count, self.rate.seconds
        for first, last in zip(self.calls, self.calls[count:], strict=False):
            assert last - first >= seconds - 1e-3, f"{count + 1} calls in {last - first:.3f} s"

    def teardown(self) -> None:
        for holder in self.holders:
            holder.close()
        self.folder.cleanup()


TestBudget = BudgetMachine.TestCase
TestBudget.settings = settings(
    max_examples=300 if FULL else 15, stateful_step_count=40 if FULL else 20, deadline=None
)
