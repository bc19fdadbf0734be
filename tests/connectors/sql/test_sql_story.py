"""Random stories of a table on each database: nothing lost, doubled, stale or left over."""

from __future__ import annotations

from pathlib import Path

import pytest
from sql_world import Database

from tests.faults import sql


def test_the_long_run_of_a_thousand_seeds_plays_two_dozen_stories() -> None:
    names = [case.name for case in sql.cases("full", range(5, 1005))]
    assert names == [f"seed {n}" for n in range(5, 29)]


@pytest.mark.parametrize("seed", [1])
def test_a_story_ends_as_the_database_says(database: Database, tmp_path: Path, seed: int) -> None:
    result = sql.play(tmp_path / "world", database, seed)
    assert (result.problems, result.counts.details) == ([], [])
    assert result.counts.rows > 1000
