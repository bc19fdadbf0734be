"""The ready mappings of Tryton on records that the real server's seed does not have."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from mapping_runs import Result, run

MAPPINGS = Path(__file__).parents[2] / "mappings" / "tryton"


def mapped(stream: str, records: list[dict[str, Any]], folder: Path) -> Result:
    return run((MAPPINGS / f"{stream}.yaml").read_text("utf-8"), records, folder)


def test_what_a_party_no_longer_has_does_not_identify_it(tmp_path: Path) -> None:
    """Archived records are read, too; a number that was given up may be somebody else's now."""
    contacts = [
        {"id": 1, "type": "phone", "value": "+86 10 5555 0001", "active": True},
        {"id": 2, "type": "phone", "value": "+86 10 5555 0002", "active": False},
        {"id": 3, "type": "email", "value": "old@shop.example", "active": 0},
        {"id": 4, "type": "email", "value": "new@shop.example", "active": 1},
    ]
    party = {"id": 7, "name": "A", "active": True, "contact_mechanisms": contacts}
    found = mapped("parties", [party], tmp_path).children["identifiers"]
    assert [row["value"] for row in found] == ["+86 10 5555 0001", "new@shop.example"]


def test_a_movement_of_money_stands_once_where_other_accounts_ask_for_a_party_too(
    tmp_path: Path,
) -> None:
    def line(number: int, debit: str, credit: str, **kinds: bool) -> dict[str, Any]:
        kind = {"receivable": False, "payable": False} | kinds
        return {
            "id": number, "debit": debit, "credit": credit, "party": {"id": 3},
            "account": {"type": kind}, "move": {"state": "posted", "number": "1"},
        }  # fmt: skip

    lines = [
        line(1, "100.00", "0", asset=True),  # the bank's side: its account requires a party
        line(2, "0", "100.00", receivable=True),
        line(3, "0", "40.00", asset=True),
        line(4, "40.00", "0", payable=True),
    ]
    found = mapped("payments", lines, tmp_path)
    assert [(row["kind"], row["amount"]) for row in found.rows] == [
        ("payment", Decimal(100)),
        ("payout", Decimal(40)),
    ]
