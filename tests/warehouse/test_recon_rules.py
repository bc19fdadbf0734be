"""Each rule on a small store: what it finds, and what looks like it and is right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlglot
from recon_rows import LATER, Company, company, found, order, paid
from source_rows import MOMENT
from sqlglot import exp

from warehouse import left_out, recon_rules

DAY = timedelta(days=1)
PAID = {"payment_status": "paid", "payment_method": "pay"}


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Company]:
    with company(tmp_path) as made:
        yield made


def test_order_without_document(firm: Company) -> None:
    """3 lacks one; 4 is unpaid, 5 cancelled, 6 of a channel that the ERP does not take over."""
    firm.put("shop", "order",
             order("0", placed_at=MOMENT - 9 * DAY, channel="web", payment_status="paid"),
             *(order(k, channel="web", payment_status="paid") for k in "123"),
             order("4", channel="web", payment_status="pending"),
             order("5", channel="web", payment_status="paid", status="cancelled"),
             order("6", channel="pos", payment_status="paid"),
             order("7", channel="web", payment_status="paid"),
             order("8", channel="web", payment_status="paid", is_test=True))  # fmt: skip
    firm.put("erp", "order", order("e1", 100, "T1"), order("e2", 200, "T2, T7"),
             order("b2b", 5000))  # fmt: skip
    assert found(firm, "order_without_document") == [("T3",)]
    assert firm.breaks() == [("order_without_document", "T3", None)]


def test_document_without_order(firm: Company) -> None:
    """T9 and T8 are nobody's; T3 was deleted, 820011223344 is of a shop that is not connected."""
    firm.put("shop", "order", order("1"), order("2"), order("3"))
    firm.load.delete("order", "3")
    firm.put("erp", "order", order("e1", 100, "T1"), order("e9", 70, "T9"),
             order("e2", 170, "T2,T8"), order("e3", 10, "T3"), order("e4", 10, "820011223344"),
             order("e5", 10, "T7", status="cancelled"), order("own", 10, "Town", number="Town"),
             order("old", 10, "T6", placed_at=MOMENT - 9 * DAY))  # fmt: skip
    assert found(firm, "document_without_order", "left_number", "right_number", "actual") == [
        ("T8", "Te2", 170), ("T9", "Te9", 70),
    ]  # fmt: skip


def test_document_amount(firm: Company) -> None:
    """Split, merged, partly refunded, edited, cancelled, foreign and returned ones are right."""
    firm.put("shop", "order", order("1"), order("2"), order("3"), order("4"), order("5"),
             order("6", refunded_total=30), order("7", current_total=80), order("8"),
             order("9", status="cancelled"), order("10"), order("11"), order("12"), order("13"),
             order("14"))  # fmt: skip
    firm.put("erp", "order",
             order("a", 90, "T1"), order("b1", 60, "T2"), order("b2", 40, "T2"),
             order("c", 200, "T3,T4"), order("d1", 60, "T5"), order("d2", 30, "T5"),
             order("f", 70, "T6"), order("g", 80, "T7"), order("h", 14, "T8", currency="USD"),
             order("i", 1, "T9"), order("j", 100, "T10"),
             order("k", 100, "T10", status="cancelled"), order("l", 40, "T10", kind="return"),
             order("m", 195, "T11,T12"), order("n", 100, "T12,T13"),
             order("o", None, "T14"))  # fmt: skip
    firm.put("oms", "order", order("o1", 100, "T1"), order("m2", 150, "T3,T4"))
    columns = ("left_number", "right_connection", "right_number", "expected", "actual")
    assert found(firm, "document_amount", *columns) == [
        ("T1", "erp", "Ta", 100, 90), ("T11, T12, T13", "erp", "Tm, Tn", 300, 295),
        ("T5", "erp", "Td1, Td2", 100, 90), ("T3, T4", "oms", "Tm2", 200, 150),
    ]  # fmt: skip


def test_an_order_that_changed_is_under_way_again(firm: Company) -> None:
    firm.put("shop", "order", order("1", source_updated_at=LATER - DAY))
    firm.put("erp", "order", order("a", 90, "T1"))
    assert found(firm, "document_amount", "status") == [("timing",)]


