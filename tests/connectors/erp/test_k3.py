"""金蝶 K/3: the ready queries and mappings on the same tables in SQLite, against SQL of our own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import erp_k3
import pytest
from erp_world import Erp, erp


@pytest.fixture(scope="module")
def k3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Erp]:
    """An account that was read once; the tests stand in the order in which it changes."""
    root: Path = tmp_path_factory.mktemp("k3") / "acme"
    root.mkdir()
    with erp(root, "kingdee_k3", erp_k3.account(root / "erp.db")) as made:
        made.first = made.sync()
        yield made


def test_every_stream_arrives_whole_and_nothing_is_quarantined(k3: Erp) -> None:
    assert {n: d.quarantined for n, d in k3.first.items() if d.quarantined} == {}
    counts = {
        "parties": "select count(*) from t_Organization",
        "products": "select count(*) from t_ICItem",
        "locations": "select count(*) from t_Stock",
        "stock_levels": "select count(*) from ICInventory",
        "orders": "select count(*) from SEOrder where FChangeMark = 0",
        "order_lines": "select count(*) from SEOrderEntry where FInterID <> 1005",
        "shipments": "select count(*) from ICStockBill where FTranType = 21 and FROB = 1",
        "invoices": "select count(*) from ICSale where FTranType in (80, 86)",
        "payments": "select count(*) from t_RP_NewReceiveBill where FClassTypeID = 1000005",
    }
    for table, sql in counts.items():
        assert k3.published(f"select count(*) from unified.{table}") == k3.source(sql), table


def test_each_order_has_its_lines_its_sums_and_its_status(k3: Erp) -> None:
    found = k3.published(
        "select o.number, o.total::double, count(*), sum(l.gross)::double, sum(l.tax)::double,"
        " sum(l.quantity)::double from unified.orders o join unified.order_lines l"
        " using (order_id) group by 1, 2 order by 1"
    )
    assert found == k3.source(
        "select m.FBillNo, sum(FAllAmount), count(*), sum(FAllAmount), sum(FTaxAmt), sum(FAuxQty)"
        " from SEOrderEntry d join SEOrder m on m.FInterID = d.FInterID and FChangeMark = 0"
        " group by m.FInterID order by 1"
    )
    assert k3.published(
        "select number, status, fulfillment_status, currency from unified.orders order by 1"
    ) == [
        ("SEORD1001", "confirmed", "partial", "CNY"),
        ("SEORD1002", "pending_approval", "unfulfilled", "CNY"),
        ("SEORD1003", "closed", "shipped", "CNY"),
        ("SEORD1004", "cancelled", "unfulfilled", "USD"),
    ]


def test_deliveries_invoices_and_receipts_say_status_and_lead_to_their_order(k3: Erp) -> None:
    assert k3.published(
        "select s.number, s.status, o.number, l.order_line_key from unified.shipments s"
        " join unified.shipment_lines l using (shipment_id)"
        " left join unified.orders o on o.order_id = l.order_id order by 1"
    ) == [
        ("XOUT501", "shipped", "SEORD1001", "1"),
        ("XOUT502", "pending", "SEORD1003", "1"),
        ("XOUT504", "cancelled", None, None),
    ]
    assert k3.published(
        "select i.number, i.kind, i.status, i.gross, o.number from unified.invoices i"
        " left join unified.orders o using (order_id) order by 1"
    ) == [
        ("FP301", "cn_special_vat", "issued", Decimal("678.0000"), "SEORD1001"),
        ("FP302", "cn_general_vat", "draft", Decimal("226.0000"), None),
        ("FP303", "credit", "issued", Decimal("113.0000"), "SEORD1001"),
        ("FP304", "cn_general_vat", "void", Decimal("113.0000"), None),
    ]
    assert k3.published("select number, kind, status, amount from unified.payments order by 1") == [
        ("XSKD901", "payment", "succeeded", Decimal("678.0000")),
        ("XSKD902", "payment", "pending", Decimal("100.1000")),
        ("XSKD903", "refund", "succeeded", Decimal("13.0000")),
    ]


def test_later_runs_move_only_what_changed_and_find_what_is_gone(k3: Erp) -> None:
    assert {d.landed for d in k3.sync().values()} == {0}
    k3.change("update SEOrderEntry set FAuxStockQty = 10 where FInterID = 1001 and FEntryID = 1",
              "update ICStockBill set FStatus = 1 where FInterID = 502")  # fmt: skip
    done = k3.sync()
    assert {n: d.updated for n, d in done.items() if d.landed} == {"orders": 1, "shipments": 1}
    k3.change("delete from SEOrderEntry where FInterID = 1002",
              "delete from SEOrder where FInterID = 1002",
              "delete from ICStockBill where FInterID = 504")  # fmt: skip
    assert k3.sync("orders")["orders"].deleted == 1, "a full read each time"
    assert k3.sync("shipments", sweep=True)["shipments"].deleted == 1
    assert k3.published(
        "select (select count(*) from unified.orders), (select count(*) from unified.shipments)"
    ) == [(3, 2)]
