"""The part of the judge's stories of a shop that `make test` plays."""

from __future__ import annotations

from pathlib import Path

from tests.faults.shopify import cases


def test_a_story_is_stored_whole(tmp_path: Path) -> None:
    (case,) = cases("quick", [20261122])
    result = case.run(tmp_path)
    assert result.problems == []
    assert result.counts.is_clean, result.counts.details
    assert result.counts.rows > 100
    assert result.fired >= case.planned
