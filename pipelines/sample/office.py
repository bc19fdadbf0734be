"""The office's files: the story as people count it in Excel and the bank lists it in GBK."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pipelines.sample import goods
from pipelines.sample.key import Bad
from pipelines.sample.story import START, Story

CONNECTION = "office"
STREAMS = ("stock", "bank")
Row = dict[str, Any]


def stock_rows(story: Story) -> list[Row]:
    """Return the rows of the stock list, a row a product and warehouse, wrong ones among them."""
    rows = [
        _stock(one.product.sku, one.product.name, place, one.product.unit, there, reserved)
        for one in story.stock
        for place, (there, reserved) in ((goods.ONLINE, one.online), (goods.MAIN, one.main))
    ]
    dice = story.dice("stock list")
    for number, (name, value, field, reason) in enumerate(
        (
            ("可用数量", "缺货", "available", "is not a number"),
            ("可用数量", "见备注", "available", "is not a number"),
            ("现存数量", "1O", "on_hand", "is not a number"),
            ("货号", None, "key", "is missing"),
        ),
        1,
    ):
        row = _stock(f"X-{number:03d}", "样品", goods.ONLINE, "个", 3, 0)
        key = None if name == "货号" else f"{row['货号']}/{goods.ONLINE[0]}"
        rows.insert(dice.randrange(len(rows)), row | {name: value})
        _bad(story, Bad(CONNECTION, "stock", key, "stock_level", field, reason))
    return rows


def bank_rows(story: Story) -> list[Row]:
    """Return the lines of the bank's bill by time: what customers paid in, what was paid out."""
    dice = story.dice("bank")
    rows = list(_lines(story, dice))
    balance = Decimal("250000.00")
    for row in rows:
        balance += row["收入金额"] or -row["支出金额"]
        for name, value in (
            ("账户余额", balance),
            *((n, row[n]) for n in ("收入金额", "支出金额")),
        ):
            row[name] = f"{value:,.2f}" if value != "" else ""
    late = f"{START + timedelta(days=140):%Y-%m-%d}"  # what is new is used elsewhere in the story
    income = [row for row in rows if row["收入金额"] and row["交易日期"] < late]
    for row, (name, value, field, reason) in zip(
        income[5:40:6],
        (
            ("收入金额", "1,2x4.00", "amount", "is not a number"),
            ("交易日期", "2026-02-30", "value_date", "is not a date"),
            ("交易流水号", "", "key", "is missing"),
        ),
        strict=False,
    ):
        row[name] = value
        _bad(story, Bad(CONNECTION, "bank", row["交易流水号"] or None, "payment", field, reason))
    return rows


def _bad(story: Story, bad: Bad) -> None:
    if bad not in story.key.bad:  # the files are written each time that they are asked for
        story.key.bad.append(bad)


def _stock(
    sku: str, name: str, place: tuple[str, str], unit: str, there: int, reserved: int
) -> Row:
    return {
        "货号": sku, "名称": name, "仓库编码": place[0], "仓库": place[1], "单位": unit,
        "现存数量": there, "占用数量": reserved, "可用数量": there - reserved, "备注": "",
    }  # fmt: skip


def _lines(story: Story, dice: random.Random) -> Iterator[Row]:
    moved = sorted((m for m in story.movements if m.way == "bank"), key=lambda m: (m.at, m.number))
    for one in moved:
        goes_in = one.kind == "payment"
        yield {
            "交易日期": f"{one.at:%Y-%m-%d}",
            "交易时间": f"{one.at:%H:%M:%S}",
            "交易流水号": one.number,
            "收入金额": one.amount if goes_in else "",
            "支出金额": "" if goes_in else one.amount,
            "账户余额": "",
            "对方户名": one.payer.name if one.payer else "",
            "对方账号": f"6222{dice.randrange(10**14, 10**15)}",
            "摘要": "转账汇入" if goes_in else "退款",
            "附言": f"{'货款' if goes_in else '退款'} {one.order}",
        }
        if dice.random() < 0.15:
            yield {
                "交易日期": f"{one.at:%Y-%m-%d}",
                "交易时间": f"{one.at + timedelta(minutes=3):%H:%M:%S}",
                "交易流水号": f"{one.at:%Y%m%d}{dice.randrange(10**9, 10**10)}",
                "收入金额": "",
                "支出金额": Decimal(dice.randrange(1_000, 900_000)) / 100,
                "账户余额": "",
                "对方户名": "华东供应链服务有限公司",
                "对方账号": "6222020900001234567",
                "摘要": dice.choice(("手续费", "水电费", "采购付款")),
                "附言": "",
            }
