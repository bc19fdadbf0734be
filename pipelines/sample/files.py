"""The files of the sample company's office: a stock list in Excel, a bank bill in GBK."""

from __future__ import annotations

import csv
import io
import os
from datetime import datetime
from pathlib import Path

import xlsxwriter

from pipelines.sample import office
from pipelines.sample.story import NOW, START, Story

STOCK, BANK = "库存盘点表.xlsx", "银行对账单.csv"


def write_office(folder: Path, story: Story) -> list[Path]:
    """Write the files that are absent or differ into `folder`; return those written.

    Their time is that of the story, so that they count as settled. The same story gives the same
    bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, data in ((STOCK, stock_list(story)), (BANK, bank_bill(story))):
        path = folder / name
        if path.exists() and path.read_bytes() == data:
            continue
        own = folder / f".{name}.{os.getpid()}.tmp"
        own.write_bytes(data)
        os.utime(own, (NOW.timestamp(), NOW.timestamp()))
        own.replace(path)
        written.append(path)
    return written


def stock_list(story: Story) -> bytes:
    """Return the stock list as offices write it: a merged title, remarks, a row of sums."""
    out = io.BytesIO()
    rows = office.stock_rows(story)
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(NOW.year, NOW.month, NOW.day), "author": ""})  # noqa: DTZ001
        sheet = book.add_worksheet("库存")
        head = book.add_format({"bold": True, "align": "center", "border": 1})
        columns = list(rows[0])
        sheet.merge_range(0, 0, 0, len(columns) - 1, "库存盘点表", head)
        sheet.write_row(1, 0, [f"盘点日期：{NOW:%Y-%m-%d}", None, None, "制表：仓储部"])
        sheet.write_row(3, 0, columns, head)
        for number, row in enumerate(rows, 4):
            sheet.write_row(number, 0, list(row.values()))
        end = 4 + len(rows)
        sheet.write(end, 0, "合计", head)
        for place, name in enumerate(columns):
            if name.endswith("数量"):
                amounts = [r[name] for r in rows if isinstance(r[name], int)]
                letter = "ABCDEFGHI"[place]
                formula = f"=SUM({letter}5:{letter}{end})"
                sheet.write_formula(end, place, formula, head, sum(amounts))
        sheet.set_column(0, len(columns) - 1, 14)
    return out.getvalue()


def bank_bill(story: Story) -> bytes:
    """Return the bank's bill: lines of remarks above the headings, GBK, a sum below."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    rows = office.bank_rows(story)
    columns = list(rows[0])
    padding = [""] * (len(columns) - 1)
    writer.writerow(["账户交易明细", *padding])
    writer.writerow(["账号：3100660200018000001", *padding])
    writer.writerow([f"起止日期：{START:%Y-%m-%d} 至 {NOW:%Y-%m-%d}", *padding])
    writer.writerow(columns)
    writer.writerows(row.values() for row in rows)
    writer.writerow([f"合计：{len(rows)} 笔", *padding])
    return out.getvalue().encode("gb18030")
