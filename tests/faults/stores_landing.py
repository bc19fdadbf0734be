"""S3: bytes flipped, files cut or gone, in the landing, its index, decisions, key, published file.

A damage is survived where a sync and a rebuild after it each either say what is damaged, or end in
the rows of an undamaged home; and where putting the file back from a backup ends in those rows.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import duckdb

from pipelines.sync import sync_stream
from tests.faults.case import Case, Result, Size, settle
from tests.faults.stores_state import cut, flip, lived, put_back
from tests.faults.world import World, world
from warehouse import reader
from warehouse.errors import WarehouseError
from warehouse.landing import Landing
from warehouse.rebuild import rebuild

ORDERS = "landing/shop/orders/"
KINDS = {
    "batch": (ORDERS + "*.ndjson.zst", {"LandingDamaged"}),
    "sidecar": (ORDERS + "*.json", {"LandingDamaged"}),
    "keys": (ORDERS + "*.keys.zst", set[str]()),
    "index": (ORDERS + "seen.db", set[str]()),
    "decision": ("landing/_decisions/*.json", {"DecisionError", "LandingDamaged"}),
    "key": ("key", {"ConfigError", "KeyChanged"}),
    "published": ("published/isthmus.duckdb", {"StoreError"}),
}
"""Kind of file -> where such files stand, and what a person may be told of one that is damaged."""
HOWS = {"flipped": 20, "cut": 5, "gone": 2}
QUICK = (("index", "flipped", 1),)
ALIVE = """
select o.source_key, o.number, o.total, o.version, o.is_deleted, l.source_key, l.sku, l.quantity
from source.orders as o left join source.order_lines as l on l.parent_key = o.source_key
order by all
"""
Alive = list[tuple[object, ...]]


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return one case a kind of file and of damage."""
    seed = next(iter(seeds), 0)
    some = [(k, h, n) for k in KINDS for h, n in HOWS.items()] if size == "full" else QUICK
    return [
        Case("S3", f"{kind} {how}, {times} times", partial(
            run, kind=kind, how=how, times=times, seed=seed), times)
        for kind, how, times in some
    ]  # fmt: skip


def run(folder: Path, *, kind: str, how: str, times: int, seed: int) -> Result:
    """Damage a file of `kind` `times` times at places that `seed` chooses; look, mend, compare."""
    chance, result = random.Random(f"{kind} {how} {seed}"), Result()
    with world(folder, orders=25) as made:
        lived(made)
        _decide(made)
        made.wait(60)
        made.put(3)
        made.delete(5)
        whole = made.folder / "whole"
        made.space.control.close()
        shutil.copytree(made.home, whole, symlinks=True)
        put_back(made, whole)
        result.expect(not _sync(made), "an undamaged home does not sync")
        wanted = _alive(made)
        for number in range(times):
            put_back(made, whole)
            damaged = _damage(made.home, kind, how, chance)
            result.fired += 1
            name = f"{kind} {how} {number} ({damaged.name})"
            _look_and_mend(made, result, name, kind, (damaged, whole), wanted)
        put_back(made, whole)
        return settle(made, result)


def _damage(home: Path, kind: str, how: str, chance: random.Random) -> Path:
    files = sorted(home.glob(KINDS[kind][0]))
    path = chance.choice(files)
    if how == "flipped":
        flip(path, [chance.random()])
    elif how == "cut":
        cut(path, chance.random())
    else:
        path.unlink()
    return path


def _look_and_mend(
    made: World, result: Result, name: str, kind: str, where: tuple[Path, Path], wanted: Alive
) -> None:
    told = KINDS[kind][1]

    def look(what: str, work: Callable[[], str]) -> bool:
        said = work()
        result.expect(not said or said.partition(":")[0] in told, f"{name}: {what} said {said}")
        if not said and kind not in ("key", "published"):
            found = _alive(made)
            result.expect(found == wanted, f"{name}: after {what} silently {_short(wanted, found)}")
        return bool(said)

    if kind == "published":
        look("a query", partial(_query, made))
    elif kind == "key":
        look("publish", partial(_publish, made))
    else:
        look("sync", partial(_sync, made))
        look("rebuild", partial(_rebuild, made))
    damaged, whole = where
    if kind == "published":
        shutil.rmtree(made.home / "published")
    else:
        for path in whole.joinpath(damaged.relative_to(made.home)).parent.glob(
            damaged.name[:12] + "*"
        ):
            shutil.copy2(path, damaged.with_name(path.name))
        made.space.control.close()
        made.space = made.discover()  # another process: it has read nothing yet
    for what, work in (("sync", _sync), ("rebuild", _rebuild), ("publish", _publish)):
        said = work(made)
        result.expect(not said, f"{name}: put back, {what} said {said}")
    found = _alive(made)
    result.expect(found == wanted, f"{name}: put back, {_short(wanted, found)}")
    result.expect(not _query(made), f"{name}: put back, {_query(made)}")
    result.counts.rows += len(found)


def _short(wanted: Alive, found: Alive) -> str:
    missing, more = set(wanted) - set(found), set(found) - set(wanted)
    return f"{len(missing)} rows missing, {len(more)} other: {list(more)[:1]}"


def _alive(made: World) -> Alive:
    with duckdb.connect(str(made.home / "store/store.duckdb")) as con:
        return con.execute(ALIVE).fetchall()


def _sync(made: World) -> str:
    outcome = sync_stream(
        made.space, "shop", "orders", full=True, now=made.clock.now, pause=made.clock.pause,
        transport=made.network,
    )  # fmt: skip
    return f"{outcome.error.kind}: {outcome.error}" if outcome.error else ""


def _publish(made: World) -> str:
    error = made.publish(keep=False).error
    return f"{error.kind}: {error}" if error else ""


def _query(made: World) -> str:
    try:
        result = reader.run_query(made.published, "select count(*), sum(total) from source.orders")
        list(result.rows)
    except WarehouseError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _rebuild(made: World) -> str:
    space = made.space
    landing = Landing(space.home.landing, now=made.clock.now)
    try:
        rebuild(space.home, landing, lambda name, stream: space.connection(name).plan(stream),
                made.clock.now)  # fmt: skip
    except WarehouseError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _decide(made: World) -> None:
    """Leave a decision that changes no row: its file must be whole all the same."""
    Landing(made.space.home.landing).decisions.append(
        "trust_source", why="a test", at=made.clock.at,
        about={"connection": "shop", "stream": "orders", "batches": [1]},
    )  # fmt: skip
