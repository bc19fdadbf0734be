"""Records of a made-up account of 支付宝, as the contract sheet writes them; values are text."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from connectors.simulated import URL, Simulated

Record: TypeAlias = dict[str, Any]

KEYS = {
    "account": ("账务流水号",),
    "trade": ("支付宝交易号", "退款批次号/请求号"),
    "sells": ("alipay_order_no",),
    "buys": ("alipay_order_no",),
    "transfers": ("order_no",),
    "trades": ("trade_no",),
    "refund_checks": ("trade_no", "out_request_no"),
    "balance": (),
}
"""What names a record of each kind."""
REQUEST = "_request"
"""Member of a movement that names the request of a refund; the log tells it, the bill does not."""
STAMPS = {
    "account": "发生时间", "trade": "完成时间", "sells": "gmt_create", "buys": "gmt_create",
    "transfers": "trans_dt",
}  # fmt: skip


def text(at: datetime) -> str:
    """Return a time as the platform writes it; `at` stands in Beijing."""
    return at.strftime("%Y-%m-%d %H:%M:%S")


def movement(number: str, at: datetime, amount: str, **more: str) -> Record:
    """Return a row of 账务明细; a negative amount goes out."""
    money = Decimal(amount)
    made = {
        "账务流水号": number, "业务流水号": f"2026112022001400{number}",
        "商户订单号": f"SO{number}", "商品名称": "纯棉T恤", "发生时间": text(at),
        "对方账号": "张*(159****5620)",
        "收入金额（+元）": f"{max(money, Decimal(0)):.2f}",
        "支出金额（-元）": f"{min(money, Decimal(0)):.2f}",
        "账户余额（元）": "14533.03", "交易渠道": "支付宝",
        "业务类型": "在线支付" if money > 0 else "收费", "备注": "",
    }  # fmt: skip
    return made | more


def trade_row(number: str, at: datetime, amount: str, request: str = "", **more: str) -> Record:
    """Return a row of 业务明细: a trade, or with `request` one refund of it (negative)."""
    made = {
        "支付宝交易号": number, "商户订单号": f"SO{number}",
        "业务类型": "退款" if request else "交易", "商品名称": "纯棉T恤",
        "创建时间": text(at), "完成时间": text(at), "门店编号": "", "门店名称": "",
        "操作员": "", "终端号": "", "对方账户": "张*(159****5620)", "订单金额（元）": amount,
        "商家实收（元）": amount, "支付宝红包（元）": "0.00", "集分宝（元）": "0.00",
        "支付宝优惠（元）": "0.00", "商家优惠（元）": "0.00", "券核销金额（元）": "0.00",
        "券名称": "", "商家红包消费金额（元）": "0.00", "卡消费金额（元）": "0.00",
        "退款批次号/请求号": request, "服务费（元）": "0.00", "分润（元）": "0.00", "备注": "",
    }  # fmt: skip
    return made | more


def listed(kind: str, number: str, at: datetime, amount: str, **more: str) -> Record:
    """Return an entry of a list by time: sells, buys or transfers."""
    if kind == "transfers":
        made = {
            "order_no": number, "trans_dt": text(at), "amount": amount, "service_fee": "0.00",
            "account": "(159****5620)", "type_desc": "转账", "status": "成功", "memo": "",
        }  # fmt: skip
    else:
        made = {
            "alipay_order_no": number, "merchant_order_no": f"SO{number}", "gmt_create": text(at),
            "gmt_pay": text(at), "goods_title": "纯棉T恤", "total_amount": amount,
            "refund_amount": "0.00", "service_fee": "0.00", "trade_status": "成功",
            "other_account": "张*(159****5620)",
        }  # fmt: skip
    return made | more


def trade(number: str, amount: str, **more: Any) -> Record:
    """Return what alipay.trade.query tells of a trade."""
    made = {
        "trade_no": number, "out_trade_no": f"SO{number}", "buyer_logon_id": "159****5620",
        "trade_status": "TRADE_SUCCESS", "total_amount": amount, "receipt_amount": amount,
        "buyer_pay_amount": amount, "point_amount": "0.00", "invoice_amount": amount,
        "send_pay_date": "2026-11-20 09:12:58",
        "fund_bill_list": [{"fund_channel": "ALIPAYACCOUNT", "amount": amount}],
    }  # fmt: skip
    return made | more


def refund_check(number: str, request: str, amount: str, **more: Any) -> Record:
    """Return what alipay.trade.fastpay.refund.query tells of a refund."""
    made = {
        "trade_no": number, "out_trade_no": f"SO{number}", "out_request_no": request,
        "refund_amount": amount, "total_amount": amount, "refund_status": "REFUND_SUCCESS",
        "gmt_refund_pay": "2026-11-20 10:00:00",
    }  # fmt: skip
    return made | more


def logged(row: Record) -> Record:
    """Return a movement as alipay.data.bill.accountlog.query tells it."""
    comes_in = Decimal(row["收入金额（+元）"]) > 0
    amount = row["收入金额（+元）"] if comes_in else row["支出金额（-元）"]
    return {
        "account_log_id": row["账务流水号"], "trans_dt": row["发生时间"],
        "trans_amount": f"{abs(Decimal(amount)):.2f}", "balance": row["账户余额（元）"],
        "direction": "收入" if comes_in else "支出", "type": row["业务类型"],
        "alipay_order_no": row["业务流水号"], "merchant_order_no": row["商户订单号"],
        "other_account": row["对方账号"], "trans_memo": row["备注"],
    } | ({"merchant_out_refund_no": row[REQUEST]} if REQUEST in row else {})  # fmt: skip


def simulated(now: Callable[[], datetime]) -> Simulated:
    """Return a merchant with yesterday's movements, and what connects to it; keys made anew."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import rsa

    from connectors.alipay.simulator import AlipaySimulator

    mine, theirs = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in "12")
    app = AlipaySimulator("2021000000000001", mine.public_key(), theirs, now=now)
    at = now().astimezone(ZoneInfo("Asia/Shanghai")) - timedelta(days=2)
    app.put("account", movement("54632446537371", at, "88.88"))
    app.put("trade", trade_row("2026112022001400001000000001", at, "88.88"))
    private = mine.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = theirs.public_key().public_bytes(
        form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo
    )
    secrets = {
        "ALIPAY_APP_KEY": base64.b64encode(private).decode(),
        "ALIPAY_PUBLIC_KEY": base64.b64encode(public).decode(),
    }
    config = {
        "app_id": app.app_id, "private_key": "env:ALIPAY_APP_KEY",
        "alipay_public_key": "env:ALIPAY_PUBLIC_KEY", "base_url": f"{URL}/gateway.do",
        "download_url": URL, "since": f"{at - timedelta(days=1):%Y-%m-%d}",
    }  # fmt: skip
    return Simulated(app, config, secrets)
