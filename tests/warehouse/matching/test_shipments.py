from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from matched import Play, group, playing, seeds, step_by_step

from warehouse.matching.shipments import children_rank, group_shipments, lead_rank

DAY = datetime(2026, 3, 1, 9, tzinfo=UTC)


play = playing("shipment", group_shipments)


def parcel(key: str, tracking: str | None, order: str | None = None, **more: Any) -> dict[str, Any]:
    return {"key": key, "tracking_number": tracking, "order_key": order, "shipped_at": DAY,
            "order_number": order and f"N{order}", **more}  # fmt: skip


def test_one_parcel_in_three_systems(play: Play) -> None:
    play.put("shop", parcel("s", "SF-100 200", "1", carrier_name="顺丰"))
    play.put("oms", parcel("o", "SF100200", "7", carrier_name="顺丰速运"))
    play.put("track", parcel("t", "sf100200", carrier_name="SF Express"))
    play.run()
    assert play.groups() == {group("shop/s", "oms/o", "track/t")}
    lead = f"SELECT connection FROM source.shipments s ORDER BY {lead_rank('s')}, connection"
    assert play.con.execute(lead).fetchall()[0] == ("track",)
    lines = f"SELECT connection FROM source.shipments s ORDER BY {children_rank('s')}, connection"
    assert play.con.execute(lines).fetchall() == [("oms",), ("shop",), ("track",)]


@pytest.mark.parametrize(
    "other",
    [
        {"carrier_name": "圆通速递"},
        {"shipped_at": DAY + timedelta(days=400)},  # the number is used again
        {"tracking_number": "SF100201"},
    ],
    ids=lambda o: next(iter(o)),
)
def test_another_parcel(play: Play, other: dict[str, Any]) -> None:
    play.put("oms", parcel("o", "SF100200", "7", carrier_name="顺丰速运"))
    play.put("track", {**parcel("t", "SF100200", carrier_name="顺丰速运"), **other})
    play.run()
    assert play.groups() == set()


def test_one_number_of_several_orders(play: Play) -> None:
    play.put("shop", parcel("1", "SF100200", "1"), parcel("2", "SF100200", "2"),
             parcel("3", "SF100200", "2"))  # fmt: skip
    play.run()
    assert play.groups() == {group("shop/2", "shop/3")}
    play.put("track", parcel("t", "SF100200"))
    play.run()  # whose parcel it is nobody knows
    assert play.groups() == {group("shop/2", "shop/3")}
    play.put("oms", {**parcel("o", "SF100200", "9"), "order_number": "n1"})
    play.run()
    assert group("shop/1", "oms/o") <= next(g for g in play.groups() if "oms/o" in g)
    assert group("shop/2", "shop/3") in play.groups()


def test_a_single_system_writes_nothing(play: Play) -> None:
    play.put("shop", parcel("1", "SF100200", "1"), parcel("2", "SF100200", "2"), parcel("3", None))
    play.run()
    assert play.con.execute("SELECT count(*) FROM identity.shipment_rows").fetchall() == [(0,)]


def test_a_number_of_too_many_is_none(play: Play) -> None:
    play.put("shop", *(parcel(f"s{n}", "123456", str(n)) for n in range(50)))
    play.put("shop", parcel("last", "777777", "1"))
    play.put("oms", {**parcel("o", "123456", "1")})
    play.run()
    assert play.groups() == set()
    play.delete("shop", "s49")
    play.put("shop", parcel("s49", "999999", "1"))
    play.run()
    assert play.groups() == {group("shop/s1", "oms/o")}
    play.put("shop", parcel("s49", "123456", "1"))
    play.run()
    assert play.groups() == set()


@pytest.mark.parametrize("seed", seeds(1, 30))
def test_incremental_is_whole(play: Play, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def row(dice: random.Random, key: str) -> dict[str, Any]:
        return parcel(
            key, dice.choice([None, "SF100200", "SF-100200", "YT999"]),
            dice.choice([None, "1", "2"]), carrier_name=dice.choice([None, "顺丰", "圆通"]),
            shipped_at=DAY + timedelta(days=dice.choice([0, 60, 120])),
        )  # fmt: skip

    step_by_step(play, seed, ["shop", "oms", "track"], 8, row, monkeypatch)
