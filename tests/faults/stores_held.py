"""S2, S5, S6: a store that a client has open, that another release wrote, with little memory."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb

from tests.faults.case import Case, Result, Size, settle
from tests.faults.kills_child import Child
from tests.faults.kills_points import change, clean, judged
from tests.faults.kills_random import age
from tests.faults.stores_state import content, differences, lived
from tests.faults.world import START, World, world
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.lock import StoreBusy
from warehouse.store import open_store

ROWS = 1_000_000
PAGE = 50_000
MEMORY = "512MB"
DATA = 1_000 << 20
"""Bytes of private memory that the work may take: DuckDB's 512 MB, and Python's own beside them."""
_CLIENT = """\
import duckdb, sys
con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reading")
print(con.execute("select count(*) from source.orders").fetchone()[0], flush=True)
sys.stdin.readline()
print(con.execute("select count(*) from source.orders").fetchone()[0], flush=True)
"""


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return the cases of S2, S5 and S6."""
    kinds = ["reading"] if size == "quick" else ["reading", "writing"]
    found = [Case("S2", f"an analyst {k} the store", partial(held, kind=k), 2) for k in kinds]
    if size == "quick":
        return [*found, Case("S5", "an older and a newer store", releases, 2)]
    return [
        *found,
        Case("S5", "an older and a newer store", releases, 2),
        Case("S6", f"{ROWS:,} rows in {MEMORY}", big),
    ]


@contextmanager
def client(path: Path, kind: str) -> Iterator[subprocess.Popen[str]]:
    """Have the file open in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", _CLIENT, str(path), kind],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        if process.poll() is None:
            # A line, not the end of its input: a forked child holds the other end open, too.
            process.communicate("go\n")


def held(folder: Path, *, kind: str) -> Result:
    """A run waits for the client, bounded, names it; who reads what is published feels nothing."""
    result = Result()
    with world(folder) as made:
        clean(made, result, "at first")
        change(made, 1)
        with client(made.home / "store/store.duckdb", kind) as analyst:
            began = time.monotonic()
            try:
                with open_store(made.space.home, wait=1.0):
                    result.problems.append("the store was opened beside the analyst")
            except StoreBusy as busy:
                result.fired += 1
                result.expect(f"process {analyst.pid} " in str(busy), f"unnamed: {busy}")
                result.expect(time.monotonic() - began < 10, "the wait was not bounded")
            waiting = Child(made, lambda: made.sync("orders"))
            result.expect(waiting.until("land.sidecar"), "it did not read while it waited")
            result.expect(not waiting.until("load.begun", 1.0), "it loaded beside the analyst")
        result.expect(waiting.wait() == 0, "it did not go on when the analyst had left")
        with client(made.published, "reading") as reader:
            change(made, 2)
            clean(made, result, "a reader of the published file")
            out, _ = reader.communicate("go\n")
            result.expect(out.strip().isdigit(), "the reader lost its file")
            result.fired += 1
        judged(made, result, "clients")
        return settle(made, result)


def releases(folder: Path) -> Result:
    """An older release's store is brought up with a copy kept; a newer one's is left alone."""
    result = Result()
    with world(folder, orders=25) as made:
        lived(made)
        store = made.home / "store/store.duckdb"
        before = content(store)
        age(made, random.Random(5))
        old = store.read_bytes()
        result.expect(made.sync("orders").error is None, "an older store was not brought up")
        result.fired += 1
        kept = store.with_name("store-v1.duckdb")
        result.expect(kept.exists() and kept.stat().st_size == len(old), "no copy was kept")
        found = differences(before, content(store))
        result.expect(not found, f"after the upgrade: {found[:3]}")
        _version(store, "99")
        new = store.read_bytes()
        change(made, 1)
        error = made.sync("orders").error
        result.expect(error is not None and error.kind == "StoreTooNew", f"newer: {error}")
        result.expect(store.read_bytes() == new, "a newer store was written to")
        result.fired += 1
        _version(store, "1")
        clean(made, result, "the release that knows it")
        return settle(made, result)


def _version(store: Path, number: str) -> None:
    with duckdb.connect(str(store)) as con:
        con.execute("update ops.meta set value = ? where name = 'schema_version'", [number])


def big(folder: Path) -> Result:
    """Load a million records that were landed at once, with little memory."""
    result = Result(fired=1)
    with world(folder) as made:
        child = Child(made, partial(_million, made))
        code = child.wait(1_500)
        result.expect(code == 0, f"a million rows: ended with {code}")
        if code:
            return result
        with duckdb.connect(str(made.home / "store/store.duckdb"), read_only=True) as con:
            found = con.execute("select count(*), sum(total) from source.orders").fetchone()
        result.expect(found == (ROWS, ROWS * (ROWS - 1) // 2), f"there are {found}")
        result.counts.rows += ROWS
    return result


def _private() -> int:
    """Return the bytes of private memory that this process has."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) << 10
    raise AssertionError("no VmData in /proc/self/status")


def _million(made: World) -> None:
    most = _private() + DATA  # a judge that has played other cases brings memory of its own along
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    landing = Landing(made.home / "landing", now=made.clock.now)
    made.space.home.make()
    with landing.writer(
        "shop", "orders", mode="changed", read="big", connector="rest@1", started=START
    ) as writer:
        for start in range(0, ROWS, PAGE):
            keys = [str(n) for n in range(start, start + PAGE)]
            records = [
                b'{"id":%d,"name":"#%d","updated_at":"2026-03-01T00:00:00Z","total_price":%d,'
                b'"currency":"CNY","created_at":"2026-02-01T08:00:00Z","line_items":[]}' % (n, n, n)
                for n in range(start, start + PAGE)
            ]
            writer.add(records, keys, {"n": start})
    plan = made.space.connection("shop").plan("orders")
    with open_store(made.space.home, memory=MEMORY) as store:
        load_pending(store, landing, plan, now=made.clock.now)
