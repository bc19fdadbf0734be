"""The loader and the compiler together: YAML in, rows out, through landing and store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hand_plan import empty

from mappings.compile import compile_mapping
from mappings.load import parse_mapping
from warehouse.checks import check_store
from warehouse.errors import MappingMismatch
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import LoadReport, load_pending
from warehouse.model.plan import StreamPlan
from warehouse.store import Store, open_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ORDERS = """\
entity: order
key: id
version: updated_at
deleted: status = 'removed'
fields:
  number: name
  placed_at: created_at
  currency: currency
  total: total_price
  status: {value: financial_status, paid: confirmed, pending: pending_approval, else: unknown}
  customer_key: customer.id
children:
  lines:
    each: line_items
    entity: order_line
    key: id
    fields: {sku: sku, name: title, quantity: quantity, unit_price: price}
also:
  payment:
    entity: payment
    where: date_paid is not null
    key: id
    fields: {order_key: id, amount: total_price, currency: currency, paid_at: date_paid}
"""
ROWS = """\
entity: order
key: FBillNo
group: FBillNo
fields: {number: FBillNo, currency: '''CNY'''}
children:
  lines: {each: rows, entity: order_line, key: FEntryID, fields: {sku: FMaterial, quantity: FQty}}
"""


def plan(text: str = ORDERS, stream: str = "orders") -> StreamPlan:
    return compile_mapping(
        parse_mapping(text), connection="shop", stream=stream, zone="Asia/Shanghai", settings={}
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(Home(tmp_path_factory.mktemp("home")).make()) as found:
        yield found


@pytest.fixture
def store(shared: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    empty(shared)
    monkeypatch.setattr("warehouse.load.checkpoint_at_commit", lambda store: None)
    monkeypatch.setattr(Store, "checkpoint", lambda store: None)
    yield shared
    assert check_store(shared.con) == []


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path, now=lambda: NOW)


def record(key: object, **more: object) -> dict:
    return {
        "id": key, "name": f"#{key}", "created_at": "2026-01-01 08:00:00", "currency": "CNY",
        "total_price": "12.50", "updated_at": "2026-01-02T00:00:00Z", "financial_status": "paid",
        "customer": {"id": 7},
        "line_items": [{"id": 1, "sku": "A", "quantity": 2, "price": "6.25"}],
    } | more  # fmt: skip


def load(
    store: Store, landing: Landing, plan: StreamPlan, records: list[dict | bytes] | pa.Table
) -> LoadReport:
    if isinstance(records, list):
        lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in records]
        keys = [None if isinstance(r, bytes) else str(r.get("id")) for r in records]
    else:
        lines, keys = records, [None] * records.num_rows
    with landing.writer(
        plan.connection, plan.stream, mode="changed", read="r", connector="c@1", started=NOW
    ) as writer:
        writer.add(lines, keys, {})
    return load_pending(store, landing, plan, now=NOW)


def test_records_become_typed_rows(store: Store, landing: Landing) -> None:
    report = load(store, landing, plan(), [
        record(1), record(2, total_price="x"), record(3, financial_status="odd"),
        record(4, date_paid="2026-01-03T00:00:00+08:00"), record(5, status="removed"),
    ])  # fmt: skip
    assert (report.inserted, report.quarantined, report.deleted) == (4, 1, 1)
    assert store.con.execute(
        "select source_key, placed_at::varchar, total, status, status_raw, is_deleted"
        " from source.orders order by 1"
    ).fetchall() == [
        ("1", "2026-01-01 00:00:00+00", Decimal("12.5"), "confirmed", "paid", False),
        ("3", "2026-01-01 00:00:00+00", Decimal("12.5"), "unknown", "odd", False),
        ("4", "2026-01-01 00:00:00+00", Decimal("12.5"), "confirmed", "paid", False),
        ("5", "2026-01-01 00:00:00+00", Decimal("12.5"), "confirmed", "paid", True),
    ]
    assert store.con.execute("select amount, paid_at::varchar from source.payments").fetchall() == [
        (Decimal("12.5"), "2026-01-02 16:00:00+00")
    ]
    assert [k for k in report.warnings if "odd" in k]
    assert store.con.execute("select field, reason from ops.quarantine").fetchall() == [
        ("total", "is not a number")
    ]


@pytest.mark.parametrize(
    "bad", [b"<html>", b"[1]", b'{"id": "\xff"}', b'{"id": 9, "id": 8}', b'{"id": 007}', b"7"]
)
def test_a_bad_line_costs_itself(store: Store, landing: Landing, bad: bytes) -> None:
    report = load(store, landing, plan(), [record(1), bad, record(2)])
    keys = store.con.execute("select source_key, position from source.orders order by 2").fetchall()
    assert [k for k in keys if k[0] in "12"] == [("1", 1), ("2", 3)]
    assert report.inserted + report.quarantined == 3


def test_the_same_in_another_form_is_unchanged(store: Store, landing: Landing) -> None:
    load(store, landing, plan(), [record(1)])
    again = json.dumps(record(1, total_price=12.5, unmapped="x"), indent=1).encode()
    report = load(store, landing, plan(), [again])
    assert (report.read, report.unchanged) == (1, 1)


@pytest.mark.parametrize("spelled", ["Total_Price", "customer.ID"])
def test_case_matters_and_is_said(store: Store, landing: Landing, spelled: str) -> None:
    wrong = plan(ORDERS.replace("customer.id" if "ID" in spelled else "total_price", spelled))
    with pytest.raises(MappingMismatch) as caught:
        load(store, landing, wrong, [record(1), record(2)])
    assert f"`{spelled}` is in no record" in caught.value.what
    assert "<text>:" in caught.value.do
    assert store.con.execute("select count(*) from ops.batches").fetchone() == (0,)


def test_columns_of_a_table_in_other_case_are_said(store: Store, landing: Landing) -> None:
    text = "entity: product\nkey: Code\nfields: {sku: Code, name: 名称}\n"
    table = pa.table({"Code": ["a", "b"], "名称": ["甲", None]})
    assert load(store, landing, plan(text), table).inserted == 2
    assert store.con.execute("select sku, name from source.products order by 1").fetchall() == [
        ("a", "甲"), ("b", None),
    ]  # fmt: skip
    wrong = plan(text.replace("sku: Code", "sku: code").replace("key: Code", "key: code"))
    with pytest.raises(MappingMismatch, match="`Code` is"):
        load(store, landing, wrong, pa.table({"Code": ["c"], "名称": ["丙"]}))


def test_rows_that_repeat_their_head_are_one_record(store: Store, landing: Landing) -> None:
    rows = [
        {"FBillNo": bill, "FEntryID": n, "FMaterial": f"M{n}", "FQty": qty}
        for n, (bill, qty) in enumerate([("A", 1), ("B", "x"), ("A", 2), ("C", 4)], 1)
    ]
    report = load(store, landing, plan(ROWS), rows)
    assert (report.inserted, report.quarantined) == (2, 1)
    assert store.con.execute(
        "select parent_key, sku, quantity::int from source.order_lines order by all"
    ).fetchall() == [("A", "M1", 1), ("A", "M3", 2), ("C", "M4", 4)]
    assert store.con.execute("select position, source_key from ops.quarantine").fetchall() == [
        (2, "B")
    ]


def test_money_and_ids_arrive_exact(store: Store, landing: Landing) -> None:
    exact = b'{"id": 9007199254740993, "currency": "CNY", "total_price": "12345678901234.5678"}'
    load(store, landing, plan(), [exact])
    assert store.con.execute("select source_key, total::varchar from source.orders").fetchall() == [
        ("9007199254740993", "12345678901234.5678")
    ]
