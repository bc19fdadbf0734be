"""The family of network and API faults, F1 to F17."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults import (
    network_answers,
    network_medley,
    network_pages,
    network_throttle,
    network_tokens,
    network_tries,
)
from tests.faults.case import Case, Size

PARTS = (
    network_tries,
    network_throttle,
    network_tokens,
    network_answers,
    network_pages,
    network_medley,
)


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return every case; they hang on no seed."""
    return [case for part in PARTS for case in part.cases(size)]
