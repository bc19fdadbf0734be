"""No value can fail a batch: every allowed function and cast is fed its worst arguments."""

from __future__ import annotations

import itertools

import pytest
from mapping_runs import fields, land, plan_of, run_plan

from mappings.emit import _NODES
from mappings.functions import FUNCTIONS
from warehouse.model import ENTITIES

WORST = [
    None, "", " ", "0", "-0", "1", "-1", "9" * 40, "-" + "9" * 40, "1e400", "-1e400", "1e-400",
    "NaN", "inf", "-inf", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
    "0.1", "1.10", "0x1F", "1_000", "😀", "\x00", "a\x00b", "é" * 300, "%", "(", "\\", "'", '"',
    "null", "true", "false", "maybe", "{}", "[]", "[1", '{"a":', "[[[]]]", '["a", null]',
    "2026-02-30", "0000-00-00", "infinity", "-infinity", "epoch", "290000-01-01", "0001-01-01 (BC)",
    "9999-12-31 23:59:59.999999", "2026-01-01T00:00:00Z", "2026-01-01 00:00:00 Mars/Base",
    "24:00:00", "253402300800000", "-62135596800000", "/Date(99999999999999999999)/", "CNY", "cny",
    "x" * 5000, "١٢", "１２", "ﬁ", "\ufeff1", "\u202e", "a,b,c", "P1Y", "99999999999",
]  # fmt: skip
CODES = {
    "t": ["a"],
    "n": ["a::decimal", "a::double", "a::bigint", "a::decimal(38,10)"],
    "i": ["a::bigint", "a::double"],
    "b": ["a::boolean", "a = ''"],
    "d": ["a::date", "a::timestamptz", "strptime(a, '%Y-%m-%d')"],
    "l": ["a::text[]"],
    "a": ["a", "a::decimal", "a::timestamptz"],
    "f": ["lambda x: upper(x)"],
    "T": ["','", "''"],
    "I": ["2", "0"],
    "R": ["'[0-9]*'", "''"],
    "F": ["'%Y-%m-%d %H:%M:%S'", "'%z'"],
    "P": ["'month'", "'second'"],
}
SPECIAL = {
    "list_filter": ["list_filter(a::text[], lambda x: x <> '')"],
    "list_transform": ["list_transform(a::text[], lambda x: replace(x, 'a', 'bb') || left(x, 3))"],
    "nullif": ["nullif(a, 'x')", "nullif(a::decimal, 0)", "nullif(a::date, '2026-01-01'::date)"],
    "cents": ["cents(a, b)", "cents(a::decimal, b)"],
}


def calls(name: str) -> list[str]:
    if name in SPECIAL:
        return SPECIAL[name]
    found = []
    codes = FUNCTIONS[name].args.replace("*", "* a?").split()
    for count in {len([c for c in codes if not c.endswith("?")]), len(codes)}:
        choices = [CODES[c[0]] for c in codes[:count]]
        found += [f"{name}({', '.join(args)})" for args in itertools.product(*choices)]
    return found[:24]


OPERATORS = [
    "a::decimal * b::decimal * a::decimal * b::decimal", "a::bigint * b::bigint",
    "a::decimal / b::decimal", "a::bigint // b::bigint", "a::bigint % b::bigint", "- a::bigint",
    "a::double * b::double", "a::decimal - b::decimal", "a::bigint + 9223372036854775807",
    "a::date + b::bigint", "a::date - b::date", "a::timestamptz + interval '999999 year'",
    "a::date - interval '999999 year'", "a || b", "a like b", "a ilike b", "a ~ 'x+'",
    "a::decimal between b::decimal and 5", "a::decimal in (1, b::decimal)", "a is distinct from b",
    "case when a::decimal > 0 then a::decimal else b::double end", "string_split(a, ',')[5]",
    "a::decimal(38,38)", "a::decimal(1,0)", "a::double::bigint", "a::double::decimal(5,2)",
    "a::timestamptz::date", "a::date::timestamptz", "a::double::boolean", "a::boolean::bigint",
    "coalesce(a::decimal, b::double, 5)", "if(a::boolean, a::date, b::date)", "a.b[0].c", "a[-1]",
    "strptime(a, '%Y%m%d')::timestamptz", "-9223372036854775808 * a::bigint",
]  # fmt: skip
EXPRESSIONS = [*itertools.chain(*(calls(n) for n in FUNCTIONS)), *OPERATORS]
KINDS = {
    "text": "buyer_note", "money": "subtotal", "rate": "fx_rate", "instant": "placed_at",
    "date": "order_date", "boolean": "is_test", "word": "status", "json": "tags",
}  # fmt: skip


def records() -> list[dict[str, object]]:
    pairs = itertools.product(WORST, [*WORST[:9], "CNY", "JPY"])
    return [{"id": i, "a": a, "b": b} for i, (a, b) in enumerate(pairs)]


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    return land(tmp_path_factory.mktemp("total"), records())


def mapping_of(expressions: list[str]) -> str:
    """Return a mapping that reads each expression into a field of some kind, several a record."""
    columns = ENTITIES["order"].columns()
    names = [n for n, c in columns.items() if c.rule is None or c.kind in ("instant", "date")]
    assert len(names) >= len(expressions)
    lines = {n: "'" + e.replace("'", "''") + "'" for n, e in zip(names, expressions, strict=False)}
    return fields(**lines)


BATCH = 30


@pytest.mark.parametrize("at", range(0, len(EXPRESSIONS), BATCH))
def test_worst_arguments_never_fail_the_statement(landed, at) -> None:
    out = run_plan(plan_of(mapping_of(EXPRESSIONS[at : at + BATCH])), [landed])
    assert len(out.rows) == len(records())


@pytest.mark.parametrize("name", KINDS.values(), ids=KINDS)
def test_every_kind_of_field_takes_every_expression(landed, name) -> None:
    """A sample of expressions of each kind of result, into each kind of field."""
    for expression in ("a", "a::decimal", "a::timestamptz", "a::boolean", "a::text[]", "a::double",
                       "nullif(a, '')::decimal", "strptime(a, '%Y')", "a::date"):  # fmt: skip
        quoted = "'" + expression.replace("'", "''") + "'"
        more = "empty: keep\nfalse_is_null: true\nversion: a::decimal\ndeleted: a\n"
        more += "where: b is not null\n"
        run_plan(plan_of(fields(**{name: quoted}) + more), [landed])


def test_children_take_the_worst_too(tmp_path) -> None:
    items = [
        {"k": i, "a": a, "b": b} for i, (a, b) in enumerate(zip(WORST, WORST[::-1], strict=True))
    ]
    lists = [items, WORST, [WORST], {"a": 1}, *WORST]
    text = (
        "entity: order\nkey: id\nchildren:\n  lines:\n    each: l\n    key: k\n    extra: [a]\n"
        "    where: a::decimal > 0 or a is not null or k is null\n    fields:\n"
        "      quantity: a::decimal * b::decimal\n      unit_price: b\n      status: a\n"
        "      is_gift: b\n      requested_date: a\n      line_no: a\n"
        "      tax_rate: nullif(a, b)::decimal\n"
    )
    out = run_plan(
        plan_of(text), [land(tmp_path, [{"id": i, "l": x} for i, x in enumerate(lists)])]
    )
    assert len(out.rows) == len(lists)


def test_every_function_was_called_and_every_node_is_on_the_list() -> None:
    text = " ".join(EXPRESSIONS)
    assert [n for n in FUNCTIONS if f"{n}(" not in text] == []
    assert len(_NODES) == 35
