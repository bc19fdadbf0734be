"""The floor of the REST work: httpx, slicing, DuckDB JSON reading into typed tables, lines split.

No landing, no checks, no guard, no lineage, no second run. `python -m tests.bench.floor first URL
FOLDER` prints one line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import httpx
import msgspec

from tests.bench.measure import Meter, preload


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
CHECK = """
select (select count(*) from orders), (select count(*) from order_lines),
  (select sum(total)::decimal(38,2)::varchar from orders)
"""


def main() -> None:
    """Load once; print seconds, peak memory and what was loaded."""
    url, folder = sys.argv[2:4]
    file = Path(folder) / "orders.ndjson"
    preload("httpcore", "h11", "anyio", "certifi", "encodings.idna")
    meter = Meter()
    with duckdb.connect(str(Path(folder) / "floor.duckdb")) as con:
        with meter.part("load"):
            download(url, file)
            con.execute(SQL.format(file=file))
            con.execute("checkpoint")
        found = con.execute(CHECK).fetchone() or ()
    meter.tell(dict(zip(("orders", "lines", "total"), found, strict=True)))


def download(url: str, file: Path) -> None:
    """Write every record of every page as a line."""
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


if __name__ == "__main__":
    main()
