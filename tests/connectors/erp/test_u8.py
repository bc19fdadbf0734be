"""用友 U8: the ready queries and mappings on the same tables in SQLite, against SQL of our own."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import erp_u8
import pytest
from erp_world import Erp, erp

from pipelines.workspace import Workspace

Table = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def u8(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Erp]:
    """An account that was read once; tests that use it change nothing."""
    root: Path = tmp_path_factory.mktemp("u8") / "acme"
    root.mkdir()
    with erp(root, "yonyou_u8", erp_u8.account(root / "erp.db")) as made:
        erp_u8.many(made.con, 60)
        made.first = made.sync()
        yield made


@pytest.fixture
def live(u8: Erp, tmp_path: Path) -> Iterator[Erp]:
    """A copy of that account, the test's own: the connection names its database by the folder."""
    root = Path(shutil.copytree(u8.root, tmp_path / "acme", symlinks=True))
    env = {"ISTHMUS_DEFS": str(root / "defs"), "ISTHMUS_HOME": str(root / "var")}
    space, con = Workspace.discover(env), sqlite3.connect(root / "erp.db")
    yield Erp(root, con, space, now=u8.now, first=u8.first)
    space.control.close()
    con.close()


def money(rows: Table) -> Table:
    """Return rows with floating numbers rounded as money."""
    return [tuple(Decimal(str(round(v, 4))) if isinstance(v, float) else v for v in r)
            for r in rows]  # fmt: skip


def same(found: Table, wanted: Table) -> None:
    assert [tuple(map(str, map(plain, row))) for row in found] == [
        tuple(map(str, map(plain, row))) for row in money(wanted)
    ]


def plain(value: object) -> object:
    return value.normalize() + 0 if isinstance(value, Decimal) else value


def test_every_stream_arrives_whole_and_nothing_is_quarantined(u8: Erp) -> None:
    done = u8.first
    assert {n: d.quarantined for n, d in done.items() if d.quarantined} == {}
    counts = {
        "parties": "select count(*) from Customer",
        "products": "select count(*) from Inventory",
        "locations": "select count(*) from Warehouse",
        "stock_levels": "select count(*) from CurrentStock",
        "orders": "select count(*) from SO_SOMain",
        "order_lines": "select count(*) from SO_SODetails",
        "shipments": "select count(*) from DispatchList where cVouchType = '05'"
        " and bReturnFlag = 0",
        "invoices": "select count(*) from SaleBillVouch where cVouchType in ('26', '27')",
        "payments": "select count(*) from Ap_CloseBill where cVouchType = '48' and cFlag = 'AR'",
    }
    for table, sql in counts.items():
        assert u8.published(f"select count(*) from unified.{table}") == u8.source(sql), table


def test_each_order_has_its_lines_and_the_sums_of_the_account(u8: Erp) -> None:
    same(
        u8.published(
            "select number, total, tax_total, (select count(*) from unified.order_lines l"
            " where l.order_id = o.order_id), (select sum(gross) from unified.order_lines l"
            " where l.order_id = o.order_id) from unified.orders o order by number"
        ),
        u8.source(
            "select m.cSOCode, abs(sum(iSum)), abs(sum(iTax)), count(*), abs(sum(iSum))"
            " from SO_SODetails d join SO_SOMain m on m.ID = d.ID group by m.ID order by m.cSOCode"
        ),
    )
    same(
        u8.published(
            "select o.number, l.source_key, l.sku, l.quantity, l.unit_price, l.net, l.tax"
            " from unified.order_lines l join unified.orders o using (order_id)"
            " order by o.number, l.source_key"
        ),
        u8.source(
            "select m.cSOCode, cast(iSOsID as text), cInvCode, sign * coalesce(iQuantity, 0),"
            " iTaxUnitPrice, sign * iMoney, sign * iTax from SO_SODetails d join"
            " (select *, case bReturnFlag when 1 then -1 else 1 end as sign from SO_SOMain) m"
            " on m.ID = d.ID order by m.cSOCode, cast(iSOsID as text)"
        ),
    )


def test_status_says_unapproved_closed_partly_shipped_and_returned(u8: Erp) -> None:
    assert u8.published(
        "select number, kind, status, fulfillment_status, currency from unified.orders"
        " where number < 'XS2' order by 1"
    ) == [
        ("XS1001", "sale", "confirmed", "partial", "CNY"),
        ("XS1002", "sale", "pending_approval", "unfulfilled", "CNY"),
        ("XS1003", "sale", "closed", "shipped", "CNY"),
        ("XS1004", "sale", "confirmed", "unfulfilled", "USD"),
        ("XS1005", "return", "confirmed", "unfulfilled", "CNY"),
        ("XS1006", "sale", "confirmed", "unfulfilled", "CNY"),
    ]
    assert u8.published("select number, kind, status from unified.invoices order by 1") == [
        ("FP301", "cn_special_vat", "issued"),
        ("FP302", "cn_general_vat", "draft"),
        ("FP303", "credit", "issued"),
        ("FP304", "cn_general_vat", "void"),
    ]
    assert u8.published("select number, kind, status, amount from unified.payments order by 1") == [
        ("SK901", "payment", "succeeded", Decimal("678.0000")),
        ("SK902", "payment", "pending", Decimal("100.1000")),
        ("SK903", "refund", "succeeded", Decimal("13.0000")),
    ]
    assert u8.published("select number, status from unified.shipments order by 1") == [
        ("FH501", "shipped"),
        ("FH502", "pending"),
    ]
    assert u8.published("select name, status from unified.parties order by 1")[-1] == (
        "客户3", "inactive",
    )  # fmt: skip


