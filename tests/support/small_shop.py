"""A small shop on a simulator, a workspace that reads it, and the comparison of both."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from connectors.rest.simulator import Collection, RestSimulator
from pipelines.workspace import Workspace
from warehouse.store import open_store

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
TOKEN = "shop-token-canary-7f3a"

DEFS = """\
type: pipelines.Connection
attributes:
  system: rest
  title: Web shop
  config:
    base_url: {url}
    allow_private: true
    auth: {{bearer: "env:SHOP_TOKEN"}}
    streams:
      customers:
        path: /customers
        records: data
        key: id
        paging: {{cursor: next_cursor, param: cursor}}
        total: total
      orders:
        path: /orders
        params: {{limit: {limit}}}
        records: data
        key: id
        paging: {{cursor: next_cursor, param: cursor}}
        changes: {{since: updated_at, param: updated_since, lookback: 10m}}
        total: total
  streams: [customers, orders]
  schedule: "*/15 * * * *"
  timezone: Asia/Shanghai
"""
COMPANY = "type: pipelines.Company\nattributes:\n  min_free: 1MB\n"
MAPPINGS = {
    "customers": """\
entity: party
key: id
version: updated_at
fields:
  name: name
""",
    "orders": """\
entity: order
key: id
version: updated_at
fields:
  number: name
  placed_at: created_at
  currency: currency
  total: total_price
  customer_key: customer.id
children:
  lines:
    each: line_items
    entity: order_line
    key: id
    fields: {sku: sku, quantity: quantity, unit_price: price}
""",
}


def order(number: int, *, at: datetime | None = None, seed: int = 0) -> dict[str, Any]:
    """Return order `number`; another `seed` is another version of it."""
    chance = random.Random(number * 1000 + seed)
    lines = [
        {
            "id": n,
            "sku": f"SKU-{chance.randrange(40):03d}",
            "quantity": chance.randrange(1, 5),
            "price": Decimal(chance.randrange(100, 10_000)) / 100,
        }
        for n in range(1, chance.randrange(2, 5))
    ]
    moment = (at or START + timedelta(minutes=number)).isoformat()
    return {
        "id": number,
        "name": f"#{number}",
        "created_at": (START + timedelta(minutes=number)).isoformat(),
        "updated_at": moment,
        "currency": "CNY",
        "total_price": sum(line["price"] * line["quantity"] for line in lines),
        "customer": {"id": number % 7 + 1},
        "line_items": lines,
    }


def customer(number: int) -> dict[str, Any]:
    """Return customer `number`."""
    return {"id": number, "name": f"Customer {number}", "updated_at": START.isoformat()}


def shop(orders: int = 60, customers: int = 7) -> RestSimulator:
    """Return the shop's server."""
    return RestSimulator(
        {
            "customers": Collection([customer(n) for n in range(1, customers + 1)]),
            "orders": Collection([order(n) for n in range(1, orders + 1)]),
        },
        token=TOKEN,
    )


def workspace(folder: Path, url: str, *, limit: int = 20, company: str = "") -> Workspace:
    """Write connection, company and mappings below `folder` and return the workspace."""
    texts = {
        "defs/shop/defs.yaml": DEFS.format(url=url, limit=limit),
        "defs/company/defs.yaml": COMPANY + company,
        **{f"mappings/shop/{name}.yaml": text for name, text in MAPPINGS.items()},
        ".env": f"SHOP_TOKEN={TOKEN}\n",
    }
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Workspace.discover(environment(folder))


def environment(folder: Path) -> dict[str, str]:
    """Return the variables that name the workspace below `folder`."""
    return {"ISTHMUS_DEFS": str(folder / "defs"), "ISTHMUS_HOME": str(folder / "home")}


def at_the_source(server: RestSimulator) -> dict[str, tuple[Decimal, int, Decimal]]:
    """Return (total, lines, quantity) by the key of every order that the server has."""
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    found = {}
    for key, row in server._rows["orders"].items():
        record = decode(row.body)
        lines = record["line_items"]
        quantity = sum((Decimal(line["quantity"]) for line in lines), Decimal(0))
        found[key] = (Decimal(str(record["total_price"])), len(lines), quantity)
    return found


def in_the_store(
    space: Workspace, connection: str = "shop"
) -> dict[str, tuple[Decimal, int, Decimal]]:
    """Return (total, lines, quantity) by the key of every living order row, read on its own."""
    with open_store(space.home) as store:
        rows = store.con.execute(
            """
            select o.source_key, o.total, count(l.line), coalesce(sum(l.quantity), 0)
            from source.orders o
            left join source.order_lines l
              on (l.connection, l.stream, l.parent_key) = (o.connection, o.stream, o.source_key)
            where not o.is_deleted and o.connection = $1
            group by all
            """,
            [connection],
        ).fetchall()
    assert len({row[0] for row in rows}) == len(rows), "a source row stands twice"
    return {key: (total, lines, quantity) for key, total, lines, quantity in rows}
