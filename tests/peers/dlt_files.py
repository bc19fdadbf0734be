"""The peer's side of the file work, run by the Python of .venv-peers.

`python -m tests.peers.dlt_files FILE FOLDER default|fastest`. CSV: the filesystem source with
`read_csv` (default) or `read_csv_duckdb(use_pyarrow=True)`; Excel: a transformer with pandas, as
the documentation of the filesystem source shows it, dictionaries (default) or a data frame.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pandas as pd
from dlt.sources.filesystem import filesystem, read_csv, read_csv_duckdb

from tests.bench.measure import Meter

CHECK = "select count(*), sum(on_hand)::decimal(38,2)::varchar from office.stock"


@dlt.transformer
def read_excel(items: Any, engine: str, as_frame: bool) -> Iterator[Any]:
    """Yield each workbook's first sheet."""
    for item in items:
        with item.open() as handle:
            frame = pd.read_excel(handle, engine=engine)
        yield frame if as_frame else frame.to_dict(orient="records")


def main() -> None:
    """Run the pipeline once; print seconds, peak memory and what was loaded."""
    file, folder, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    fast = kind == "fastest"
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    target = str(Path(folder) / "dlt.duckdb")
    meter = Meter()
    with meter.part("load"):
        pipeline = dlt.pipeline(
            "office",
            pipelines_dir=str(Path(folder) / "pipelines"),
            destination=dlt.destinations.duckdb(target),
            dataset_name="office",
        )
        listed = filesystem(bucket_url=file.parent.as_uri(), file_glob=file.name)
        if file.suffix == ".xlsx":
            source = listed | read_excel("calamine" if fast else "openpyxl", fast)
        elif fast:
            source = listed | read_csv_duckdb(chunk_size=100_000, use_pyarrow=True)
        else:
            source = listed | read_csv()
        how: dict[str, Any] = {"loader_file_format": "parquet"} if fast else {}
        pipeline.run(source.with_name("stock"), **how)
    with duckdb.connect(target) as con:
        found = con.execute(CHECK).fetchone() or ()
    meter.tell(dict(zip(("rows", "on_hand"), found, strict=True)))


if __name__ == "__main__":
    main()