def test_money_and_orders(firm: Company) -> None:
    """Each side has what the other lacks, and what only looks so.

    1 fits; 2 is unpaid in the shop, 3 was paid back, 4 has no money, 5 too little, 6 too much;
    7 was paid in cash, 8 before the gateway's data begins; 9 is in another currency; of 10 a gift
    card paid a part, of 16 too but the gateway took all; 11 was paid by the bank; X is nobody's
    number; 12 in two instalments; 13 too much, which was given back; 14 and 15 at once; the last is
    no number of an order.
    """
    firm.put("shop", "order",
             *(order(k, **PAID) for k in ("1", "4", "5", "6", "9", "10", "12", "13", "14", "15",
                                         "16")),
             order("2", payment_status="pending"), order("3", payment_status="voided"),
             order("7", payment_status="paid", payment_method="cash"),
             order("8", **PAID, placed_at=MOMENT - 40 * DAY),
             order("11", payment_status="paid"))  # fmt: skip
    firm.put("shop", "payment",
             {"key": "s10a", "order_key": "10", "provider": "pay", "amount": 90, "currency": "CNY",
              "status": "succeeded", "paid_at": MOMENT},
             {"key": "s10b", "order_key": "10", "provider": "gift_card", "amount": 10,
              "currency": "CNY", "status": "succeeded", "paid_at": MOMENT},
             {"key": "s16a", "order_key": "16", "provider": "pay", "amount": 90, "currency": "CNY",
              "status": "succeeded", "paid_at": MOMENT},
             {"key": "s16b", "order_key": "16", "provider": "gift_card", "amount": 10,
              "currency": "CNY", "status": "succeeded", "paid_at": MOMENT})  # fmt: skip
    firm.put("gate", "payment", paid("g1", "T1"), paid("g2", "T2"), paid("g3", "T3"),
             paid("g3r", "T3", kind="refund"), paid("g5", "T5", 99), paid("g6", "T6", 120),
             paid("g9", "T9", 14, currency="USD"), paid("g10", "T10", 90), paid("gX", "T99"),
             paid("g12a", "T12", 40), paid("g12b", "T12", 60), paid("g13", "T13", 150),
             paid("g14", "T14,T15", 200), paid("g16", "T16"), paid("gF", "T4", status="failed"),
        paid("r13", "T13", 50, kind="refund"), paid("gS", "sub_Xy77"),)  # fmt: skip
    firm.put("bank", "payment", paid("b11", "T11", provider="bank"))
    assert found(firm, "order_paid_without_money", "left_number", "expected", "actual") == [
        ("T4", 100, 0)
    ]
    assert found(firm, "paid_order_unpaid", "left_number", "actual", "actual_said") == [
        ("T2", 100, "pending")
    ]
    assert found(firm, "payment_amount", "left_number", "expected", "actual", "difference") == [
        ("T16", 90, 100, 10), ("T5", 100, 99, -1), ("T6", 100, 120, 20),
    ]  # fmt: skip
    assert found(firm, "payment_without_order", "left_number", "right_number", "actual") == [
        ("T99", "tx-of-gX", 100)
    ]
    assert len(firm.breaks()) == 6


@pytest.mark.parametrize(("many", "breaks"), [(19, 19), (20, 0)])
def test_a_system_that_counts_otherwise_is_not_held_against_orders(
    firm: Company, many: int, breaks: int
) -> None:
    """The ERP has no freight: so many orders are no mistake of a person."""
    line = [{"key": "1", "gross": 60}]
    firm.put("shop", "order", *(order(str(k), lines=line) for k in range(many)))
    firm.put("erp", "order", *(order(f"e{k}", 90, f"T{k}") for k in range(many)))
    assert len(found(firm, "document_amount")) == breaks
    assert len(found(firm, "lines_against_total")) == breaks


def test_a_gateway_that_does_not_keep_our_numbers_is_not_held_against_orders(
    firm: Company,
) -> None:
    firm.put("shop", "order", *(order(k, payment_status="paid") for k in "123"))
    firm.put("gate", "payment", *(paid(f"g{n}", f"TRADE-{n}") for n in range(5)))
    firm.run()
    assert firm.breaks() == []


