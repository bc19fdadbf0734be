"""The product: the plain functions of pipelines/sync.py on the printed YAML, imports excluded."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse.reader import run_query

DEFS = """\
type: pipelines.Connection
attributes:
  system: rest
  config:
    base_url: {url}
    allow_private: true
    streams:
      orders:
        path: /orders
        params: {{limit: 250}}
        records: data
        key: id
        paging: {{cursor: next_cursor, param: cursor}}
        changes: {{since: updated_at, param: updated_since, lookback: 10m}}
        total: total
"""
MAPPING = """\
entity: order
key: id
version: updated_at
fields:
  number: name
  placed_at: created_at
  currency: currency
  total: total_price
  status: {value: financial_status, paid: confirmed, pending: pending_approval, else: unknown}
  customer_key: customer.id
children:
  lines:
    each: line_items
    entity: order_line
    key: id
    fields: {sku: sku, name: title, quantity: quantity, unit_price: price}
"""


def main() -> None:
    """Print seconds per work, peak memory and what was published as one JSON line."""
    url, folder, _ = sys.argv[1:4]
    root = Path(folder)
    for name, text in (
        ("defs/shop/defs.yaml", DEFS.format(url=url)),
        ("maps/shop/orders.yaml", MAPPING),
    ):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(text, encoding="utf-8")
    workspace = Workspace.discover(
        {
            "ISTHMUS_HOME": str(root / "home"),
            "ISTHMUS_DEFS": str(root / "defs"),
            "ISTHMUS_MAPPINGS": str(root / "maps"),
        }
    )
    seconds: dict[str, float] = {}
    for name, work in (
        ("first load", lambda: sync_stream(workspace, "shop", "orders")),
        ("unify and publish", lambda: unify_publish(workspace)),
        ("nothing new", lambda: sync_stream(workspace, "shop", "orders")),
    ):
        began = time.perf_counter()
        outcome = work()
        seconds[name] = time.perf_counter() - began
        if getattr(outcome, "error", None):
            sys.exit(str(outcome.error))
    found = run_query(
        workspace.home.current,
        "select (select count(*) from unified.orders), (select sum(total)::varchar from"
        " unified.orders), (select count(*) from unified.order_lines)",
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**seconds, "peak_mb": peak, "check": list(next(iter(found.rows)))}))


if __name__ == "__main__":
    main()
