from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse import dictionary
from warehouse.model import ENTITIES, HEADERS, children_of
from warehouse.model.base import Column

ALL = [(e, n, c) for e, cls in ENTITIES.items() for n, c in cls.columns().items()]
FRAME = {
    "connection", "stream", "source_key", "ext", "record_key", "version", "row_hash", "batch",
    "position", "mapping", "first_seen_at", "synced_at", "load_id", "is_deleted", "deleted_at",
    "delete_reason", "newer_in_quarantine", "parent_key", "line", "valid_from", "valid_to",
}  # fmt: skip


def holds(rule: str, value: str, sql_type: str = "VARCHAR") -> Any:
    sql = f"SELECT {rule} FROM (SELECT {value}::{sql_type} AS value)"
    return duckdb.execute(sql).fetchall()[0][0]


def test_the_entities_of_the_first_release_are_there() -> None:
    assert list(HEADERS) == [
        "organization", "party", "product", "price", "location", "stock_level", "stock_movement",
        "order", "shipment", "payment", "payout", "refund", "return", "invoice", "purchase_order",
        "opportunity", "lead", "activity", "ticket", "exchange_rate",
    ]  # fmt: skip
    owned = {e: [c.entity for c in children_of(e)] for e in HEADERS if children_of(e)}
    assert owned == {
        "party": ["party_identifier", "address"],
        "order": ["order_line"],
        "shipment": ["shipment_line", "shipment_event"],
        "payment": ["payment_allocation"],
        "payout": ["payout_line"],
        "refund": ["refund_line"],
        "return": ["return_line"],
        "invoice": ["invoice_line"],
        "purchase_order": ["purchase_order_line"],
    }
    for name, cls in ENTITIES.items():
        assert cls.entity == name
        assert cls.table != name
        if cls.parent:
            assert name in ENTITIES[cls.parent].children.values()
            assert not cls.children
        else:
            assert {"source_created_at", "source_updated_at"} <= set(cls.columns())


def test_the_printed_mapping_fits_the_model() -> None:
    order = {"number", "placed_at", "currency", "total", "status", "customer_key"}
    assert order <= set(ENTITIES["order"].columns())
    line = {"sku", "name", "quantity", "unit_price", "currency"}
    assert line <= set(ENTITIES["order_line"].columns())
    assert {"order_key", "amount"} <= set(ENTITIES["payment"].columns())
    words = set(ENTITIES["order"].columns()["status"].words)
    assert {"confirmed", "pending_approval", "on_hold"} <= words
    assert ENTITIES["party"].columns()["code"].natural


@pytest.mark.parametrize(("entity", "name", "col"), ALL, ids=[f"{e}.{n}" for e, n, _ in ALL])
def test_every_column_is_told_in_both_languages(entity: str, name: str, col: Column) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert col.en
    assert col.about
    assert re.search(r"[一-鿿]|SKU|PDF", col.zh)
    assert name not in FRAME
    assert f"{name}_raw" not in ENTITIES[entity].columns()
    assert (col.kind == "word") == bool(col.words)
    assert "unknown" not in col.words
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", w) for w in col.words)
    assert bool(col.rule) == bool(col.rule_en) == bool(col.rule_zh)
    assert bool(col.ref) == bool(col.resolved)
    if col.ref:
        assert name.endswith("_key")
        assert col.ref in HEADERS
        assert col.resolved not in FRAME | set(ENTITIES[entity].columns())
    if col.person_only:
        assert col.privacy
    if col.rule:
        assert holds(col.rule, "NULL", col.sql_type) is None
    if name in {"phone", "email", "contact_phone", "id_number"} or name.endswith("_phone"):
        assert col.privacy


def test_resolved_columns_are_told_apart() -> None:
    for entity, cls in ENTITIES.items():
        names = [c.resolved for c in cls.columns().values() if c.resolved]
        own = [f"{entity}_id", f"{cls.parent}_id" if cls.parent else ""]
        assert len({*names, *own}) == len(names) + 2, entity


@pytest.mark.parametrize(
    ("value", "good"),
    [("9144030071526726XG", True), ("91110000802100433B", True), ("9144030071526726XX", False),
     ("91440300715267", False), ("9144030071526726xg", False), ("", False),
     ("I144030071526726XG", False)],
)  # fmt: skip
def test_a_credit_code_has_a_check_sign(value: str, good: bool) -> None:
    rule = ENTITIES["party"].columns()["uscc"].rule
    assert rule is not None
    assert holds(rule, f"'{value}'") is good


@pytest.mark.parametrize(
    ("entity", "field", "value", "good"),
    [
        ("order", "currency", "'CNY'", True), ("order", "currency", "'RMB '", False),
        ("order", "currency", "'cny'", False), ("order", "total", "0", True),
        ("order", "total", "-0.01", False), ("payment", "amount", "-1", False),
        ("order", "placed_at", "'1969-12-31 23:59:59+00'", False),
        ("order", "placed_at", "'2026-03-01 10:00:00+08'", True),
        ("order", "placed_at", "'infinity'", False), ("order", "paid_at", "'2999-01-01'", False),
        ("invoice", "due_date", "'0001-01-01'", False), ("invoice", "e_invoice_no", "'1'", False),
        ("invoice", "e_invoice_no", "'24112000000012345678'", True),
        ("stock_level", "on_hand", "-3", None), ("order_line", "unit_price", "-1", False),
    ],
)  # fmt: skip
def test_rules(entity: str, field: str, value: str, good: bool | None) -> None:
    col = ENTITIES[entity].columns()[field]
    if good is None:
        assert col.rule is None
    else:
        assert col.rule is not None
        assert holds(col.rule, value, col.sql_type) is good


def test_the_data_dictionary_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "model.md"
    assert page.read_text("utf-8") == dictionary.document(), (
        "run `python -m warehouse.dictionary docs/model.md`"
    )
