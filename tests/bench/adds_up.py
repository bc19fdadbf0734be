# ruff: noqa: E501 - a question reads better on one line
"""Does it add up, at size: unify, reconcile, project and publish; then four questions of analysts.

`python -m tests.bench.adds_up [ORDERS] [FOLDER]` lands and loads a company of so many orders (see
`adds_up_data`), publishes it, changes 1,000 of them with their documents, money and parcels, and
publishes again; it prints the seconds of each part, and how long each question takes on the
published file. A FOLDER that holds such a company is gone on with. Every publication is a process
of its own, as a command is.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from tests.bench.adds_up_data import land_and_load, workspace
from tests.bench.measure import Meter, preload
from tests.bench.product import LATE, done, timed

ORDERS, CHANGED, ROUNDS = 1_000_000, 1_000, 3
PARTS = (
    ("warehouse.unify", "unify"), ("warehouse.reconcile", "reconcile"),
    ("warehouse.project", "project"), ("warehouse.publish", "publish"),
)  # fmt: skip
QUESTIONS = (
    ("customer 360 of one customer", "FROM mart.customer_360 WHERE party_id = '{party}'"),
    ("order to cash of one month",
     "FROM mart.order_to_cash WHERE placed_at >= DATE '2025-03-01' AND placed_at < DATE '2025-04-01'"),
    ("the oversell list", "FROM recon.breaks WHERE rule = 'oversell' AND status = 'open'"),
    ("mart.kpis", "FROM mart.kpis"),
    ("mart.kpi_before_after", "FROM mart.kpi_before_after(DATE '2025-06-01', days := 90)"),
)  # fmt: skip


def main(orders: int = ORDERS, folder: str = "") -> None:
    """Make the company where it is not there, change it, print what each step took."""
    with tempfile.TemporaryDirectory() as made:
        root = Path(folder or made)
        space = workspace(root)
        versions = root / "version"
        if not versions.exists():
            begun = time.perf_counter()
            records = land_and_load(space, orders)
            print(f"{orders:,} orders: {records:,} records landed and loaded in "
                  f"{time.perf_counter() - begun:.0f} s", flush=True)  # fmt: skip
            versions.write_text("0")
            _publish(root, "first")
        version = int(versions.read_text()) + 1
        land_and_load(space, orders, version, min(CHANGED, orders))
        versions.write_text(str(version))
        _publish(root, f"{CHANGED:,} orders changed")
        _publish(root, "nothing new")
        _ask(space.home.current)


def _publish(root: Path, what: str) -> None:
    subprocess.run([sys.executable, "-m", "tests.bench.adds_up", "publish", root, what], check=True)


def publish(root: str, what: str) -> None:
    """Unify, reconcile, project and publish once; print the seconds of each."""
    from pipelines.sync import unify_publish

    preload(*LATE, "warehouse.reconcile")
    meter = Meter()
    for module, name in PARTS:
        timed(meter, module, name, name)
    space = workspace(Path(root))
    with meter.part("whole"):
        outcome = done(unify_publish(space))
    for name in [*(name for _, name in PARTS), "whole"]:
        if took := meter.parts.get(name):
            print(f"{what:24} {name:10} {took['wall']:8.2f} s wall {took['cpu']:8.2f} s CPU")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    breaks = sum(n for by in outcome.figures["breaks"]["open"].values() for n in by.values())
    print(f"{what:24} peak {peak:,.0f} MB, {breaks:,} breaks open", flush=True)


def _ask(path: Path) -> None:
    with duckdb.connect(str(path), read_only=True, config={"threads": 2}) as con:
        print(f"published: {path.stat().st_size / 1e6:,.0f} MB")
        ((party,),) = con.execute("SELECT any_value(party_id) FROM orders").fetchall()
        for what, sql in QUESTIONS:
            took, spent, rows = list[float](), list[float](), 0
            for _ in range(ROUNDS):
                begun, cpu = time.perf_counter(), time.process_time()
                rows = con.execute(sql.format(party=party)).to_arrow_table().num_rows
                took.append(time.perf_counter() - begun)
                spent.append(time.process_time() - cpu)
            print(f"{what:32} first {took[0]:7.3f} s, median {statistics.median(took):7.3f} s wall "
                  f"{statistics.median(spent):7.3f} s CPU {rows:8,} rows", flush=True)  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["publish"]:
        publish(*sys.argv[2:4])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else ORDERS, *sys.argv[2:3])
