"""About one record in a hundred is wrong, each for one reason that is written down here.

The mistakes are of the kinds that real systems make: a key that was lost, an amount typed with a
letter, a day that does not exist. None touches an order that the story needs elsewhere.
"""

from __future__ import annotations

import copy
import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelines.sample import catalogue
from pipelines.sample.catalogue import stamp
from pipelines.sample.story import Bad, Record, Story

KEY = "is missing"
NUMBER = "is not a number"
MOMENT = "is not a moment in time"
DAY = "is not a date"
LOST = "is null although the source has a value"
DECIMALS = "has more decimals than the column keeps"
NEGATIVE = "not negative"
YEARS = "between 1970 and 2200"
CODE = "18 signs with a right check sign"
ISO = "three capital letters"


def plant(dice: random.Random, story: Story) -> None:
    """Spoil records of all streams and write each down in `story.bad`."""
    _shop(dice, story)
    _orders(dice, story)
    _gateway(dice, story)
    _office(dice, story)


def _shop(dice: random.Random, story: Story) -> None:
    """Add customers and products that no order names, and spoil them."""
    for number in range(1, 5):
        like = copy.deepcopy(story.customers[dice.randrange(catalogue.CUSTOMERS)])
        phone = f"1990000{9000 + number}"
        like |= {
            "id": 3900 + number,
            "code": f"C{900 + number:05d}",
            "phone": phone,
            "tax_no": None,
        }
        like["identifiers"] = [{"type": "phone", "value": phone}]
        like["addresses"][0]["phone"] = phone
        story.customers.append(like)
    for number in range(1, 4):
        like = dict(story.products[dice.randrange(catalogue.PRODUCTS)])
        like |= {"id": 7900 + number, "sku": f"N{number:03d}", "title": f"新品 {number}"}
        story.products.append(like)

    def customer(record: Record, name: str, value: Any, field: str, reason: str) -> None:
        _spoil(story, "shop", "customers", record, name, value, "party", field, reason)

    def product(record: Record, name: str, value: Any, field: str, reason: str) -> None:
        _spoil(story, "shop", "products", record, name, value, "product", field, reason)

    one, two, three, four = story.customers[-4:]
    for is_newer_first in (False, False, True):
        record = story.customers[dice.randrange(catalogue.CUSTOMERS)]
        _list_twice(story, record, is_newer_first=is_newer_first)
    customer(one, "id", None, "key", KEY)
    customer(two, "tax_no", "91310115MA1K35H10X", "uscc", CODE)  # wrong check sign
    customer(three, "tax_no", "91310115MA1K3", "uscc", CODE)
    customer(four, "created_at", "2025-13-45T08:00:00+08:00", "source_created_at", MOMENT)
    one, two, three = story.products[-3:]
    product(one, "price", "面议", "price", NUMBER)
    product(two, "price", Decimal("-9.90"), "price", NEGATIVE)
    product(three, "id", None, "key", KEY)


def _orders(dice: random.Random, story: Story) -> None:
    needed = {number for number, _ in story.short}
    free = [order for order in story.orders if order["name"] not in needed]
    chosen = iter(dice.sample(free, 40))

    def order(name: str, value: Any, field: str, reason: str) -> None:
        _spoil(story, "shop", "orders", next(chosen), name, value, "order", field, reason)

    def line(name: str, value: Any, field: str, reason: str) -> None:
        record = next(chosen)
        record["line_items"][-1][name] = value
        key = str(record["id"])
        place = f"lines[{len(record['line_items']) - 1}].{field}"
        story.bad.append(Bad("shop", "orders", key, "order", place, reason))

    for amount in ("N/A", "1 2O5.00", "待定"):
        order("total_price", amount, "total", NUMBER)
    order("total_price", Decimal("19.123456"), "total", DECIMALS)  # more decimals than money has
    for amount in ("-88.00", "-1"):
        order("total_price", Decimal(amount), "total", NEGATIVE)
    for day in ("2026-02-30T10:00:00+08:00", "2026-03-12T25:61:00+08:00", "0000-00-00 00:00:00"):
        order("created_at", day, "placed_at", MOMENT)
    order("created_at", "3026-01-05T10:00:00+08:00", "placed_at", YEARS)
    for _ in range(2):
        order("id", None, "key", KEY)
    for currency in ("人民币", "rmb"):
        order("currency", currency, "currency", ISO)
    for quantity in ("两个", -3, -12):
        line("quantity", quantity, "quantity", LOST)
    line("price", Decimal("-5.00"), "unit_price", NEGATIVE)
    for word in ("on_ice", "on_ice", "审核中", "chargeback", "paid?"):
        record = next(chosen)
        record["financial_status"] = word
        key = str(record["id"])
        story.bad.append(Bad("shop", "orders", key, "order", "status", word, kept=True))


