from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest

from warehouse import export
from warehouse.export import ExportError
from warehouse.reader import Result, run_query

SQL = """
select * from (values
    (1, 'plain', 12345678901234.5678::decimal(18, 4), date '2026-03-01',
     timestamptz '2026-03-01 16:00:00+08', true, 9007199254740993, {'a': [1, 2]}, 0.5),
    (2, '=1+1', -5::decimal(18, 4), null, null, false, -1, null, 1e300),
    (3, '+86 138', 0, null, null, null, null, null, null),
    (4, '-1', 0, null, null, null, null, null, null),
    (5, '@sum(a1)', 0, null, null, null, null, null, null),
    (6, chr(9) || 'tab', 0, null, null, null, null, null, null),
    (7, '中文,"引号"' || chr(10) || '第二行', 0, null, null, null, null, null, null),
    (8, null, null, null, null, null, null, null, null)
) as t("id", "=text", "amount", "day", "at", "yes", "big", "nested", "ratio") order by id
"""
FORMULAS = ["=1+1", "+86 138", "-1", "@sum(a1)", "\ttab"]


@pytest.fixture
def result(tmp_path: Path) -> Callable[[str], Result]:
    path = tmp_path / "some.duckdb"
    duckdb.connect(str(path)).close()
    return lambda sql=SQL: run_query(path, sql)


def test_csv_is_exact_and_runs_no_formula(result: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    assert export.write_csv(result(), file) == 8
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))
    assert rows[0][:3] == ["id", "'=text", "amount"]
    assert rows[1] == [
        "1", "plain", "12345678901234.5678", "2026-03-01", "2026-03-01T08:00:00+00:00", "true",
        "9007199254740993", '{"a": [1, 2]}', "0.5",
    ]  # fmt: skip
    assert [r[1] for r in rows[2:7]] == [f"'{f}" for f in FORMULAS]
    assert rows[2][2] == "-5.0000"  # a number stays one, though it begins with a minus
    assert rows[7][1] == '中文,"引号"\n第二行'
    assert rows[8] == ["8", *[""] * 8]


def test_xlsx_is_exact_and_runs_no_formula(result: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    assert export.write_xlsx(result(), file) == 8
    sheet = openpyxl.load_workbook(file).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1][:2] == (1, "plain")
    assert rows[1][2] == "12345678901234.5678"  # 18 digits: Excel would round the number
    assert [str(v) for v in rows[1][3:6]] == ["2026-03-01 00:00:00", "2026-03-01 08:00:00", "True"]
    assert rows[1][6] == "9007199254740993"
    assert rows[2][2] == -5
    assert [r[1] for r in rows[2:7]] == FORMULAS
    kinds = {cell.data_type for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    assert sheet.cell(3, 3).data_type == "n"


def test_json_is_exact(result: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    assert export.write_json(result(), file) == 8
    rows = json.loads(file.read_text("utf-8"))
    assert rows[0] == {
        "id": 1, "=text": "plain", "amount": "12345678901234.5678", "day": "2026-03-01",
        "at": "2026-03-01T08:00:00+00:00", "yes": True, "big": 9007199254740993,
        "nested": {"a": [1, 2]}, "ratio": 0.5,
    }  # fmt: skip
    assert export.write_json(result("select 1 where false"), file) == 0
    assert json.loads(file.read_text("utf-8")) == []


def test_parquet_keeps_types(result: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    assert export.write_parquet(result(), file) == 8
    rows = pq.read_table(file).to_pylist()
    assert rows[0]["amount"] == Decimal("12345678901234.5678")
    assert rows[0]["day"] == date(2026, 3, 1)
    assert rows[0]["at"] == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert rows[0]["big"] == 9007199254740993
    assert rows[0]["nested"] == '{"a": [1, 2]}'
    assert rows[1]["=text"] == "=1+1"
    kinds = [str(t) for t in pq.read_schema(file).types]
    assert kinds[2:6] == ["decimal128(18, 4)", "date32[day]", "timestamp[us, tz=UTC]", "bool"]


def test_columns_of_one_name_are_told_apart(result: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    export.write_parquet(result("select 1 as a, 2 as a"), file)
    assert pq.read_table(file).to_pylist() == [{"a": 1, "a_2": 2}]


@pytest.mark.parametrize("kind", ["csv", "json", "parquet", "xlsx"])
def test_a_folder_that_is_not_there_is_said(result: Any, tmp_path: Path, kind: str) -> None:
    with pytest.raises(ExportError, match="cannot be written"):
        getattr(export, f"write_{kind}")(result(), tmp_path / "none" / f"a.{kind}")


def test_a_failed_answer_leaves_the_old_file(result: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("old")
    sql = "select case when range = 150000 then 'x' else '1' end::integer from range(200000)"
    with pytest.raises(Exception, match=r"(?i)conver"):
        export.write_csv(result(sql), file)
    assert file.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "some.duckdb"]


RUN = [
    "＝1+1",
    "＋1",
    "－1",
    "＠a",
    " =1",
    "\u3000=1",
    "'=1",
    '"=1',
    "\ufeff=1",
    "\n=1",
    "\u200b+1",
    "' -1",
]


def test_csv_runs_no_formula_in_disguise_and_can_be_undone(result: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    values = ", ".join(
        f"({n}, '{text.replace(chr(39), chr(39) * 2)}')" for n, text in enumerate(RUN)
    )
    export.write_csv(result(f"select * from (values {values}) t(n, x) order by n"), file)
    rows = list(csv.reader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))
    assert [row[1] for row in rows[1:]] == [f"'{text}" for text in RUN]


def test_a_zero_does_not_cut_a_cell(result: Any, tmp_path: Path) -> None:
    export.write_csv(
        result("select chr(0) || '=1' as x, 'a' || chr(0) || 'b' as y"), tmp_path / "a"
    )
    assert (tmp_path / "a").read_text("utf-8-sig").splitlines()[1] == "'\ufffd=1,a\ufffdb"
