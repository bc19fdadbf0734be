"""A field that a source drops, renames or types anew is told of by name, type and length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import pyarrow as pa
import pytest
import small_shop
from rest_parts import SimulatorTransport

from connectors.rest.simulator import Collection, RestSimulator
from pipelines.outcome import StreamOutcome
from pipelines.shape import ENOUGH, MOST, Change, Field, Shape, changes
from pipelines.stream_checks import finished, row_count, schema
from pipelines.sync import sync_stream
from pipelines.workspace import Workspace

KEY = dg.AssetKey(["shop", "orders"])


def shape(*records: dict[str, Any], times: int = ENOUGH) -> Shape:
    made = Shape()
    for _ in range(times):
        made.look([msgspec.json.encode(record) for record in records])
    return made


ORDER = {
    "id": 1,
    "total": 9.5,
    "note": None,
    "lines": [{"sku": "A1"}, {"sku": "B22", "free": True}],
}


def test_fields_are_known_by_path_type_and_length() -> None:
    found = shape(ORDER, times=2)
    assert found.records == 2
    assert {path: (str(f), f.count) for path, f in found.fields.items()} == {
        "id": ("number, 1", 2), "total": ("number, 3", 2), "lines": ("list, 2", 2),
        "lines.sku": ("text, 3", 2), "lines.free": ("boolean, 4", 2),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (ORDER, []),
        (ORDER | {"note": "x"}, [Change("new", "note", "", "text, 1", True)]),
        (ORDER | {"total": "9.50"},
         [Change("type", "total", "number, 3", "text, 4", True)]),
        (ORDER | {"total": None}, [Change("gone", "total", "number, 3", "", True)]),
        (ORDER | {"lines": []},
         [Change("gone", "lines.sku", "text, 3", "", True),
          Change("gone", "lines.free", "boolean, 4", "", False)]),
    ],
)  # fmt: skip
def test_what_is_otherwise_is_told_what_the_mapping_reads_first(
    now: dict[str, Any], expected: list[Change]
) -> None:
    read = {"id", "total", "note", "lines.sku"}
    assert changes(shape(ORDER), shape(now), read) == expected


def test_few_records_prove_nothing() -> None:
    assert changes(shape(ORDER, times=ENOUGH - 1), shape({"x": 1}), set()) == []
    few = shape({"id": 1}, times=ENOUGH - 1)
    assert changes(shape(ORDER), few, set()) == []
    rare = shape(ORDER).merge(shape({"id": 1}), set())  # half of them had the rest
    assert changes(rare, shape({"id": 1}), set()) == []


def test_a_table_has_a_shape_too() -> None:
    found = Shape()
    found.look(pa.table({"sku": ["A1", None], "qty": [1, 2]}))
    assert {path: (str(f), f.count) for path, f in found.fields.items()} == {
        "sku": ("text, 2", 1), "qty": ("number, 1", 2),
    }  # fmt: skip


def test_names_that_are_values_are_kept_as_a_sign() -> None:
    shape = Shape()
    shape.look([msgspec.Raw(msgspec.json.encode({
        "by_phone": {"138 0013 8000": {"at": 1}}, "by_mail": {"li@firm.example": 2},
        "by_id": {"5f0c6a1e-8a52-4a0e-9c1d-0242ac120002": 3}, "cf_100001": 4, "2025": 5,
        "@odata.etag": "W", "_owner_value@OData.Community.Display.V1.FormattedValue": "x",
    }))])  # fmt: skip
    assert sorted(shape.fields) == [
        "2025", "@odata.etag", "_owner_value@OData.Community.Display.V1.FormattedValue",
        "by_id.*", "by_mail.*", "by_phone.*.at", "cf_100001",
    ]  # fmt: skip


def test_what_is_known_of_a_stream_has_a_bound() -> None:
    """A map by names of things has other names in every record."""
    known = Shape(40, {"id": Field(["number"], 3, 40)})
    newer = Shape(20, {f"by.{n}": Field(["text"], 3, 1) for n in range(MOST + 5)})
    newer.fields["id"] = Field(["number"], 3, 20)
    merged = known.merge(newer, ())
    assert len(merged.fields) == MOST
    assert merged.fields["id"].count == 60


def test_a_stream_tells_once_and_without_values(tmp_path: Path) -> None:
    space = small_shop.workspace(tmp_path, "http://127.0.0.1:1")
    good = sync(space, [small_shop.order(n) for n in range(1, 61)])
    assert (good.error, good.drift) == (None, [])
    canary = "canary-of-a-value"
    renamed = []
    for number in range(1, 61):
        order = small_shop.order(number, seed=1)
        order["sum"] = order.pop("total_price")
        order["line_items"] = [line | {"price": f"{canary}{n}"} for n, line in
                               enumerate(order["line_items"])]  # fmt: skip
        renamed.append(order)
    drift = {c["field"]: (c["kind"], c["is_read"]) for c in sync(space, renamed, full=True).drift}
    assert drift == {
        "total_price": ("gone", True), "line_items.price": ("type", True), "sum": ("new", False),
    }  # fmt: skip
    again = [small_shop.order(n, seed=2) for n in range(1, 61)]
    for order in again:
        order["sum"] = order.pop("total_price")
    assert sync(space, again, full=True).drift == []
    space.control.close()
    assert canary.encode() not in space.home.control.read_bytes()


def test_a_secret_that_comes_back_as_a_name_is_not_kept(tmp_path: Path) -> None:
    space = small_shop.workspace(tmp_path, "http://127.0.0.1:1")
    odd = [small_shop.order(n) | {small_shop.TOKEN: 1, "a": {f"x{small_shop.TOKEN}": 1}}
           for n in range(1, 31)]  # fmt: skip
    assert sync(space, odd).error is None
    space.control.close()
    held = space.home.control.read_bytes()
    assert b"line_items.sku" in held
    assert small_shop.TOKEN.encode() not in held


def sync(space: Workspace, orders: list[dict[str, Any]], *, full: bool = False) -> StreamOutcome:
    server = RestSimulator({"orders": Collection(orders)}, token=small_shop.TOKEN)
    return sync_stream(space, "shop", "orders", full=full, transport=SimulatorTransport(server))


def test_the_check_fails_for_what_the_mapping_reads_alone() -> None:
    new = {"kind": "new", "field": "x", "was": "", "now": "text, 1", "is_read": False}
    gone = {"kind": "gone", "field": "total", "was": "number, 5", "now": "", "is_read": True}
    assert schema(KEY, StreamOutcome("shop", "orders")).passed
    assert schema(KEY, StreamOutcome("shop", "orders", drift=[new])).passed
    found = schema(KEY, StreamOutcome("shop", "orders", drift=[gone, new]))
    assert not found.passed
    assert "total: gone (was number, 5 characters)" in str(found.description)


def test_a_read_that_ended_early_is_no_failure_and_not_green() -> None:
    assert finished(KEY, StreamOutcome("shop", "orders")).passed
    early = StreamOutcome(
        "shop", "orders", status="partial", quota="3/d is used up", quota_until="2026-03-02"
    )
    found = finished(KEY, early)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "3/d is used up" in str(found.description)
    assert "2026-03-02" in str(found.description)
    assert not finished(KEY, StreamOutcome("shop", "orders", status="partial")).passed


@pytest.mark.parametrize(
    ("mode", "before", "read", "passed"),
    [
        ("full", [100] * 6, 90, True),
        ("full", [100] * 6, 24, False),
        ("full", [100] * 6, 401, False),
        ("full", [100] * 4, 0, True),
        ("full", [10] * 6, 0, True),
        ("changed", [0, 300, 40, 25, 90, 30], 0, True),
        ("changed", [0, 300, 40, 25, 90, 30], 5_000, False),
        ("changed", [50, 60, 55, 52, 58, 51], 2, False),
    ],
)
def test_far_more_or_less_than_usual_is_told(
    mode: str, before: list[int], read: int, passed: bool
) -> None:
    runs = [{"mode": mode, "status": "ok", "counts": {"read": count}} for count in [read, *before]]
    other = {"mode": "sweep", "status": "ok", "counts": {"read": 9}}
    broken = {"mode": mode, "status": "failed", "counts": {"read": 7}}
    outcome = StreamOutcome("shop", "orders", read=read)
    assert row_count(KEY, outcome, [*runs, other, broken]).passed is passed  # type: ignore[list-item]