def test_what_is_not_compared_is_told(firm: Company) -> None:
    """The gateway's feed lacks the second shop; a third takes cash; the ERP sent no orders."""
    firm.roles["shop2"] = "shop"
    firm.put("shop", "order", *(order(f"a{n}", **PAID) for n in range(20)),
             *(order(f"c{n}", payment_status="paid", payment_method="cash") for n in range(3)),
             )  # fmt: skip
    firm.put("shop2", "order", *(order(f"b{n}", **PAID) for n in range(20)))
    firm.put("gate", "payment", *(paid(f"p{n}", f"Ta{n}") for n in range(20)), paid("q", "Tb0"))
    firm.put("erp", "stock_level", {"key": "A", "sku": "A", "on_hand": 8})
    done = firm.run()
    assert firm.breaks() == []
    assert done.left_out["error"]["order_paid_without_money"] == [
        "shop cash: 0 of 3", "shop2 pay: 1 of 20",
    ]  # fmt: skip
    assert done.left_out["error"]["payment_amount"] == ["shop cash: 0 of 3", "shop2 pay: 1 of 20"]
    sql = "SELECT reason, connection, what FROM recon.left_out WHERE rule = ? ORDER BY ALL"
    told = {rule: firm.store.con.execute(sql, [rule]).fetchall() for rule in (
        "payment_amount", "order_without_document", "document_without_order", "oversell",
        "lines_against_total")}  # fmt: skip
    assert told == {
        "payment_amount": [
            ("gateway_lacks_way", "shop2", "pay"), ("way_of_no_gateway", "shop", "cash"),
        ],
        "order_without_document": [("no_side", None, "erp order")],
        "document_without_order": [("no_side", None, "erp|oms order")],
        "oversell": [("no_side", None, "shop stock_level")],
        "lines_against_total": [
            ("no_records", "erp", "shop|oms|erp order"),
            ("no_records", "erp", "shop|oms|erp order_line"),
        ],
    }  # fmt: skip

    off = {name: recon_rules.Setting(is_off=True) for name in ("oversell", "payment_amount")}
    firm.run(settings=recon_rules.Settings(rules=tuple(off.items())))
    assert firm.store.con.execute(sql, ["oversell"]).fetchall() == []
    firm.put("gate", "payment", *(paid(f"q{n}", f"Tb{n}") for n in range(1, 20)))
    firm.put("shop", "stock_level", {"key": "A", "sku": "A", "available": 8})
    assert firm.run().left_out["error"]["order_paid_without_money"] == ["shop cash: 0 of 3"]


def test_refunds_and_returns(firm: Company) -> None:
    """1 was refunded for nothing; of 2 goods came back, 3 was cancelled before it left.

    4 is known in the shop as a part given back. The goods of 5 came back without money, of 6 too
    but for an exchange; 7's return was refunded.
    """
    firm.put("shop", "order", *(order(k, **PAID) for k in "1567"), order("2", **PAID),
             order("3", payment_status="refunded", payment_method="pay", status="cancelled"),
             order("4", payment_status="partially_refunded", payment_method="pay"))  # fmt: skip
    firm.put("gate", "payment", *(paid(f"g{k}", f"T{k}") for k in "1234567"),
             *(paid(f"r{k}", f"T{k}", kind="refund") for k in "1237"),
             paid("r4", "T4", 20, kind="refund"))  # fmt: skip
    back = {"status": "received", "requested_at": MOMENT, "received_at": MOMENT}
    firm.put("oms", "return", *(
        {"key": f"b{k}", "number": f"B{k}", "order_number": f"T{k}", **back} for k in "257"
    ), {"key": "b6", "number": "B6", "order_number": "T6", "kind": "exchange", **back},
        {"key": "bx", "number": "BX", "order_number": "T1", "status": "cancelled"})  # fmt: skip
    assert found(firm, "refund_without_return", "right_number", "expected", "actual") == [
        ("T1", 0, 100)
    ]
    assert found(firm, "return_without_refund", "left_number", "right_number") == [("T5", "B5")]
    assert len(firm.breaks()) == 2


