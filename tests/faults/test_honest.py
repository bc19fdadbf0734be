"""The figures of a row flatter nobody: what counts as fired, and what did not fire is said."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from tests.faults import kills_random
from tests.faults.case import Case, Result, Tally
from tests.faults.files import cases as of_files
from tests.faults.kills_child import Child, play
from tests.faults.network_tls import cases as of_tls
from tests.faults.random_plan import Plan, Step
from tests.faults.random_runs import Run
from tests.faults.world import World


def test_only_refused_handshakes_are_faults(tmp_path: Path) -> None:
    (case,) = of_tls("quick")
    result = case.run(tmp_path / "world")
    assert result.survived, result.problems
    assert (result.fired, case.planned) == (8, 8)
    assert result.more == {"handshakes that are right, spoken to": 4}


def test_a_file_of_odd_keys_is_one_fault(tmp_path: Path) -> None:
    case = next(case for case in of_files("full") if case.id == "D6")
    result = case.run(tmp_path / "world")
    assert result.survived, result.problems
    assert (result.fired, case.planned, result.more["odd keys"]) == (2, 2, 66)


def played(folder: Path, *steps: Step) -> Result:
    """Play a plan of these steps over a shop of seven orders, three a page."""
    run = Run(Plan(1, "cursor", 3, 7, 60, 0, steps=steps), folder / "run")
    try:
        return run.play()
    finally:
        run.world.close()


def test_an_answer_with_a_record_twice_is_one_fault(tmp_path: Path) -> None:
    result = played(tmp_path, Step("twice", {"wait": 0}))
    assert result.survived, result.problems
    assert result.fired == 3, "one a page of the first load"
    assert result.more == {"faults of answers planned": 1, "faults of answers fired": 1}


def test_kills_and_faults_that_do_not_fire_are_missed(tmp_path: Path) -> None:
    late = {"wait": 0, "mode": "full", "fault": "reset", "detail": {}, "request": 50, "times": 1}
    result = played(
        tmp_path,
        Step("kill", {"wait": 0, "mode": "full", "crash_at": "extract.page:99"}),
        Step("kill", {"wait": 0, "mode": "full", "crash_at": "extract.page:1"}),
        Step("fault", late),
    )
    assert result.survived, result.problems
    assert result.more == {
        "kills planned": 2, "kills fired": 1,
        "faults of answers planned": 1, "faults of answers fired": 0,
    }  # fmt: skip
    tally = Tally("R")
    tally.take(Case("R", "a seed", lambda _: result), result, 1.0)
    assert tally.as_json()["more"]["faults of answers fired"] == 0, "a 0 is said, too"


@pytest.mark.parametrize(("heard", "before"), [("", 1), ("load.begun", 0)])
def test_a_kill_before_any_crash_point_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, heard: str, before: int
) -> None:
    def killed(
        made: World, _kind: kills_random.Kind, _span: float, _chance: random.Random
    ) -> tuple[Child, int]:
        child = Child(made, partial(play, made, ("orders",)))
        if heard:
            child.until(heard)
        os.kill(child.pid, signal.SIGKILL)
        return child, child.wait()

    monkeypatch.setattr(kills_random, "_kill", killed)
    result = kills_random.run(tmp_path / "world", seed=1, kills=1)
    assert result.fired == 1
    assert result.more == Counter({kills_random.UNHEARD: before})
