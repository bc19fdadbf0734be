"""A tenant with seven leads, and its clock."""

from __future__ import annotations

import pytest
from fxiaoke_world import IDENTITY
from still_clock import StillClock

from connectors.fxiaoke.sample import record
from connectors.fxiaoke.simulator import FxiaokeSimulator


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def crm(clock: StillClock) -> FxiaokeSimulator:
    made = FxiaokeSimulator(IDENTITY, now=clock.now)
    for number in range(1, 8):
        made.put("LeadsObj", record("LeadsObj", number))
    return made