def test_shipped_not_invoiced(firm: Company) -> None:
    """B2B orders are invoiced, retail ones on request; 3 was sent before the first invoice."""
    firm.put("erp", "order", order("1"), order("2"), order("3", placed_at=MOMENT - 9 * DAY))
    firm.put("shop", "order", *(order(k, channel="web") for k in "456"))
    sent = {"status": "shipped", "shipped_at": MOMENT}
    firm.put("erp", "shipment", {"key": "s1", "order_key": "1", **sent},
             {"key": "s2", "order_key": "2", **sent},
             {"key": "s3", "order_key": "3", "status": "shipped",
              "shipped_at": MOMENT - 9 * DAY})  # fmt: skip
    firm.put("oms", "shipment", *(
        {"key": f"s{k}", "order_number": f"T{k}", **sent} for k in "456"))  # fmt: skip
    firm.put("erp", "invoice", {"key": "i1", "number": "AR1", "order_number": "T1",
             "direction": "receivable", "issue_date": MOMENT.date()},
             {"key": "i4", "number": "AR4", "order_number": "T4",
              "issue_date": MOMENT.date()},
             {"key": "i2", "number": "AR2", "order_number": "T2", "status": "void",
              "issue_date": MOMENT.date()})  # fmt: skip
    assert found(firm, "shipped_not_invoiced") == [("T2",)]


def test_sent_but_open_in_shop(firm: Company) -> None:
    """1 arrived; 2 is told, 3 waits for its second parcel, 4 is only announced."""
    states = {"1": "unfulfilled", "2": "shipped", "3": "partial", "4": "unfulfilled"}
    firm.put("shop", "order", *(order(k, fulfillment_status=v) for k, v in states.items()))
    firm.put("oms", "shipment", *(
        {"key": f"s{k}", "order_number": f"T{k}", "tracking_number": f"YT880000000{k}",
         "status": "shipped"}
        for k in states))  # fmt: skip
    for key in states:
        state = "pending" if key == "4" else "delivered"
        parcel = {"key": f"c{key}", "tracking_number": f"YT880000000{key}", "shipped_at": MOMENT}
        firm.put("carrier", "shipment", {**parcel, "carrier_name": "圆通", "status": state})
    columns = ("left_number", "right_number", "expected_said", "actual_said")
    assert found(firm, "sent_but_open_in_shop", *columns) == [
        ("T1", "YT8800000001", "delivered", "unfulfilled")
    ]


def test_oversell(firm: Company) -> None:
    """Of A less can be sold than is offered, by safety stock; of B the OMS has enough.

    C is counted by nobody else, D is not sold any more; the ERP counts only where no other does.
    """
    firm.put("shop", "stock_level", *(
        {"key": k, "sku": k, "available": 8} for k in "ABCDE"))  # fmt: skip
    firm.put("shop", "product", {"key": "d", "sku": "D", "status": "archived"})
    firm.put("oms", "stock_level",
             {"key": "A1", "sku": "A", "location_name": "1", "on_hand": 9, "reserved": 3},
             {"key": "A2", "sku": "A", "location_name": "2", "on_hand": 4, "safety_stock": 3},
             {"key": "A3", "sku": "A", "location_name": "3", "on_hand": 50,
              "quality": "defective"},
             {"key": "B", "sku": "B", "available": 8}, {"key": "D", "sku": "D", "available": 0},
             )  # fmt: skip
    firm.put("erp", "stock_level", {"key": "A", "sku": "A", "on_hand": 1},
             {"key": "B", "sku": "B", "on_hand": 1},
             {"key": "E", "sku": "E", "on_hand": 5})  # fmt: skip
    columns = ("sku", "right_connection", "expected", "actual", "status")
    assert found(firm, "oversell", *columns) == [
        ("A", "oms", 7, 8, "open"), ("E", "erp", 5, 8, "open"),
    ]  # fmt: skip


def test_lines_against_total(firm: Company) -> None:
    """Shipping, discounts of the order and taxes are in a total or not; 4's line says no sum."""
    line = {"key": "1", "sku": "A", "quantity": 1}
    firm.put("shop", "order",
             order("1", 100, lines=[{**line, "gross": 60}]),
             order("2", 100, lines=[{**line, "gross": 90}], shipping_total=10),
             order("3", 100, lines=[{**line, "gross": 95}], shipping_total=10, discount_total=5),
             order("4", 100, lines=[line]),
             order("5", 113, lines=[{**line, "net": 100}], tax_total=13),
             order("6", 80, lines=[{**line, "gross": 100},
                                   {"key": "2", "kind": "discount", "gross": 20}]),
             order("7", 5, status="cancelled"), order("8", 0, lines=[]))  # fmt: skip
    assert found(firm, "lines_against_total", "left_number", "expected", "actual") == [
        ("T1", 100, 60)
    ]


