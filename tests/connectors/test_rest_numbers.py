"""Numbers that a double cannot hold come out as they were written."""

from __future__ import annotations

import json
import re
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.numbers import quote_long

LONG = re.compile(r"[0-9.]{16,}")


@pytest.mark.parametrize(
    ("page", "quoted"),
    [
        ('{"a":12345678901234.5678}', '{"a":"12345678901234.5678"}'),
        ('{"a":-0.12345678901234567}', '{"a":"-0.12345678901234567"}'),
        ('{"a":1.2345678901234567e-10}', '{"a":"1.2345678901234567e-10"}'),
        ('{"a":12345678901234567E+3}', '{"a":"12345678901234567E+3"}'),
        ("1234567890123456.5", '"1234567890123456.5"'),
        ("[1.00000000000000000,1.00000000000000000]", None),
        ('{"a":9007199254740993}', "same"),
        ('{"a":123456789012345678901234567890}', "same"),
        ('{"a":"12345678901234.5678"}', "same"),
        ('{"a":12.5,"b":1e3}', "same"),
        (r'{"a\"":"\\","b":"1234567890.1234567"}', "same"),
        (r'{"a":"\\\"1234567890.1234567"}', "same"),
        (r'{"a":"\\",   "b":1234567890.1234567}', r'{"a":"\\",   "b":"1234567890.1234567"}'),
        ('{"1234567890.1234567":1}', "same"),
        ("", "same"),
        ("[]", "same"),
    ],
)
def test_examples(page, quoted):
    wanted = page if quoted == "same" else quoted
    if wanted is None:
        wanted = re.sub(r"1\.0+", r'"\g<0>"', page)
    assert quote_long(page.encode()).decode() == wanted


def test_a_page_without_long_numbers_is_the_same_object():
    page = b'{"a":1.5,"b":[12345678901234567890]}'
    assert quote_long(page) is page


@pytest.mark.parametrize("shift", range(-20, 20, 3))
def test_runs_across_the_edge_of_a_chunk_are_found(shift):
    page = b"[" + b" " * ((1 << 20) + shift) + b"12345678901234.5678]"
    assert quote_long(page).endswith(b' "12345678901234.5678"]')


numbers = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=6).map(lambda d: f"{d:f}"),
    st.decimals(allow_nan=False, allow_infinity=False)
    .map(lambda d: f"{d:f}"[:400])
    .map(lambda s: s if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", s) else "0"),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr).map(lambda s: s.replace("e+", "E+")),
)
text = st.text(alphabet='abc"\\0123456789.-+eE 金é\n', max_size=60)
leaves = st.one_of(
    numbers.map(lambda n: ("number", n)),
    text.map(lambda t: ("text", t)),
    st.sampled_from([("text", "12345678901234.5678"), ("word", "true"), ("word", "null")]),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5).map(lambda v: ("list", v)),
        st.dictionaries(text, inner, max_size=5).map(lambda v: ("object", v)),
    ),
    max_leaves=25,
)
blanks = st.sampled_from(["", " ", "\n  "])


def render(tree, blank: str) -> str:
    kind, value = tree
    if kind == "list":
        return "[" + f",{blank}".join(render(v, blank) for v in value) + f"{blank}]"
    if kind == "object":
        members = (f"{json.dumps(k)}:{blank}{render(v, blank)}" for k, v in value.items())
        return "{" + ",".join(members) + "}"
    return json.dumps(value, ensure_ascii=False) if kind == "text" else value


def expected(tree):
    kind, value = tree
    if kind == "list":
        return [expected(v) for v in value]
    if kind == "object":
        return {k: expected(v) for k, v in value.items()}
    if kind == "number":
        fraction = any(c in value for c in ".eE")
        return value if fraction and LONG.search(value) else Decimal(value)
    return {"true": True, "null": None}[value] if kind == "word" else value


@given(trees, blanks)
def test_every_document_keeps_its_values(tree, blank):
    guarded = quote_long(render(tree, blank).encode())
    assert json.loads(guarded, parse_float=Decimal, parse_int=Decimal) == expected(tree)


@given(st.binary(max_size=200), st.integers(0, 40))
def test_any_bytes_are_answered(junk, digits):
    quote_long(junk + b"1" * digits + b".5" + junk)


def test_a_page_of_backslashes_is_no_trap():
    page = b'["' + b"\\" * 4_000_000 + b'",1234567890.1234567]'
    begun = time.monotonic()
    assert quote_long(page).endswith(b',"1234567890.1234567"]')
    page = b'["' + b'\\\\\\"' * 300_000 + b'",1234567890.1234567]'
    assert quote_long(page).endswith(b',"1234567890.1234567"]')
    assert time.monotonic() - begun < 5
