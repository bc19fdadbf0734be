"""Children, groups and further rows: sets of their parent, each row checked on its own."""

from __future__ import annotations

from decimal import Decimal

import pytest
from mapping_runs import land, plan_of, run, run_plan

from warehouse.model.plan import Reference

ORDER = "entity: order\nkey: id\nfields: {number: id}\n"
LINES = (
    ORDER + "children:\n  lines:\n    each: items\n    entity: order_line\n    key: id\n"
    "    fields: {sku: sku, quantity: qty}\n"
)


def lines_of(text, items, tmp_path, **more):
    out = run(text, [{"id": 1, "items": items}], tmp_path, **more)
    assert out.errors == [[]]
    return out.children["lines"]


def test_each_member_is_a_row_in_order(tmp_path) -> None:
    found = lines_of(LINES, [{"id": 2, "sku": "B"}, {"id": 1, "sku": "A", "qty": "2"}], tmp_path)
    assert [(x["line"], x["source_key"], x["sku"], x["errors"]) for x in found] == [
        (1, "2", "B", []), (2, "1", "A", []),
    ]  # fmt: skip
    assert found[1]["quantity"] == Decimal(2)


@pytest.mark.parametrize("items", [None, [], "", " "])
def test_no_list_is_no_children(tmp_path, items) -> None:
    assert lines_of(LINES, items, tmp_path) == []


@pytest.mark.parametrize("items", [{"0": {"id": 1}}, "text", 5, False, "[broken", {}])
def test_what_is_no_list_is_told_by_a_row(tmp_path, items) -> None:
    found = lines_of(LINES, items, tmp_path)
    assert [x["errors"][0] for x in found] == ["each: is not a list of records"]


def test_false_for_an_empty_list_is_odoos_habit(tmp_path) -> None:
    assert lines_of(LINES + "false_is_null: true\n", False, tmp_path) == []


def test_a_list_in_a_text_member_is_read(tmp_path) -> None:
    assert lines_of(LINES, '[{"id": 1, "sku": "A"}]', tmp_path)[0]["sku"] == "A"


def test_members_that_are_no_objects(tmp_path) -> None:
    found = lines_of(LINES, [5, None, "x", {"id": 1}], tmp_path)
    assert [x["errors"] for x in found] == [
        ["key: is missing"], ["each: is not a list of records", "key: is missing"],
        ["key: is missing"], [],
    ]  # fmt: skip


def test_a_key_is_unique_inside_its_parent_only(tmp_path) -> None:
    records = [{"id": i, "items": [{"id": 1}, {"id": k}]} for i, k in ((1, 2), (2, 1), (3, None))]
    out = run(LINES, records, tmp_path)
    assert [(x["n"], x["errors"]) for x in out.children["lines"]] == [
        (1, []), (1, []), (2, ["key: stands twice in its parent"]),
        (2, ["key: stands twice in its parent"]), (3, []), (3, ["key: is missing"]),
    ]  # fmt: skip


def test_position_is_the_key_where_there_is_none(tmp_path) -> None:
    text = (
        LINES.replace("key: id\n    fields", "key: position\n    fields")
        + "    where: sku <> 'x'\n"
    )
    found = lines_of(text, [{"sku": "A"}, {"sku": "x"}, {"sku": "A"}], tmp_path)
    # The place in the list, so that a row that drops out does not rename the others.
    assert [(x["source_key"], x["line"], x["errors"]) for x in found] == [
        ("1", 1, []),
        ("3", 3, []),
    ]


def test_where_leaves_members_out_before_keys_are_compared(tmp_path) -> None:
    text = LINES + "    where: kind = 'line'\n"
    items = [{"id": 1, "kind": "line"}, {"id": 1, "kind": "note"}, {"id": 2}]
    assert [(x["source_key"], x["errors"]) for x in lines_of(text, items, tmp_path)] == [("1", [])]


def test_child_values_are_checked_like_others(tmp_path) -> None:
    found = lines_of(LINES, [{"id": 1, "qty": "x"}, {"id": 2, "qty": "1.1234567"}], tmp_path)
    assert [x["errors"] for x in found] == [
        ["quantity: is not a number"], ["quantity: has more decimals than the column keeps"],
    ]  # fmt: skip


