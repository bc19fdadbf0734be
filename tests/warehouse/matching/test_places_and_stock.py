"""Places by their names, stock levels by SKU and place."""

from __future__ import annotations

import random

import duckdb
import pytest
from matched import Play

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


@pytest.mark.parametrize("seed", range(3))
def test_step_by_step_ends_where_a_whole_run_ends(
    con: duckdb.DuckDBPyConnection, seed: int
) -> None:
    chance = random.Random(seed)
    play = Play(con, "stock_level", group_stock_levels)
    for _ in range(25):
        connection, key = chance.choice(["shop", "erp", "oms"]), str(chance.randrange(5))
        if chance.random() < 0.2:
            play.delete(connection, key)
        else:
            place = chance.choice(["电商仓", "总仓", None])
            play.put(connection, {"key": key, "sku": f"A{chance.randrange(3)}",
                                  "location_name": place})  # fmt: skip
        if chance.random() < 0.5:
            play.run()
    play.run()
    stepwise = play.links()
    play.run(whole=True)
    assert play.links() == stepwise
