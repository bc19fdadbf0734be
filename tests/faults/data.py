"""D1–D10: what becomes of data over time. The cases stand in data_time.py and data_shape.py."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults import data_shape, data_time
from tests.faults.case import Case, Size


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return the cases in the order of their rows; seeds change nothing here."""
    found = [*data_time.cases(size), *data_shape.cases(size)]
    return sorted(found, key=lambda case: int(case.id[1:]))
