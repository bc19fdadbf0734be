"""A seeded company whose orders stand in shop, OMS, ERP and CRM; what was placed is known apart."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Lines = list[tuple[str, int, int]]
"""SKU, pieces, price."""


def total(lines: Lines) -> int:
    return sum(pieces * price for _, pieces, price in lines)


@dataclass
class Company:
    """Rows by connection, and what customers placed: orders by (connection, key) and their sums."""

    rows: list[tuple[str, Row]] = field(default_factory=list)
    placed: dict[tuple[str, str], int] = field(default_factory=dict)
    processed: dict[str, Lines] = field(default_factory=dict)

    def put(self, connection: str, key: str, lines: Lines, **more: Any) -> None:
        made = [{"sku": s, "quantity": n, "unit_price": p} for s, n, p in lines]
        self.rows.append((connection, {
            "key": key, "number": key, "kind": "sale", "currency": "CNY", "total": total(lines),
            "lines": made, **more,
        }))  # fmt: skip


def found(seed: int, orders: int) -> Company:
    """Return a company with so many orders of its shop."""
    dice, one = random.Random(seed), Company()
    goods = [(f"SKU-{n}", 5 + 7 * n) for n in range(30)]
    waiting: list[tuple[str, Lines]] = []
    for n in range(orders):
        number = f"SO{100000 + n}"
        lines = [(s, dice.randrange(1, 5), p) for s, p in dice.sample(goods, dice.randrange(2, 5))]
        back = dice.random() < 0.15
        one.put("shop", f"gid://order/{9000 + n}", lines, number=f"#{number}", channel="web",
                platform_order_no=f"{9000 + n}", merchant_order_no=f"#{number}",
                payment_status="partially_refunded" if back else "paid",
                refunded_total=lines[0][2] if back else 0,
                current_total=total(lines) - (lines[0][2] if back else 0))  # fmt: skip
        one.placed["shop", f"gid://order/{9000 + n}"] = total(lines)
        waiting.append((number, lines))
        if len(waiting) == 2 and dice.random() < 0.3:
            _merged(one, n, waiting)
        elif len(waiting) == 2 or n == orders - 1:
            for claimed, said in waiting:
                _single(one, dice, claimed, said, back)
        else:
            continue
        waiting = []
    for n in range(orders // 6):
        lines = [(s, 50, p) for s, p in dice.sample(goods, 3)]
        one.put("erp", f"B2B{n}", lines, po_number=f"their {n}")
        one.placed["erp", f"B2B{n}"] = total(lines)
        one.put("crm", f"deal-b{n}", lines, platform_order_no=f"B2B{n}")
    for n in range(orders // 20):
        one.put("erp", f"X404-{n}", [(*goods[n % 30], 1)], platform_order_no=f"SO404{n}")
        one.placed["erp", f"X404-{n}"] = total([(*goods[n % 30], 1)])
    dice.shuffle(one.rows)
    return one


def _merged(one: Company, n: int, orders: list[tuple[str, Lines]]) -> None:
    """Two orders of one receiver go as one document, in OMS and ERP; the CRM has each."""
    lines = [line for _, said in orders for line in said]
    claimed = ",".join(number for number, _ in orders)
    one.put("oms", f"M{n}", lines, platform_order_no=claimed)
    one.put("erp", f"XM{n}", lines, platform_order_no=f"M{n}")
    for number, said in orders:
        one.put("crm", f"deal-{number}", said, platform_order_no=number)


def _single(one: Company, dice: random.Random, number: str, lines: Lines, back: bool) -> None:
    parts = [[line] for line in lines] if dice.random() < 0.3 else [lines]
    if len(parts) > 1:
        one.put("oms", f"H{number}", [], platform_order_no=number, total=None, status="closed")
    for place, part in enumerate(parts):
        document = f"O{number}-{place}"
        one.put("oms", document, part, platform_order_no=number)
        one.put("erp", f"X{number}-{place}", part, platform_order_no=document)
    if back:
        one.put("erp", f"R{number}", lines[:1], kind="return", parent_order_key=f"X{number}-0")
    one.put("crm", f"deal-{number}", lines, merchant_order_no=f"X{number}-0")
