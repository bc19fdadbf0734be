"""The path grammar: what is a path, how it is spelled, what it reaches in a real record."""

from __future__ import annotations

import json

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.errors import ValueRefused
from mappings.paths import extract, parse_path, refuse_odd_name, spell, sql_text


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("id", ("id",)),
        ("customer.id", ("customer", "id")),
        ("line_items[0].sku", ("line_items", 0, "sku")),
        ("tags[-1]", ("tags", -1)),
        ("a[0][1]", ("a", 0, 1)),
        ('"FCustId.FNumber"', ("FCustId.FNumber",)),
        ('"@odata.etag"', ("@odata.etag",)),
        ('"partner_id[0]"', ("partner_id[0]",)),
        ('"say ""hi"""', ('say "hi"',)),
        ('a."b c".d', ("a", "b c", "d")),
        ('""', ("",)),
        ("客户.名称", ("客户", "名称")),
        # SQL would read these as words, functions or statements: they are fields.
        *((word, (word,)) for word in ("from", "desc", "select", "case", "pivot", "current_date")),
        ("today", ("today",)),
        ('"true"', ("true",)),
        ("_x9", ("_x9",)),
    ],
)
def test_a_path_is_read(text, members) -> None:
    path = parse_path(text)
    assert path is not None
    assert path.members == members


@pytest.mark.parametrize(
    "text",
    ["true", "False", "null", "5", "-1.5", "1e3", "a-b", "$total", "@x", "a b", "a.", ".a", "a..b",
     "a[x]", "a[0", "lines.0.sku", "lower(x)", "'x'", "", "9a", '"a', "a[1:2]"],
)  # fmt: skip
def test_what_is_no_path(text) -> None:
    assert parse_path(text) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("lines.0.sku", "lines[0].sku"),
        ("@odata.etag", "'\"@odata.etag\"'"),
        ("$total", "'\"$total\"'"),
        ("coalesce($total, x)", "'\"$total\"'"),
        ("单价（元）", "'\"单价（元）\"'"),
    ],
)
def test_an_odd_name_is_refused_with_its_quoted_form(text, meant) -> None:
    with pytest.raises(ValueRefused) as refused:
        refuse_odd_name(text)
    assert meant in refused.value.do


@pytest.mark.parametrize("text", ["x = '@a $b'", '"@a" = 1.5', "price::decimal * 0.5"])
def test_signs_in_quotes_and_numbers_are_no_odd_names(text) -> None:
    refuse_odd_name(text)


_name = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=6
)


@settings(max_examples=150, deadline=None)
@given(st.tuples(_name), st.lists(st.one_of(_name, st.integers(-2, 2)), max_size=4))
def test_spelling_and_reading_are_inverse(head, rest) -> None:
    members = (*head, *rest)
    path = parse_path(spell(members))
    assert path is not None
    assert path.members == members


@pytest.mark.parametrize(
    ("record", "members", "found"),
    [
        ({"a/b": {"~": 1}}, ("a/b", "~"), "1"),
        ({"*": 1, "x": 2}, ("*",), "1"),
        ({"": {"": 5}}, ("", ""), "5"),
        ({'say "hi"': "x"}, ('say "hi"',), "x"),
        ({"a.b": 1, "a": {"b": 2}}, ("a.b",), "1"),
        ({"l": [1, 2, 3]}, ("l", -1), "3"),
        ({"l": [{"a b": [7, 8]}]}, ("l", 0, "a b", -2), "7"),
        ({"l": []}, ("l", -1), None),
        # A pointer's index would take the key "0" of an object.
        ({"o": {"0": "zero"}}, ("o", 0), None),
        ({"a": None}, ("a",), None),
        ({"a": {"b": [1, {"c": None}]}}, ("a", "b"), '[1,{"c":null}]'),
        ({"a": True}, ("a",), "true"),
        ({"a": "5"}, ("a", "b"), None),
        ({"a'": "x"}, ("a'",), "x"),
    ],
)
def test_a_path_reaches_its_member(record, members, found) -> None:
    sql = f"select {extract(f'{sql_text(json.dumps(record))}::json', members)}"
    assert duckdb.execute(sql).fetchall() == [(found,)]
