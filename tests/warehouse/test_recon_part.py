# ruff: noqa: E501 - what is put and compared reads better with a row on one line
"""Looking at what hangs together with what changed finds what looking at everything does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from recon_rows import LATER, Company, company, order, paid
from source_rows import MOMENT

from warehouse import recon_part, ties
from warehouse.recon_rules import Setting, Settings

STEPS, ORDERS = 8, 7
COMPARED = (
    "rule", "subject", "order_id", "party_id", "product_id", "left_connection", "left_key",
    "left_number", "right_connection", "right_key", "right_number", "sku", "currency", "expected",
    "actual", "expected_said", "actual_said", "happened_at", "timing_until",
)  # fmt: skip
ROLES = {"shop": "shop", "erp": "erp", "oms": "oms", "gate": "gateway", "carrier": "carrier",
         "bank": "bank"}  # fmt: skip


@pytest.fixture(autouse=True)
def no_store_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.ties.SMALL", 0)


def number(dice: random.Random) -> str:
    """Return what a document calls an order: mostly its number, now and then nobody's or several."""
    said = f"T{dice.randrange(ORDERS)}"
    return dice.choice([said, said, said, f"{said},T{dice.randrange(ORDERS)}", "T99", ""])


def step(firm: Company, dice: random.Random) -> None:
    """Change something of which a rule may tell."""
    key, total = str(dice.randrange(ORDERS)), dice.choice([100, 100, 120])
    what = dice.randrange(11)
    if what == 0:
        firm.put("shop", "order", order(
            key, total, payment_status=dice.choice(["paid", "pending", "refunded"]),
            payment_method="pay", fulfillment_status=dice.choice(["unfulfilled", "fulfilled"]),
            status=dice.choice(["confirmed", "confirmed", "cancelled"])))  # fmt: skip
    elif what in (1, 2):
        firm.put("erp", "order", order(
            f"x{key}", total, number(dice), number=f"X{dice.randrange(ORDERS)}",
            po_number=dice.choice([None, "B1"]), customer_key=dice.choice([None, "c1"])))  # fmt: skip
    elif what == 3:
        firm.put("gate", "payment", paid(f"g{key}", number(dice), total))
    elif what == 4:
        firm.put("gate", "payment", paid(f"r{key}", number(dice), total, kind="refund"))
    elif what == 5:
        row = {"key": f"s{key}", "order_number": number(dice), "tracking_number": f"SF{key}00000",
               "status": dice.choice(["shipped", "delivered", "cancelled"]), "shipped_at": MOMENT}  # fmt: skip
        firm.put("carrier", "shipment", row)
    elif what == 6:
        firm.put("shop", "return", {"key": f"b{key}", "order_key": key, "refund_amount": 10,
                                    "status": dice.choice(["received", "rejected"])})  # fmt: skip
    elif what == 7:
        firm.put("erp", "invoice", {"key": f"v{key}", "order_number": number(dice), "gross": total,
                                    "number": f"F{dice.randrange(3)}", "issue_date": MOMENT.date(),
                                    "direction": "receivable", "status": "issued"})  # fmt: skip
    elif what == 8:
        firm.put("shop", "payment", {"key": f"p{key}", "order_key": key, "kind": "payment",
                                     "status": "succeeded", "amount": total, "currency": "CNY",
                                     "provider": "pay", "paid_at": MOMENT})  # fmt: skip
    else:
        connection, entity, prefix = dice.choice([
            ("erp", "order", "x"), ("shop", "order", ""), ("gate", "payment", "g"),
            ("carrier", "shipment", "s"), ("erp", "invoice", "v"),
        ])  # fmt: skip
        firm.load.delete(entity, f"{prefix}{key}", connection=connection)


def found(firm: Company) -> list[tuple[Any, ...]]:
    return firm.breaks(*COMPARED)


