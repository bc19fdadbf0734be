"""K1–K6: killed, stopped, run twice at once, or without power at any step."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults import kills_pairs, kills_points, kills_power, kills_random, kills_signals
from tests.faults.case import Case, Size

PARTS = (kills_points, kills_random, kills_signals, kills_pairs, kills_power)


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return the cases of K1 to K6; `seeds` vary the random moments of K2."""
    return [case for part in PARTS for case in part.cases(size, seeds)]
