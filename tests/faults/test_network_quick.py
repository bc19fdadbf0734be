"""The quick subset of the network faults, as `make faults` plays them in full."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import network, network_wire
from tests.faults.case import Case

CASES = network.cases("quick", ()) + network_wire.cases("quick", ())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_network_fault_is_survived(case: Case, tmp_path: Path) -> None:
    result = case.run(tmp_path / "world")
    assert result.survived, "\n".join([*result.problems, *result.counts.details])
    assert result.fired >= case.planned
