"""Which stock levels of several systems count the same goods.

One: the same SKU at a place of the same name, of one batch and quality, where each connection
counts it once. A system that counts by bin or by owner has several rows of one key: they stay
apart, as do figures over all places together.
"""

from __future__ import annotations

import duckdb

from warehouse.matching import common, keyed
from warehouse.matching.locations import join_plain
from warehouse.matching.products import sku_sql as plain_sql

_READ = ("sku", "location_name", "batch_no", "quality")
_KEY = (
    f"{plain_sql('s.sku')} || chr(31) || {plain_sql('s.location_name')} || chr(31) || "
    f"coalesce({plain_sql('s.batch_no')}, '') || chr(31) || coalesce(s.quality, 'good')"
)


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of the stock levels' matcher."""
    keyed.create(con, "stock_level", "place VARCHAR, code VARCHAR")


def group_stock_levels(con: duckdb.DuckDBPyConnection, *, changed: str | None = None) -> None:
    """Bring the links of stock levels up to date; as `group_orders`."""
    create(con)
    if common.is_alone(con, "stock_level"):
        return
    columns = f"{_KEY}, NULL::VARCHAR"
    keyed.take(con, "stock_level", _READ, columns, {"place": "r.place"}, changed)
    join_plain(con, "stock_level", "sku and place")
