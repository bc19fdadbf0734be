"""Payments and the orders whose numbers they say: two shops count from 1001."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from matched import Play
from source_rows import Loader

from warehouse.home import Home
from warehouse.matching.orders import group_orders
from warehouse.matching.payments import group_payments
from warehouse.store import open_store
from warehouse.unify import unify

DAY = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Both:
    """Orders and payments, matched one after the other as a unification does."""

    def __init__(self, con: Any) -> None:
        self.orders = Play(con, "order", group_orders)
        self.money = Play(con, "payment", partial(group_payments, orders="orders_changed"))
        self.con = con

    def run(self, *, whole: bool = False) -> None:
        self.con.execute("DROP TABLE IF EXISTS matching_rewritten")
        self.orders.run(whole=whole)
        self.con.execute("CREATE OR REPLACE TEMP TABLE orders_changed AS FROM changed_rows")
        self.money.run(whole=whole)


@pytest.fixture
def both(home: Home) -> Iterator[Both]:
    with open_store(home) as store:
        yield Both(store.con)


def order(key: str, number: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "number": number, "total": 99, "currency": "CNY", **more}


def money(order_key: str | None, order_no: str | None, **more: Any) -> dict[str, Any]:
    return {"key": "p", "order_key": order_key, "merchant_order_no": order_no, "amount": 99,
            "currency": "CNY", "status": "succeeded", "paid_at": DAY, **more}  # fmt: skip


def group(*names: str) -> frozenset[str]:
    return frozenset(f"{n}/p" for n in names)


@pytest.mark.parametrize("numbers", [(None, None), ("tx000111", "4200001234567")])
def test_two_shops_count_alike(both: Both, numbers: tuple[str | None, str | None]) -> None:
    for place, tx in zip(("a", "b"), numbers, strict=True):
        both.orders.put(place, order("1", "1001"))
        both.money.put(place, money("1", None, provider_transaction_id=tx))
        both.run()
    assert both.money.groups() == set()
    both.money.put("pay", money(None, "1001"))
    both.run()  # it could be of either
    assert both.money.groups() == set()
    both.orders.put("b", order("1", "1002"))
    both.run()
    assert both.money.groups() == {group("a", "pay")}
    both.orders.put("b", order("1", "1001"))
    both.run()
    assert both.money.groups() == set()
    both.orders.delete("b", "1")
    both.orders.put("b", order("1", "1001", platform_order_no="#1001", order_date=DAY.date()))
    both.orders.put("a", order("1", "1001", order_date=DAY.date()))
    both.run()  # the one order of both
    assert both.money.groups() == {group("a", "b", "pay")}


def test_a_shop_whose_orders_are_not_here(both: Both) -> None:
    both.orders.put("a", order("1", "1001"))
    both.money.put("a", money("1", None))
    both.money.put("pay", money(None, "1001"))
    both.run()
    assert both.money.groups() == {group("a", "pay")}
    both.orders.put("b", order("1", "1001"))  # without a payment, yet it bears the number
    both.run()
    assert both.money.groups() == set()


def test_orders_that_become_one_move_their_payments(both: Both) -> None:
    both.orders.put("shop", order("1", "1001"))
    both.orders.put("erp", order("7", "SO7"))
    both.money.put("shop", money("1", None))
    both.money.put("erp", money("7", "1001"))
    both.run()
    assert both.money.groups() == set()
    both.orders.put("erp", order("7", "SO7", platform_order_no="1001"))
    both.run()
    assert both.money.groups() == {group("shop", "erp")}
    # A third document takes the number: the first two are orders of their own again.
    both.orders.put("web", order("2", "1001"))
    both.run()
    assert both.money.groups() == set()


def test_a_long_number_is_one_orders(both: Both) -> None:
    long = "260301999988"
    both.orders.put("shop", order("1", long))
    both.orders.put("erp", order("7", "SO7"))
    both.money.put("shop", money("1", None))
    both.money.put("erp", money("7", long))
    both.run()
    assert both.money.groups() == {group("shop", "erp")}
    both.orders.put("erp", order("7", long))
    both.run()
    assert both.money.groups() == set()


def test_in_a_unification(home: Home) -> None:
    with open_store(home) as store:
        load = Loader(store.con)

        def payments() -> Any:
            unify(store, now=DAY)
            return store.con.execute("SELECT count(*) FROM unified.payments").fetchall()

        for place in ("a", "b"):
            load.put("party", [{"key": "1", "name": "Lee", "phone": "13811112222"}],
                     connection=place)  # fmt: skip
            load.put("order", [order("1", "1001")], connection=place)
            load.put("payment", [money("1", None)], connection=place)
        assert payments() == [(2,)]
        load.put("party", [{"key": "2", "name": "Li"}], connection="a")
        load.put("order", [order("1", "SO1", platform_order_no="1001")], connection="b")
        assert payments() == [(1,)]
        load.put("order", [order("1", "1002")], connection="b")
        assert payments() == [(2,)]


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 30))]
)
def test_incremental_is_whole(both: Both, seed: int) -> None:
    dice = random.Random(seed)

    def number() -> str | None:
        return dice.choice([None, "1001", "1002", "260301999988"])

    for _round in range(8):
        for _ in range(dice.randrange(1, 4)):
            place, key = dice.choice(["a", "b", "erp"]), str(dice.randrange(3))
            if dice.random() < 0.2:
                both.orders.delete(place, key)
            else:
                both.orders.put(place, order(
                    key, number() or key, platform_order_no=number(), order_date=DAY.date(),
                ))  # fmt: skip
        for _ in range(dice.randrange(4)):
            place, key = dice.choice(["a", "b", "erp", "pay"]), str(dice.randrange(3))
            if dice.random() < 0.2:
                both.money.delete(place, key)
                continue
            said = dice.choice([None, str(dice.randrange(3))])
            row = money(said, number() if said is None else None, amount=dice.choice([99, 99, 50]))
            both.money.put(
                place, {**row, "key": key, "paid_at": DAY + timedelta(days=dice.randrange(10))}
            )
        both.run()
        found = both.orders.links(), both.money.links()
        both.run(whole=True)
        assert (both.orders.links(), both.money.links()) == found
