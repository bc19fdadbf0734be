"""The product's side: the plain functions of pipelines/sync.py on the printed YAML.

`python -m tests.bench.product STEP URL FOLDER`; the home in FOLDER stays for the next step. Steps:
first, nothing, changed. Whatever the functions import when called is imported before the clock.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.bench.measure import Meter, preload
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
CHECK = """
select (select count(*) from unified.orders), (select count(*) from unified.order_lines),
  (select sum(total)::decimal(38,2)::varchar from unified.orders)
"""
LATE = (
    "connectors.rest",
    "connectors.rest.reading",
    "connectors.rest.client",
    "connectors.rest.asking",
    "connectors.registry",
    "mappings.load",
    "mappings.find",
    "mappings.compile",
    "mappings.keys",
    "mappings.parquetfile",
    "pipelines.control",
    "pipelines.check",
    "pipelines.check.problems",
    "warehouse.landing",
    "warehouse.writer",
    "warehouse.load",
    "warehouse.checks",
    "warehouse.store",
    "warehouse.unify",
    "warehouse.project",
    "warehouse.publish",
    "sqlalchemy.dialects.sqlite",
    "pipelines.check.connection_file",
    "pipelines.check.secrets",
    "numpy.ma",
    "encodings.idna",
)
"""Modules that the product imports when it needs them; dagster is not among them."""


def workspace(folder: Path, connection: str, stream: str, defs: str, mapping: str) -> Workspace:
    """Return the workspace in `folder`, its definitions written."""
    for name, text in (
        (f"defs/{connection}/defs.yaml", defs),
        (f"maps/{connection}/{stream}.yaml", mapping),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Workspace.discover(
        {
            "ISTHMUS_HOME": str(folder / "home"),
            "ISTHMUS_DEFS": str(folder / "defs"),
            "ISTHMUS_MAPPINGS": str(folder / "maps"),
        }
    )


def shop(folder: Path, url: str) -> Workspace:
    """Return a workspace with the one connection of the REST work."""
    return workspace(folder, "shop", "orders", DEFS.format(url=url), MAPPING)


def done(outcome: Any) -> Any:
    """Return the outcome; end this process loudly where it is an error."""
    if outcome.error or outcome.status != "ok":
        sys.exit(f"the product failed: {outcome.status} {outcome.error}")
    return outcome


def published(space: Workspace) -> dict[str, Any]:
    """Return orders, lines and the sum of totals as the published file has them."""
    found = next(iter(run_query(space.home.current, CHECK).rows))
    return dict(zip(("orders", "lines", "total"), found, strict=True))


def timed(meter: Meter, module: str, name: str, part: str) -> None:
    """Measure every call of a function that the product looks up in its module."""
    owner = importlib.import_module(module)
    inner: Callable[..., Any] = getattr(owner, name)

    def outer(*args: Any, **kwargs: Any) -> Any:
        with meter.part(part):
            return inner(*args, **kwargs)

    setattr(owner, name, outer)


def main() -> None:
    """Sync, unify and publish once; print seconds, peak memory and what is published."""
    step, url, folder = sys.argv[1:4]
    preload(*LATE)
    meter = Meter()
    space = shop(Path(folder), url)
    for module, name in (
        ("warehouse.unify", "unify"), ("warehouse.project", "project"),
        ("warehouse.publish", "publish"),
    ):  # fmt: skip
        timed(meter, module, name, name)
    with meter.part("sync"):
        outcome = done(sync_stream(space, "shop", "orders"))
    at_sync = meter.peak / 1024
    with meter.part("through"):
        done(unify_publish(space))
    more = {"step": step, "read": outcome.read, "sync_peak_mb": at_sync}
    meter.tell(published(space), **more)


if __name__ == "__main__":
    main()
