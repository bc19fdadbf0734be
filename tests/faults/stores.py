"""S1–S6: disks that are full, stores that are held, damaged, old, or too big for the memory."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults import stores_damage, stores_disk, stores_held, stores_landing
from tests.faults.case import Case, Size

PARTS = (stores_disk, stores_held, stores_damage, stores_landing)


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return the cases of S1 to S6; `seeds` choose where files are damaged."""
    return [case for part in PARTS for case in part.cases(size, seeds)]