def _list_twice(story: Story, record: Record, *, is_newer_first: bool) -> None:
    """List a customer in two versions, as shops do while somebody edits it."""
    newer = copy.deepcopy(record)
    changed = datetime.fromisoformat(record["updated_at"]) + timedelta(minutes=7)
    newer |= {"updated_at": stamp(changed), "level": "钻石"}
    place = story.customers.index(record)
    story.customers.insert(place + (0 if is_newer_first else 1), newer)
    story.twice.append(str(record["id"]))


def _gateway(dice: random.Random, story: Story) -> None:
    needed = {number for number, _ in story.short}
    refunded = {refund["charge"] for refund in story.refunds}
    free = [
        charge
        for place, charge in enumerate(story.payments)
        # The last record of a page carries the cursor: it keeps its id.
        if charge["merchant_order_no"] not in needed
        and charge["id"] not in refunded
        and place % 10 not in (0, 9)
    ]
    chosen = iter(dice.sample(free, 12))

    def charge(name: str, value: Any, field: str, reason: str) -> None:
        _spoil(story, "gateway", "payments", next(chosen), name, value, "payment", field, reason)

    charge("id", None, "key", KEY)
    for amount in ("12a0", "free"):
        charge("amount", amount, "amount", LOST)
    charge("amount", -500, "amount", NEGATIVE)
    for moment in (99_999_999_999_999, "yesterday"):
        charge("created", moment, "paid_at", LOST)
    for word in ("limbo", "处理中"):
        record = next(chosen)
        record["status"] = word
        story.bad.append(
            Bad("gateway", "payments", record["id"], "payment", "status", word, kept=True)
        )
    refunds = iter(dice.sample(story.refunds[:-1], 2))
    for wrong, reason in (("全额", LOST), (-100, NEGATIVE)):
        record = next(refunds)
        for entity in ("refund", "payment"):  # the document, and the money that it moved
            _spoil(story, "gateway", "refunds", record, "amount", wrong, entity, "amount", reason)


def _office(dice: random.Random, story: Story) -> None:
    for number, (name, value, field, reason) in enumerate(
        (
            ("可用数量", "缺货", "available", NUMBER),
            ("可用数量", "见备注", "available", NUMBER),
            ("现存数量", "1O", "on_hand", NUMBER),
            ("货号", None, "key", KEY),
        ),
        1,
    ):
        row: Record = {
            "货号": f"X-{number:03d}", "名称": "样品", "仓库编码": "WH01", "仓库": "上海总仓",
            "单位": "个", "现存数量": 3, "占用数量": 0, "可用数量": 3, "备注": "",
        }  # fmt: skip
        key = None if name == "货号" else f"{row['货号']}/WH01"
        row[name] = value
        story.stock.insert(dice.randrange(len(story.stock)), row)
        story.bad.append(Bad("office", "stock", key, "stock_level", field, reason))
    _bank(story)


def _bank(story: Story) -> None:
    income = [row for row in story.bank if row["收入金额"]]
    needed = {number for number, _ in story.short}
    chosen = iter([r for r in income if r["附言"].removeprefix("货款 ") not in needed][5:40:6])
    for name, value, field, reason in (
        ("收入金额", "1,2x4.00", "amount", NUMBER),
        ("交易日期", "2026-02-30", "value_date", DAY),
        ("交易流水号", "", "key", KEY),
    ):
        record = next(chosen)
        record[name] = value
        key = record["交易流水号"] or None
        story.bad.append(Bad("office", "bank", key, "payment", field, reason))


def _spoil(
    story: Story,
    connection: str,
    stream: str,
    record: Record,
    name: str,
    value: Any,
    entity: str,
    field: str,
    reason: str,
) -> None:
    record[name] = value
    key = None if record["id"] is None else str(record["id"])
    story.bad.append(Bad(connection, stream, key, entity, field, reason))