def test_parent_own_and_deep_members(tmp_path) -> None:
    text = ORDER + (
        "children:\n  lines:\n    each: box.items\n    key: [parent.id, line.no]\n    extra: [tags,"
        " parent.note, line.no]\n    fields:\n      currency: parent.money.currency\n"
        '      sku: "\\"parent\\".sku"\n      name: line.names[-1]\n      note: parent\n'
        '      unit: "upper(parent.unit) || connection.sign"\n'
        "      unit_price: price.amount::decimal * parent.factor::decimal\n"
    )
    record = {
        "id": 7, "money": {"currency": "CNY"}, "unit": "pcs", "factor": "2", "note": "hi",
        "box": {"items": [{"line": {"no": 1, "names": ["a", "b"]}, "parent": {"sku": "S"},
                           "price": {"amount": 1.5}, "tags": [1]}]},
    }  # fmt: skip
    row = run(text, [record], tmp_path, settings={"sign": "!"}).children["lines"][0]
    assert row["errors"] == []
    assert (row["source_key"], row["currency"], row["sku"], row["name"]) == ("7/1", "CNY", "S", "b")
    assert (row["note"], row["unit"], row["unit_price"]) == ('{"sku":"S"}', "PCS!", Decimal(3))
    assert row["ext"] == '{"tags":[1],"parent.note":"hi","line.no":1}'


def test_members_that_differ_in_case_or_have_no_name(tmp_path) -> None:
    text = LINES.replace("sku: sku", "sku: SKU, name: Sku, spec: '\"\"', unit: u.n")
    found = lines_of(text, [{"id": 1, "SKU": "A", "Sku": "b", "": "c", "u": {"n": 5}}, 7], tmp_path)
    assert [found[0][c] for c in ("sku", "name", "spec", "unit")] == ["A", "b", "c", "5"]
    assert found[1]["errors"] == ["key: is missing"]


def test_a_member_read_whole_and_inside(tmp_path) -> None:
    text = LINES.replace("sku: sku", "sku: a.b, note: a, name: 'a.c[0]'")
    found = lines_of(
        text, [{"id": 1, "a": {"b": 1, "c": ["x"]}}, {"id": 2, "a": "plain"}], tmp_path
    )
    assert [(x["sku"], x["note"], x["name"]) for x in found] == [
        ("1", '{"b":1,"c":["x"]}', "x"), (None, "plain", None),
    ]  # fmt: skip


def test_records_that_fail_where_make_no_rows_at_all(tmp_path) -> None:
    text = (
        LINES
        + "where: type = 'order'\nalso:\n  p: {entity: payment, key: id, fields: {number: id}}\n"
    )
    records = [{"id": 1, "type": "order", "items": [{"id": 1}]},
               {"id": 2, "type": "x",
               "items": [{"id": 1}]}, {"id": 3, "items": [{"id": 1}]}]  # fmt: skip
    out = run(text, records, tmp_path)
    assert [r["source_key"] for r in out.rows] == ["1"]
    assert [x["n"] for x in out.children["lines"]] == [1]
    assert [p["source_key"] for p in out.also["payment"]] == ["1"]


def test_further_rows_have_keys_wheres_and_children_of_their_own(tmp_path) -> None:
    text = (
        "entity: payment\nkey: id\nversion: at\ndeleted: gone\nfields: {number: id}\nalso:\n"
        "  order:\n    entity: order\n    key: [no, id]\n    where: no is not null\n"
        "    fields: {number: no}\n    extra: [x]\n    children:\n"
        "      lines: {each: l, key: k, fields: {sku: s, currency: parent.cur}}\n"
    )
    records = [
        {"id": 1, "no": "A", "x": 5, "cur": "CNY", "at": "2026", "gone": True, "l": [{"k": 1}]},
        {"id": 2, "l": [{"k": 1}]},
    ]
    out = run(text, records, tmp_path)
    made = out.also["order"]
    assert [(r["source_key"], r["record_key"], r["version"]) for r in made] == [
        ("A/1", "1", "2026")
    ]
    assert (made[0]["deleted"], made[0]["ext"]) == (True, '{"x":5}')
    assert [(x["n"], x["source_key"], x["currency"]) for x in out.children["lines"]] == [
        (1, "1", "CNY")
    ]


