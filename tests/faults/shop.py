"""The fault shop: its records, its connection in each paging style, its mappings."""

from __future__ import annotations

import random
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, get_args

from connectors.rest.simulator import Collection

Style = Literal["cursor", "page", "offset", "next", "link", "last"]
STYLES: tuple[Style, ...] = get_args(Style)
PAGE = 10
TOKEN = "fault-Tok3n/with+odd=signs-4711"
PHONE = "13912345678"

_PAGING: dict[str, str] = {
    "cursor": "{cursor: next_cursor, param: cursor}",
    "page": "{page: page, size: limit}",
    "offset": "{offset: offset, limit: limit}",
    "next": "{next: next}",
    "link": "{next: link}",
    "last": "{last: id, param: starting_after, more: has_more}",
}
_DEFS = """\
type: pipelines.Connection
attributes:
  system: rest
  config:
    base_url: {url}
    allow_private: true
    allow_plain_http: true
    auth: {{bearer: "env:SHOP_TOKEN"}}
    {extra}
    streams:
      customers:
        path: /customers
        params: {{limit: {limit}}}
        records: data
        key: id
        paging: {paging}
        total: total
      orders:
        path: /orders
        params: {{limit: {limit}}}
        records: data
        key: id
        paging: {paging}
        changes: {{since: updated_at, param: updated_since, lookback: 10m}}
        total: total
  streams: [customers, orders]
  timezone: Asia/Shanghai
"""
_ORDERS = """\
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
"""
_CUSTOMERS = """\
entity: party
key: id
version: updated_at
fields: {name: name, phone: phone}
"""


def files(
    url: str, style: Style, *, limit: int = PAGE, extra: str = "timeout: 5s"
) -> dict[str, str]:
    """Return the user's files by their path; `extra` is one more line of `config:`."""
    paging = _PAGING[style]
    return {
        "defs/shop/defs.yaml": _DEFS.format(url=url, paging=paging, limit=limit, extra=extra),
        "defs/company/defs.yaml": "type: pipelines.Company\nattributes:\n  min_free: 1MB\n",
        "mappings/shop/orders.yaml": _ORDERS,
        "mappings/shop/customers.yaml": _CUSTOMERS,
        ".env": f"SHOP_TOKEN={TOKEN}\n",
    }


def collections(style: Style) -> dict[str, Collection]:
    """Return the two empty lists of the shop, paged in `style`."""
    return {
        name: Collection(paging=style, page_size=PAGE, cursor_param="cursor")
        for name in ("customers", "orders")
    }


def order(number: int, at: datetime, version: int = 0) -> dict[str, Any]:
    """Return order `number` as committed with stamp `at`; another `version` has other content."""
    chance = random.Random(number * 1_000 + version)
    lines = [
        {
            "id": str(n),
            "sku": f"SKU-{chance.randrange(40):03d}",
            "quantity": chance.randrange(1, 5),
            "price": Decimal(chance.randrange(100, 10_000)) / 100,
        }
        for n in range(1, chance.randrange(2, 6))
    ]
    return {
        "id": number,
        "name": f"#{number}-{version}",
        "created_at": "2026-02-01T08:00:00Z",
        "updated_at": at.isoformat().replace("+00:00", "Z"),
        "currency": "CNY",
        "total_price": sum((x["price"] * x["quantity"] for x in lines), Decimal(0)),
        "customer": {"id": number % 7 + 1},
        "line_items": lines,
    }


def broken(number: int, at: datetime) -> dict[str, Any]:
    """Return an order whose total is no number: it belongs into quarantine."""
    return order(number, at) | {"total_price": "ten"}


def customer(number: int, at: datetime) -> dict[str, Any]:
    """Return customer `number`; the phone is a canary that must not be published."""
    stamp = at.isoformat().replace("+00:00", "Z")
    return {"id": number, "name": f"Customer {number}", "phone": PHONE, "updated_at": stamp}
