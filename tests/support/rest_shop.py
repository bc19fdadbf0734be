"""A shop of the simulator in every paging style, and the settings that read it."""

from __future__ import annotations

from rest_parts import orders

from connectors.rest.simulator import Collection, RestSimulator

BASE = {"path": "/orders", "records": "data", "key": "id", "params": {"limit": "10"}}
CHANGES = {"since": "updated_at", "param": "updated_since", "lookback": "10m"}
STYLES = {
    "cursor": {"cursor": "next_cursor", "param": "cursor"},
    "page": {"page": "page", "size": "limit"},
    "offset": {"offset": "offset", "limit": "limit"},
    "next": {"next": "next"},
    "link": {"next": "link"},
    "last": {"last": "id", "param": "starting_after", "more": "has_more"},
    "none": None,
}


def shop(style: str = "cursor", count: int = 95, **more) -> RestSimulator:
    return RestSimulator({"orders": Collection(orders(count), paging=style, **more)})


def spec(style: str = "cursor", **more) -> dict:
    paging = {"paging": STYLES[style]} if STYLES[style] else {}
    return {"orders": {**BASE, **paging, "changes": CHANGES, "total": "total", **more}}