def kept(firm: Company) -> dict[str, list[tuple[Any, ...]]]:
    """Return what stands in `kept` but for what was found."""
    con = firm.store.con
    names = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'kept' AND table_name <> 'found'"
    ).fetchall()
    return {n: con.execute(f"SELECT * FROM kept.{n} ORDER BY ALL").fetchall() for (n,) in names}


def start(firm: Company) -> None:
    firm.put("shop", "order", *(order(str(k), payment_status="paid", payment_method="pay",
                                      fulfillment_status="fulfilled") for k in range(ORDERS)))  # fmt: skip
    firm.put("erp", "order", *(order(f"x{k}", 100, f"T{k}", number=f"X{k}") for k in range(5)))
    firm.put("gate", "payment", *(paid(f"g{k}", f"T{k}") for k in range(5)))
    firm.put("erp", "invoice", {"key": "v0", "order_number": "T0", "gross": 100, "number": "F0",
                                "issue_date": MOMENT.date(), "direction": "receivable"})  # fmt: skip
    firm.put("carrier", "shipment", {"key": "s0", "order_number": "T0", "status": "shipped",
                                     "shipped_at": MOMENT})  # fmt: skip
    firm.put("shop", "return", {"key": "b0", "order_key": "0", "status": "received"})


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 12))]
)
def test_what_changed_tells_as_much_as_everything(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice, parts = random.Random(seed), 0
    first = Part = recon_part.Part
    asked: list[Part] = []
    monkeypatch.setattr(
        "warehouse.recon_find.Part", lambda *a: asked.append(first(*a)) or asked[-1]
    )
    with company(tmp_path, ROLES) as firm:
        start(firm)
        firm.run()
        for number_ in range(STEPS):
            for _ in range(dice.randrange(1, 3)):
                step(firm, dice)
            now = LATER + timedelta(hours=number_)
            asked.clear()
            firm.run(now)
            parts += bool(asked) and not asked[-1].is_whole
            told, stood = found(firm), kept(firm)
            recon_part.erase(firm.store.con)
            firm.store.set_meta("recon_mark", "")
            firm.run(now)
            assert asked[-1].is_whole
            assert set(told) ^ set(found(firm)) == set(), number_
            whole = kept(firm)
            assert {
                n: set(rows) ^ set(whole[n]) for n, rows in stood.items() if rows != whole[n]
            } == {}
    assert parts > STEPS // 3


def test_what_counts_for_all_is_looked_at_whole(firm: Company) -> None:
    """Where the ERP takes a channel over from now on, orders that nobody touched are missed."""
    firm.put("erp", "order", order("x1", 100, "T1", number="X1"))
    firm.run()
    assert ("order_without_document", "T2", None) in firm.breaks()


def test_another_setting_looks_at_everything(firm: Company) -> None:
    firm.run()
    strict = Settings(rules=(("payment_amount", Setting(severity="warning")),))
    firm.put("gate", "payment", paid("g1", "T1", 70))
    firm.run(settings=strict)
    assert firm.breaks("severity", where="rule = 'payment_amount'") == [("warning",)]


def test_too_much_is_everything(firm: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ties, "MOST", 1)
    firm.run()
    firm.put("gate", "payment", paid("g1", "T1", 70), paid("g2", "T2", 70))
    firm.run()
    assert firm.store.con.execute("SELECT count(*) FILTER (thing IS NULL) FROM identity.touched "
                                  "WHERE run = 2").fetchall() == [(1,)]  # fmt: skip
    assert len(firm.breaks(where="rule = 'payment_amount'")) == 2


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Company]:
    with company(tmp_path, ROLES) as made:
        made.put("shop", "order", *(order(str(k), payment_status="paid", payment_method="pay")
                                    for k in range(1, 4)))  # fmt: skip
        made.put("erp", "order", order("x9", 100, number="X9"))
        made.put("gate", "payment", *(paid(f"g{k}", f"T{k}") for k in range(1, 4)))
        yield made
