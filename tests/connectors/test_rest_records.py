"""A page is cut into records; one odd record does not lose the others."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.body import Body, parse_path
from connectors.condition import parse_condition
from connectors.errors import ConfigError, ContractBroken, TooLarge
from connectors.records import MAX_RECORD, cut, one_line, show

ID = (("id",),)


def keys(page: str, at: str = "", key: tuple = ID) -> list[str | None]:
    return cut(Body(page.encode()), parse_path(at), key, None).keys


@pytest.mark.parametrize(
    ("page", "at", "count"),
    [
        ('[{"id":1},{"id":2}]', "", 2),
        ('{"id":1}', "", 1),
        ('{"data":[{"id":1}]}', "data", 1),
        ('{"data":{"items":[{"id":1}]}}', "data.items", 1),
        ('{"a.b":[{"id":1}]}', '"a.b"', 1),
        ('[[{"id":1}],[{"id":2},{"id":3}]]', "[1]", 2),
        ('{"data":null}', "data", 0),
        ('{"data":{}}', "data", 0),
        ('{"data":[]}', "data", 0),
    ],
)
def test_records_are_found_at_their_path(page, at, count):
    assert len(keys(page, at)) == count


@pytest.mark.parametrize(
    ("page", "at", "words"),
    [
        ('{"orders":[{"id":1}],"n":1}', "order", "Did you mean orders?"),
        ('{"result":{"rows":[]}}', "result.row", "Did you mean result.rows?"),
        ('{"items":[],"n":1}', "data", "Did you mean items?"),
        ('{"data":{"list":[1]}}', "data", "an object with list"),
        ('{"data":"none"}', "data", "no list"),
        ("[1]", "data", "no members"),
        ('"text"', "", "no list"),
    ],
)
def test_a_path_that_is_not_there_says_what_is(page, at, words):
    with pytest.raises(ContractBroken) as caught:
        keys(page, at)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("7", "7"),
        ('"007"', "007"),
        ("9007199254740993", "9007199254740993"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("0", "0"),
        ('""', None),
        ('"  "', None),
        ('" 8"', " 8"),
        ("1.10", "1.10"),
        ("true", "true"),
        ("null", None),
        ("[1]", None),
        ('{"a":1}', None),
        ('"订单\\u00e9"', "订单é"),
    ],
)
def test_keys_are_the_text_that_the_source_wrote(value, key):
    assert keys(f'[{{"id": {value} }}]') == [key]


def test_composite_keys_need_every_part():
    page = '[{"a":1,"b":{"c":"x"}},{"a":1},{"a":null,"b":{"c":2}},{"a":1,"b":false}]'
    assert keys(page, key=(("a",), ("b", "c"))) == ["1/x", None, None, None]


def test_odd_members_are_passed_on_and_the_others_keep_their_keys():
    page = b'[{"id":1}, 5, null, "x", [2], {"id":null}, {"noid":1}, {"id":2}]'
    found = cut(Body(page), (), ID, None)
    assert found.keys == ["1", None, None, None, None, None, None, "2"]
    assert found.records[1:5] == [b"5", b"null", b'"x"', b"[2]"]


def test_stamps_come_with_their_records():
    page = b'[{"id":1,"meta":{"at":"2026-01-01"}},{"id":2,"meta":{"at":1767225600}},{"id":3}]'
    found = cut(Body(page), (), ID, ("meta", "at"))
    assert found.stamps == ["2026-01-01", "1767225600", None]


def test_records_are_the_bytes_that_came_on_one_line_each():
    page = one_line(b'[\r\n  {"id": 1,\n   "b":  1.10},\n{"id":2,"t":"a\\nb"}\n]')
    found = cut(Body(page), (), ID, None)
    assert found.records == [b'{"id": 1,    "b":  1.10}', b'{"id":2,"t":"a\\nb"}']


def test_a_record_larger_than_the_loader_takes_is_named():
    page = b'[{"id":1},{"id":2,"t":"' + b"x" * MAX_RECORD + b'"}]'
    with pytest.raises(TooLarge, match="Record 2"):
        cut(Body(page), (), ID, None)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(st.lists(st.one_of(values, st.fixed_dictionaries({"id": st.integers() | st.text()}))))
def test_every_member_comes_out_once_in_order(members):
    found = cut(Body(json.dumps(members, ensure_ascii=False).encode()), (), ID, None)
    assert [json.loads(record) for record in found.records] == members
    for member, key in zip(members, found.keys, strict=True):
        if isinstance(member, dict) and isinstance(member.get("id"), str):
            assert key == (member["id"] if member["id"].strip(" ") else None)
        elif not isinstance(member, dict):
            assert key is None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.b", ("a", "b")),
        ("a[0].b", ("a", 0, "b")),
        ("[-1]", (-1,)),
        ('"a.b".c', ("a.b", "c")),
        ("@odata.nextLink", ("@odata", "nextLink")),
        ('"@odata.nextLink"', ("@odata.nextLink",)),
        ("数据.列表", ("数据", "列表")),
        ("", ()),
    ],
)
def test_paths(text, path):
    assert parse_path(text) == path
    if "[-" not in text and "@odata." not in text.strip('"'):
        assert parse_path(show(path) if path else "") == path


@pytest.mark.parametrize("text", ["a..b", ".a", "a.", "a[x]", "a b", '"a', "a[0"])
def test_paths_that_cannot_be_read(text):
    with pytest.raises(ConfigError):
        parse_path(text)


BODY = Body(
    b'{"code":0,"text":"0","ok":true,"n":null,"s":{"IsSuccess":false},"list":[1],"e":"A","f":1.50}'
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("code = 0", True),
        ("text = 0", True),
        ("code = '0'", True),
        ("code != 0", False),
        ("f = 1.5", True),
        ("ok = true", True),
        ("ok = TRUE", True),
        ("s.IsSuccess = true", False),
        ("code = 0 and ok = false", False),
        ("code = 1 or ok = true", True),
        ("code = 1 or code = 2 and ok = true", False),
        ("(code = 1 or code = 0) and ok = true", True),
        ("not code = 1", True),
        ("n is null", True),
        ("n = null", True),
        ("missing is null", True),
        ("list is not null", True),
        ("s != null", True),
        ("missing = 0", False),
        ("missing != 0", False),
        ("e in ('A', 'B')", True),
        ("code in (1, 2)", False),
        ("code >= 0", True),
        ("code < 10", True),
        ("e > 5", False),
        ("list[0] = 1", True),
    ],
)
def test_conditions(text, holds):
    assert parse_condition(text).holds(BODY) is holds


@pytest.mark.parametrize(
    "text", ["", "code", "code =", "= 0", "code = 0 and", "(code = 0", "code = x y", "0 = code",
             "code = 0; drop", "code like", "f(code) = 0", "code in ()", "null = 0"],
)  # fmt: skip
def test_conditions_that_cannot_be_read(text):
    with pytest.raises(ConfigError):
        parse_condition(text)


@pytest.mark.parametrize("member", [b"1", b"{}", b"[]"])
def test_a_page_of_millions_of_tiny_members_is_refused_before_it_is_cut(member):
    data = b'{"data":[' + (member + b",") * 2_500_000 + member + b"]}"
    with pytest.raises(TooLarge, match="values"):
        cut(Body(data), ("data",), [("id",)], None)
