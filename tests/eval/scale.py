"""Whole against incremental at size: `python -m tests.eval.scale --rows 1000000 --changed 1000`.

Makes the rows, groups them whole, changes a thousand (edits, new ones, gone ones, dead ones) and
groups again with only those named. Then a fresh store groups the final rows whole; both must hold
the same links and suggestions. Prints one JSON line; ends with 1 where they differ.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from tests.eval.scale_rows import change, make_rows
from tests.eval.store import ROWS, fresh, ours

RESULTS = ("identity.links", "ops.suggestions")
Regroup = Callable[[duckdb.DuckDBPyConnection, str, str | None], object]


def main(given: list[str] | None = None, matcher: Regroup | None = None) -> int:
    """Run the bench; `matcher` None is the project's own."""
    told = argparse.ArgumentParser(prog="python -m tests.eval.scale", description=__doc__)
    told.add_argument("--rows", type=int, default=1_000_000)
    told.add_argument("--changed", type=int, default=1_000)
    chosen = told.parse_args(given)
    with tempfile.TemporaryDirectory() as folder:
        figures = bench(Path(folder), chosen.rows, chosen.changed, matcher or ours)
    print(json.dumps(figures))
    return 0 if figures["same"] else 1


def bench(folder: Path, rows: int, changed: int, matcher: Regroup) -> dict[str, Any]:
    """Return the figures; seconds are the matcher's calls alone."""
    con = fresh(folder / "one.duckdb")
    make_rows(con, rows)
    whole = _timed(con, matcher, None)
    groups = _count(con, "count(DISTINCT golden_id) FROM identity.links")
    change(con, changed)
    touched = _count(con, "count(*) FROM changed")
    incremental = _timed(con, matcher, "changed")
    for table in (ROWS, *RESULTS):
        con.execute(f"COPY (FROM {table}) TO '{folder / table}.parquet'")
    con.close()
    again = fresh(folder / "two.duckdb")
    again.execute(f"CREATE TABLE {ROWS} AS FROM '{folder / ROWS}.parquet'")
    whole_again = _timed(again, matcher, None)
    differences = {table: _differences(again, folder, table) for table in RESULTS}
    groups_differ = _differences(again, folder, RESULTS[0], "id, golden_id")
    again.close()
    return {
        "rows": rows, "groups": groups, "changed": touched, "whole_seconds": round(whole, 3),
        "incremental_seconds": round(incremental, 3),
        "whole_again_seconds": round(whole_again, 3),
        "ratio": round(incremental / whole, 5),
        "groups_differ": groups_differ,
        "links_differ": differences["identity.links"],
        "suggestions_differ": differences["ops.suggestions"],
        "same": not any(differences.values()),
    }  # fmt: skip


def _timed(con: duckdb.DuckDBPyConnection, matcher: Regroup, changed: str | None) -> float:
    began = time.perf_counter()
    matcher(con, ROWS, changed)
    return time.perf_counter() - began


def _count(con: duckdb.DuckDBPyConnection, what: str) -> int:
    found = con.execute(f"SELECT {what}").fetchone()
    assert found is not None
    return int(found[0])


def _differences(
    con: duckdb.DuckDBPyConnection, folder: Path, table: str,
    columns: str = "* REPLACE (round(score, 9) AS score)",
) -> int:  # fmt: skip
    """Return how many rows only one of both results has; scores are compared to nine digits."""
    ours = f"SELECT {columns} FROM {table}"
    theirs = f"SELECT {columns} FROM '{folder / table}.parquet'"
    return _count(con, f"count(*) FROM (({ours} EXCEPT ALL {theirs}) UNION ALL "
                       f"({theirs} EXCEPT ALL {ours}))")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
