"""Kills through the command line and Dagster, the few cases that `make test` has time for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.case import Case
from tests.faults.through import cases

SEEDS = [20261121]


@pytest.mark.parametrize("case", cases("quick", SEEDS), ids=lambda c: f"{c.id}-{c.name}")
def test_survives(case: Case, tmp_path: Path) -> None:
    result = case.run(tmp_path / "world")
    assert result.survived, "; ".join([*result.problems, *result.counts.details])
    assert result.fired >= case.planned
