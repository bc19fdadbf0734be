"""The peer's side of the REST work, run by the Python of .venv-peers.

`python -m tests.peers.dlt_rest STEP URL FOLDER default|fastest`; steps: first, nothing, changed.
What `fastest` sets, with the page of dlt's documentation, stands in docs/benchmarks.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.common import json
from dlt.sources.helpers import requests
from dlt.sources.rest_api import rest_api_source

from tests.bench.measure import Meter

FIRST_STAMP = "2024-01-01T00:00:00Z"
CHECK = """
select (select count(*) from shop.orders), (select count(*) from shop.orders__line_items),
  (select sum(total_price::decimal(18,4))::decimal(38,2)::varchar from shop.orders)
"""
FASTEST = {
    "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": "10000",
    "EXTRACT__DATA_WRITER__BUFFER_MAX_ITEMS": "10000",
    "NORMALIZE__DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "NORMALIZE__WORKERS": "2",
    "LOAD__WORKERS": "4",
}
COLUMNS: dict[str, Any] = {
    "id": {"data_type": "bigint"},
    "name": {"data_type": "text"},
    "created_at": {"data_type": "timestamp"},
    "updated_at": {"data_type": "timestamp"},
    "currency": {"data_type": "text"},
    "total_price": {"data_type": "decimal"},
    "financial_status": {"data_type": "text"},
    "customer_id": {"data_type": "text"},
}


def as_documented(url: str) -> Any:
    """Return the source as the tutorial of `rest_api` writes it: merge by key, incremental."""
    return rest_api_source(
        {
            "client": {"base_url": url},
            "resources": [
                {
                    "name": "orders",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "orders",
                        "params": {"limit": 250},
                        "data_selector": "data",
                        "paginator": {
                            "type": "cursor",
                            "cursor_path": "next_cursor",
                            "cursor_param": "cursor",
                        },
                        "incremental": {
                            "cursor_path": "updated_at",
                            "start_param": "updated_since",
                            "initial_value": FIRST_STAMP,
                        },
                    },
                }
            ],
        }
    )


@dlt.resource(
    name="orders",
    primary_key="id",
    write_disposition="merge",
    columns=COLUMNS,
    max_table_nesting=1,
)
def orders(
    url: str,
    updated_at: Any = dlt.sources.incremental("updated_at", initial_value=FIRST_STAMP),  # noqa: B008
) -> Iterator[list[dict[str, Any]]]:
    """Yield whole pages, decoded by orjson."""
    params = {"limit": "250", "updated_since": str(updated_at.start_value)}
    while True:
        page = json.loadb(requests.get(f"{url}/orders", params=params).content)
        yield page["data"]
        if not page["next_cursor"]:
            return
        params["cursor"] = page["next_cursor"]


def trimmed(order: dict[str, Any]) -> dict[str, Any]:
    """Leave the members that our mapping names."""
    del order["shipping_address"], order["note"]
    order["customer_id"] = order.pop("customer")["id"]
    return order


@dlt.source(name="shop", root_key=False)
def tuned(url: str) -> Any:
    """Return the source as the pages on performance advise; one level of children, no root key."""
    return orders(url).add_map(trimmed)


def main() -> None:
    """Run the pipeline once; print seconds, peak memory and what was loaded."""
    step, url, folder, kind = sys.argv[1:5]
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false"} | (FASTEST if kind == "fastest" else {})
    file = str(Path(folder) / "dlt.duckdb")
    how: dict[str, Any] = {}
    if kind == "fastest":
        how["loader_file_format"] = "parquet"
        if step == "first":
            how["write_disposition"] = "append"
    meter = Meter()
    with meter.part("load"):
        pipeline = dlt.pipeline(
            "shop",
            pipelines_dir=str(Path(folder) / "pipelines"),
            destination=dlt.destinations.duckdb(file),
            dataset_name="shop",
        )
        source = tuned(url) if kind == "fastest" else as_documented(url)
        with meter.part("extract"):
            pipeline.extract(source, **how)
        with meter.part("normalize"):
            pipeline.normalize()
        with meter.part("into duckdb"):
            pipeline.load()
    with duckdb.connect(file) as con:
        found = con.execute(CHECK).fetchone() or ()
    meter.tell(dict(zip(("orders", "lines", "total"), found, strict=True)), step=step)


if __name__ == "__main__":
    main()
