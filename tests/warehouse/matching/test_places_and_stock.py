"""Places by their names, stock levels by SKU and place."""

from __future__ import annotations

import random
from typing import Any

import duckdb
import pytest
from matched import Play, step_by_step

from warehouse import upgrades
from warehouse.matching.locations import group_locations
from warehouse.matching.stock import group_stock_levels


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    upgrades.create_all(made)
    return made


def test_places_of_one_name_are_one_and_equal_codes_say_nothing(
    con: duckdb.DuckDBPyConnection,
) -> None:
    play = Play(con, "location", group_locations)
    play.put("shop", {"key": "1", "name": "电商仓", "code": "1"})
    play.put("erp", {"key": "a", "name": "电商仓 ", "code": "WH01"})
    play.put("erp", {"key": "b", "name": "总仓", "code": "1"})
    play.run()
    assert play.groups() == {frozenset({"shop/1", "erp/a"})}


def test_a_name_twice_in_one_system_needs_the_code(con: duckdb.DuckDBPyConnection) -> None:
    play = Play(con, "location", group_locations)
    play.put("shop", {"key": "1", "name": "门店", "code": "S1"})
    play.put("erp", {"key": "a", "name": "门店", "code": "S1"}, {"key": "b", "name": "门店"})
    play.run()
    assert play.groups() == {frozenset({"shop/1", "erp/a"})}
    play.put("erp", {"key": "a", "name": "门店", "code": "S9"})
    play.run()
    assert play.groups() == set()


def test_one_sku_at_one_place_is_one_level_whoever_counts(con: duckdb.DuckDBPyConnection) -> None:
    play = Play(con, "stock_level", group_stock_levels)
    play.put("shop", {"key": "1", "sku": "A-1", "location_name": "电商仓"})
    play.put("erp", {"key": "x", "sku": "a-1", "location_name": "电商仓", "quality": "good"})
    play.put("erp", {"key": "y", "sku": "A-1", "location_name": "电商仓", "quality": "defective"})
    play.put("erp", {"key": "z", "sku": "A-1", "location_name": "总仓"})
    play.put("oms", {"key": "1", "sku": "A-1"})
    play.run()
    assert play.groups() == {frozenset({"shop/1", "erp/x"})}
    play.put("erp", {"key": "w", "sku": "A-1", "location_name": "电商仓"})
    play.run()
    assert play.groups() == set(), "the ERP counts it in two bins: which of them is unknown"


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 3))]
)
def test_incremental_is_whole(
    con: duckdb.DuckDBPyConnection, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def row(dice: random.Random, key: str) -> dict[str, Any]:
        place = dice.choice(["电商仓", "总仓", None])
        return {"key": key, "sku": f"A{dice.randrange(3)}", "location_name": place}

    play = Play(con, "stock_level", group_stock_levels)
    step_by_step(play, seed, ["shop", "erp", "oms"], 5, row, monkeypatch)
