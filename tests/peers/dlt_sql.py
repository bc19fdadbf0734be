"""The peer's side of the SQL work, run by the Python of .venv-peers.

`python -m tests.peers.dlt_sql STEP URL FOLDER BACKEND`: dlt's sql_table with the backend sqlalchemy
(its default), pyarrow or connectorx, with the incremental cursor; the first load is appended, later
ones are merged by key, as dlt's documentation of merge loading advises.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.sources.sql_database import sql_table

from tests.bench.measure import Meter

CHECK = """
select count(*), sum(total)::decimal(38,2)::varchar, max(modified_at)::varchar from erp.so_order
"""


def main() -> None:
    """Run the pipeline once; print seconds, peak memory and what was loaded."""
    step, url, folder, backend = sys.argv[1:5]
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    target = str(Path(folder) / "dlt.duckdb")
    meter = Meter()
    with meter.part("load"):
        pipeline = dlt.pipeline(
            "erp",
            pipelines_dir=str(Path(folder) / "pipelines"),
            destination=dlt.destinations.duckdb(target),
            dataset_name="erp",
        )
        more: dict[str, Any] = {}
        if backend == "connectorx":
            more["backend_kwargs"] = {"return_type": "arrow_stream", "conn": url}
        table = sql_table(
            url.replace("postgresql://", "postgresql+psycopg://"),
            "so_order",
            backend=backend,
            chunk_size=100_000,
            reflection_level="full_with_precision",
            primary_key="id",
            incremental=dlt.sources.incremental("modified_at", lag=600),
            write_disposition="append" if step == "first" else "merge",
            **more,
        )
        pipeline.run(table, loader_file_format="parquet")
    with duckdb.connect(target) as con:
        con.execute("set timezone = 'UTC'")
        found = con.execute(CHECK).fetchone() or ()
    meter.tell(dict(zip(("rows", "total", "newest"), found, strict=True)), step=step)


if __name__ == "__main__":
    main()
