"""Plays cases in forked workers and tallies them by the row of the fault list."""

from __future__ import annotations

import importlib
import multiprocessing
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.case import Case, Result, Size, Tally

FAMILIES = ("network", "network_wire", "kills", "stores", "data", "random_runs", "files", "through")
_FORK = multiprocessing.get_context("fork")


@dataclass
class Played:
    """A case that was played, by its place in the list of its family."""

    family: str
    place: int
    result: Result
    seconds: float


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
) -> dict[str, Tally]:
    """Play every case of the families; returns the tallies by id, in the order of the list."""
    todo = {family: cases_of(family, size, seeds) for family in families}
    orders: Any = _FORK.Queue()
    done: Any = _FORK.Queue()
    for family, cases in todo.items():
        for place in range(len(cases)):
            orders.put((family, place))
    for _ in range(workers):
        orders.put(None)
    started = [
        _FORK.Process(target=_work, args=(todo, orders, done), daemon=False) for _ in range(workers)
    ]
    for process in started:
        process.start()
    tallies: dict[str, Tally] = {}
    for played in _collect(sum(map(len, todo.values())), done, started):
        case = todo[played.family][played.place]
        tally = tallies.setdefault(case.id, Tally(case.id))
        failed = len(tally.failures)
        tally.take(case, played.result, played.seconds)
        if len(tally.failures) > failed:
            tell(f"FAILED {case.id} {tally.failures[-1]}")
    for process in started:
        process.join()
    return dict(sorted(tallies.items(), key=lambda item: _rank(item[0])))


def _work(todo: dict[str, list[Case]], orders: Any, done: Any) -> None:
    while (order := orders.get()) is not None:
        family, place = order
        result, seconds = play(todo[family][place])
        done.put(Played(family, place, result, seconds))


def _collect(count: int, done: Any, workers: Sequence[Any]) -> Iterator[Played]:
    for _ in range(count):
        while True:
            try:
                yield done.get(timeout=5)
                break
            except Exception:
                if not any(process.is_alive() for process in workers):
                    raise RuntimeError("the workers died before all cases were played") from None


def _rank(name: str) -> tuple[str, int, str]:
    letters = name.rstrip("0123456789")
    return letters, int(name[len(letters) :] or 0), name
