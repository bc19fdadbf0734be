"""The floor: httpx, msgspec slicing, DuckDB JSON reading into typed tables, lines split."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import duckdb
import httpx
import msgspec


class Body(msgspec.Struct):
    """One page."""

    data: list[msgspec.Raw]
    next_cursor: str | None = None


SQL = """
create table orders as select
  id::varchar as id, name, created_at::timestamptz as created_at,
  updated_at::timestamptz as updated_at, currency, total_price::decimal(18,4) as total,
  financial_status, customer.id as customer, line_items
from read_json('{file}', format = 'newline_delimited', columns = {{
  id: 'BIGINT', name: 'VARCHAR', created_at: 'VARCHAR', updated_at: 'VARCHAR', currency: 'VARCHAR',
  total_price: 'VARCHAR', financial_status: 'VARCHAR', customer: 'STRUCT(id VARCHAR)',
  line_items: 'STRUCT(id VARCHAR, sku VARCHAR, title VARCHAR, quantity BIGINT, price VARCHAR)[]'}});
create table order_lines as select id as order_id, x.id as id, x.sku as sku, x.title as title,
  x.quantity::decimal(18,6) as quantity, x.price::decimal(28,10) as price
from (select id, unnest(line_items) as x from orders);
alter table orders drop line_items;
"""


def main() -> None:
    """Print seconds, peak memory and what was loaded as one JSON line."""
    url, folder, _ = sys.argv[1:4]
    file = Path(folder) / "orders.ndjson"
    began = time.perf_counter()
    decoder = msgspec.json.Decoder(Body)
    with httpx.Client(trust_env=False) as client, file.open("wb") as out:
        cursor: str | None = None
        while True:
            params = {"limit": "250"} | ({"cursor": cursor} if cursor else {})
            page = decoder.decode(client.get(f"{url}/orders", params=params).content)
            out.writelines(bytes(raw) + b"\n" for raw in page.data)
            cursor = page.next_cursor
            if not cursor:
                break
    with duckdb.connect(str(Path(folder) / "floor.duckdb")) as con:
        con.execute(SQL.format(file=file))
        con.execute("checkpoint")
        seconds = time.perf_counter() - began
        found = con.execute(
            "select (select count(*) from orders), (select sum(total)::varchar from orders),"
            " (select count(*) from order_lines)"
        ).fetchone()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "check": found}))


if __name__ == "__main__":
    main()
