"""Columns of a table that have a field's type are taken as they are, with what text would give."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.mapping_runs import plan_of
from warehouse.model.plan import StreamPlan

TEXT = """\
entity: order
key: id
version: changed
fields:
  number: id
  placed_at: placed
  order_date: day
  total: total
  subtotal: {value: sub, nullable: true}
  tax_total: tax
  discount_total: whole
  fx_rate: rate
  is_test: test
  customer_key: whole
  source_updated_at: changed
"""
FIELDS = [line.split(":")[0].strip() for line in TEXT.splitlines()[4:]]


def money(*values: str | None) -> list[Decimal | None]:
    return [None if v is None else Decimal(v) for v in values]


def table(**instead: pa.Array) -> pa.Table:
    stamps = [datetime(2026, 3, 29, 0, 30, tzinfo=UTC), None, datetime(1965, 1, 1, tzinfo=UTC)]
    stamps += [datetime(2026, 10, 25, 0, 30, 0, 123456, tzinfo=UTC)] * 2
    columns = {
        "id": pa.array([1, 2, 3, 4, 5], pa.int64()),
        "placed": pa.array(stamps, pa.timestamp("us", "UTC")),
        "day": pa.array([date(2026, 1, 1), None, date(1850, 1, 1), *[date(2199, 12, 31)] * 2]),
        "total": pa.array(money("1.50", None, "-1", "0", "9999999999999.99"), pa.decimal128(18, 2)),
        "sub": pa.array(money("1.5", None, "99999999999999999", "0", "0"), pa.decimal128(20, 1)),
        "tax": pa.array(money("0.5", None, "0", "99999999999999999", "-3"), pa.decimal128(20, 1)),
        "whole": pa.array([7, None, 0, 2**62, -1], pa.int64()),
        "rate": pa.array(money("7.123456789", None, "0", "1", "-1"), pa.decimal128(20, 9)),
        "test": pa.array([True, None, False, True, False]),
        "changed": pa.array(stamps, pa.timestamp("ms", "Europe/Berlin"), safe=False),
    }
    return pa.table({**columns, **instead})


def staged(plan: StreamPlan, *tables: pa.Table, folder: Path) -> tuple[list[Any], dict[str, str]]:
    """Return the rows of the main target and the types that `record_paths` has."""
    files = [str(folder / f"{n}.parquet") for n in range(len(tables))]
    for file, one in zip(files, tables, strict=True):
        pq.write_table(one, file)
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("set disabled_optimizers = 'common_subexpressions'")
        con.execute(f"set TimeZone = '{plan.zone}'")
        con.execute(f"create temp table record_paths as {plan.paths_sql('parquet', files, False)}")
        named = {p.column: str(p.members[0]) for p in plan.paths}
        kinds = {n: k for n, k, *_ in con.execute("describe record_paths").fetchall()}
        types = {n: k for n, k in kinds.items() if n in named and k != "VARCHAR"}
        rows = con.execute(f"{plan.over(types).targets[0].select} order by n").fetchall()
    return rows, {named[n]: k for n, k in types.items()}


def as_text(plan: StreamPlan) -> StreamPlan:
    """The plan as it was: every column is read as text."""
    reader: Any = plan.paths_sql
    return replace(plan, paths_sql=replace(reader, natives=()))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Shanghai"])
@pytest.mark.parametrize("false_is_null", [False, True])
def test_types_give_what_text_gives(tmp_path: Path, zone: str, false_is_null: bool) -> None:
    plan = plan_of(TEXT + ("false_is_null: true\n" if false_is_null else ""), zone=zone)
    found, types = staged(plan, table(), folder=tmp_path)
    known, none = staged(as_text(plan), table(), folder=tmp_path)
    assert not none
    assert types == {
        "placed": "TIMESTAMP WITH TIME ZONE",
        "changed": "TIMESTAMP WITH TIME ZONE",
        "day": "DATE",
        "total": "DECIMAL(18,2)",
        "sub": "DECIMAL(20,1)",
        "tax": "DECIMAL(20,1)",
        "whole": "BIGINT",
        "test": "BOOLEAN",
    }  # a rate keeps eight decimals, this one has nine: text
    assert found == known
    errors = [row[-2] for row in found]
    assert errors[0] == ["fx_rate: has more decimals than the column keeps"]
    assert not errors[1]
    assert {e.split(":")[0] for e in errors[2]} >= {"placed_at", "order_date", "total"}
    assert "tax_total: does not fit the column" in errors[3]
    assert "discount_total: does not fit the column" in errors[3]


def test_a_column_of_two_types_in_two_files_is_text(tmp_path: Path) -> None:
    other = table(total=pa.array(["1.5", "2", "3", "4", "x"]))
    plan = plan_of(TEXT)
    found, types = staged(plan, table(), other, folder=tmp_path)
    assert "total" not in types
    assert "placed" in types
    assert found == staged(as_text(plan), table(), other, folder=tmp_path)[0]
    assert "total: is not a number" in found[-1][-2]


@pytest.mark.parametrize(
    "odd",
    [
        pa.array([0.1] * 5),
        pa.array([Decimal("1.12345")] * 5, pa.decimal128(20, 5)),
        pa.array(["1"] * 5),
        pa.array([2**64 - 1] * 5, pa.uint64()),
    ],
)
def test_a_type_that_does_not_fit_is_text(tmp_path: Path, odd: pa.Array) -> None:
    plan = plan_of(TEXT)
    found, types = staged(plan, table(total=odd), folder=tmp_path)
    assert "total" not in types
    assert found == staged(as_text(plan), table(total=odd), folder=tmp_path)[0]


def test_words_of_a_boolean_are_text(tmp_path: Path) -> None:
    plan = plan_of(TEXT + "words: {'true': 'false'}\n")
    found, types = staged(plan, table(), folder=tmp_path)
    assert "test" not in types
    assert found == staged(as_text(plan), table(), folder=tmp_path)[0]


def test_the_version_of_a_mapping_does_not_depend_on_types() -> None:
    plan = plan_of(TEXT)
    assert plan.over({"c3": "DECIMAL(18,2)"}).version == plan.version
    assert plan.over({}) is plan
