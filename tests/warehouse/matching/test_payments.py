from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from matched import Play, group, playing, seeds, step_by_step

from warehouse.identity import golden_id_sql
from warehouse.matching.payments import group_payments, lead_rank

DAY = datetime(2026, 3, 1, 9, tzinfo=UTC)


play = playing("payment", group_payments)


def money(
    key: str, order: str | None, tx: str | None, amount: int = 50, **more: Any
) -> dict[str, Any]:
    return {"key": key, "merchant_order_no": order, "provider_transaction_id": tx,
            "kind": "payment",
            "amount": amount, "currency": "CNY", "status": "succeeded",
            "paid_at": DAY, **more}  # fmt: skip


def test_one_transaction_in_three_systems(play: Play) -> None:
    play.put("shop", money("s1", "#1", "TX00001"), money("s2", "#2", "TX0000000002", 70))
    play.run()
    assert play.groups() == set()
    play.put("pay", money("p1", "1", "tx00001"), money("p2", None, "TX0000000002", 71))
    play.put("oms", money("o1", None, "TX00001"))
    play.run()
    assert play.groups() == {group("shop/s1", "pay/p1", "oms/o1"), group("shop/s2", "pay/p2")}


def test_a_refund_is_no_payment(play: Play) -> None:
    play.put("shop", money("s1", "1", "TX00001"), money("s2", "1", "TX00001", kind="refund"))
    play.put("pay", money("p1", "1", "TX00001"), money("p2", "1", None, kind="refund"))
    play.run()
    assert play.groups() == {group("shop/s1", "pay/p1"), group("shop/s2", "pay/p2")}


def test_equal_parts_are_paired_in_time_if_even(play: Play) -> None:
    later = DAY + timedelta(hours=1)
    play.put("shop", money("s1", "1", None, paid_at=later), money("s2", "1", None))
    play.put("pay", money("p1", "1", "TX00001"))
    play.run()
    assert play.groups() == set()
    play.put("pay", money("p2", "1", "TX00002", paid_at=later))
    play.run()
    assert play.groups() == {group("shop/s1", "pay/p2"), group("shop/s2", "pay/p1")}
    play.put("erp", *(money(f"e{n}", "1", None, currency=None) for n in (1, 2)))
    play.run()
    assert play.groups() == {
        group("shop/s1", "pay/p2", "erp/e2"), group("shop/s2", "pay/p1", "erp/e1")
    }  # fmt: skip
    play.put("shop", money("s1", "1", None, paid_at=DAY + timedelta(days=30)))
    play.run()  # too late for the gateway's: two are left for one
    assert play.groups() == {group("erp/e1", "pay/p1"), group("erp/e2", "pay/p2")}


def test_what_numbers_joined_is_not_asked_again(play: Play) -> None:
    play.put("shop", money("s1", "1", None), money("s2", "1", "TX00001"))
    play.put("pay", money("p1", "1", "TX00001"), money("p2", "1", "TX00002"))
    play.run()
    assert play.groups() == {group("shop/s2", "pay/p1"), group("shop/s1", "pay/p2")}


@pytest.mark.parametrize(("others", "fits"), [(["CNY"], True), (["CNY", "USD"], False)])
def test_a_currency_that_one_side_leaves_out(play: Play, others: list[str], fits: bool) -> None:
    play.put("shop", money("s1", "1", None, currency=None))
    for currency in others:
        play.put(f"pay{currency}", money("p1", "1", None, currency=currency))
    play.run()
    assert play.groups() == ({group("shop/s1", "payCNY/p1")} if fits else set())


def test_parts_under_one_number_are_paired_in_time_if_even(play: Play) -> None:
    later = DAY + timedelta(hours=1)
    for name in ("shop", "pay"):
        play.put(name, money("1", "1", "TX00001", 10),
                 money("2", "1", "TX00001", 10, paid_at=later),
                 money("3", "1", "TX00001", 30))  # fmt: skip
        play.put(name, money("4", "2", "TX00002", 10))
    play.put("shop", money("5", "2", "TX00002", 10))
    play.run()
    assert play.groups() == {group(f"shop/{n}", f"pay/{n}") for n in "123"}


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        ({}, True),
        ({"amount": 51}, False),
        ({"currency": "USD"}, False),
        ({"status": "failed"}, False),
        ({"paid_at": DAY + timedelta(days=6)}, True),
        ({"paid_at": DAY + timedelta(days=8)}, False),
        ({"provider_transaction_id": "TX00009"}, False),  # of one numbering: another movement
        ({"provider_transaction_id": "ch_3Nabc0009"}, True),
        ({"provider_transaction_id": "0"}, True),
        ({"merchant_order_no": "2"}, False),
    ],
)
def test_order_and_amount(play: Play, other: dict[str, Any], fits: bool) -> None:
    play.put("shop", money("s1", "#1", "TX00001"))
    play.put("pay", {**money("p1", "1", None), **other})
    play.run()
    assert play.groups() == ({group("shop/s1", "pay/p1")} if fits else set())


