"""One run of dlt for the comparison, by the Python of .venv-peers.

`python -m tests.peers.run_dlt URL FOLDER PAGING LAG TOKEN`: the documented `rest_api` source, merge
by key, incremental by cursor; LAG in seconds or 0 for dlt's default. All else is dlt's default.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

PAGINGS: dict[str, dict[str, str]] = {
    "cursor": {"type": "cursor", "cursor_path": "next_cursor", "cursor_param": "cursor"},
    "next": {"type": "json_link", "next_url_path": "next"},
}


def main() -> None:
    """Run the pipeline once."""
    url, folder, paging, lag, token = sys.argv[1:6]
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    incremental: dict[str, Any] = {
        "cursor_path": "updated_at",
        "start_param": "updated_since",
        "initial_value": "2020-01-01T00:00:00Z",
    }
    if float(lag):
        incremental["lag"] = float(lag)
    source = rest_api_source(
        {
            "client": {"base_url": url, "auth": {"type": "bearer", "token": token}},
            "resources": [
                {
                    "name": "orders",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "orders",
                        "params": {"limit": 10},
                        "data_selector": "data",
                        "paginator": PAGINGS[paging],
                        "incremental": incremental,
                    },
                }
            ],
        }  # type: ignore[arg-type]
    )
    pipeline = dlt.pipeline(
        "shop",
        pipelines_dir=str(Path(folder) / "pipelines"),
        destination=dlt.destinations.duckdb(str(Path(folder) / "dlt.duckdb")),
        dataset_name="shop",
    )
    pipeline.run(source)


if __name__ == "__main__":
    main()
