"""A day begins where the company is: dates are held against moments in its time zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from recon_rows import Company, company, order, paid

from warehouse.project import project
from warehouse.recon_rules import Setting, Settings

PAID = {"payment_status": "paid", "payment_method": "pay"}
LATER = datetime(2026, 9, 1, tzinfo=UTC)
SHANGHAI, NEW_YORK = "Asia/Shanghai", "America/New_York"
"""Eight hours before UTC, and four behind it in summer."""


def at(day: int, hour: int, month: int = 5) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Company]:
    with company(tmp_path) as made:
        yield made


def numbers(firm: Company, zone: str, rule: str, **own: Any) -> list[str]:
    """Run in a zone; returns the numbers of what the rule found."""
    firm.run(LATER, Settings(rules=((rule, Setting(**own)),), zone=zone))
    said = firm.breaks("left_number", where=f"rule = '{rule}' AND status = 'open'")
    return [row[0] for row in said]


@pytest.mark.parametrize(
    ("zone", "moment", "is_missed"),
    [
        pytest.param(NEW_YORK, at(1, 1), False, id="21:00 of the day before, New York"),
        pytest.param(NEW_YORK, at(1, 4), True, id="0:00, New York"),
        pytest.param("UTC", at(1, 1), True, id="1:00, UTC"),
        pytest.param("UTC", at(30, 19, 4), False, id="19:00 of the day before, UTC"),
        pytest.param(SHANGHAI, at(30, 19, 4), True, id="3:00, Shanghai"),
        pytest.param(SHANGHAI, at(30, 15, 4), False, id="23:00 of the day before, Shanghai"),
    ],
)
def test_a_gateway_that_tells_days_tells_since_that_days_beginning(
    firm: Company, zone: str, moment: datetime, is_missed: bool
) -> None:
    firm.put("shop", "order", order("0", placed_at=at(1, 15), **PAID),
             order("1", placed_at=moment, **PAID))  # fmt: skip
    firm.put("gate", "payment", paid("g0", "T0", paid_at=None, value_date=date(2026, 5, 1)))
    missed = ["T1"] if is_missed else []
    assert numbers(firm, zone, "order_paid_without_money") == missed


@pytest.mark.parametrize(
    ("zone", "moment", "is_missed"),
    [
        pytest.param(SHANGHAI, at(1, 19), True, id="3:00, Shanghai"),
        pytest.param(SHANGHAI, at(1, 15), False, id="23:00 of the day before, Shanghai"),
        pytest.param("UTC", at(1, 19), False, id="19:00 of the day before, UTC"),
        pytest.param(NEW_YORK, at(2, 3), False, id="23:00 of the day before, New York"),
        pytest.param(NEW_YORK, at(2, 4), True, id="0:00, New York"),
    ],
)
def test_what_left_on_the_day_of_the_first_invoice_is_to_be_invoiced(
    firm: Company, zone: str, moment: datetime, is_missed: bool
) -> None:
    firm.put("shop", "order", order("0"), order("1"))
    left = {"status": "shipped"}
    firm.put("erp", "shipment", {"key": "0", "order_number": "T0", "shipped_at": at(3, 9), **left},
             {"key": "1", "order_number": "T1", "shipped_at": moment, **left})  # fmt: skip
    firm.put("erp", "invoice", {"key": "i", "number": "I", "order_number": "T0", "gross": 100,
                                "issue_date": date(2026, 5, 2), "status": "issued",
                                "currency": "CNY"})  # fmt: skip
    assert numbers(firm, zone, "shipped_not_invoiced") == (["T1"] if is_missed else [])


@pytest.mark.parametrize(
    ("zone", "moment", "is_found"),
    [
        pytest.param(SHANGHAI, at(30, 19, 4), True, id="3:00, Shanghai"),
        pytest.param(SHANGHAI, at(30, 15, 4), False, id="23:00 of the day before, Shanghai"),
        pytest.param("UTC", at(30, 19, 4), False, id="19:00 of the day before, UTC"),
        pytest.param(NEW_YORK, at(1, 3), False, id="23:00 of the day before, New York"),
        pytest.param(NEW_YORK, at(1, 4), True, id="0:00, New York"),
    ],
)
def test_a_rule_that_counts_since_a_day_counts_since_its_beginning(
    firm: Company, zone: str, moment: datetime, is_found: bool
) -> None:
    firm.put("shop", "order", order("0", placed_at=at(1, 0, 4), **PAID),
             order("1", placed_at=moment, **PAID))  # fmt: skip
    firm.put("erp", "order", order("e0", 100, "T0", placed_at=at(1, 0, 4)))
    rule, since = "order_without_document", date(2026, 5, 1)
    assert numbers(firm, zone, rule, since=since) == (["T1"] if is_found else [])


@pytest.mark.parametrize(("zone", "is_found"), [(SHANGHAI, True), ("UTC", False)])
def test_a_document_of_the_day_on_which_the_shop_began_is_judged(
    firm: Company, zone: str, is_found: bool
) -> None:
    """Made at four in the morning of the first of May in Shanghai; the shop sold from ten on."""
    firm.put("shop", "order", order("0", placed_at=at(1, 2)))
    firm.put("erp", "order", order("e0", 100, "T0"), order("e9", 10, "T9", placed_at=at(30, 20, 4)))
    assert numbers(firm, zone, "document_without_order") == (["T9"] if is_found else [])


@pytest.mark.parametrize(("zone", "is_found"), [(SHANGHAI, False), ("UTC", True)])
def test_documents_of_two_days_are_not_one(firm: Company, zone: str, is_found: bool) -> None:
    """An hour before and after midnight in Shanghai."""
    same = {"number": "B1", "customer_key": "c1"}
    firm.put("erp", "order", order("1", placed_at=at(1, 15), **same),
             order("2", placed_at=at(1, 17), **same))  # fmt: skip
    assert numbers(firm, zone, "same_document_twice") == (["B1"] if is_found else [])


def test_another_zone_lets_everything_be_looked_at_anew(
    firm: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where all that was found is kept, and a row of a mart that was made in the old zone."""
    monkeypatch.setattr("warehouse.ties.SMALL", 0)
    firm.put("shop", "order", order("0", placed_at=at(1, 15), **PAID),
             order("1", placed_at=at(30, 19, 4), **PAID))  # fmt: skip
    firm.put("gate", "payment", paid("g0", "T0", paid_at=None, value_date=date(2026, 5, 1)))
    rule = "order_paid_without_money"
    assert [numbers(firm, zone, rule) for zone in ("UTC", SHANGHAI, SHANGHAI, "UTC")] == [
        [], ["T1"], ["T1"], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "begins"), [("UTC", at(1, 0)), (SHANGHAI, at(30, 16, 4)), (NEW_YORK, at(1, 4))]
)
def test_the_published_marts_say_what_reconciliation_reads(
    firm: Company, zone: str, begins: datetime
) -> None:
    """Whatever the zone of the session that asks."""
    day, home = date(2026, 5, 1), firm.home
    firm.put("shop", "order", order("0", placed_at=None, order_date=day, **PAID))
    firm.put("gate", "payment", paid("g0", "T0", paid_at=None, value_date=day))
    firm.run(LATER, Settings(zone=zone))
    project(firm.store, home, privacy="masked", key=b"0" * 32, now=LATER, timezone=zone)
    with duckdb.connect(str(home.public), read_only=True) as con:
        for session in ("UTC", NEW_YORK, SHANGHAI):
            con.execute(f"SET TimeZone = '{session}'")
            assert con.execute(
                "SELECT p.paid_at, o.first_paid_at, o.placed_at FROM mart.order_payments p "
                "JOIN mart.order_to_cash o ON p.order_id = o.order_id"
            ).fetchall() == [(begins, begins, begins)]
