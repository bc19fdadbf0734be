"""What oversells is one thing to the rule, to the KPI and to the stock of today."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from recon_rows import LATER, Company, company
from source_rows import MOMENT

from warehouse.project import project

Told = tuple[str, Any]


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Company]:
    with company(tmp_path) as made:
        yield made


def put(firm: Company, connection: str, *counts: dict[str, Any]) -> None:
    rows = ({"key": str(n), "sku": "A", "as_of": MOMENT, **one} for n, one in enumerate(counts))
    firm.put(connection, "stock_level", *rows)


def published(firm: Company, sql: str) -> list[tuple[Any, ...]]:
    project(firm.store, firm.home, privacy="masked", key=b"0" * 32, now=LATER)
    with duckdb.connect(str(firm.home.public), read_only=True) as con:
        return con.execute(sql).fetchall()


CASES = {
    "frozen goods alone": ({"available": 10}, {"wms": [{"on_hand": 20, "quality": "frozen"}]}, 0),
    "nothing is left after all that is kept back": (
        {"available": 12},
        {"wms": [{"on_hand": 20, "reserved": 2, "unavailable": 3, "available": 15,
                  "safety_stock": 5}]}, 10,
    ),
    "as much as there is": (
        {"available": 10},
        {"wms": [{"on_hand": 20, "reserved": 2, "unavailable": 3, "safety_stock": 5}]}, None,
    ),
    "written otherwise": ({"available": 5, "sku": " a"}, {"wms": [{"on_hand": 1}]}, 1),
    "none is offered of less than none": (
        {"available": 0}, {"wms": [{"on_hand": 1, "reserved": 4}]}, None,
    ),
    "one offered of less than none": (
        {"available": 1}, {"wms": [{"on_hand": 1, "reserved": 4}]}, -3,
    ),
    "what the source says itself": (
        {"available": 9}, {"oms": [{"on_hand": 1, "available": 1, "sellable": 9}]}, None,
    ),
    "what the shop says itself": (
        {"available": 3, "sellable": 9}, {"oms": [{"on_hand": 5}]}, 5,
    ),
    "several places of one system": (
        {"available": 8}, {"wms": [{"on_hand": 5}, {"on_hand": 3}]}, None,
    ),
    "nobody knows of one place": ({"available": 8}, {"wms": [{"on_hand": 5}, {}]}, None),
    "the warehouse is believed before the ERP": (
        {"available": 8}, {"oms": [{"on_hand": 8}], "erp": [{"on_hand": 1}]}, None,
    ),
    "the ERP where no other counts": ({"available": 8}, {"erp": [{"on_hand": 1}]}, 1),
    "the ERP where the warehouse does not know": (
        {"available": 8}, {"wms": [{}], "erp": [{"on_hand": 1}]}, 1,
    ),
    "of two warehouses' systems the one with less": (
        {"available": 8}, {"oms": [{"on_hand": 9}], "wms": [{"on_hand": 7}]}, 7,
    ),
    "nobody counts it": ({"available": 8}, {}, None),
}  # fmt: skip


@pytest.mark.parametrize(("offer", "counts", "sellable"), CASES.values(), ids=CASES.keys())
def test_rule_kpi_and_stock_agree(
    firm: Company, offer: dict[str, Any], counts: dict[str, list[Any]], sellable: int | None
) -> None:
    """`sellable` is what there is of what oversells; None where nothing does."""
    put(firm, "shop", offer)
    for connection, rows in counts.items():
        put(firm, connection, *rows)
    firm.run()
    offered = offer.get("sellable", offer["available"])
    wanted = [] if sellable is None else [(sellable, offered)]
    assert firm.breaks("expected", "actual", where="rule = 'oversell'") == wanted
    figures = "SELECT sellable, offered FROM mart"
    assert published(firm, f"{figures}.sku_stock_days WHERE is_oversold") == wanted
    assert published(firm, f"{figures}.sku_stock WHERE is_oversold") == wanted
    many = published(firm, "SELECT numerator, denominator FROM mart.kpi_oversells")
    is_known = any(row for rows in counts.values() for row in rows) and len(counts) > 0
    if sellable is not None:
        assert many == [(1, 1)]
    elif not is_known:
        assert many == []
    else:
        assert all(numerator == 0 for numerator, _ in many)


def test_codes_of_one_product_are_one_thing(firm: Company) -> None:
    """The shop calls by another code what the warehouse has: both name the product's barcode."""
    for connection, code in (("shop", "S-1"), ("wms", "W-1")):
        firm.put(connection, "product", {"key": "p", "sku": code, "barcode": "6901234567892"})
    put(firm, "shop", {"sku": "S-1", "product_key": "p", "available": 5})
    put(firm, "wms", {"sku": "W-1", "product_key": "p", "on_hand": 2})
    firm.run()
    sql = "SELECT sku, own_sku, product_id IS NOT NULL FROM mart.stock_records ORDER BY ALL"
    assert published(firm, sql) == [("S-1", "S-1", True), ("S-1", "W-1", True)]
    assert firm.breaks("sku", "right_number", where="rule = 'oversell'") == [("S-1", "W-1")]
    assert published(firm, "SELECT sku FROM mart.sku_stock_days WHERE is_oversold") == [("S-1",)]
