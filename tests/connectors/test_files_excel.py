"""Workbooks: headings below titles, exact text, sums, merged cells, formulas never run."""

from __future__ import annotations

import shutil
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from connectors.base import Context, Finding, Page, ReadRequest
from connectors.errors import ContractBroken
from connectors.files import FilesConnector, FilesSettings
from connectors.files.cells import cell_text, column_text

OLD = Path(__file__).parent / "data" / "old_stock.xls"


def connector(folder: Path, **stream: object) -> FilesConnector:
    wanted = {"pattern": "*.xls*", "key": "货号"} | stream
    settings = FilesSettings.model_validate({"folder": str(folder), "streams": {"s": wanted}})
    return FilesConnector(settings, Context("office", pause=lambda seconds: None))


def read(folder: Path, **stream: object) -> list[Page]:
    return list(connector(folder, **stream).read(ReadRequest("s")))


def rows(pages: list[Page]) -> list[dict[str, str | None]]:
    return [row for page in pages if len(page.records) for row in page.records.to_pylist()]


def warned(pages: list[Page]) -> str:
    return "\n".join(line for page in pages for line in page.warnings)


def write(path: Path, grid: list[list[object]], *, sheet: str = "库存", corner: str = "A1") -> Path:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    start = page[corner]
    for down, row in enumerate(grid):
        for right, value in enumerate(row):
            if value is not None:
                page.cell(start.row + down, start.column + right, value)
    book.save(path)
    return path


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    """A stock list as offices write them: merged title, remark line, sums between and below."""
    with xlsxwriter.Workbook(str(tmp_path / "stock.xlsx")) as book:
        page = book.add_worksheet("库存")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        page.merge_range("A1:D1", "2026年11月 库存盘点表")
        page.write_row("A2", ["单位：上海浦江贸易有限公司", None, None, "日期：2026-11-20"])
        page.write_row("A4", ["货号", "名称", "可用\n数量", "盘点日期"])
        page.write_row("A5", ["007", "轴承", 12.5])
        page.write_datetime("D5", datetime(2026, 11, 20), day)  # noqa: DTZ001
        page.write_row("A6", ["小计", None, 12.5])
        page.write_row("A7", ["A-8", "=1+1", 3])
        page.write_row("A9", ["合  计：", None, 15.5])
        page.write_string("B7", "=1+1")
    return tmp_path


def test_headings_below_titles_and_sums_left_out(stock: Path) -> None:
    pages = read(stock)
    assert [
        (r["货号"], r["名称"], r["可用 数量"], r["盘点日期"], r["_sheet"], r["_row"])
        for r in rows(pages)
    ] == [
        ("007", "轴承", "12.5", "2026-11-20", "库存", "5"),
        ("A-8", "=1+1", "3", None, "库存", "7"),
    ]
    assert "2 rows of sums left out" in warned(pages)
    assert (pages[-1].part, pages[-1].complete) == ("stock.xlsx", True)


def test_check_says_what_was_understood(stock: Path) -> None:
    (stock / "bad.xlsx").write_bytes(b"no workbook")
    found = {finding.subject: finding for finding in reversed(list(connector(stock).check()))}
    assert found["s: stock.xlsx"] == Finding(
        "s: stock.xlsx",
        True,
        "2 rows; sheet 库存, headings in row 4; columns: 货号, 名称, 可用 数量, 盘点日期",
    )
    assert found["s: bad.xlsx"].ok is False
    assert "none" in found["s: bad.xlsx"].what
    said = [f.what for f in connector(stock, key="可用 数量").check()]
    assert "the key 可用 数量 is unique" in said
    write(stock / "twice.xlsx", [["货号", "名称"], ["1", "a"], ["1", "b"], [None, "c"]])
    said = [f.what for f in connector(stock, pattern="twice.xlsx").check()]
    assert "the key 货号 is empty in 1 and repeated in 1 rows" in said


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.500000000000001, "12.5"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "0.0000001"),
        (19.99, "19.99"),
        (3.0, "3"),
        (-0.0, "0"),
        (1e15, "1000000000000000"),
        (9007199254740991.0, "9007199254740991"),
        (1.2345678901234567e16, "12345678901234600"),
        (1e300, "1" + "0" * 300),
        (float("nan"), None),
        (True, "true"),
        (7, "7"),
        ("", None),
        (None, None),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 10, 29, 59, 999997), "2026-01-02T10:30:00"),  # noqa: DTZ001
        (datetime(2026, 1, 2, 10, 30, 0, 250000), "2026-01-02T10:30:00.250"),  # noqa: DTZ001
        (time(10, 30), "10:30:00"),
        (timedelta(hours=25, minutes=30), "25:30:00"),
        (timedelta(seconds=-90), "-00:01:30"),
    ],
)
def test_one_spelling_a_value(value: object, text: str | None) -> None:
    assert cell_text(value) == text


MOMENT = datetime(2026, 1, 2, 10, 30)  # noqa: DTZ001
FRACTION = datetime(2026, 1, 2, 10, 29, 59, 999997)  # noqa: DTZ001