@pytest.mark.parametrize(
    ("tx", "other", "fits"),
    [
        ("100001", {}, True),
        ("100001", {"amount": 500}, False),
        ("100001", {"amount": None}, False),
        ("100001", {"paid_at": DAY + timedelta(days=31)}, False),
        ("TX1001", {"paid_at": DAY + timedelta(days=31)}, True),
        ("TX1001", {"amount": 500}, False),
        ("TX1001", {"amount": None}, True),
        ("TX1001", {"currency": None}, True),
        ("TX1001", {"currency": "USD"}, False),
        ("ch_3Nabc0009", {"amount": 500}, True),
        ("ch_3Nabc0009", {"amount": 500, "paid_at": DAY + timedelta(days=31)}, False),
        ("ch_3Nabc0009", {"amount": 500, "currency": "USD"}, False),
        ("4200001234567890", {"amount": 500}, True),
        ("420000123456789", {"amount": 500}, False),
    ],
)
def test_what_a_transaction_number_proves(
    play: Play, tx: str, other: dict[str, Any], fits: bool
) -> None:
    play.put("shop", money("s1", None, tx))
    play.put("erp", {**money("e1", None, tx), **other})
    play.run()
    assert play.groups() == ({group("shop/s1", "erp/e1")} if fits else set())


def test_the_order_of_a_key_is_read(play: Play) -> None:
    play.put("pay", money("p1", "D1", "TX00001"))
    play.put("oms", money("o1", None, None, order_key="7"))
    play.run()
    assert play.groups() == set()
    play.load.put("order", [{"key": "7", "platform_order_no": "D1"}], connection="oms")
    play.con.execute(
        "CREATE TEMP TABLE o AS SELECT connection, source_key, "
        f"{golden_id_sql('order', 's')} AS id "
        "FROM source.orders s"
    )
    group_payments(play.con, changed="changed_rows", orders="o")
    assert play.groups() == {group("pay/p1", "oms/o1")}


def test_the_gateway_leads(play: Play) -> None:
    play.put("pay", money("p", "1", "TX00001", provider="stripe", fee=1))
    play.put("bank", money("b", "1", None, provider="bank"))
    play.put("shop", money("s", "1", "TX00001", provider="gateway", order_key="1", fee=1))
    play.put("erp", money("e", "1", None))
    rows = play.con.execute(
        f"SELECT connection FROM source.payments s ORDER BY {lead_rank('s')}"
    ).fetchall()
    assert [r[0] for r in rows] == ["pay", "bank", "shop", "erp"]


def test_the_dead_connect_nobody(play: Play) -> None:
    play.put("shop", money("s1", None, "TX00001"))
    play.put("pay", money("p1", "1", "TX00001"))
    play.put("erp", money("e1", "1", None), money("e2", "9", None))
    play.run()
    assert play.groups() == {group("shop/s1", "pay/p1", "erp/e1")}
    play.delete("pay", "p1")
    play.run()
    assert play.groups() == {group("shop/s1", "pay/p1")}


@pytest.mark.parametrize("seed", seeds(2, 30))
def test_incremental_is_whole(play: Play, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def row(dice: random.Random, key: str) -> dict[str, Any]:
        return money(
            key, dice.choice([None, "1", "2"]),
            dice.choice([None, "TX00001", "100002", "ch_300000001"]),
            dice.choice([5, 5, 6, None]), currency=dice.choice(["CNY", "CNY", None, "USD"]),
            kind=dice.choice(["payment", "payment", "refund"]),
            paid_at=dice.choice([None, *(DAY + timedelta(days=n * n) for n in range(9))]),
        )  # fmt: skip

    step_by_step(play, seed, ["shop", "pay", "erp"], 9, row, monkeypatch)
