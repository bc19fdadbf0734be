"""Plays cases in forked workers and tallies them by the row of the fault list.

A case that raises, hangs or takes its worker with it is a case that failed: the others go on.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import random
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from tests.faults.case import Case, Result, Size, Tally

FAMILIES = (
    "through", "network", "network_wire", "kills", "stores", "data", "sql", "stripe", "tryton",
    "kingdee", "kuaidi100", "fxiaoke", "jushuitan", "shopify", "alipay", "files", "random_runs",
)  # fmt: skip
"""The longest cases first, so that no worker is left with one at the end."""
LIMIT = 1_800.0
"""Seconds after which a case counts as hung."""
EVERY = 30.0
"""Seconds between two lines of progress."""
CASES = 50
"""So many cases a worker plays; then another takes its place, with nothing left over."""
_FORK = multiprocessing.get_context("fork")


@dataclass
class Worker:
    """A forked process that plays the cases which it is told, and the case it is at."""

    process: Any
    pipe: Any
    order: tuple[str, int] | None = None
    began: float = 0.0
    played: int = 0

    def give(self, order: tuple[str, int]) -> None:
        """Tell it to play a case."""
        self.order, self.began = order, time.monotonic()
        self.played += 1
        self.pipe.send(order)

    def end(self, by: int = signal.SIGTERM) -> None:
        """End it with all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, by)
        self.process.join()
        self.pipe.close()


def cases_of(family: str, size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return the cases of a family module, always the same for the same size and seeds."""
    module = importlib.import_module(f"tests.faults.{family}")
    found: list[Case] = module.cases(size, seeds)
    names = [(case.id, case.name) for case in found]
    if len(set(names)) < len(names):
        raise ValueError(f"{family}: two cases have one name")
    return found


def play(case: Case) -> tuple[Result, float]:
    """Play one case in a folder of its own; what it raises is a problem of its result."""
    random.seed(f"{case.id} {case.name}")  # jitter of retries and the like
    folder = Path(tempfile.mkdtemp(prefix="fault-"))
    began = time.monotonic()
    try:
        result = case.run(folder)
    except Exception:
        result = Result(problems=["raised: " + traceback.format_exc(limit=-4)])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return result, time.monotonic() - began


def play_all(
    families: Sequence[str],
    size: Size,
    seeds: Sequence[int],
    *,
    workers: int = 2,
    tell: Callable[[str], None] = print,
    keep: Callable[[dict[str, Tally], str], None] = lambda _tallies, _left: None,
) -> dict[str, Tally]:
    """Play every case of the families; returns the tallies by id, in the order of the list.

    `keep` is given what was counted so far, and how many cases that were, at each line of progress.
    """
    todo = {family: cases_of(family, size, seeds) for family in families}
    _warm()
    tallies: dict[str, Tally] = {}
    began = said = time.monotonic()
    count, done, failed = sum(map(len, todo.values())), 0, 0
    for family, place, result, seconds in _played(todo, workers):
        if result is not None:
            case = todo[family][place]
            tally = tallies.setdefault(case.id, Tally(case.id))
            known = len(tally.failures)
            tally.take(case, result, seconds)
            done += 1
            for text in tally.failures[known:]:
                failed += 1
                tell(f"FAILED {case.id} {text}")
        if (now := time.monotonic()) - said >= EVERY:
            said = now
            tell(
                f"{(now - began) / 60:5.1f} min: {done} of {count} cases, {failed} failed; {family}"
            )
            keep(_in_order(tallies), f"{done} of {count} cases were played")
    return _in_order(tallies)


def _in_order(tallies: dict[str, Tally]) -> dict[str, Tally]:
    return dict(sorted(tallies.items(), key=lambda item: _rank(item[0])))


def _warm() -> None:
    """Make once what each worker would make again: imports and the forms of empty files."""
    from warehouse import public, store

    store._empty()
    public.empty_file({})


def _played(
    todo: dict[str, list[Case]], count: int
) -> Iterator[tuple[str, int, Result | None, float]]:
    """Yield each case that was played; a result of None is a moment in which nothing ended."""
    orders = iter([(family, place) for family in todo for place in range(len(todo[family]))])
    workers: list[Worker] = []
    last = ""
    try:
        for order in (first for _, first in zip(range(count), orders, strict=False)):
            workers.append(_start(todo))
            workers[-1].give(order)
        while workers:
            ends = [end for w in workers for end in (w.pipe, w.process.sentinel)]
            ready = wait(ends, timeout=1.0)
            for worker in list(workers):
                is_late = time.monotonic() - worker.began > LIMIT
                is_heard = worker.pipe in ready or worker.process.sentinel in ready
                if not is_heard and not is_late:
                    continue
                assert worker.order is not None
                family, place = worker.order
                last = family
                result, seconds = _heard(worker) if not is_late else _lost(worker, "it hung")
                workers.remove(worker)
                order = next(orders, None)
                is_fit = worker.process.is_alive() and worker.played < CASES
                if order is None or not is_fit:
                    worker.end()
                if order is not None:
                    workers.append(worker if is_fit else _start(todo))
                    workers[-1].give(order)
                yield family, place, result, seconds
            if not ready:
                yield last or "begun", 0, None, 0.0
    finally:
        for worker in workers:
            worker.end(signal.SIGKILL)


def _start(todo: dict[str, list[Case]]) -> Worker:
    ours, theirs = _FORK.Pipe()
    process = _FORK.Process(target=_work, args=(todo, theirs, ours), daemon=False)
    process.start()
    theirs.close()
    return Worker(process, ours)


def _work(todo: dict[str, list[Case]], pipe: Any, other_end: Any) -> None:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    other_end.close()
    with contextlib.suppress(EOFError, BrokenPipeError):  # the runner is gone
        while True:
            family, place = pipe.recv()
            pipe.send(play(todo[family][place]))


def _heard(worker: Worker) -> tuple[Result, float]:
    with contextlib.suppress(EOFError, OSError):
        if worker.pipe.poll():
            result, seconds = worker.pipe.recv()
            return result, seconds
    worker.process.join(10)
    return _lost(worker, f"its worker died with exit code {worker.process.exitcode}")


def _lost(worker: Worker, why: str) -> tuple[Result, float]:
    seconds = time.monotonic() - worker.began
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.process.pid, signal.SIGKILL)
    worker.process.join()
    return Result(problems=[f"{why} after {seconds:.0f} s"]), seconds


def _rank(name: str) -> tuple[str, int, str]:
    letters = name.rstrip("0123456789")
    return letters, int(name[len(letters) :] or 0), name
