"""The floor of the SQL work: ADBC to Arrow to one typed table, run by the Python of .venv-peers.

`python -m tests.bench.floor_sql first URL FOLDER`. No landing, no keys, no rules, no mapping.
"""

from __future__ import annotations

import sys
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import duckdb

from tests.bench.measure import Meter

# ADBC hands numeric over as text.
TYPED = """
create table so_order as select * replace (
  subtotal::decimal(18,4) as subtotal, discount::decimal(18,4) as discount,
  freight::decimal(18,4) as freight, tax::decimal(18,4) as tax, total::decimal(18,4) as total)
from batches
"""
CHECK = """
select count(*), sum(total)::decimal(38,2)::varchar, max(modified_at)::varchar from so_order
"""


def main() -> None:
    """Load once; print seconds, peak memory and what was loaded."""
    _, url, folder = sys.argv[1:4]
    meter = Meter()
    with duckdb.connect(str(Path(folder) / "floor.duckdb")) as con:
        with meter.part("load"):
            with adbc.connect(url) as source, source.cursor() as cursor:
                cursor.execute("select * from so_order order by id")
                batches = cursor.fetch_record_batch()
                con.register("batches", batches)
                con.execute(TYPED)
            con.execute("checkpoint")
        con.execute("set timezone = 'UTC'")
        found = con.execute(CHECK).fetchone() or ()
    meter.tell(dict(zip(("rows", "total", "newest"), found, strict=True)))


if __name__ == "__main__":
    main()
