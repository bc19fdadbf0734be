"""Proposed mappings compile and say what people would have written; coverage of the model."""

from __future__ import annotations

import pytest
from mapping_runs import land_parquet, plan_of, run, run_plan

from mappings.lint import coverage
from mappings.load import parse_mapping
from mappings.suggest import suggest

STOCK = {
    "商品编码": ["SKU-001", "SKU-002"], "商品名称": ["杯", "壶"], "仓库": ["上海仓", "杭州仓"],
    "库存数量": ["120", "缺货"], "可用数量": ["1", "2"], "更新时间": ["2026-11-20 08:30:00"] * 2,
}  # fmt: skip


def proposed(names, entity=None, **more):
    """Return the form of a proposal, which must compile as it stands."""
    text = suggest(names, entity, **more)
    plan_of(text)
    return parse_mapping(text).form


def values(form) -> dict[str, str]:
    return {name: value.value for name, value in form.fields.items()}


def test_a_stock_list_in_chinese(tmp_path) -> None:
    form = proposed(STOCK)
    assert (form.entity, form.key) == ("stock_level", "商品编码")
    assert values(form) == {
        "sku": "商品编码", "name": "商品名称", "location_key": "仓库", "location_name": "仓库",
        "on_hand": "库存数量", "available": "可用数量", "as_of": "更新时间",
    }  # fmt: skip
    out = run_plan(plan_of(suggest(STOCK, None)), [land_parquet(tmp_path, STOCK)])
    assert out.errors == [[], ["on_hand: is not a number"]]


def test_the_streams_key_wins_and_a_place_completes_a_repeated_sku() -> None:
    assert proposed(STOCK, key=["仓库", "商品编码"]).key == ["仓库", "商品编码"]
    assert proposed(STOCK, key=["_key"]).key == "_key"
    repeated = {**STOCK, "商品编码": ["A", "A"]}
    assert proposed(repeated).key == ["仓库", "商品编码"]


def test_the_streams_name_tells_what_the_fields_do_not() -> None:
    names = {"id": ["1"], "code": ["K-1"], "name": ["Kettle"], "category": ["Kitchen"]}
    for stream, entity in (("products", "product"), ("物料", "product"), ("suppliers", "party")):
        assert proposed(names, stream=stream).entity == entity, stream
    assert proposed(STOCK, stream="products").entity == "stock_level"  # the fields say more


def test_orders_of_a_shop_with_lines(tmp_path) -> None:
    stamp = ["2026-01-01T00:00:00Z"] * 2
    names = {
        "id": ["1", "2"], "order_number": ["#1", "#2"], "created_at": stamp, "updated_at": stamp,
        "currency": ["CNY", "CNY"], "total_price": ["1.5", "2"], "email": ["a@b.c", ""],
        "financial_status": ["paid", "odd"], "customer.id": ["1", "2"], "customer.name": ["a", "b"],
        "line_items[0].id": ["1"], "line_items[0].sku": ["A"], "line_items[0].title": ["Cup"],
        "line_items[0].quantity": ["1"], "line_items[0].price": ["1.5"], "notes[0].x": ["1"],
    }  # fmt: skip
    text = suggest(names, None)
    form = proposed(names)
    assert (form.entity, form.key, form.version.value) == ("order", "id", "updated_at")
    found = values(form)
    assert found["number"] == "order_number"
    assert found["placed_at"] == "created_at"
    assert (found["total"], found["currency"]) == ("total_price", "currency")
    assert (found["customer_key"], found["customer_name"]) == ("customer.id", "customer.name")
    assert "words seen: odd" in text
    assert "notes[]" in text
    lines = form.children["lines"]
    assert (lines.each, lines.key) == ("line_items", "id")
    assert values(lines) == {
        "sku": "sku", "name": "title", "quantity": "quantity", "unit_price": "price",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("samples", "value"),
    [
        (["20260101", "20260102"], "strptime(交易日期, '%Y%m%d')"),
        (["1767225600000"], "instant_ms(交易日期)"),
        (["1767225600"], "to_timestamp(交易日期::bigint)"),
        (["/Date(1767225600000)/"], "dotnet_date(交易日期)"),
        (["2026年1月5日"], "strptime(交易日期, '%Y年%m月%d日')"),
        (["2026-01-01 10:00"], "交易日期"),
    ],
)
def test_times_are_read_as_their_values_are_written(tmp_path, samples, value) -> None:
    names = {"交易流水号": ["1", "2"], "收入金额": ["1.5", "2"], "交易日期": samples}
    text = suggest(names, "payment")
    assert values(parse_mapping(text).form)["paid_at"] == value
    out = run(text, [{"交易流水号": 1, "收入金额": 1, "交易日期": samples[0]}], tmp_path)
    assert out.errors == [[]]
    assert out.rows[0]["paid_at"] is not None


def test_customers_with_yes_and_no_and_headings_that_need_quotes() -> None:
    names = {
        "客户编码": ["C1", "C2"], "客户名称": ["a", "b"], "手机": ["138", "139"], "邮箱": ["",
        "c@d"],
        "统一社会信用代码": ["", ""], "is customer": ["是", "否"], "信用额度(元)": ["5", "6"],
        "a.b-c": ["x"],
    }  # fmt: skip
    form = proposed(names)
    found = values(form)
    assert (form.entity, form.key) == ("party", "客户编码")
    assert (found["code"], found["name"], found["phone"]) == ("客户编码", "客户名称", "手机")
    assert found["is_customer"] == '"is customer"'
    assert form.fields["is_customer"].words == {"是": "true", "否": "false"}
    assert found["credit_limit"] == '"信用额度(元)"'


def test_values_rule_a_field_out() -> None:
    found = values(proposed({"id": ["1"], "total": ["see below"], "金额": ["5.0"]}, "order"))
    assert found.get("total") == "金额"


@pytest.mark.parametrize("entity", ["order", "shipment", "invoice", "product", "location", None])
def test_nothing_known_still_gives_a_file(entity) -> None:
    for names in ({}, {"x": []}, {"id": [], "%$": ["a"]}):
        text = suggest(names, entity)
        assert text.startswith("# Proposed")
        parse_mapping(text)


def test_coverage_shows_what_is_mapped_where() -> None:
    text = (
        "entity: order\nkey: id\nfields:\n  number: no\nalso:\n"
        "  pay: {entity: payment, key: id, fields: {amount: total}}\n"
    )
    found = coverage(parse_mapping(text, "m.yaml"))
    number = next(c for c in found if (c.entity, c.field) == ("order", "number"))
    assert (number.covered, number.value, number.file, number.line) == (True, "no", "m.yaml", 4)
    assert number.zh == "订单号"
    sku = next(c for c in found if (c.entity, c.field) == ("order_line", "sku"))
    assert (sku.covered, sku.owner) == (False, "lines")
    assert [c.field for c in found if c.owner == "pay" and c.covered] == ["amount"]
