"""The gateway: the story as 支付宝 writes it, in a bill a day (GBK CSV in a ZIP).

Bills begin SINCE: of six months' bills the last are enough to compare, and each is a download.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from decimal import Decimal
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.alipay.sample import movement
from connectors.alipay.simulator import AlipaySimulator
from pipelines.sample.facts import Customer
from pipelines.sample.story import NOW, Story

CONNECTION, PORT = "alipay", 18806
APP = "2026050100000001"
SINCE = (NOW - timedelta(days=31)).replace(hour=0, minute=0)
AFTER = NOW + timedelta(hours=16)
"""The gateway's clock stands here: the story's last bill is there, and no further one is due."""
STREAMS = ("account_bill",)


@cache
def _keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """Return the app's key and the gateway's, made anew for each process."""
    return rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)


def _secrets() -> dict[str, str]:
    app, gateway = _keys()
    private = app.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = gateway.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {
        "ALIPAY_PRIVATE_KEY": base64.b64encode(private).decode(),
        "ALIPAY_PUBLIC_KEY": base64.b64encode(public).decode(),
    }


SECRETS = _secrets()


def build(story: Story) -> AlipaySimulator:
    """Return the account with what moved on it since SINCE."""
    app, gateway = _keys()
    account = AlipaySimulator(
        APP, app.public_key(), gateway, now=lambda: AFTER, downloads=f"http://127.0.0.1:{PORT}"
    )
    balance = Decimal("80000.00")
    moved = [m for m in story.movements if m.way == CONNECTION and m.at >= SINCE]
    for place, one in enumerate(sorted(moved, key=lambda m: (m.at, m.number)), 1):
        sign = 1 if one.kind == "payment" else -1
        rows = [(one.at, sign * one.amount, "在线支付" if sign > 0 else "交易退款", one.reason)]
        if one.fee:
            rows.append((one.at + timedelta(seconds=1), -one.fee, "收费", "服务费"))
        for part, (at, amount, word, remark) in enumerate(rows):
            balance += amount
            account.put(
                "account",
                movement(
                    f"5463{place * 10 + part:010d}", at, f"{amount:.2f}",
                    业务流水号=one.of or one.number,
                    商户订单号=one.order, 商品名称="工业品" if part == 0 else "",
                    对方账号=_masked(one.payer) if part == 0 else "", 业务类型=word, 备注=remark,
                    **{"账户余额（元）": f"{balance:.2f}"},
                ),
            )  # fmt: skip
    return account


def _masked(one: Customer | None) -> str:
    if one is None:
        return ""
    return f"{one.contact[:1]}*({one.phone[:3]}****{one.phone[-4:]})"