@pytest.mark.parametrize(
    "cells",
    [
        ["a", "", "=1+1", " b "],
        [0.1 + 0.2, 1e-7, -0.0, 0.0, 3.0, 1e14, 1e15, 9007199254740991.0, 1e300, -19.99, 1e-300],
        [float("nan"), float("inf"), 1.0],
        [date(1900, 1, 1), date(2026, 1, 2), date(9999, 12, 31)],
        [MOMENT, datetime(1900, 1, 1), datetime(9999, 12, 31, 23, 59, 59)],  # noqa: DTZ001
        [MOMENT, FRACTION],
        ["", 1.5, "x", 2.0],
        ["", MOMENT, FRACTION],
        ["", None, 1.0, date(2026, 1, 2), True, 7],
        [None, "x"],
        [True, False],
        [time(10, 30), timedelta(hours=25)],
        [],
    ],
    ids=str,
)
def test_a_column_reads_as_its_cells_do(cells: list[object]) -> None:
    assert [text or None for text in column_text(cells).to_pylist()] == list(map(cell_text, cells))


def test_long_ids_kept_as_text_and_warned_of_as_numbers(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [["货号", "卡号"], ["9007199254740993", 12345678901234567]])
    pages = read(tmp_path)
    assert rows(pages)[0]["货号"] == "9007199254740993"
    assert "more digits than Excel keeps" in warned(pages)


def test_formulas_give_the_value_that_was_saved(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        page = book.add_worksheet()
        page.write_row("A1", ["货号", "数量", "单价"])
        page.write_row("A2", ["1"])
        page.write_formula("B2", "=1+1", None, 2)
        page.write_formula("C2", "=1/0", None, "#DIV/0!")
    pages = read(tmp_path)
    assert (rows(pages)[0]["数量"], rows(pages)[0]["单价"]) == ("2", None)
    assert "1 cells of Sheet1 hold an error like #N/A (C2)" in warned(pages)


def test_a_formula_without_a_saved_value_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [["货号", "数量"], ["1", "=1+1"], ["2", "=A1&A2"]])
    pages = read(tmp_path)
    assert [r["数量"] for r in rows(pages)] == [None, None]
    assert "2 formulas of 库存 have no computed value (B2, B3)" in warned(pages)


def test_a_table_that_does_not_begin_at_a1(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [["货号", None, "名称"], ["1", "x", "甲"]], corner="C5")
    found = rows(read(tmp_path))[0]
    assert (found["货号"], found["D"], found["名称"], found["_row"]) == ("1", "x", "甲", "6")


def test_sheets_by_name_number_and_all(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        hidden = book.add_worksheet("字典")
        hidden.write_row("A1", ["货号", "x"])
        hidden.write_row("A2", ["h", "h"])
        for name in ("一月", "二月"):
            page = book.add_worksheet(name)
            page.write_row("A1", ["货号", "数量"])
            page.write_row("A2", [name, 1])
        book.get_worksheet_by_name("一月").activate()
        book.get_worksheet_by_name("一月").set_first_sheet()
        hidden.hide()
    assert [r["货号"] for r in rows(read(tmp_path))] == ["一月"]
    assert [r["货号"] for r in rows(read(tmp_path, sheet="二月"))] == ["二月"]
    assert [r["货号"] for r in rows(read(tmp_path, sheet="1"))] == ["h"]
    assert [r["货号"] for r in rows(read(tmp_path, sheet="*"))] == ["一月", "二月"]
    pages = read(tmp_path, sheet="*", key="position")
    assert [key for page in pages for key in page.keys] == ["a.xlsx/一月/2", "a.xlsx/二月/2"]
    with pytest.raises(ContractBroken, match=r"no sheet '三月'.*字典, 一月, 二月"):
        read(tmp_path, sheet="三月")


def test_sheets_with_other_columns_come_as_pages_of_their_own(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        for name, heading in (("一", "数量"), ("二", "价格")):
            page = book.add_worksheet(name)
            page.write_row("A1", ["货号", heading])
            page.write_row("A2", [name, 1])
    pages = read(tmp_path, sheet="*")
    assert [page.records.column_names[1] for page in pages] == ["数量", "价格"]
    assert [page.complete for page in pages] == [False, True]


def test_an_empty_table_is_a_complete_page(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [["库存表"], ["货号", "名称"], ["合计", 0]])
    page = read(tmp_path)[-1]
    assert (len(page.keys), page.complete) == (0, True)
    assert page.records.column_names[:2] == ["货号", "名称"]


def test_an_empty_sheet_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [])
    with pytest.raises(ContractBroken, match="empty"):
        read(tmp_path)


def test_the_old_format_is_read(tmp_path: Path) -> None:
    shutil.copy(OLD, tmp_path / "old.xls")
    assert [(r["货号"], r["名称"], r["数量"], r["日期"]) for r in rows(read(tmp_path))] == [
        ("007", "轴承", "12.5", "2026-01-02"),
        ("008", "齿轮", "3", "2026-01-03"),
    ]


def test_content_goes_before_the_name(tmp_path: Path) -> None:
    """Web systems save CSV under .xls; people rename workbooks to .csv."""
    (tmp_path / "export.xls").write_bytes("货号\t名称\n1\t甲\n".encode("gb18030"))
    write(tmp_path / "b.xlsx", [["货号", "名称"], ["2", "乙"]]).rename(tmp_path / "b.xls.csv")
    found = rows(read(tmp_path, pattern="*"))
    assert {(r["货号"], r["名称"]) for r in found} == {("1", "甲"), ("2", "乙")}


def test_a_large_sheet_comes_in_pages(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx"), {"constant_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["货号", "数量"])
        for number in range(1, 60_001):
            page.write_row(number, 0, [f"A{number}", number])
    pages = read(tmp_path)
    assert [len(p.keys) for p in pages] == [50_000, 10_000]
    assert rows(pages)[-1]["_row"] == "60001"
