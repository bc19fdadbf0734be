"""One run of the product for the comparison: `python -m tests.peers.run_isthmus URL FOLDER PAGING`.

The plain functions that the command line's `sync` calls; ends with 1 and the error's text when the
stream failed. What was landed before it is loaded and published all the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.peers.cases import LOOKBACK, PAGE, TOKEN

PAGINGS = {"cursor": "{cursor: next_cursor, param: cursor}", "next": "{next: next}"}
DEFS = """\
type: pipelines.Connection
attributes:
  system: rest
  config:
    base_url: {url}
    allow_private: true
    auth: {{bearer: "env:SHOP_TOKEN"}}
    streams:
      orders:
        path: /orders
        params: {{limit: {page}}}
        records: data
        key: id
        paging: {paging}
        changes: {{since: updated_at, param: updated_since, lookback: {lookback}s}}
        total: total
"""
MAPPING = """\
entity: order
key: id
version: updated_at
fields: {number: name, currency: currency, total: total_price}
children:
  lines:
    each: line_items
    entity: order_line
    key: id
    fields: {sku: sku, quantity: quantity, unit_price: price}
"""


def main() -> None:
    """Sync, unify and publish once."""
    url, folder, paging = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    defs = DEFS.format(url=url, page=PAGE, paging=PAGINGS[paging], lookback=LOOKBACK)
    for name, text in (("defs/shop/defs.yaml", defs), ("maps/shop/orders.yaml", MAPPING)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    space = Workspace.discover(
        {
            "ISTHMUS_HOME": str(folder / "home"),
            "ISTHMUS_DEFS": str(folder / "defs"),
            "ISTHMUS_MAPPINGS": str(folder / "maps"),
            "SHOP_TOKEN": TOKEN,
        }
    )
    outcome = sync_stream(space, "shop", "orders")
    published = unify_publish(space)
    if outcome.error or published.error:
        sys.exit(str(outcome.error or published.error))


if __name__ == "__main__":
    main()
