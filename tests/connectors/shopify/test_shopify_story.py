"""The path from the shop to what analysts read: rows and sums in the store, run after run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from shopify_world import World

from connectors.shopify import sample
from connectors.shopify.sample import bag, gid


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    company(made)
    made.time.wait(hours=1)
    yield made
    made.close()


def company(world: World) -> None:
    """A red and a blue tee, two warehouses, two customers, three orders, one of them a test."""
    shop = world.shop
    for number in (7712, 7713):
        shop.put("customers", sample.customer(number))
    shop.put("products", sample.product(44, title="Tee"))
    for number, sku in ((4401, "TEE-RED-M"), (4402, "TEE-BLUE-M")):
        shop.put("variants", sample.variant(number, 44, sku=sku, displayName=f"Tee - {sku}"))
        levels = [
            sample.level(number, 11, available=37, on_hand=42, committed=3, damaged=2, incoming=9),
            sample.level(number, 12, available=-1, on_hand=0, committed=1),
        ]
        shop.put("items", sample.item(number, *levels, sku=sku))
    for number in (11, 12):
        shop.put("locations", sample.location(number, isActive=number == 11))
    lines = [
        sample.line(1, 2, "199.00"),
        sample.line(2, 1, "99.90", total="89.90", variant=sample.ref("ProductVariant", 4402),
                    sku="TEE-BLUE-M", currentQuantity=1, unfulfilledQuantity=0),
    ]  # fmt: skip
    shop.put(
        "orders",
        sample.order(
            1001, *lines, total="487.90", totalDiscountsSet=bag("10.00", "CNY"),
            presentmentCurrencyCode="EUR", displayFulfillmentStatus="PARTIALLY_FULFILLED",
            totalPriceSet=bag("487.90", "CNY", ("62.55", "EUR")),
            fulfillments=[
                sample.fulfillment(
                    501, (2, 1), displayStatus="DELIVERED", deliveredAt="2026-01-09T08:00:00Z"
                )
            ],
            transactions=[
                sample.transaction(601, "AUTHORIZATION", "487.90"),
                sample.transaction(602, "CAPTURE", "487.90", fees=[
                    {"amount": {"amount": "4.88", "currencyCode": "CNY"}}]),
                sample.transaction(603, "REFUND", "89.90"),
                sample.transaction(604, "SALE", "5.00", status="FAILURE"),
                sample.transaction(605, "VOID", "0.00"),
            ],
            refunds=[sample.refund(701, "89.90", (2, 1, "89.90"))],
            returns=[sample.returned(801, (2, 1))],
        ),
    )  # fmt: skip
    shop.put("orders", sample.order(
        1002, sample.line(11, 1, "0.10"), total="0.10", cancelledAt="2026-01-06T00:00:00Z",
        customer=sample.ref("Customer", 7713), displayFinancialStatus="VOIDED",
    ))  # fmt: skip
    shop.put("orders", sample.order(
        1003, sample.line(21, 1, "1000.00"), total="1000.00", test=True,
        transactions=[sample.transaction(606, "SALE", "1000.00", test=True)],
    ))  # fmt: skip


def test_a_company_from_its_shop_to_its_analysts(world: World) -> None:
    """First sync, changes, a deletion, a sync again, a quiet one: rows and sums at each step."""
    first_sync(world)
    references_are_found(world)
    changes_and_deletions_come(world)
    a_broken_amount_goes_to_quarantine_and_an_unknown_word_stays(world)
    no_secret_stands_in_what_is_kept(world)


def first_sync(world: World) -> None:
    done = world.sync_all()
    assert {name: one.quarantined for name, one in done.items() if one.quarantined} == {}
    world.publish()
    assert world.ask(
        "select number, status, payment_status, fulfillment_status, total, discount_total,"
        " currency, is_test from source.orders order by number"
    ) == [
        ("#1001", "confirmed", "paid", "partial", Decimal("487.9"), Decimal(10), "CNY", False),
        ("#1002", "cancelled", "voided", "unfulfilled", Decimal("0.1"), Decimal(0), "CNY", False),
        ("#1003", "confirmed", "paid", "unfulfilled", Decimal(1000), Decimal(0), "CNY", True),
    ]  # fmt: skip
    assert world.ask(
        "select sku, quantity, unit_price, discount, gross, status from source.order_lines"
        f" where parent_key = '{gid('Order', 1001)}' order by source_key"
    ) == [
        ("TEE-RED-M", 2, Decimal(199), Decimal(0), Decimal(398), "open"),
        ("TEE-BLUE-M", 1, Decimal("99.9"), Decimal(10), Decimal("89.9"), "shipped"),
    ]
    with duckdb.connect(str(world.space.home.store), read_only=True) as con:
        sql = "select ext::varchar from source.orders where number = '#1001'"
        assert '"62.55"' in str(con.execute(sql).fetchone())  # what the customer saw, in EUR
    assert world.ask(
        "select kind, status, amount, fee from source.payments order by source_key"
    ) == [
        ("payment", "authorized", Decimal("487.9"), None),
        ("payment", "succeeded", Decimal("487.9"), Decimal("4.88")),
        ("refund", "succeeded", Decimal("89.9"), None),
        ("payment", "failed", Decimal(5), None),
    ]
    assert world.ask(
        "select s.status, s.tracking_number, s.delivered_at is not null, l.sku, l.quantity"
        " from source.shipments s join source.shipment_lines l on l.parent_key = s.source_key"
    ) == [("delivered", "SF501", True, "TEE-BLUE-M", 1)]
    assert world.ask(
        "select r.kind, r.amount, l.amount, l.quantity, l.restock from source.refunds r"
        " join source.refund_lines l on l.parent_key = r.source_key"
    ) == [("return_refund", Decimal("89.9"), Decimal("89.9"), 1, "returned")]
    assert world.ask(
        "select r.number, r.status, r.order_number, l.quantity from source.returns r"
        " join source.return_lines l on l.parent_key = r.source_key"
    ) == [("#801-R1", "approved", "#1001", 1)]
    assert world.ask(
        "select sku, location_name, on_hand, available, reserved, unavailable, incoming"
        " from source.stock_levels where sku = 'TEE-RED-M' order by location_name"
    ) == [
        ("TEE-RED-M", "Warehouse 11", 42, 37, 3, 2, 9),
        ("TEE-RED-M", "Warehouse 12", 0, -1, 1, 0, 0),
    ]


def references_are_found(world: World) -> None:
    assert world.ask(
        "select p.sku, h.name from unified.products p join unified.products h"
        " on h.product_id = p.parent_product_id order by p.sku"
    ) == [("TEE-BLUE-M", "Tee"), ("TEE-RED-M", "Tee")]
    assert world.ask(
        "select sum(s.available), count(distinct p.product_id), count(distinct l.location_id)"
        " from unified.stock_levels s join unified.products p using (product_id)"
        " join unified.locations l using (location_id)"
    ) == [(Decimal(72), 2, 2)]
    assert world.ask(
        "select sum(case p.kind when 'refund' then -p.amount else p.amount end)"
        " from unified.payments p join unified.orders o using (order_id)"
        " where p.status = 'succeeded' and o.number = '#1001'"
    ) == [(Decimal(398),)]
    (masked,) = world.ask("select name from source.parties where code = '7712'")[0]
    assert "Customer 7712" not in str(masked)


def changes_and_deletions_come(world: World) -> None:
    world.time.wait(hours=1)
    order = gid("Order", 1001)
    parts = world.shop.living("orders")[order]["transactions"]
    world.shop.change(
        "orders", order, displayFinancialStatus="PARTIALLY_REFUNDED",
        totalRefundedSet=bag("99.90", "CNY"),
        transactions=[*parts, sample.transaction(607, "REFUND", "10.00")],
    )  # fmt: skip
    world.shop.delete("orders", gid("Order", 1002))
    level = world.shop.living("items")[gid("InventoryItem", 4402)]["inventoryLevels"][0]
    level["quantities"][0]["quantity"] = 36  # no stamp moves
    world.time.wait(minutes=1)
    done = world.sync_all("orders", "transactions", "stock", "products")
    assert {name: one.landed for name, one in done.items() if one.landed} == {
        "orders": 1, "transactions": 1, "stock": 1,
    }  # fmt: skip
    world.sync("orders", sweep=True)
    world.publish()
    assert world.ask(
        "select number, is_deleted, refunded_total from source.orders order by number"
    ) == [
        ("#1001", False, Decimal("99.9")), ("#1002", True, Decimal(0)),
        ("#1003", False, Decimal(0)),
    ]  # fmt: skip
    assert world.ask("select sum(available) from source.stock_levels") == [(Decimal(71),)]
    world.time.wait(minutes=30)
    quiet = world.sync_all("orders", "stock")
    assert [one.landed for one in quiet.values()] == [0, 0]


def a_broken_amount_goes_to_quarantine_and_an_unknown_word_stays(world: World) -> None:
    bad = sample.order(1004, total="398.00001", displayFinancialStatus="PAID")
    odd = sample.order(1005, displayFinancialStatus="LAYAWAY", returnStatus="LOST")
    for record in (bad, odd):
        world.shop.put("orders", record)
    odd_level = sample.level(4403, 11, available=5)
    odd_level["quantities"][0]["name"] = "unheard_of"  # not what was asked for
    world.shop.put("items", sample.item(4403, odd_level))
    world.time.wait(minutes=1)
    done = world.sync_all("orders", "stock")
    assert {name: one.quarantined for name, one in done.items()} == {"orders": 1, "stock": 1}
    world.publish()
    assert world.ask(
        "select payment_status, payment_status_raw, return_status from source.orders"
        " where number = '#1005'"
    ) == [("unknown", "LAYAWAY", "unknown")]
    assert world.ask("select distinct stream from ops.quarantine order by 1") == [
        ("orders",), ("stock",),
    ]  # fmt: skip
    assert ("total",) in world.ask("select field from ops.quarantine where stream = 'orders'")


def no_secret_stands_in_what_is_kept(world: World) -> None:
    home = Path(world.environment["ISTHMUS_HOME"])
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert len(kept) > 20
    for path in kept:
        assert b"shpat_canary" not in path.read_bytes(), path
    marks = [json.loads(path.read_text())["bookmark"] for path in home.rglob("landing/**/*.json")]
    assert {mark["of"] for mark in marks} == {"shop.example"}
