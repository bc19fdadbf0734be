"""What is the same document twice, and what is only alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from recon_rows import Company, company, found, order
from source_rows import MOMENT

DAY = timedelta(days=1)


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Company]:
    with company(tmp_path) as made:
        yield made


def test_same_document_twice(firm: Company) -> None:
    """1 was handed over twice; 2 is split; 3 and 4 are one purchase; 5 is bought every day."""
    firm.put("shop", "order", order("1"), order("2"))
    firm.put("erp", "order", order("a", 100, "T1"), order("b", 100, "T1"), order("c", 50, "T2"),
             order("d", 50, "T2"), order("3", 70, customer_key="c", po_number="PO7"),
             order("4", 70, customer_key="c", po_number="PO7"),
             order("5", 70, customer_key="d", po_number="PO8"),
             order("6", 70, customer_key="d", po_number="PO8",
                   placed_at=MOMENT + DAY))  # fmt: skip
    bill = {"number": "I1", "gross": 10, "currency": "CNY", "issue_date": MOMENT.date(),
            "lines": [{"sku": "A", "quantity": 1, "gross": 10}]}  # fmt: skip
    firm.put("erp", "invoice", {"key": "1", **bill}, {"key": "2", **bill},
             {"key": "3", **bill, "status": "void"})  # fmt: skip
    columns = ("left_number", "right_number", "expected", "actual")
    assert found(firm, "same_document_twice", *columns) == [
        ("I1", "I1", 10, 20), ("T1", "Ta, Tb", 100, 200), ("T3", "T4", 70, 140),
    ]  # fmt: skip
    assert [row for row in firm.breaks() if row[0] == "document_amount"] == []


def test_call_offs_of_a_blanket_order_are_not_the_same_document(firm: Company) -> None:
    """One buyer's number, sum and day: other things, prices, days or places are other call-offs."""

    def called_off(key: str, **line: object) -> dict[str, object]:
        one = {"sku": "A", "quantity": 10, "unit_price": 7, **line}
        return order(key, 70, customer_key="c", po_number="PO7", lines=[one])

    firm.put("erp", "order", called_off("1"), called_off("2", sku="B"),
             called_off("3", quantity=5, unit_price=14), called_off("4", unit="box"),
             called_off("5", requested_date=MOMENT.date()),
             {**called_off("6"), "location_key": "north"},
             {**called_off("7"), "ship_to_address": "2 South Road"},
             {**called_off("8"), "lines": [{"sku": "A", "quantity": 5, "unit_price": 7}] * 2},
             )  # fmt: skip
    firm.run()
    assert firm.breaks(where="kind = 'duplicate'") == []


def test_a_second_import_says_the_very_same_lines(firm: Company) -> None:
    """In any order of lines; of one number or, numbered anew, of one buyer's number."""
    lines = [{"sku": "A", "quantity": 5, "unit_price": 8}, {"sku": "B", "quantity": 1, "gross": 30}]
    firm.put("erp", "order", *(
        order(key, 70, customer_key="c", number=number, po_number=po, lines=said)
        for key, number, po, said in (
            ("1", "N1", None, lines), ("2", "N1", None, lines[::-1]),
            ("3", "N1", None, lines[:1]), ("4", "N4", "PO7", lines), ("5", "N5", "PO7", lines),
        )
    ))  # fmt: skip
    columns = ("left_key", "right_key", "expected", "actual")
    assert found(firm, "same_document_twice", *columns) == [
        ("1", "2", 70, 140), ("4", "5", 70, 140),
    ]  # fmt: skip
    assert firm.breaks(where="rule = 'document_perhaps_twice'") == []


def test_what_lines_do_not_decide_is_a_warning_at_most(firm: Company) -> None:
    """1, 2: no lines; 3, 4 too, under PO7; 5, 6: the same, and PO8 has 7 too; PO9: no lines."""
    same, bare = [{"sku": "A", "quantity": 5, "unit_price": 14}], [{"sku": None, "quantity": 5}]
    of = {"customer_key": "c", "lines": []}
    firm.put("erp", "order", order("1", 70, number="N1", lines=[]),
             order("2", 70, number="N1", lines=bare),
             order("3", 70, po_number="PO7", **of), order("4", 70, po_number="PO7", **of),
             *(order(k, 70, po_number="PO8", **of | {"lines": same}) for k in "56"),
             order("7", 90, po_number="PO8", **of | {"lines": same}),
             *(order(k, 70, po_number="PO9", **of) for k in "89"),
             order("a", 80, po_number="PO9", **of))  # fmt: skip
    bill = {"gross": 10, "currency": "CNY", "issue_date": MOMENT.date()}
    half = {"sku": "A", "quantity": 1, "net": 10}
    firm.put("erp", "invoice", *(
        {"key": key, "number": number, **bill, "lines": lines} for key, number, lines in (
            ("1", "I1", []), ("2", "I1", []), ("3", "I2", [half]), ("4", "I2", [half]),
            ("5", "I3", [half]), ("6", "I3", [{**half, "sku": "B"}]))
    ))  # fmt: skip
    assert found(firm, "document_perhaps_twice", "left_key", "right_key", "severity") == [
        ("1", "2", "warning"), ("1", "2", "warning"), ("3", "4", "warning"), ("5", "6", "warning"),
    ]  # fmt: skip
    assert found(firm, "same_document_twice", "left_number") == [("I2",)]
