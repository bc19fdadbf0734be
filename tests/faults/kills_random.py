"""K2: SIGKILL at random moments, with the store's form changing and checkpoints under way.

After each kill the store must open, hold every load that a child reported, and the landing every
batch whose sidecar was complete; after each chain of up to three kills one clean run must bring
everything to what the source says. Kills that fell before the child passed any crash point are
counted, and said beside the row.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb

from tests.faults.case import Case, Result, Size, settle
from tests.faults.kills_child import KILLED, Child, play
from tests.faults.kills_points import change, clean, judged
from tests.faults.shop import STYLES
from tests.faults.world import World, world
from warehouse.ddl import source_table
from warehouse.errors import WarehouseError
from warehouse.landing import Landing
from warehouse.rebuild import rebuild

KILLS, WORLDS, CHAIN = 25, 20, 3
ATTEMPTS = 4
"""Children for each kill that is meant: one may end before its moment comes."""
UNHEARD = "kills before any crash point"
PAYMENTS = """\
also:
  payment:
    entity: payment
    key: id
    fields: {{order_key: id, amount: total_price, currency: currency, method: name{n}}}
"""


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return worlds of 25 kills each: 500 in all, or one of few."""
    first = next(iter(seeds), 0)
    if size == "quick":
        return [Case("K2", "random moments", partial(run, seed=first, kills=3), 3)]
    return [
        Case("K2", f"random moments, seed {first + n}", partial(run, seed=first + n), KILLS)
        for n in range(WORLDS)
    ]


@dataclass
class Kind:
    """A way to kill: what the child does, and from when on (a crash point heard) it may die.

    `seconds` is how long after that moment the kill falls at the latest; None: while it works, as
    long as that took the last time.
    """

    words: tuple[str, ...]
    heard: str = ""
    seconds: float | None = None
    before: Callable[[World, random.Random], None] = lambda _made, _chance: None
    weight: int = 1


def remap(made: World, chance: random.Random) -> None:
    """Let the mapping make rows of a further entity, of other fields each time."""
    path = made.folder / "mappings/shop/orders.yaml"
    head = path.read_text(encoding="utf-8").split("also:")[0]
    more = PAYMENTS.format(n=chance.choice(["", " || '-x'", " || currency"]))
    path.write_text(head + more, encoding="utf-8")


def age(made: World, chance: random.Random) -> None:
    """Make the store one of an older release: a table and some columns are not there yet."""
    with duckdb.connect(str(made.home / "store/store.duckdb")) as con:
        con.execute("drop table if exists source.shipments")
        used = {"number", "total", "currency", "placed_at", "customer_key", "ext"}
        own = source_table("order")
        spare = [f.name for f in own.fields if f.model and f.name not in used]
        there = {n for (n,) in con.execute(
            "select column_name from duckdb_columns() where schema_name = 'source'"
            " and table_name = 'orders'").fetchall()}  # fmt: skip
        for name in chance.sample([n for n in spare if n in there], 3):
            con.execute(f'alter table source.orders drop column "{name}"')
        con.execute("update ops.meta set value = 'older' where name = 'model'")


def forget_projection(made: World, _chance: random.Random) -> None:
    """Take the projection away: it is made anew, in a new file."""
    (made.home / "store/public.duckdb").unlink(missing_ok=True)


def rebuild_store(made: World) -> object:
    """Do what `isthmus rebuild` does, without its publishing."""
    space = made.space
    return rebuild(
        space.home,
        Landing(space.home.landing, now=made.clock.now),
        lambda name, stream: space.connection(name).plan(stream),
        made.clock.now,
    )


KINDS = {
    "reading and loading": Kind(("orders", "customers"), weight=6),
    "a commit": Kind(("orders",), "load.written", 0.05, weight=4),
    "a checkpoint": Kind(("orders",), "load.committed", 0.03, weight=4),
    "publishing": Kind(("publish",), weight=3),
    "the projection's checkpoint": Kind(("publish",), "project.written", 0.1, weight=2),
    "a new form of the projection": Kind(("publish",), before=forget_projection),
    "an upgrade": Kind(("orders",), "upgrade.copied", 0.4, age, weight=4),
    "a new entity": Kind(("orders",), "load.begun", 0.3, remap, weight=2),
    "a rebuild": Kind(("rebuild",), weight=2),
}


