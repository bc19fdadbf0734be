"""Work (c): a large CSV file and an Excel sheet of stock levels, into `source`."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import xlsxwriter

from tests.bench.run import CAP, Options, Samples, run_side
from tests.bench.table import Line, side

HEADINGS = ("sku", "name", "location", "location_name", "unit", "on_hand", "reserved", "available")
ROW_BYTES = 92
SHARE = 10
"""dlt's default settings get a file of this part of the rows."""
PEER = {"dlt fastest": "fastest", "dlt default": "default"}
# Quarters: exact in binary too, so that every side's sum can be compared to the last digit.
ROWS = """
select printf('SKU-%07d', i // 20) as sku,
  printf('Article %d in a box of %d', i % 5000, 1 + i % 12) as name,
  printf('W%02d', i % 20) as location, printf('Warehouse number %02d', i % 20) as location_name,
  'piece' as unit, (i % 997 + (i % 4) * 0.25)::decimal(9,2) as on_hand,
  (i % 13 * 0.5)::decimal(9,2) as reserved, on_hand - reserved as available
from range({rows}) as r(i) order by i
"""


def measure(options: Options, say: Callable[[str], None]) -> list[Line]:
    """Return the lines of work (c); raises Differs when a side holds something else."""
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as root:
        for kind, rows in (
            ("csv", options.csv_mb * 1_000_000 // ROW_BYTES),
            ("xlsx", options.excel_rows),
        ):
            say(f"(c) writing {rows:,} rows as {kind}")
            file = Path(root) / kind / f"stock.{kind}"
            expected = write(file, rows)
            small = Path(root) / f"{kind}-small" / f"stock.{kind}"
            fewer = write(small, rows // SHARE) if options.peers else {}
            samples = Samples()
            for number in range(1, options.rounds + 1):
                say(f"(c) {kind}, round {number} of {options.rounds}")
                with tempfile.TemporaryDirectory() as folder:
                    _round(Path(folder), file, expected, small, fewer, samples)
            size = file.stat().st_size / 1e6
            title = f"(c) {kind}, {size:,.0f} MB, {rows:,} rows"
            lines += _lines(samples, title, rows)
    return lines


def write(file: Path, rows: int) -> dict[str, Any]:
    """Write a CSV or Excel file of stock levels; returns count and sum that it holds."""
    file.parent.mkdir()
    with duckdb.connect() as con:
        query = ROWS.format(rows=rows)
        if file.suffix == ".csv":
            con.execute(f"copy ({query}) to '{file}' (header)")
        else:
            with xlsxwriter.Workbook(str(file), {"constant_memory": True}) as book:
                sheet = book.add_worksheet("stock")
                sheet.write_row(0, 0, HEADINGS)
                for number, row in enumerate(con.execute(query).fetchall(), 1):
                    sheet.write_row(number, 0, row)
        found = con.execute(
            f"select count(*), sum(on_hand)::decimal(38,2)::varchar from ({query})"
        ).fetchone()
    return dict(zip(("rows", "on_hand"), found or (), strict=True))


def _round(
    folder: Path,
    file: Path,
    expected: dict[str, Any],
    small: Path,
    fewer: dict[str, Any],
    samples: Samples,
) -> None:
    for name in ("floor", "product"):
        here = folder / name
        here.mkdir()
        figures = run_side(f"tests.bench.{name}_files", file, here, expected=expected)
        samples.add(name, "first", figures)
    for name, kind in PEER.items() if fewer else ():
        here = folder / kind
        here.mkdir()
        slow = kind == "default"
        figures = run_side(
            "tests.peers.dlt_files", small if slow else file, here, kind,
            peer=True, cap=CAP, expected=fewer if slow else expected,
        )  # fmt: skip
        samples.add(name, "first", figures)


def _lines(samples: Samples, title: str, rows: int) -> list[Line]:
    def one(name: str, count: int, note: str = "") -> Line:
        what = "product into source" if name == "product" else name
        return side(samples, title, name, "first", ("load",), count, what=what, note=note)

    lines = [one("floor", rows), one("product", rows)]
    if ("dlt fastest", "first") in samples.found:
        note = f"{rows // SHARE:,} rows"
        lines += [one("dlt fastest", rows), one("dlt default", rows // SHARE, note)]
    for name, share in (("floor", 1), ("dlt fastest", 1), ("dlt default", SHARE)):
        if (name, "first") not in samples.found:
            continue
        ratio, cpu = (
            statistics.median(
                theirs * share / ours
                for theirs, ours in zip(
                    samples.each(name, "first", ("load",), kind),
                    samples.each("product", "first", ("load",), kind),
                    strict=True,
                )
            )
            for kind in ("wall", "cpu")
        )
        lines.append(Line(title, f"product : {name}, rate", ratio=ratio, cpu_ratio=cpu,
                          rounds=samples.rounds(name, "first")))  # fmt: skip
    return lines
