from __future__ import annotations

import random
from typing import Any

import pytest
from matched import Play, group, playing, seeds, step_by_step

from warehouse.matching.products import group_products, gtin_sql

GTIN, OTHER = "6901234567892", "6920152400012"


play = playing("product", group_products)


def item(key: str, sku: str | None, barcode: str | None = None) -> dict[str, Any]:
    return {"key": key, "sku": sku, "barcode": barcode}


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (GTIN, "0" + GTIN), (f" {GTIN} ", "0" + GTIN), ("6901234567893", None),
        ("036000291452", "00036000291452"), ("96385074", "00000096385074"),
        ("10614141000415", "10614141000415"), ("2000000000008", None), ("0000000000000", None),
        ("00000000", None), ("690123456789", None), ("A901234567892", None), (None, None),
    ],
)  # fmt: skip
def test_gtin(play: Play, said: str | None, wanted: str | None) -> None:
    found = play.con.execute(f"SELECT {gtin_sql('x')} FROM (SELECT ?::varchar AS x)", [said])
    assert found.fetchall() == [(wanted,)]


def test_gtin_joins_whatever_the_sku(play: Play) -> None:
    play.put("shop", item("1", "A-1", GTIN), item("head", None))
    play.put("erp", item("2", "M001", "0" + GTIN), item("3", "M002"))
    play.run()
    assert play.groups() == {group("shop/1", "erp/2")}


def test_sku_joins_after_normalisation(play: Play) -> None:
    play.put("shop", item("1", "ab-01 x"), item("2", "C2"))
    play.put("erp", item("9", "ＡＢ－０１Ｘ", GTIN), item("8", "c-2"))
    play.run()
    assert play.groups() == {group("shop/1", "erp/9")}


def test_two_valid_gtins_never_join(play: Play) -> None:
    play.put("shop", item("1", "A", GTIN))
    play.put("erp", item("2", "A", OTHER))
    play.run()
    assert play.groups() == set()
    play.put("oms", item("3", "A"))  # which of the two it is nobody knows
    play.run()
    assert play.groups() == set()
    play.put("erp", item("2", "A", "none"))
    play.run()
    assert play.groups() == {group("shop/1", "erp/2", "oms/3")}


def test_what_a_connection_has_twice_joins_nothing(play: Play) -> None:
    play.put("shop", item("1", "A"), item("2", "A"), item("3", "B", GTIN), item("4", "C", GTIN))
    play.put("erp", item("5", "A"), item("6", "D", GTIN))
    play.run()
    assert play.groups() == set()
    play.delete("shop", "2")
    play.delete("shop", "4")
    play.run()
    assert play.groups() == {
        group("shop/1", "erp/5", "shop/2"), group("shop/3", "erp/6", "shop/4")
    }  # fmt: skip


def test_aliases(play: Play) -> None:
    play.put("shop", item("1", "OLD"))
    play.put("erp", item("2", "NEW"))
    play.run()
    assert play.groups() == set()
    play.con.execute("INSERT INTO identity.product_aliases VALUES ('shop', ' old', 'new')")
    play.run(whole=True)
    assert play.groups() == {group("shop/1", "erp/2")}


@pytest.mark.parametrize("seed", seeds(1, 30))
def test_incremental_is_whole(play: Play, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def row(dice: random.Random, key: str) -> dict[str, Any]:
        sku = dice.choice([None, "A", "B", "C"])
        return item(key, sku, dice.choice([None, None, GTIN, OTHER]))

    step_by_step(play, seed, ["shop", "oms", "erp"], 8, row, monkeypatch)