@dataclass
class Known:
    """What was acknowledged: complete sidecars, rows of ops.batches by stream."""

    sidecars: set[Path] = field(default_factory=set)
    loads: Counter[str] = field(default_factory=Counter)


def run(folder: Path, *, seed: int, kills: int = KILLS) -> Result:
    """Kill `kills` children at moments that `seed` chooses."""
    chance, result = random.Random(seed), Result()
    spans: dict[str, float] = {}
    with world(folder, style=STYLES[seed % len(STYLES)], orders=60) as made:
        clean(made, result, "at first")
        known, pending, order = Known(), 0, 0
        for _ in range(kills * ATTEMPTS):
            if result.fired >= kills:
                break
            if pending == 0:
                order += 1
                change(made, order)
            name = chance.choices(list(KINDS), [k.weight for k in KINDS.values()])[0]
            kind = KINDS[name]
            kind.before(made, chance)
            child, code = _kill(made, kind, spans.get(name, 1.0), chance)
            if code == 0:
                took = child.ended - child.began
                spans[name] = max(0.05, min(took, spans.get(name, took)))
            result.expect(code in (0, KILLED), f"{name}: the child ended with {code}")
            result.fired += code == KILLED
            result.more[UNHEARD] += code == KILLED and not child.heard
            _acknowledged(made, known, child, name, result)
            pending = (pending + 1) % chance.randint(1, CHAIN)
            if pending == 0:
                clean(made, result, name)
                judged(made, result, f"a kill in {name}, seed {seed}")
        return settle(made, result)


def _kill(made: World, kind: Kind, span: float, chance: random.Random) -> tuple[Child, int]:
    work = partial(play, made, kind.words)
    if kind.words == ("rebuild",):
        work = partial(rebuild_store, made)  # type: ignore[assignment]
    child = Child(made, work)
    if kind.heard:
        child.until(kind.heard)
    child.kill_after(chance.uniform(0, kind.seconds or span))
    return child, child.wait()


def _acknowledged(made: World, known: Known, child: Child, name: str, result: Result) -> None:
    """Hold landing and store against all that was ever acknowledged."""
    landed = set((made.home / "landing").glob("*/*/*.json"))
    result.expect(known.sidecars <= landed, f"{name}: batches are gone from the landing")
    new = landed - known.sidecars
    said = child.heard.count("land.sidecar")
    result.expect(len(new) >= said, f"{name}: {said} batches were landed, {len(new)} are there")
    landing = Landing(made.home / "landing")
    for path in new:
        try:
            landing.batch(path.parent.parent.name, path.parent.name, int(path.stem)).verify()
        except WarehouseError as error:
            result.problems.append(f"{name}: {error}")
    known.sidecars = landed
    loads = _loads(made, name, result)
    committed = child.heard.count("load.committed") if "rebuild.filled" not in child.heard else 0
    before = sum(known.loads.values())
    result.expect(
        all(loads[s] >= n for s, n in known.loads.items())
        and ("rebuild" in name or sum(loads.values()) >= before + committed),
        f"{name}: {committed} loads were committed after {before}, the store knows {dict(loads)}",
    )
    known.loads = loads


def _loads(made: World, name: str, result: Result) -> Counter[str]:
    """Return the batches that the store knows by stream, looked at in a copy, log included."""
    store = made.home / "store/store.duckdb"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / store.name
        shutil.copyfile(store, copy)
        log = store.with_name(store.name + ".wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(log.name))
        try:
            with duckdb.connect(str(copy)) as con:
                rows = con.execute("select stream, count(*) from ops.batches group by all")
                return Counter(dict(rows.fetchall()))
        except duckdb.Error as error:
            result.problems.append(f"{name}: the store does not open: {str(error)[:200]}")
            return Counter()
