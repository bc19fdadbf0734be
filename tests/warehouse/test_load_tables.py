"""Batches of tables: how many one transaction takes."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hand_plan import START, land, order, order_plan

from connectors.sql.settings import SqlSettings
from warehouse import load, writer
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.store import Store

pytest_plugins = ["load_fixtures"]

PLAN = order_plan()
GROUP = 122_880  # rows of a row group, as DuckDB makes them


def land_table(landing: Landing, *keys: str) -> None:
    names = ("id", "name", "total", "updated_at", "deleted", "customer", "lines", "paid")
    table = pa.table({n: list(keys) if n == "id" else pa.nulls(len(keys)) for n in names})
    with landing.writer(
        "shop", "orders", mode="changed", read=keys[0], connector="test@1", started=START
    ) as opened:
        opened.add(table, list(keys), {"at": keys[0]})


def test_tables_take_more_rows_a_transaction_than_documents(
    store: Store, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "MAX_RECORDS", 2)
    monkeypatch.setattr(load, "MAX_ROWS", 4)
    for n in range(0, 10, 2):
        land_table(landing, str(n), str(n + 1))
    report = load_pending(store, landing, PLAN, now=START)
    assert (report.batches, report.inserted, len(report.load_ids)) == (5, 10, 3)
    for n in range(10, 16, 2):
        land(landing, order(n, "2026-01-01T00:00:00Z"), order(n + 1, "2026-01-01T00:00:00Z"))
    report = load_pending(store, landing, PLAN, now=START)
    assert (report.batches, report.inserted, len(report.load_ids)) == (3, 6, 3)


def test_batches_of_a_database_fill_whole_row_groups() -> None:
    """A row group that is half full is written again by the next transaction."""
    page = int(SqlSettings.model_fields["rows"].default)
    batch = -(-writer.MAX_RECORDS // page) * page
    assert load.MAX_ROWS > GROUP
    assert load.MAX_ROWS % GROUP == 0
    assert load.MAX_ROWS % batch == 0
