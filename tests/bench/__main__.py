"""Measure the path of REST orders against a bare floor; every figure is a ratio of one run.

The floor downloads the same pages, slices them, lets DuckDB read them into typed tables and splits
the lines: no landing, no checks, no guard, no lineage. `python -m tests.bench [ORDERS] [ROUNDS]`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.source import running

WORK = ("floor", "first load", "nothing new", "unify and publish")


def main() -> None:
    """Run both sides alternately, check counts and sums, print the table, write the JSON."""
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    seconds: dict[str, list[float]] = {name: [] for name in WORK}
    memory: dict[str, list[float]] = {"floor": [], "product": []}
    with running(orders) as url:
        for _ in range(rounds):
            floor, product = _run("floor", url, orders), _run("product", url, orders)
            if floor["check"] != product["check"]:
                sys.exit(f"the two sides differ: {floor['check']} and {product['check']}")
            seconds["floor"].append(floor["seconds"])
            memory["floor"].append(floor["peak_mb"])
            memory["product"].append(product["peak_mb"])
            for name in WORK[1:]:
                seconds[name].append(product[name])
    base = statistics.median(seconds["floor"])
    table = Table(title=f"{orders} orders over HTTP, {rounds} rounds, medians")
    for head in ("work", "seconds", "orders/s", "x floor's rate"):
        table.add_column(head, justify="right")
    figures: dict[str, dict[str, float]] = {}
    for name, runs in seconds.items():
        middle = statistics.median(runs)
        figures[name] = {"seconds": middle, "rate": orders / middle, "of_floor": base / middle}
        table.add_row(name, f"{middle:.2f}", f"{orders / middle:,.0f}", f"{base / middle:.2f}")
    Console().print(table)
    peaks = {name: max(values) for name, values in memory.items()}
    Console().print(
        f"peak memory: floor {peaks['floor']:.0f} MB, product {peaks['product']:.0f} MB"
    )
    out = Path(os.environ.get("ISTHMUS_HOME", "var")) / "bench.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"orders": orders, "work": figures, "peak_mb": peaks}, indent=2))
    Console().print(f"written: {out}")


def _run(side: str, url: str, orders: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", f"tests.bench.{side}", url, folder, str(orders)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        sys.exit(f"{side} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
