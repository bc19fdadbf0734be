"""The ready mappings: exact amounts in every currency, each movement of money once, its status."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from stripe_world import World

from connectors.stripe import sample

AMOUNTS = {
    "usd": (123456, "1234.56"),
    "jpy": (500, "500"),  # no decimals
    "krw": (99999999999999, "99999999999999"),  # all that the column holds
    "kwd": (5120, "5.12"),  # three decimals
    "isk": (500, "5"),  # ISO 4217 has none, Stripe counts in hundredths
    "ugx": (500, "5"),
    "mga": (500, "500"),  # ISO 4217 has two, Stripe has none
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def put(world: World, name: str, record: sample.Record) -> None:
    world.stripe.put(name, record)


def test_amounts_are_exact_in_every_currency(world: World) -> None:
    for currency, (amount, _) in AMOUNTS.items():
        charge = world.charge(amount, currency)
        world.refund(charge, amount)
        put(world, "payouts", sample.payout(world.id("po"), world.second, amount, currency))
        put(world, "payment_intents",
            sample.payment_intent(world.id("pi"), world.second, amount, currency))  # fmt: skip
        entry = sample.entry(world.id("txn"), world.second, -amount, currency, type="adjustment")
        put(world, "balance_transactions", entry)
    done = world.sync_all()
    assert sum(one.quarantined for one in done.values()) == 0
    world.publish()
    rows = world.ask("select currency, count(*), min(amount), max(amount) from unified.payments"
                     " group by currency")  # fmt: skip
    wanted = {c.upper(): (5, Decimal(text), Decimal(text)) for c, (_, text) in AMOUNTS.items()}
    assert {row[0]: row[1:] for row in rows} == wanted
    rows = world.ask("select currency, amount from unified.refunds")
    assert dict(rows) == {c.upper(): Decimal(text) for c, (_, text) in AMOUNTS.items()}
    assert world.ask(
        "select fee, net, refunded_amount from unified.payments"
        " where currency = 'KWD' and kind = 'payment' and fee is not null"
    ) == [(Decimal("0.102"), Decimal("5.018"), Decimal("5.12"))]


def test_a_charge_says_what_became_of_the_money(world: World) -> None:
    at = world.second
    for key, more in {
        "paid": {},
        "part": {"amount_captured": 700, "amount_refunded": 300},
        "held": {"captured": False, "amount_captured": 0},
        "let_go": {"captured": False, "amount_captured": 0, "refunded": True},
        "pending": {"status": "pending", "captured": False, "paid": False},
        "failed": {"status": "failed", "paid": False, "failure_message": "declined"},
        "odd": {"status": "new word"},
    }.items():
        put(world, "charges", sample.charge(key, at, 1000, "usd", **more))
    # Changed into another currency: the fee is none in the charge's.
    entry = sample.entry("txn_fx", at, 7800, "hkd", 300, exchange_rate=7.8)
    put(world, "balance_transactions", entry)
    put(world, "charges", sample.charge("fx", at, 1000, "usd", balance_transaction="txn_fx"))
    world.sync("charges")
    world.publish()
    assert world.ask(
        "select kind, amount, currency, fee, net from unified.payments"
        " where number in ('fx', 'txn_fx') order by kind"
    ) == [("fee", 3, "HKD", None, None), ("payment", 10, "USD", None, None)]
    found = world.ask(
        "select number, status, amount, paid_at is not null, authorized_at is not null"
        " from unified.payments where number not in ('fx', 'txn_fx')"
    )
    assert {row[0]: row[1:] for row in found} == {
        "paid": ("succeeded", 10, True, True),
        "part": ("succeeded", 7, True, True),
        "held": ("authorized", 10, False, True),
        "let_go": ("cancelled", 10, False, True),
        "pending": ("pending", 10, False, False),
        "failed": ("failed", 10, False, False),
        "odd": ("unknown", 10, False, False),
    }


def test_each_movement_of_money_stands_once(world: World) -> None:
    """Intent, charge and ledger entry are one movement; so are a refund and its entry."""
    customer = world.customer()
    world.stripe.change("customers", customer, name="Jenny Rosen", phone="+15555550123")
    billing = {"name": "Jenny Rosen", "email": "jenny@shop.example", "address": {}, "phone": None}
    intent = sample.payment_intent("pi_1", world.second, 1000, "usd", customer=customer)
    world.stripe.put("payment_intents", intent, "payment_intent.created")
    world.sync_all()
    world.publish()
    one = "select kind, status, sum(amount) from unified.payments group by all order by all"
    assert world.ask(one) == [("payment", "pending", 10)]

    world.time.wait(hours=1)
    charge = world.charge(1000, customer=customer, payment_intent="pi_1",
                          metadata={"order_id": "SO-1"}, billing_details=billing)  # fmt: skip
    world.stripe.change("payment_intents", "pi_1", "payment_intent.succeeded",
                        status="succeeded", latest_charge=charge, amount_received=1000)  # fmt: skip
    refund = world.refund(charge, 400)
    put(world, "payouts", sample.payout("po_1", world.second, 580, "usd", status="paid"))
    put(world, "payouts", sample.payout("po_2", world.second, -20, "usd"))
    at = world.second
    for kind, amount, category in (
        ("payout", -580, "payout"),
        ("adjustment", -100, "dispute"),
        ("adjustment", 100, "dispute_reversal"),
        ("stripe_fee", -7, "fee"),
        ("transfer", -9, "transfer"),
    ):
        entry = sample.entry(world.id("txn"), at, amount, "usd", type=kind)
        put(world, "balance_transactions", entry | {"reporting_category": category})
    world.sync_all()
    world.publish()
    assert world.ask(one) == [
        ("adjustment", "pending", 1),
        ("chargeback", "pending", 1),
        ("fee", "pending", Decimal("0.07")),
        ("payment", "succeeded", 10),
        ("payout", "succeeded", Decimal("5.80")),
        ("refund", "succeeded", 4),
        ("transfer", "pending", Decimal("0.29")),
    ]
    assert world.ask(
        "select p.merchant_order_no, c.code, p.value_date from unified.payments p"
        " join unified.parties c using (party_id)"
    ) == [("SO-1", customer, None)]
    assert world.ask(
        "select r.number, p.number, m.kind from unified.refunds r"
        " join unified.payments p using (payment_id)"
        " join unified.payments m on m.refund_id = r.refund_id"
    ) == [(refund, charge, "refund")]
    assert world.ask("select value_date from unified.payments where number = 'po_1'") == [
        (date(2026, 3, 2),)
    ]
    # Persons are masked in what is published.
    text = str(world.ask("select * from unified.parties") + world.ask("from unified.payments"))
    assert not [part for part in ("Jenny Rosen", "+15555550123", "jenny@") if part in text]


def test_a_hold_that_is_let_go_moved_no_money(world: World) -> None:
    """Stripe writes a refund for it, without an entry in the ledger."""
    at = world.second
    more = {"captured": False, "amount_captured": 0, "refunded": True, "amount_refunded": 1000}
    put(world, "charges", sample.charge("let_go", at, 1000, "usd", **more))
    put(world, "refunds", sample.refund("re_1", at, 1000, "usd", "let_go"))
    world.sync("charges")
    world.sync("refunds")
    world.publish()
    assert world.ask("select kind, status from unified.payments") == [("payment", "cancelled")]
    assert world.ask("select amount, status from unified.refunds") == [(10, "succeeded")]


def test_fees_of_payouts_and_refunds_are_told(world: World) -> None:
    """The movement is told by its own stream, what Stripe takes for it by the ledger alone."""
    at = world.second
    for kind, amount, fee in (("payout", -1000, 15), ("refund", -400, 0), ("refund", -300, -9)):
        entry = sample.entry(world.id("txn"), at, amount, "usd", fee, type=kind)
        put(world, "balance_transactions", entry | {"reporting_category": kind})
    world.sync("balance_transactions")
    world.publish()
    assert world.ask("select kind, amount, fee from unified.payments order by kind") == [
        ("adjustment", Decimal("0.09"), None),  # a fee that came back
        ("fee", Decimal("0.15"), None),
    ]


def test_a_payout_says_what_it_settles(world: World) -> None:
    """Charges, refunds and what the ledger alone tells; a payout by hand has nothing to tell."""
    first, second = world.charge(1000), world.charge(500)
    refund = world.refund(first, 400)
    at = world.second
    fee = sample.entry("txn_fee", at, -7, "usd", type="stripe_fee", reporting_category="fee")
    out = sample.entry("txn_out", at, -1063, "usd", type="payout", source="po_1")
    for entry in (fee, out):
        put(world, "balance_transactions", entry)
    for name, one in world.stripe.living("balance_transactions").items():
        if one.get("source") != second:
            world.stripe.settled[name] = "po_1"
    put(world, "payouts", sample.payout("po_1", at, 573, "usd"))
    put(world, "payouts", sample.payout("po_2", at, 5, "usd", automatic=False))
    put(world, "payouts", sample.payout("po_3", at, -5, "usd", reconciliation_status="in_progress"))
    world.stripe.most = 2
    world.sync_all()
    world.publish()
    assert world.ask(
        "select p.number, p.kind, p.amount, p.status, is_automatic, m.kind from unified.payouts p"
        " join unified.payments m using (payout_id) order by 1"
    ) == [
        ("po_1", "payout", Decimal("5.73"), "in_transit", True, "payout"),
        ("po_2", "payout", Decimal("0.05"), "in_transit", False, "payout"),
        ("po_3", "collection", Decimal("0.05"), "in_transit", True, "transfer"),
    ]
    lines = world.ask(
        "select p.number, m.number, l.kind, l.amount, l.fee, l.net from unified.payout_lines l"
        " join unified.payouts p using (payout_id) join unified.payments m using (payment_id)"
    )
    assert sorted(lines) == [
        ("po_1", first, "charge", 10, Decimal("0.20"), Decimal("9.80")),
        ("po_1", refund, "refund", -4, 0, -4),
        ("po_1", "txn_fee", "stripe_fee", Decimal("-0.07"), 0, Decimal("-0.07")),
    ]
    assert sum(line[-1] for line in lines) == Decimal("5.73")


def test_payouts_come_without_the_right_to_read_the_ledger(world: World) -> None:
    put(world, "payouts", sample.payout("po_1", world.second, 573, "usd"))
    world.stripe.denied.add("balance_transactions")
    done = world.sync("payouts")
    assert (done.inserted, done.error) == (2, None)  # the payout and its money
    assert [text for text in done.warnings if "may not read balance transactions" in text]
