"""The product's side of the SQL work: a `sql` connection to the embedded PostgreSQL.

`python -m tests.bench.product_sql STEP URL FOLDER` syncs once and prints one line; the home in
FOLDER stays for the next step (first, nothing, changed).
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from pipelines.sync import sync_stream
from tests.bench.measure import Meter, preload
from tests.bench.product import LATE, done, workspace

DEFS = """\
type: pipelines.Connection
attributes:
  system: sql
  config:
    url: {url}
    allow_private: true
    streams:
      orders:
        table: so_order
        key: id
        changes: {{since: modified_at, lookback: 10m}}
"""
MAPPING = """\
entity: order
key: id
version: modified_at
fields:
  number: code
  platform_order_no: platform_no
  channel: channel
  shop_name: shop
  customer_key: customer_id
  customer_name: customer
  status: {value: status, open: confirmed, done: completed, else: unknown}
  placed_at: placed_at
  order_date: order_date
  currency: currency
  subtotal: subtotal
  discount_total: discount
  shipping_total: freight
  tax_total: tax
  total: total
  ship_to_region: region
  ship_to_city: city
  organization_key: company
  source_updated_at: modified_at
"""
CHECK = """
select count(*), sum(total)::decimal(38,2)::varchar, max(source_updated_at)::varchar
from source.orders
"""
MODULES = (
    "connectors.sql", "connectors.sql.connector", "connectors.sql.reading",
    "connectors.sql.copying", "connectors.sql.engine", "connectors.sql.source",
    "psycopg", "sqlalchemy.dialects.postgresql.psycopg", "pyarrow.csv", "pyarrow.parquet",
)  # fmt: skip


def main() -> None:
    """Sync once; print seconds, peak memory and what the store's `source` holds."""
    step, url, folder = sys.argv[1:4]
    preload(*LATE, *MODULES)
    meter = Meter()
    space = workspace(Path(folder), "erp", "orders", DEFS.format(url=url), MAPPING)
    with meter.part("load"):
        outcome = done(sync_stream(space, "erp", "orders"))
    with duckdb.connect(str(space.home.store), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        found = con.execute(CHECK).fetchone() or ()
    check = dict(zip(("rows", "total", "newest"), found, strict=True))
    meter.tell(check, step=step, read=outcome.read)


if __name__ == "__main__":
    main()
