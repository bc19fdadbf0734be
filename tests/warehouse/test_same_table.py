"""Tables are the same where their values are, NaN and dictionaries too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hand_plan import START
from small_landing import do, folder, land_rows, make, seen

from warehouse import packs
from warehouse.sametable import same

NAN = float("nan")
FLOATS = pa.struct([("a", pa.float32()), ("b", pa.list_(pa.float64()))])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([NAN, None, 1.5], pa.float64()),
        ([NAN, None, 1.5], pa.float32()),
        ([{"a": NAN, "b": [NAN, None]}, None, {"a": 1, "b": []}], FLOATS),
        ([[("k", NAN)], None, []], pa.map_(pa.string(), pa.float64())),
        ([[NAN, 1], None, [2, 3]], pa.list_(pa.float64(), 2)),
    ],
    ids=str,
)
def test_nan_is_like_itself_and_a_value_is_not_like_another(
    values: list[Any], kind: pa.DataType
) -> None:
    joined = pa.table({"x": pa.array([*values, *values], kind)})
    one = pa.table({"x": pa.array(values, kind)})
    assert same(joined.slice(3), one)
    assert not same(joined.slice(2, 3), one)
    assert not same(joined, one)


def test_dictionaries_are_alike_that_say_the_same() -> None:
    one = pa.table({"x": pa.array(["b", "a", None]).dictionary_encode()})
    other = pa.table({"x": pa.array(["a", "b", "a", None]).dictionary_encode()}).slice(1)
    third = pa.table({"x": pa.array(["b", "b", None]).dictionary_encode()})
    assert same(one, other)
    assert not same(one, third)
    assert not same(one, pa.table({"x": ["b", "a", None]}))


@pytest.mark.parametrize(
    "columns",
    [
        lambda n: {"x": [NAN, float(n)]},
        lambda n: {"x": pa.array([f"a{n}", "b"]).dictionary_encode()},
        lambda n: {"x": pa.array([{"a": NAN}, None]), "t": pa.array([START, None])},
    ],
    ids=["NaN", "dictionaries", "nested"],
)
def test_odd_tables_are_packed(tmp_path: Path, columns: Any) -> None:
    landing = make(tmp_path / "landing")
    for number in range(4):
        land_rows(landing, number, pa.table({"id": [1, 2], **columns(number)}))
    before = seen(landing)
    do(landing)
    assert packs.ranges(folder(landing)) == [(1, 3)]
    assert seen(landing) == before
