"""What names its order by a number alone counts for the order, in KPIs as in order to cash."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from recon_rows import LATER, Company, company, order
from source_rows import MOMENT

from warehouse.project import project

DAY = timedelta(days=1)
PARCEL = {"status": "delivered", "shipped_at": MOMENT + DAY, "delivered_at": MOMENT + 2 * DAY}


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Company]:
    with company(tmp_path) as made:
        yield made


def row(firm: Company, sql: str) -> list[tuple[Any, ...]]:
    firm.run()
    project(firm.store, firm.home, privacy="masked", key=b"0" * 32, now=LATER)
    with duckdb.connect(str(firm.home.public), read_only=True) as con:
        return con.execute(sql).fetchall()


@pytest.mark.parametrize(
    "names", [{"order_key": "1"}, {"order_number": "T1"}, {"order_number": " t1 "}], ids=str
)
def test_a_parcel_has_times_and_goods(firm: Company, names: dict[str, str]) -> None:
    connection = "shop" if "order_key" in names else "carrier"
    firm.put("shop", "order", order("1", 3))
    lines = [{"key": "1", "sku": "A", "quantity": 3}]
    firm.put(connection, "shipment", {"key": "s", "lines": lines, **names, **PARCEL})
    sql = ("SELECT s.shipment_count, s.shipped_at, s.delivered_at, s.is_right, c.hours_to_ship, "
           "c.hours_to_deliver FROM mart.order_service s JOIN mart.order_to_cash c "
           "ON s.order_id = c.order_id")  # fmt: skip
    assert row(firm, sql) == [(1, MOMENT + DAY, MOMENT + 2 * DAY, True, 24, 48)]
    steps = "SELECT step, hours FROM mart.order_steps ORDER BY step"
    assert row(firm, steps) == [
        ("placed_to_delivered", 48), ("placed_to_shipped", 24), ("shipped_to_delivered", 24),
    ]  # fmt: skip
    lines[0]["quantity"] = 2
    firm.put(connection, "shipment", {"key": "s", "lines": lines, **names, **PARCEL})
    assert row(firm, "SELECT is_right FROM mart.order_service") == [(False,)]


@pytest.mark.parametrize("names", [{"order_key": "1"}, {"order_number": "t1"}], ids=str)
def test_a_return_has_its_reason(firm: Company, names: dict[str, str]) -> None:
    firm.put("shop", "order", order("1"), order("2"))
    firm.put("shop", "shipment", *({"key": k, "order_key": k, **PARCEL} for k in "12"))
    back = {"status": "received", **names}
    firm.put("shop", "return", {"key": "r1", "reason_code": "damaged", **back},
             {"key": "r2", "reason_code": "missing", **back},
             {"key": "r3", **back}, {"key": "r4", **back},
             {"key": "r5", "reason_code": "late", **back, "status": "rejected"})  # fmt: skip
    assert row(
        firm, "SELECT number, return_reasons, is_undamaged FROM mart.order_service ORDER BY number"
    ) == [("T1", "damaged, missing, unknown", False), ("T2", None, True)]
    rates = "SELECT part, numerator, denominator FROM mart.kpi_return_rate ORDER BY part"
    assert row(firm, rates) == [
        ("all", 1, 2), ("damaged", 1, 2), ("missing", 1, 2), ("unknown", 1, 2),
    ]  # fmt: skip


def test_a_return_that_another_system_tells_of_is_told(firm: Company) -> None:
    """That system has no document of the order; of the others it may tell nothing."""
    firm.put("shop", "order", order("1"), order("2"))
    firm.put("oms", "return", {"key": "r", "order_number": "T1", "status": "received",
                               "reason_code": "damaged"})  # fmt: skip
    assert row(
        firm, "SELECT number, is_undamaged FROM mart.order_service ORDER BY number"
    ) == [("T1", False), ("T2", None)]  # fmt: skip
