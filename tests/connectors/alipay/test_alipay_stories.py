"""The part of the judge's stories of 支付宝 that `make test` plays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.alipay import cases


def test_a_story_is_stored_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)
    (case,) = cases("quick", [20261122])
    result = case.run(tmp_path)
    assert result.problems == []
    assert result.counts.is_clean, result.counts.details
    assert result.counts.rows > 50
    assert result.fired >= case.planned
