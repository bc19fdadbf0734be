"""The floor of the file work: DuckDB's own CSV reader, or python-calamine and Arrow.

`python -m tests.bench.floor_files FILE FOLDER` makes one typed table and prints one line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pyarrow as pa
from python_calamine import CalamineWorkbook

from tests.bench.measure import Meter

TYPED = """
create table stock as select sku, name, location, location_name, unit,
  on_hand::decimal(18,6) as on_hand, reserved::decimal(18,6) as reserved,
  available::decimal(18,6) as available from {source}
"""
CHECK = "select count(*), sum(on_hand)::decimal(38,2)::varchar from stock"


def main() -> None:
    """Load once; print seconds, peak memory and what was loaded."""
    file, folder = sys.argv[1:3]
    meter = Meter()
    with duckdb.connect(str(Path(folder) / "floor.duckdb")) as con:
        with meter.part("load"):
            if file.endswith(".csv"):
                con.execute(TYPED.format(source=f"read_csv('{file}', all_varchar = true)"))
            else:
                con.register("sheet", rows(file))
                con.execute(TYPED.format(source="sheet"))
            con.execute("checkpoint")
        found = con.execute(CHECK).fetchone() or ()
    meter.tell(dict(zip(("rows", "on_hand"), found, strict=True)))


def rows(file: str) -> pa.Table:
    """Return the first sheet as an Arrow table, headings from its first row."""
    head, *body = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    return pa.table([pa.array(column) for column in zip(*body, strict=True)], names=head)


if __name__ == "__main__":
    main()
