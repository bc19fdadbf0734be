"""K3: SIGTERM and SIGINT at every crash point and in the middle of statements."""

from __future__ import annotations

import random
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.case import Case, Result, Size, settle
from tests.faults.kills_child import Child, play
from tests.faults.kills_points import DECISION, OF_PUBLISH, change, clean, judged
from tests.faults.world import World, world
from warehouse.crashpoints import POINTS

SECONDS = 10.0
"""Within these a stopped process has ended."""
INTERRUPTED, TERMINATED = 130, -int(signal.SIGTERM)


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return a sweep for each signal, and Ctrl-C at random moments."""
    first = next(iter(seeds), 0)
    if size == "quick":
        few = ("load.written", "publish.copied")
        return [Case("K3", "SIGINT at two points", partial(run, by="INT", points=few), 2)]
    found = [
        Case("K3", f"SIG{by} at every point", partial(run, by=by, points=POINTS), len(POINTS))
        for by in ("INT", "TERM")
    ]
    moments = partial(at_random, seed=first, times=30)
    return [*found, Case("K3", "SIGINT at random moments", moments, 30)]


def run(folder: Path, *, by: str, points: Sequence[str]) -> Result:
    """Send the signal at each of `points`; what was stopped says so, and the next run goes on.

    SIGINT is Python's KeyboardInterrupt. SIGTERM has no handler in plain functions, the process is
    just gone (tests/faults/through.py has it with Dagster's handler).
    """
    result = Result()
    with world(folder) as made:
        clean(made, result, "at first")
        for number, point in enumerate(points):
            change(made, number)
            how: dict[str, Any] = {}
            if point == DECISION:
                Child(made, partial(play, made, ["orders"]), crash_at="load.begun").wait()
                how["trust_source"] = True
            words = ["orders", "customers", "publish"]
            child = Child(made, partial(play, made, words, **how), crash_at=point, by=by)
            code = child.wait()
            result.fired += point in child.heard
            _is_stopped(made, result, child, code, by, point)
            clean(made, result, point)
            if number % 3 == 2:
                judged(made, result, point)
        return settle(made, result)


def at_random(folder: Path, *, seed: int, times: int) -> Result:
    """Send SIGINT while statements run; each is said to be an interrupt, and the next run goes on.

    One that falls before the first step of `sync_stream`, or between two steps, leaves no word.
    """
    chance, result = random.Random(seed), Result()
    with world(folder, orders=80) as made:
        clean(made, result, "at first")
        for number in range(times * 3):
            if result.fired >= times:
                break
            change(made, number)
            words = ["orders", "publish"] if number % 2 else ["orders"]
            child = Child(made, partial(play, made, words))
            child.until("extract.page")
            child.kill_after(chance.uniform(0, 0.25 if number % 2 == 0 else 1.5), by=signal.SIGINT)
            code = child.wait()
            result.expect(code in (0, INTERRUPTED), f"moment {number}: ended with {code}")
            if code == INTERRUPTED:
                result.fired += 1
                last = made.space.control.recent_runs(1)[0]
                if last["status"] == "failed":
                    kind = (last["error"] or {}).get("kind")
                    result.expect(kind == "Interrupted", f"moment {number}: said to be {kind}")
            clean(made, result, f"moment {number}", publish=number % 5 == 4)
            if number % 5 == 4:
                judged(made, result, f"moment {number}")
        return settle(made, result)


def _is_stopped(made: World, result: Result, child: Child, code: int, by: str, point: str) -> None:
    wanted = INTERRUPTED if by == "INT" else TERMINATED
    result.expect(code == wanted, f"{point}: ended with {code}")
    took = child.ended - child.heard_at.get(point, child.began)
    result.expect(took < SECONDS, f"{point}: {took:.1f} s until it ended")
    if by != "INT":
        return
    control = made.space.control
    result.expect(not control.held_leases(), f"{point}: the lease was kept")
    said = control.last_publish(good=False) if point in OF_PUBLISH else control.recent_runs(1)[0]
    kind = ((said or {}).get("error") or {}).get("kind")
    result.expect(
        said is not None and said["status"] == "failed" and kind == "Interrupted",
        f"{point}: recorded as {said and said['status']}, {kind}",
    )
