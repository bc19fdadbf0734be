"""What a number proves that an order's document claims."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from matched import Play, group, playing
from order_rows import document, shop

from warehouse.matching.orders import group_orders

play = playing("order", group_orders)


def test_a_sign_inside_a_number_is_no_list(play: Play) -> None:
    play.put("shop", shop("1"), shop("2"), shop("1/2"))
    play.put("oms", document("O1", "1/2"), document("O2", "1/404"), document("O3", "1+2"))
    play.run()
    assert play.groups() == {group("shop/gid/1/2", "oms/O1")}
    assert {o for o, d, *_ in play.documents() if d == "oms/O3"} == {"shop/gid/1", "shop/gid/2"}
    play.delete("shop", "gid/1/2")
    play.put("shop", shop("404"))
    play.run()  # the whole is a dead order's: it stays that order's document
    assert {o for o, d, *_ in play.documents() if d == "oms/O2"} == {"shop/gid/1", "shop/gid/404"}
    assert {o for o, d, *_ in play.documents() if d == "oms/O1"} == set()


@pytest.mark.parametrize(
    ("number", "documents", "fits"),
    [
        ("1001", [{}], [0]),
        ("1001", [{"total": 50000}], []),  # a customer's own number
        ("1001", [{"currency": "USD"}], []),
        ("1001", [{"order_date": date(2026, 3, 9)}], []),
        ("1001", [{}, {"total": 700}], [0]),
        ("1001", [{}, {}], []),
        ("123456789012", [{"total": None}], [0]),
        ("123456789012", [{"total": 60}], [0]),
        ("123456789012", [{"total": 60}, {"total": 40}], []),
        ("123456789012", [{"total": 60, "customer_key": c} for c in "AB"], []),
    ],
)
def test_a_purchase_number_is_no_proof(
    play: Play, number: str, documents: list[dict[str, Any]], fits: list[int]
) -> None:
    said = {"order_date": date(2026, 3, 1)}
    play.put("shop", shop(number, **said))
    for n, other in enumerate(documents):
        play.put("erp", {**document(f"X{n}", None, po_number=number, **said), **other})
        play.run()
    assert play.groups() == {group(f"shop/gid/{number}", f"erp/X{n}") for n in fits}


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        ({"shop_name": "B", "total": 500}, False),
        ({"shop_name": "B", "total": 100}, True),  # the name of the shop as another writes it
        ({"shop_name": " a", "total": 500}, True),
        ({"shop_name": "web", "total": 500}, True),
        ({"shop_name": None, "total": 500}, True),
    ],
)
def test_a_claim_on_another_shops_number(play: Play, other: dict[str, Any], fits: bool) -> None:
    said = {"order_date": date(2026, 3, 1)}
    play.put("shop", shop("1001", shop_name="A", **said))
    play.put("erp", {**document("X1", "1001", **said), **other})
    play.run()
    assert play.groups() == ({group("shop/gid/1001", "erp/X1")} if fits else set())
