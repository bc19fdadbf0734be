"""The product's side of the file work: a `files` connection and a mapping of stock levels.

`python -m tests.bench.product_files FILE FOLDER` syncs once and prints one line.
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
  system: files
  config:
    folder: {folder}
    streams:
      stock:
        pattern: {pattern}
        key: [sku, location]
"""
MAPPING = """\
entity: stock_level
key: [sku, location]
fields:
  sku: sku
  name: name
  location_key: location
  location_name: location_name
  unit: unit
  on_hand: on_hand
  reserved: reserved
  available: available
"""
CHECK = "select count(*), sum(on_hand)::decimal(38,2)::varchar from source.stock_levels"


def main() -> None:
    """Sync once; print seconds, peak memory and what the store's `source` holds."""
    file, folder = Path(sys.argv[1]), Path(sys.argv[2])
    preload(*LATE, "connectors.files", "connectors.files.connector")
    meter = Meter()
    defs = DEFS.format(folder=file.parent, pattern=file.name)
    space = workspace(folder, "office", "stock", defs, MAPPING)
    with meter.part("load"):
        outcome = done(sync_stream(space, "office", "stock"))
    with duckdb.connect(str(space.home.store), read_only=True) as con:
        found = con.execute(CHECK).fetchone() or ()
    check = dict(zip(("rows", "on_hand"), found, strict=True))
    meter.tell(check, quarantined=outcome.quarantined, warnings=outcome.warnings)


if __name__ == "__main__":
    main()
