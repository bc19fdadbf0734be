"""K5: two runs at once, on one stream, on two streams of one store, and after a killed holder."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.faults.case import Case, Result, Size, settle
from tests.faults.kills_child import KILLED, Child, play
from tests.faults.kills_points import change, clean, judged
from tests.faults.world import World, world

ROUNDS = 8


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return the ways in which two runs meet."""
    found = [Case("K5", "the same stream twice", same_stream, 1)]
    if size == "quick":
        return found
    return [
        *found,
        Case("K5", "two streams and one store", two_streams, 3),
        Case("K5", "a killed holder's lease", abandoned, 3),
        Case("K5", f"{ROUNDS} unguided races of three", races, 3 * ROUNDS),
    ]


def same_stream(folder: Path) -> Result:
    """While a run reads orders, a second one is told which run has them and changes nothing."""
    result = Result()
    with world(folder) as made:
        clean(made, result, "at first")
        change(made, 1)
        first = Child(made, partial(play, made, ["orders", "publish"]), hold_at="extract.page")
        result.expect(first.until("extract.page"), "the first run read nothing")
        before = len(list((made.home / "landing").glob("*/*/*.json")))
        second = made.sync("orders")
        _is_refused(result, second.error, first.pid)
        result.fired += second.error is not None
        after = len(list((made.home / "landing").glob("*/*/*.json")))
        result.expect(before == after, "the refused run landed something")
        first.go()
        result.expect(first.wait() == 0, "the first run failed")
        change(made, 2)
        clean(made, result, "two at once")
        return settle(made, result)


def two_streams(folder: Path) -> Result:
    """While one stream's load holds the store, another stream reads, waits and then loads."""
    result = Result()
    with world(folder) as made:
        clean(made, result, "at first")
        for number, point in enumerate(("load.written", "unify.written", "publish.copied")):
            change(made, number)
            words = ["orders"] if point == "load.written" else ["publish"]
            if words == ["publish"]:
                result.expect(made.sync("orders").error is None, "orders did not load")
            first = Child(made, partial(play, made, words), hold_at=point)
            result.expect(first.until(point), f"{point} was not reached")
            second = Child(made, partial(play, made, ["customers"]))
            if point == "publish.copied":  # the store is free while its copy is published
                result.expect(second.wait(30) == 0, "a load waited for a publishing's copy")
            else:
                landed = second.until("land.sidecar", 30)
                result.expect(landed, "the second did not read while it waited")
                loaded = second.until("load.committed", 0.5)
                result.expect(not loaded, "two processes wrote the store at once")
            result.fired += point in first.heard
            first.go()
            result.expect(first.wait() == 0, f"the holder failed at {point}")
            if point != "publish.copied":
                result.expect(second.wait() == 0, f"the second failed after {point}")
            clean(made, result, point)
            judged(made, result, point)
        return settle(made, result)


def abandoned(folder: Path) -> Result:
    """A killed holder's lease falls to the next run at once; a stopped holder keeps its own."""
    result = Result()
    with world(folder) as made:
        clean(made, result, "at first")
        for number, point in enumerate(("extract.page", "land.sidecar", "load.written")):
            change(made, number)
            holder = Child(made, partial(play, made, ["orders"]), hold_at=point)
            result.expect(holder.until(point), f"{point} was not reached")
            os.kill(holder.pid, signal.SIGSTOP)
            if point != "load.written":
                _is_refused(result, made.sync("orders").error, holder.pid)
            os.kill(holder.pid, signal.SIGKILL)
            result.fired += holder.wait() == KILLED
            result.expect(len(made.space.control.held_leases()) == 1, "no lease was left")
            taken = made.sync("orders")
            result.expect(taken.status == "ok", f"the lease was not taken over: {taken.error}")
            clean(made, result, point)
            judged(made, result, point)
        return settle(made, result)


def races(folder: Path) -> Result:
    """Three processes sync everything at once, nobody guides them."""
    result = Result()
    with world(folder) as made:
        clean(made, result, "at first")
        for number in range(ROUNDS):
            change(made, number)
            work = partial(_all, made)
            children = [Child(made, work) for _ in range(3)]
            codes = [child.wait() for child in children]
            result.expect(codes == [0, 0, 0], f"round {number}: ended with {codes}")
            result.fired += len(codes)
            clean(made, result, f"round {number}")
            judged(made, result, f"round {number}")
        return settle(made, result)


def _all(made: World) -> None:
    for stream in ("orders", "customers", "orders"):
        error = made.sync(stream).error
        if error is not None and error.kind != "AlreadyRunning":
            raise RuntimeError(str(error))
    error = made.publish(keep=False).error
    if error is not None:
        raise RuntimeError(str(error))


def _is_refused(result: Result, error: object, pid: int) -> None:
    text = str(error)
    result.expect(getattr(error, "kind", "") == "AlreadyRunning", f"not refused: {text}")
    result.expect(f"process {pid}" in text, f"the holder is not named: {text}")
