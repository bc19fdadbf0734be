"""Measure the product against a bare floor and dlt; every figure is a ratio of one run.

`python -m tests.bench --works a,c --orders 20000 --rounds 3`. Ends with 1 when a side holds other
counts or sums than its source; a bar that is not met is printed and ends with 0.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.bench.docs import write_docs
from tests.bench.run import PEERS, Differs, Options
from tests.bench.table import Line, as_json, show

WORKS = {
    "a": "tests.bench.rest",
    "c": "tests.bench.files",
    "d": "tests.bench.big",
    "e": "tests.bench.sql",
    "f": "tests.bench.big",
}


def main() -> int:
    """Run the chosen works, print one table, write the JSON; returns the exit code."""
    chosen = _arguments()
    out = Path(os.environ.get("ISTHMUS_HOME", "var")) / "bench.json"
    if chosen.write_docs:
        write_docs(out)
        return 0
    names = tuple(dict.fromkeys(chosen.works.split(",")))
    if unknown := [name for name in names if name not in WORKS]:
        sys.exit(f"no such work: {', '.join(unknown)}; there are {', '.join(WORKS)}")
    options = Options(
        works=names, orders=chosen.orders, small=chosen.small, rounds=chosen.rounds,
        growth=chosen.growth, csv_mb=chosen.csv_mb, excel_rows=chosen.excel_rows,
        sql_rows=chosen.sql_rows,
        peers=not chosen.no_peers,
    )  # fmt: skip
    if options.peers and not PEERS.exists():
        sys.exit(f"{PEERS} is not there: `make peers` makes it, or leave dlt out by --no-peers")
    said = Console(stderr=True)
    began, lines = time.time(), list[Line]()
    try:
        for module in dict.fromkeys(WORKS[name] for name in names):
            lines += importlib.import_module(module).measure(options, said.print)
    except Differs as error:
        said.print(f"[bold red]the bench is void[/]: {error}", markup=True, highlight=False)
        return 1
    heads = _heads(options, time.time() - began)
    show(lines, heads)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(heads | {"lines": as_json(lines)}, indent=2, ensure_ascii=False))
    Console().print(f"written: {out}")
    return 0


def _heads(options: Options, seconds: float) -> dict[str, Any]:
    import duckdb

    command = f"python -m tests.bench --works {','.join(options.works)} --orders {options.orders}"
    return {
        "command": f"{command} --rounds {options.rounds}",
        "duckdb": duckdb.__version__,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "took_minutes": round(seconds / 60, 1),
    }


def _arguments() -> argparse.Namespace:
    given = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    given.add_argument("--works", default=",".join(WORKS), help="a,c,d,e,f")
    given.add_argument("--orders", type=int, default=Options.orders, help="orders of work a")
    given.add_argument("--small", type=int, default=Options.small, help="orders of dlt's default")
    given.add_argument("--rounds", type=int, default=Options.rounds)
    given.add_argument("--growth", type=int, default=Options.growth, help="f and d: times --orders")
    given.add_argument("--csv-mb", type=int, default=Options.csv_mb)
    given.add_argument("--excel-rows", type=int, default=Options.excel_rows)
    given.add_argument("--sql-rows", type=int, default=Options.sql_rows)
    given.add_argument("--no-peers", action="store_true", help="leave dlt out")
    given.add_argument("--write-docs", action="store_true", help="write the last JSON's figures "
                       "into docs/benchmarks.md and measure nothing")  # fmt: skip
    return given.parse_args()


if __name__ == "__main__":
    sys.exit(main())
