"""SIGKILL at every crash point and at random moments, then one clean run: store equals source."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import small_shop
from small_shop import START, at_the_source, in_the_store, order

from connectors.rest.serve import serve
from connectors.rest.simulator import RestSimulator
from pipelines.workspace import PROJECT, Workspace
from warehouse.crashpoints import POINTS

FIRST = ["customers", "orders", "publish"]
CLEAN = ["customers", "orders:full", "publish"]
MOMENTS = 10
SEED = 20261121
KILLED = -9
EVERY = (*POINTS, "land.sidecar:2", "load.committed:2")
"""The second arrival at a point is inside the second batch or the second load."""
FEW = ("extract.page", "decide.written", "load.committed:2", "unify.committed", "publish.versioned")
"""One a step; the quick cases of K1 kill at others, `tests/warehouse/` plays its own points."""

pytestmark = pytest.mark.xdist_group("kills")  # one server, one forker for all


@dataclass
class Bench:
    """A server that stands still, a home as it was before the changes, and a forker."""

    server: RestSimulator
    defs: Path
    base: Path
    folder: Path
    forker: subprocess.Popen[str]

    def home(self, name: str) -> Path:
        """Return a copy of the home of before."""
        return Path(shutil.copytree(self.base, self.folder / name, symlinks=True))

    def run(self, home: Path, work: list[str], **how: Any) -> dict[str, Any]:
        """Run `work` in a child; returns exit code and seconds."""
        given = {"home": str(home), "defs": str(self.defs), "work": work,
                 "crash_at": "", "after": None}  # fmt: skip
        assert self.forker.stdin is not None
        assert self.forker.stdout is not None
        self.forker.stdin.write(json.dumps(given | how) + "\n")
        self.forker.stdin.flush()
        return json.loads(self.forker.stdout.readline())

    def judge(self, home: Path) -> None:
        """Hold store and published file against the server, key by key."""
        space = Workspace.discover({"ISTHMUS_HOME": str(home), "ISTHMUS_DEFS": str(self.defs)})
        truth = at_the_source(self.server)
        assert in_the_store(space) == truth
        with duckdb.connect(str(space.home.published / "isthmus.duckdb"), read_only=True) as con:
            rows = con.execute(
                "select o.source_key, o.total, count(l.line), coalesce(sum(l.quantity), 0) from "
                "unified.orders o left join unified.order_lines l using (order_id) group by all"
            ).fetchall()
        assert len(rows) == len(truth)
        assert {key: tuple(values) for key, *values in rows} == truth
        assert not space.control.held_leases()
        space.control.close()
        left = [p.name for p in home.rglob("*") if p.name.endswith((".part", ".new", ".tmp"))]
        assert left == []


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("kills")
    server = small_shop.shop(orders=120, customers=30)
    forker = subprocess.Popen(
        [sys.executable, PROJECT / "tests" / "support" / "kill_runs.py"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT,
    )  # fmt: skip
    try:
        with serve(server) as url:
            space = small_shop.workspace(folder, url, limit=40)
            made = Bench(server, space.defs, folder / "base", folder, forker)
            assert made.run(made.base, FIRST, crash_at="warm up")["code"] == 0
            change(server)
            yield made
    finally:
        forker.communicate(timeout=30)


def change(server: RestSimulator) -> None:
    """Change the source in every way: new, other lines, gone."""
    later = START + timedelta(hours=5)
    for number in range(121, 161):
        server.put("orders", order(number, at=later))
    for number in range(1, 31):
        server.put("orders", order(number, at=later, seed=9))
    for number in (60, 61):
        server.delete("orders", str(number))
    server.delete("customers", "7")


@pytest.mark.parametrize(
    ("points", "count"),
    [
        pytest.param(FEW, 2, id="few"),
        pytest.param(EVERY, MOMENTS, id="every", marks=pytest.mark.slow),
    ],
)
def test_a_kill_at_any_point_or_moment_loses_and_doubles_nothing(
    bench: Bench, points: Sequence[str], count: int
):
    """`make test` plays those of FEW, `make test-all` (and `make faults`) every point."""
    clean = bench.home("clean")
    whole = bench.run(clean, CLEAN)
    assert whole["code"] == 0
    bench.judge(clean)
    shutil.rmtree(clean)
    chance = random.Random(SEED)
    moments = [round(chance.uniform(0.02, whole["seconds"]), 3) for _ in range(count)]
    cases: list[tuple[str, dict[str, Any]]] = [
        *((point, {"crash_at": point}) for point in points),
        *((f"moment {n}", {"after": after}) for n, after in enumerate(moments)),
    ]

    def kill(case: tuple[str, dict[str, Any]]) -> tuple[str, int]:
        name, how = case
        home = bench.home(name.replace(":", "-"))
        work = CLEAN
        if name == "decide.written":
            # A decision is written when what was landed before is to be trusted after all.
            assert bench.run(home, ["orders"], crash_at="load.begun")["code"] == KILLED
            work = ["orders:trust_source"]
        killed = bench.run(home, work, **how)["code"]
        assert bench.run(home, CLEAN)["code"] == 0, name
        bench.judge(home)
        shutil.rmtree(home)
        return name, killed

    codes = dict(map(kill, cases))
    assert {point: codes[point] for point in points} == dict.fromkeys(points, KILLED)
    # A moment may fall after the last byte; most must not, or the test tests nothing.
    assert [codes[f"moment {n}"] for n in range(count)].count(KILLED) >= count // 2


def test_a_first_load_that_is_killed_goes_on_where_it_stopped(bench: Bench):
    home = bench.folder / "first"
    assert bench.run(home, ["orders"], crash_at="extract.page:3")["code"] == KILLED
    before = len(bench.server.sent("orders"))
    assert bench.run(home, ["orders"], crash_at="land.data_renamed")["code"] == KILLED
    assert bench.run(home, FIRST)["code"] == 0
    bench.judge(home)
    assert len(bench.server.sent("orders")) > before
