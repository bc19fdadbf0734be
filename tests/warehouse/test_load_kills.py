"""SIGKILL at each named point and at random moments; one clean read and load, and all is right."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from killed import READS, differences, run, sync

from warehouse.home import Home
from warehouse.store import open_store

RIGHT = {
    "rows": 69, "lost": 0, "twice": 0, "ghost": 0, "stale": 0, "torn": 0, "quarantine": 0,
    "defects": 0,
}  # fmt: skip
LAND = ("land.data_written", "land.data_renamed", "land.sidecar")
LOAD = ("load.begun", "load.staged", "load.written", "load.committed", "load.checkpointed")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "home"
    with open_store(Home(root).make()):
        pass
    return root


@pytest.fixture
def fresh(template: Path, tmp_path: Path) -> Callable[[int], Home]:
    def make(number: int = 0) -> Home:
        root = tmp_path / f"home {number}"
        shutil.copytree(template, root)
        return Home(root)

    return make


def mended(home: Home) -> dict[str, int]:
    os.environ.pop("ISTHMUS_CRASH_AT", None)
    sync(home, READS - 1)
    return differences(home)


def test_the_story_comes_out_right_without_a_kill(fresh: Callable[..., Home]) -> None:
    home = fresh()
    assert run(home.root) == 0
    assert differences(home) == RIGHT
    assert mended(home) == RIGHT


@pytest.mark.parametrize("point", [*(f"{p}:5" for p in LAND), *(f"{p}:2" for p in LOAD)])
def test_killed_at_a_named_point(fresh: Callable[..., Home], point: str) -> None:
    home = fresh()
    assert run(home.root, point) == -9
    assert mended(home) == RIGHT


@pytest.mark.slow
def test_killed_at_every_arrival_of_every_point(fresh: Callable[..., Home]) -> None:
    """`make test` plays one arrival at each point, inside the second read; `make test-all` all."""
    fired = 0
    for number, point in enumerate(f"{p}:{n}" for p in (*LAND, *LOAD) for n in range(1, 9)):
        home = fresh(number)
        fired += run(home.root, point) == -9
        assert mended(home) == RIGHT, point
    assert fired > 40


@pytest.mark.parametrize("moments", [4, pytest.param(10, marks=pytest.mark.slow)])
def test_killed_at_random_moments(fresh: Callable[..., Home], moments: int) -> None:
    """`make test` plays four moments, `make test-all` ten."""
    began = time.monotonic()
    run(fresh(100).root)
    whole = time.monotonic() - began
    rng = random.Random(20261121)
    killed = 0
    for number in range(moments):
        home = fresh(number)
        killed += run(home.root, kill_after=rng.uniform(0.05, 0.95) * whole) == -9
        assert mended(home) == RIGHT, number
    assert killed >= moments // 2


def test_killed_while_mending(fresh: Callable[..., Home]) -> None:
    home = fresh()
    for point in ("land.data_renamed:2", "load.written:1", "load.committed:1", "land.sidecar:1"):
        assert run(home.root, point) == -9
    assert mended(home) == RIGHT
