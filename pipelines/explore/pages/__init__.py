"""The pages by their address, in the order of the menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipelines.explore.blocks import Page
from pipelines.explore.look import Look
from pipelines.explore.pages import breaks, customers, data, kpis, orders, today

MENU: Mapping[str, Callable[[Look], Page]] = {
    "today": today.page,
    "orders": orders.page,
    "breaks": breaks.page,
    "customers": customers.page,
    "kpis": kpis.page,
    "data": data.page,
}
