"""Faults of a folder of files, a few of them; `make faults` plays all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.case import Case
from tests.faults.files import cases


@pytest.mark.parametrize("case", cases("quick"), ids=lambda case: f"{case.id} {case.name}")
def test_files_end_right(case: Case, tmp_path: Path) -> None:
    result = case.run(tmp_path)
    assert result.survived, "\n".join([*result.problems, *result.counts.details])
    assert result.fired >= case.planned
