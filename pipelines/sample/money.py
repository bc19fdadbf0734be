"""How the orders of the sample company were paid: at the gateway or by bank transfer."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.sample.story import Record, Story

PAID = ("paid", "refunded", "partially_refunded")


def make_payments(dice: random.Random, story: Story) -> None:
    """Add payments and refunds of the gateway (amounts in fen) and lines of the bank's bill."""
    companies = {c["id"]: c for c in story.customers if c["type"] == "company"}
    balance = Decimal("250000.00")
    for order in story.orders:
        placed = datetime.fromisoformat(order["created_at"])
        company = companies.get(order["customer"]["id"])
        state = order["financial_status"]
        if state == "paid" and company is not None and dice.random() < 0.16:
            balance += order["total_price"]
            story.bank.append(_transfer(dice, order, company, balance, placed))
            if dice.random() < 0.15:
                balance = _cost(dice, story, balance, placed)
            continue
        if state in PAID:
            charge = _charge(dice, len(story.payments) + 1, order, placed, "succeeded")
            story.payments.append(charge)
            if state != "paid":
                share = 100 if state == "refunded" else dice.choice((10, 25, 50))
                story.refunds.append(_refund(dice, len(story.refunds) + 1, charge, share))
        elif state == "pending" and dice.random() < 0.3:
            status = dice.choice(("failed", "pending"))
            charge = _charge(dice, len(story.payments) + 1, order, placed, status)
            story.payments.append(charge)


def _charge(
    dice: random.Random, number: int, order: Record, placed: datetime, status: str
) -> Record:
    amount = int(order["total_price"] * 100)
    created = int(placed.timestamp()) + dice.randrange(20, 1500)
    return {
        "id": f"ch_{number:06d}",
        "object": "charge",
        "amount": amount,
        "fee": amount * 6 // 1000,
        "currency": "cny",
        "status": status,
        "channel": dice.choice(("wechat_pay", "wechat_pay", "alipay", "unionpay")),
        "merchant_order_no": order["name"],
        "transaction_id": f"4200{dice.randrange(10**11, 10**12)}{number:06d}",
        "payer": {"openid": f"o{dice.randrange(16**20, 16**21):x}"},
        "failure_message": "余额不足" if status == "failed" else None,
        "created": created,
        "updated": created + dice.randrange(1, 60),
    }


def _refund(dice: random.Random, number: int, charge: Record, share: int) -> Record:
    created = charge["created"] + dice.randrange(86_400, 6 * 86_400)
    return {
        "id": f"re_{number:05d}",
        "object": "refund",
        "charge": charge["id"],
        "amount": charge["amount"] * share // 100,
        "currency": "cny",
        "status": "succeeded",
        "channel": charge["channel"],
        "merchant_order_no": charge["merchant_order_no"],
        "reason": dice.choice(("七天无理由", "质量问题", "少件漏发", "协商退款")),
        "created": created,
        "updated": created + 30,
    }


def _transfer(
    dice: random.Random, order: Record, company: Record, balance: Decimal, placed: datetime
) -> Record:
    paid = placed + timedelta(hours=dice.randrange(1, 5))
    return {
        "交易日期": f"{paid:%Y-%m-%d}",
        "交易时间": f"{paid:%H:%M:%S}",
        "交易流水号": f"{paid:%Y%m%d}{dice.randrange(10**9, 10**10)}",
        "收入金额": f"{order['total_price']:,.2f}",
        "支出金额": "",
        "账户余额": f"{balance:,.2f}",
        "对方户名": company["name"],
        "对方账号": f"6222{dice.randrange(10**14, 10**15)}",
        "摘要": "转账汇入",
        "附言": f"货款 {order['name']}",
    }


def _cost(dice: random.Random, story: Story, balance: Decimal, placed: datetime) -> Decimal:
    """Add a line that has nothing to do with an order; return the balance after it."""
    amount = Decimal(dice.randrange(1_000, 900_000)) / 100
    paid = placed + timedelta(hours=dice.randrange(5, 9))
    what = dice.choice(("手续费", "水电费", "采购付款"))
    story.bank.append(
        {
            "交易日期": f"{paid:%Y-%m-%d}",
            "交易时间": f"{paid:%H:%M:%S}",
            "交易流水号": f"{paid:%Y%m%d}{dice.randrange(10**9, 10**10)}",
            "收入金额": "",
            "支出金额": f"{amount:,.2f}",
            "账户余额": f"{balance - amount:,.2f}",
            "对方户名": "华东供应链服务有限公司",
            "对方账号": "6222020900001234567",
            "摘要": what,
            "附言": "",
        }
    )
    return balance - amount