def test_reference_to_nothing(firm: Company) -> None:
    """Nobody sent customer x and product p; y was deleted; other systems send no customers."""
    firm.put("shop", "party", {"key": "c", "name": "甲"}, {"key": "y", "name": "乙"})
    firm.load.delete("party", "y")
    firm.put("shop", "product", {"key": "a", "sku": "A"})
    line = {"sku": "A", "quantity": 1}
    firm.put("shop", "order",
             order("1", customer_key="c", lines=[{"key": "1", "product_key": "p", **line}]),
             order("2", customer_key="x", lines=[{"key": "1", "product_key": "p", **line}]),
             order("3", customer_key="y"), order("4", customer_key="0"))  # fmt: skip
    firm.put("erp", "order", order("5", customer_key="x"))
    firm.put("shop", "payment", {"key": "p1", "order_key": "404", "status": "succeeded",
                                 "paid_at": MOMENT}, {"key": "p2", "order_key": "1"})  # fmt: skip
    columns = ("actual_said", "left_key", "right_key")
    assert found(firm, "reference_to_nothing", *columns) == [
        ("order.customer_key", None, "2"), ("order_line.product_key", "p", "1"),
        ("payment.order_key", "404", "p1"),
    ]  # fmt: skip


@pytest.mark.parametrize("only", ["shop", "erp", "oms", "gate", "carrier", ""])
def test_a_company_that_lacks_the_others_has_no_breaks(tmp_path: Path, only: str) -> None:
    """Whatever role is there alone, or none: nothing is missing on a side that is not there."""
    with company(tmp_path, {"shop": only} if only else {}) as firm:
        firm.put("shop", "order", *(order(k, payment_status="paid") for k in "12"),
                 order("3", 9, "T8", payment_status="pending"))  # fmt: skip
        firm.put("shop", "payment", {"key": "p", "order_key": "1", "amount": 7, "currency": "CNY",
                                     "status": "succeeded", "provider": "pay"})  # fmt: skip
        firm.put("shop", "shipment", {"key": "s", "order_key": "1", "status": "delivered"})
        firm.put("shop", "stock_level", {"key": "A", "sku": "A", "available": 8})
        firm.run()
        assert firm.breaks() == []


def test_an_erp_whose_orders_were_typed_in_misses_no_shop(firm: Company) -> None:
    firm.put("shop", "order", *(order(k, payment_status="paid") for k in "12"))
    firm.put("erp", "order", order("b1", 5), order("b2", 7, "PO-77"))
    firm.run()
    assert firm.breaks() == []


FILES = sorted(recon_rules.FOLDER.rglob("*.sql"))


def test_reasons_are_of_rules_that_there_are() -> None:
    assert left_out.reasons()
    named = {rule for reason in left_out.reasons() for rule in reason.rules}
    assert named <= set(recon_rules.names())


@pytest.mark.parametrize("path", FILES, ids=[p.stem for p in FILES])
def test_the_names_of_the_published_file_are_put_right_as_a_parser_would(path: Path) -> None:
    """Every table under main, mart and step, and nothing else."""
    text = path.read_text("utf-8")
    tables = sqlglot.parse_one(text, dialect="duckdb").find_all(exp.Table)
    named = sorted(f"{t.db}.{t.name}" for t in tables if t.db in ("main", "mart", "step"))
    hit = sorted(
        found.group(0)
        for line in text.splitlines() if not line.startswith("--")
        for found in re.finditer(recon_rules._NAME, line.partition("--")[0])
    )  # fmt: skip
    assert hit == named
    after = sqlglot.parse_one(recon_rules.private(text), dialect="duckdb")
    assert {t.db for t in after.find_all(exp.Table)} <= {"", "unified", "source", "recon", "ops"}


def test_sums_as_large_as_a_column_holds_stop_no_rule(firm: Company) -> None:
    """Twice such a sum is no value of the column that it comes from."""
    lines = [{"sku": "A", "quantity": 1, "gross": 99_999_999_999_999}]
    large = {"total": 99_999_999_999_999, "lines": lines, "number": "T1", "customer_key": "c"}
    firm.put("shop", "order", {**order("1"), **large}, {**order("2"), **large})
    done = firm.run()
    assert done.failed == {}
    assert firm.breaks("rule", "actual", where="rule = 'same_document_twice'") == [
        ("same_document_twice", 199_999_999_999_998)
    ]
