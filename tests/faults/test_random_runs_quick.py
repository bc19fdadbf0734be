"""A few random runs, as they are played by the hundreds in `make faults`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.case import Case
from tests.faults.random_runs import cases


@pytest.mark.parametrize("case", cases("quick"), ids=lambda case: case.name)
def test_a_random_run_ends_right(case: Case, tmp_path: Path) -> None:
    result = case.run(tmp_path)
    assert result.survived, "\n".join([*result.problems, *result.counts.details])
    assert result.fired >= case.planned
