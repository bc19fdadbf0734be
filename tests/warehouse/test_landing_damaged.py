"""A landing that lost something: never loaded short, and nothing that is left is thrown away."""

from __future__ import annotations

import pytest
from hand_plan import land, order
from load_parts import V1, V2, V3, Load, counts, rows

from warehouse.errors import LandingDamaged
from warehouse.landing import Landing
from warehouse.store import Store

pytest_plugins = ["load_fixtures"]


def test_a_batch_that_is_gone_before_it_was_loaded_stops_the_load(
    store: Store, landing: Landing, load: Load
) -> None:
    load(order(1, V1))
    land(landing, order(2, V1))
    land(landing, order(3, V1))
    folder = landing.folder("shop", "orders")
    side = folder / "000000000002.json"
    content = side.read_bytes()
    side.unlink()
    with pytest.raises(LandingDamaged, match="batch 2 is missing"):
        load(order(4, V1))
    assert (folder / "000000000002.ndjson.zst").exists(), "the only copy"
    side.write_bytes(content)
    assert counts(load()) == {"inserted": 3}


def test_a_batch_that_is_gone_after_it_was_loaded_stops_nothing(
    store: Store, landing: Landing, load: Load
) -> None:
    load(order(1, V1))
    load(order(2, V1))
    (landing.folder("shop", "orders") / "000000000001.json").unlink()
    assert counts(load(order(3, V1))) == {"inserted": 1}


def test_another_batch_under_a_number_that_was_loaded_is_not_passed_over(
    store: Store, landing: Landing, load: Load
) -> None:
    load(order(1, V1))
    load(order(1, V2, name="two"))
    (landing.folder("shop", "orders") / "000000000002.json").unlink()
    with pytest.raises(LandingDamaged, match="isthmus rebuild"):
        load(order(1, V3, name="three"))
    assert rows(store, "number") == [("two",)]


def test_an_index_that_is_damaged_inside_is_made_anew(
    store: Store, landing: Landing, load: Load
) -> None:
    load(*(order(n, V1) for n in range(300)))
    path = landing.folder("shop", "orders") / "seen.db"
    content = bytearray(path.read_bytes())
    for place in range(4096, len(content), 200):
        content[place] ^= 0x40
    path.write_bytes(content)
    assert counts(load(*(order(n, V1) for n in range(299)), order(299, V2, name="x"))) == {
        "updated": 1
    }
