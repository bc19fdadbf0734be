"""K1 and K4: SIGKILL at every crash point of a sync, and again at every point of the recovery."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tests.faults import shop
from tests.faults.case import Case, Result, Size, settle
from tests.faults.kills_child import KILLED, Child, play
from tests.faults.oracle import judge
from tests.faults.world import World, world
from warehouse.crashpoints import POINTS

Phase = Literal["first", "incremental", "full"]
PHASES: tuple[Phase, ...] = ("first", "incremental", "full")
STYLES: tuple[shop.Style, ...] = ("cursor", "page", "next")
DECISION = "decide.written"
OF_PUBLISH = tuple(p for p in POINTS if p.startswith(("unify.", "project.", "publish.")))
LEAVING = (
    "land.data_renamed", "load.committed", DECISION, "project.written", "project.committed",
    "publish.versioned",
)  # fmt: skip
"""One point for each state that a kill leaves behind: a data file without sidecar, landed and not
loaded or loaded and not checkpointed, decided and not loaded, the private store ahead of the
projection, the projection ahead of the published file, a version that no name points at.
"""


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return the sweeps: a case is one world in which each point is killed in turn."""
    if size == "quick":
        few = ("land.sidecar", "load.written", "project.committed")
        return [
            Case("K1", f"{len(few)} points, full, cursor", partial(
                sweep, style="cursor", phase="full", arrival=1, points=few), len(few)),
            Case("K4", "killed at load.committed, its recovery at publish.copied", partial(
                recover, style="page", first="load.committed", points=("publish.copied",)), 2),
        ]  # fmt: skip
    found = [
        Case(
            "K1",
            f"every point, arrival {arrival}, {phase}, {style}",
            partial(sweep, style=style, phase=phase, arrival=arrival, points=POINTS),
            len(POINTS),
        )
        for style in STYLES
        for phase in PHASES
        for arrival in (1, 2)
    ]
    found += [
        Case(
            "K4",
            f"killed at {point}, its recovery at every point",
            partial(recover, style=STYLES[n % 3], first=point, points=POINTS),
            2 * len(POINTS),
        )
        for n, point in enumerate(LEAVING)
    ]
    return found


def sweep(
    folder: Path, *, style: shop.Style, phase: Phase, arrival: int, points: Sequence[str]
) -> Result:
    """Kill at each of `points` in turn; after each a clean run, after every third the judge."""
    result = Result()
    with world(folder, style=style) as made:
        if phase != "first":
            clean(made, result, "at first")
        for number, point in enumerate(points):
            if phase == "first":
                forget(made)
            change(made, number, deletions=phase == "full")
            if kill(made, point, arrival, full=phase == "full") == KILLED:
                result.fired += 1
            else:
                result.problems.append(f"{point}:{arrival} was not reached")
            look = point in OF_PUBLISH or number % 3 == 2
            clean(made, result, point, publish=look, full=phase == "full")
            if look:
                judged(made, result, point)
        return settle(made, result)


def recover(folder: Path, *, style: shop.Style, first: str, points: Sequence[str]) -> Result:
    """Kill at `first`, kill the recovery at each of `points` in turn, then run cleanly."""
    result = Result()
    with world(folder, style=style) as made:
        clean(made, result, "at first")
        for number, point in enumerate(points):
            change(made, number)
            made.wait(60)
            result.fired += kill(made, first, 1) == KILLED
            change(made, number + 1)  # else the recovery finds the last points with nothing to do
            result.fired += kill(made, point, 1) == KILLED
            look = number % 2 == 1
            clean(made, result, f"{first}, {point}", publish=look)
            if look:
                judged(made, result, f"{first}, {point}")
        return settle(made, result)


def kill(made: World, point: str, arrival: int = 1, *, full: bool = False) -> int:
    """Run in a child that dies at an arrival at `point`; returns its exit code.

    First arrivals are in the stream of orders; second ones in its second page or batch (orders
    or their deletions), in the second stream, or in a second publishing.
    """
    how: dict[str, Any] = {"full": True} if full else {}
    words = ["orders", "customers", "publish"]
    if arrival == 2 and point in OF_PUBLISH:
        words = ["orders", "publish", "customers", "publish"]
    if point == DECISION:
        # A decision is written when what was landed before is to be trusted after all.
        for stream in words[:2]:
            Child(made, partial(play, made, [stream], **how), crash_at="load.begun").wait()
        how["trust_source"] = True
    return Child(made, partial(play, made, words, **how), crash_at=f"{point}:{arrival}").wait()


def change(made: World, number: int, *, deletions: bool = False) -> None:
    """Change the source: new orders, other versions of old ones, a customer, orders that go."""
    made.wait(1)
    count = len(made.versions)
    for order in (count + 1, count + 2, *(1 + (number * 3 + n) % 35 for n in range(3))):
        made.put(order)
    made.shop.put("customers", shop.customer(number % 7 + 1, made.clock.at))
    if deletions and count > 35:
        for order in (count - 1, count):  # those that the change before brought
            made.delete(order)


def forget(made: World) -> None:
    """Take the home away: the next sync is a first load."""
    made.space.control.close()
    shutil.rmtree(made.home, ignore_errors=True)
    made.space = made.discover()


def clean(
    made: World, result: Result, after: str, *, publish: bool = True, full: bool = False
) -> None:
    for stream in ("customers", "orders"):
        outcome = made.sync(stream, full=full)
        result.expect(outcome.status == "ok", f"after {after}: {stream} {outcome.error}")
    if publish:
        said = made.publish(keep=False)
        result.expect(said.error is None, f"after {after}: publish {said.error}")


def judged(made: World, result: Result, after: str) -> None:
    found = judge(made.journal.path, made.published)
    result.expect(found.is_clean, f"after {after}: {found.details[:3]}")
    left = [p.name for p in made.home.rglob("*") if p.suffix in (".part", ".new", ".tmp")]
    result.expect(not left, f"after {after}: left behind {left}")
    result.expect(not made.space.control.held_leases(), f"after {after}: a lease is held")
    result.counts.rows += found.rows
