"""Random stories of an account, a few of them; `make faults` plays all (tests/faults/stripe.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.case import Case
from tests.faults.stripe import cases


@pytest.mark.parametrize("case", cases("quick"), ids=lambda case: case.name)
def test_nothing_is_lost_and_nothing_stands_twice(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)
    result = case.run(tmp_path)
    assert result.survived, "\n".join([*result.problems, *result.counts.details])
    assert result.fired >= case.planned
    assert result.counts.rows > 500