GROUP = (
    "entity: order\nkey: no\ngroup: no\nfields: {number: no, buyer_note: note}\nchildren:\n"
    "  lines: {each: rows, key: position, fields: {sku: sku, quantity: qty, name: parent.note}}\n"
)


def test_rows_of_a_group_become_one_record_with_its_first_row_as_head(tmp_path) -> None:
    rows = [{"no": "A", "note": "first", "sku": "1", "qty": "x"}, {"no": "B", "sku": "2"},
            {"no": "A", "note": "later", "sku": "3"}, {"no": "A", "sku": None}]  # fmt: skip
    out = run(GROUP, rows, tmp_path)
    assert [(r["source_key"], r["buyer_note"]) for r in out.rows] == [("A", "first"), ("B", None)]
    shown = ("n", "line", "sku", "name", "errors")
    assert [tuple(x[c] for c in shown) for x in out.children["lines"]] == [
        (1, 1, "1", "first", ["quantity: is not a number"]), (1, 2, "3", "first", []),
        (1, 3, None, "first", []), (2, 1, "2", None, []),
    ]  # fmt: skip


def test_rows_without_the_value_of_the_group_stay_alone(tmp_path) -> None:
    out = run(GROUP, [{"no": None, "sku": "1"}, {"no": None, "sku": "2"}, {"no": "A"}], tmp_path)
    assert [(r["n"], r["source_key"], r["errors"]) for r in out.rows] == [
        (1, None, ["key: is missing"]), (2, None, ["key: is missing"]), (3, "A", []),
    ]  # fmt: skip


def test_a_group_ends_with_its_file(tmp_path) -> None:
    """An older batch's rows never mix with a newer version of the same document."""
    one = land(tmp_path, [{"no": "A", "sku": "1"}, {"no": "A", "sku": "2"}], "1")
    two = land(tmp_path, [{"no": "A", "sku": "1"}], "2")
    out = run_plan(plan_of(GROUP), [one, two])
    assert [(p["file_no"], p["position"]) for p in out.paths] == [(0, 1), (1, 1)]
    assert [x["sku"] for x in out.children["lines"]] == ["1", "2", "1"]


def test_a_group_of_several_members_and_lists_inside_its_head(tmp_path) -> None:
    text = (
        "entity: party\nkey: [org, no]\ngroup: [org, no]\nfields: {code: no}\nchildren:\n"
        "  identifiers: {each: ids, key: v, fields: {value: v}}\n"
        "  addresses: {each: rows, key: position, fields: {city: city, line1: parent.no}}\n"
    )
    rows = [{"org": 1, "no": "A", "city": "x", "ids": [{"v": "1"}]}, {"org": 2, "no": "A"},
            {"org": 1, "no": "A", "city": "y", "ids": [{"v": "2"}]}]  # fmt: skip
    out = run(text, rows, tmp_path)
    assert [r["source_key"] for r in out.rows] == ["1/A", "2/A"]
    assert [x["value"] for x in out.children["identifiers"]] == ["1"]
    assert [(x["n"], x["city"]) for x in out.children["addresses"]] == [
        (1, "x"),
        (1, "y"),
        (2, None),
    ]


def test_the_loader_is_told_every_member_that_children_read() -> None:
    """A name in other case must be found in lines too (`SKU`, where the source says `sku`)."""
    child = plan_of(LINES.replace("sku: sku", "sku: a.SKU")).targets[0].children[0]
    assert [(p.spelled, p.members) for p in child.paths] == [
        ("items[0].id", ("items", 0, "id")),
        ("items[0].a.SKU", ("items", 0, "a", "SKU")),
        ("items[0].qty", ("items", 0, "qty")),
    ]
    assert child.paths[1].place == "test.yaml:9"
    rows = plan_of(GROUP).targets[0].children[0]
    assert [p.members for p in rows.paths] == [("sku",), ("qty",)]


def test_references_of_children_stand_at_the_child() -> None:
    text = LINES.replace("sku: sku", "product_key: {value: code, stream: goods, by: sku}")
    target = plan_of(text).targets[0]
    assert target.references == ()
    assert target.children[0].references == (Reference("product_key", "product", "goods", "sku"),)
