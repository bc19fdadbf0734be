"""A small shop for the plain JSON simulator, and the streams that read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from connectors.rest.simulator import Collection, RestSimulator
from connectors.simulated import Simulated


def simulated(now: Callable[[], datetime]) -> Simulated:
    """Return a shop of three orders behind a bearer token, paged by cursor."""
    orders = [
        {"id": number, "name": f"#{number}", "total_price": "19.90", "currency": "CNY",
         "status": "paid", "updated_at": (now() - timedelta(hours=number)).isoformat()}
        for number in range(1, 4)
    ]  # fmt: skip
    app = RestSimulator({"orders": Collection(orders)}, token="sample-token", now=now)  # noqa: S106
    stream = {
        "path": "/orders", "records": "data", "key": "id",
        "paging": {"cursor": "next_cursor", "param": "cursor"},
        "changes": {"since": "updated_at", "param": "updated_since"}, "total": "total",
    }  # fmt: skip
    config = {"auth": {"bearer": "env:SHOP_TOKEN"}, "streams": {"orders": stream}}
    return Simulated(app, config, {"SHOP_TOKEN": "sample-token"})
