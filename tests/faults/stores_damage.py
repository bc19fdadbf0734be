"""S3: bytes flipped, files cut or gone, in store, log, projection, published file and landing.

A damage is survived where every run either says what is damaged and what to do, or goes on without
it; where nothing that is published in between is short; and where one rebuild (or what the error
said) ends in the rows, the history and the ids of before.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import duckdb

from tests.faults.case import Case, Result, Size, settle
from tests.faults.kills_child import Child, play
from tests.faults.stores_state import (
    content,
    cut,
    differences,
    flip,
    lived,
    put_back,
    rebuild_store,
)
from tests.faults.world import World, world
from warehouse.store import open_store

Damage = Callable[[Path, random.Random], None]
TOLD = frozenset({"StoreDamaged"})
STORE, LOG = "store/store.duckdb", "store/*.duckdb.wal"


def _flip(name: str) -> Damage:
    return lambda home, chance: flip(_one(home, name), [chance.random()])


def _flip_many(name: str) -> Damage:
    return lambda home, chance: flip(home / name, [chance.random() for _ in range(40)])


def _cut(name: str) -> Damage:
    return lambda home, chance: cut(_one(home, name), chance.random())


def _gone(name: str) -> Damage:
    return lambda home, _chance: _one(home, name).unlink()


def _one(home: Path, name: str) -> Path:
    """Return the file of this name; the log is the store's or the projection's."""
    (found,) = home.glob(name)
    return found


DAMAGES: dict[str, tuple[Damage, int]] = {
    "log flipped": (_flip(LOG), 100),
    "log cut": (_cut(LOG), 100),
    "log gone": (_gone(LOG), 1),
    "store flipped": (_flip(STORE), 100),
    "store flipped in many places": (_flip_many(STORE), 20),
    "store cut": (_cut(STORE), 20),
    "store gone": (_gone(STORE), 1),
    "projection flipped in many places": (_flip_many("store/public.duckdb"), 20),
    "projection cut": (_cut("store/public.duckdb"), 10),
    "projection gone": (_gone("store/public.duckdb"), 1),
}
LOGS = ("unify.committed", "load.committed")
"""Where the process was killed before the damage: what the log holds then. A projection leaves
none: its commit writes the file."""


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return one case a damage; those of the log for each kind of log."""
    seed = next(iter(seeds), 0)
    if size == "quick":
        # tests/system/test_restore_drill.py plays the others by the steps of the page.
        name = "store flipped in many places"
        once = partial(run, name=name, times=1, seed=seed, log=LOGS[0])
        return [Case("S3", f"{name}, 1 times", once, 1)]
    found = []
    for name, (_, times) in DAMAGES.items():
        for log in LOGS if name.startswith("log") else LOGS[:1]:
            each = max(1, times // 3) + (log == LOGS[0]) if name.startswith("log") else times
            case = partial(run, name=name, times=each, seed=seed, log=log)
            found.append(Case("S3", f"{name}, {each} times, killed at {log}", case, each))
    return found


def run(folder: Path, *, name: str, times: int, seed: int, log: str) -> Result:
    """Damage a home `times` times at places that `seed` chooses; look, mend, compare."""
    chance, result = random.Random(f"{name} {seed}"), Result()
    damage = DAMAGES[name][0]
    with world(folder, orders=25) as made:
        lived(made)
        made.wait(60)
        made.put(3)
        made.delete(5)
        killed(made, log)
        whole = made.folder / "whole"
        made.space.control.close()
        shutil.copytree(made.home, whole, symlinks=True)
        wanted = _wanted(made, whole)
        for number in range(times):
            put_back(made, whole)
            damage(made.home, chance)
            result.fired += 1
            _look_and_mend(made, result, f"{name} {number}", wanted)
        return settle(made, result)


def killed(made: World, point: str) -> None:
    """Leave a log behind: deletions and changes read, the process killed at `point`."""
    work = partial(play, made, ["orders"], full=True)
    if point != "load.committed":
        Child(made, work).wait()
        work = partial(play, made, ["publish"])
    Child(made, work, crash_at=point).wait()


def _wanted(made: World, whole: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return what the store holds once everything that is landed is loaded and unified."""
    put_back(made, whole)
    _bring_up(made)
    return content(made.home / STORE)


def _bring_up(made: World) -> str:
    """Load what is landed and publish; returns the first error's kind and text."""
    for outcome in (_load(made), made.publish(keep=False).error):
        if outcome is not None:
            return str(getattr(outcome, "kind", type(outcome).__name__)) + ": " + str(outcome)
    return ""


def _load(made: World) -> Exception | None:
    """Load all that is landed without reading anything anew."""
    from warehouse.landing import Landing
    from warehouse.load import load_pending

    connection = made.space.connection("shop")
    try:
        with open_store(made.space.home, wait=5, clock=made.clock.now) as store:
            for stream in ("customers", "orders"):
                plan = connection.plan(stream)
                load_pending(store, Landing(made.home / "landing"), plan, now=made.clock.now)
    except Exception as error:
        return error
    return None


def _look_and_mend(
    made: World, result: Result, name: str, wanted: dict[str, list[tuple[object, ...]]]
) -> None:
    said = _bring_up(made)
    kind, _, text = said.partition(":")
    result.expect(not said or kind in TOLD, f"{name}: said {said[:300]}")
    result.expect(not said or "isthmus rebuild" in text, f"{name}: no next step in {text[:200]}")
    if not said:
        # It was taken for whole: what stands there must be so, to the last row.
        try:
            found = differences(wanted, content(made.home / STORE))
        except duckdb.Error as error:
            found = [f"unreadable: {str(error)[:200]}"]
        if found and not any(f.startswith("unreadable") for f in found):
            result.problems.append(f"{name}: silently {found[:3]}")
        if not found:
            _published(made, result, name)
            return
    rebuild_store(made)
    found = differences(wanted, content(made.home / STORE))
    result.expect(not found, f"{name}: after the rebuild {found[:3]}")
    _published(made, result, name)


def _published(made: World, result: Result, name: str) -> None:
    """Hold the published rows against the store's."""
    with duckdb.connect(str(made.published), read_only=True) as con:
        shown = con.execute("select source_key, number from source.orders order by 1").fetchall()
    with duckdb.connect(str(made.home / STORE)) as con:
        there = con.execute("select source_key, number from source.orders order by 1").fetchall()
    result.expect(shown == there, f"{name}: {len(shown)} orders published of {len(there)}")
    result.counts.rows += len(there)