def test_references_lead_to_the_very_thing(u8: Erp) -> None:
    assert u8.published(
        "select s.number, l.sku, o.number, ol.quantity from unified.shipments s"
        " join unified.shipment_lines l using (shipment_id)"
        " join unified.orders o on o.order_id = l.order_id"
        " join unified.order_lines ol on ol.order_id = o.order_id"
        " and ol.source_key = l.order_line_key order by 1, 2, 3"
    ) == [
        ("FH501", "A-100", "XS1001", Decimal("10.000000")),
        ("FH502", "A-200", "XS1001", Decimal("2.000000")),
        ("FH502", "A-200", "XS1003", Decimal("4.000000")),
    ]
    assert u8.published(
        "select i.number, o.number, p.name from unified.invoices i"
        " left join unified.orders o using (order_id)"
        " left join unified.parties p on p.party_id = i.party_id order by 1"
    )[:2] == [("FP301", "XS1001", "客户1"), ("FP302", "XS1001", "客户1")]
    assert u8.published(
        "select l.name, count(*), sum(on_hand) from unified.stock_levels s"
        " join unified.locations l using (location_id) join unified.products p"
        " using (product_id) group by 1 order by 1"
    ) == [("成品仓", 3, Decimal("464.000000")), ("退货仓", 2, Decimal("5.000000"))]


def test_the_second_run_moves_only_what_changed(live: Erp) -> None:
    assert {d.landed for d in live.sync().values()} == {0}
    live.change(
        "update dbts set n = n + 100000",  # so that what lies behind is not read again anyway
        "update SO_SOMain set cMemo = '加急' where ID = 1003",
    )
    assert {n: d.landed for n, d in live.sync().items() if d.landed} == {"orders": 1}
    live.change(
        "update SO_SODetails set iFHQuantity = 10 where iSOsID = 11"
    )  # the head stays as is
    done = live.sync()
    assert {n: (d.landed, d.updated) for n, d in done.items() if d.landed} == {"orders": (1, 1)}
    assert live.published(
        "select fulfilled_quantity, status from unified.order_lines where source_key = '11'"
    ) == [(Decimal("10.000000"), "shipped")]
    live.change(
        "update SO_SOMain set cCloser = '关闭乙' where ID = 1004",
        "update Customer set dEndDate = '2026-11-01' where cCusCode = 'C1'",
    )
    moved = {n: d.updated for n, d in live.sync().items() if d.landed}
    assert moved == {"orders": 1, "customers": 1}
    assert live.published("select status from unified.orders where number = 'XS1004'") == [
        ("closed",)
    ]


def test_a_line_that_is_gone_goes_with_its_saved_order(live: Erp) -> None:
    live.change(
        "delete from SO_SODetails where iSOsID = 12",
        "update SO_SOMain set dmodifysystime = '2026-11-24 16:00:00' where ID = 1001",
    )
    live.sync("orders")
    assert live.published(
        "select o.total, count(*) from unified.order_lines l join unified.orders o"
        " using (order_id) where o.number = 'XS1001' group by 1"
    ) == [(Decimal("1130.0000"), 1)]


def test_documents_deleted_in_u8_are_tombstones_after_the_sweep(live: Erp) -> None:
    live.change("delete from SO_SODetails where ID = 1002", "delete from SO_SOMain where ID = 1002")
    assert live.sync("orders")["orders"].deleted == 0, "no rowversion tells of it"
    assert live.sync("orders", sweep=True)["orders"].deleted == 1
    assert live.published("select number from unified.orders where number = 'XS1002'") == []
    assert live.published(
        "select is_deleted, delete_reason from source.orders where source_key = '1002'"
    ) == [(True, "absent_in_full_scan")]


def test_stock_dealt_anew_keeps_its_rows(live: Erp) -> None:
    live.change("update CurrentStock set AutoID = AutoID + 1000")  # 整理现存量
    done = live.sync("stock")["stock"]
    assert (done.landed, done.deleted) == (0, 0)
    assert live.published("select count(*), sum(on_hand) from unified.stock_levels") == [
        (5, Decimal("469.000000"))
    ]
