"""The OMS: the story as 聚水潭 writes it.

It takes over the shop's orders under their numbers (so_id), sends them and counts the warehouse
that they leave. Receivers are masked, times are Beijing's without an offset.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from connectors.base import utc_now
from connectors.jushuitan import sample
from connectors.jushuitan.sample import Record
from connectors.jushuitan.simulator import Identity, JushuitanSimulator
from pipelines.sample.facts import Customer, Order, Parcel
from pipelines.sample.key import Bad
from pipelines.sample.story import NOW, START, Story

CONNECTION, PORT = "oms", 18803
KEY = "sample-app"
SECRETS = {"OMS_APP_KEY": KEY, "OMS_APP_SECRET": "sample-oms-secret"}
STREAMS = ("products", "stock", "orders", "shipments", "after_sales")
SHOP = {"shop_id": 10890234, "shop_name": "官网商城"}
_CODES = {
    "圆通速递": "YTO",
    "中通快递": "ZTO",
    "顺丰速运": "SF",
    "京东物流": "JD",
    "韵达快递": "YUNDA",
}
_WAYS = {"alipay": "支付宝", "stripe": "信用卡", "bank": "银行转账"}


def build(story: Story) -> JushuitanSimulator:
    """Return the merchant with all that it holds; names its wrong records in the key."""
    oms = JushuitanSimulator(Identity(KEY, SECRETS["OMS_APP_SECRET"]), now=utc_now)
    oms.per_second = oms.per_minute = 10**9  # it is on this machine
    oms.issued = time.time_ns() // 1000  # started anew, it gives out other tokens than before
    for one in story.stock:
        product = one.product
        more = {"sale_price": product.price, "cost_price": None, "category": product.category,
                "sku_code": product.barcode, "unit": product.unit, "properties_value": "",
                "enabled": 1 if product.is_sold else -1}  # fmt: skip
        record = sample.product(product.sku, product.name, **more)
        oms.put("products", record, at=max(product.since, START))
        made = sample.stock(product.sku, one.online[0], name=product.name, order_lock=one.online[1])
        oms.put("stock", made, at=NOW)
    taken: dict[str, Record] = {}
    for order in story.orders:
        taken[order.number] = _order(order)
        oms.put("orders", taken[order.number], at=order.changed)
    for order, parcel in story.sent():
        oms.put("shipments", _shipment(order, parcel, taken[order.number]), at=order.changed)
    for back in story.returns:
        if not back.order.is_typed:
            given = sample.after_sale(
                3_700_000 + back.number, taken[back.order.number], f"{back.amount:.2f}",
                question_type=back.reason, as_date=oms.stamp(back.at), created=oms.stamp(back.at),
                confirm_date=oms.stamp(min(back.at + timedelta(hours=20), NOW)),
                l_id=f"RT{back.number:010d}",
            )  # fmt: skip
            given["items"][0] |= {"qty": back.quantity, "r_qty": back.quantity}
            oms.put("after_sales", given, at=back.at)
    _wrong(oms, story)
    return oms


def _status(order: Order) -> tuple[str, str]:
    """Return what the OMS says of an order, and what it heard of the shop."""
    if order.money == "voided":
        return "Cancelled", "TRADE_CLOSED"
    if order.money == "pending":
        return "WaitPay", "WAIT_BUYER_PAY"
    if order.parcel is not None:
        return "Sent", "TRADE_FINISHED" if order.parcel.is_signed else "WAIT_BUYER_CONFIRM_GOODS"
    return "Delivering" if order.place % 3 else "WaitConfirm", "WAIT_SELLER_SEND_GOODS"


def _order(order: Order) -> Record:
    status, said = _status(order)
    items = [
        sample.item(
            order.place * 10 + line.place, line.product.sku, line.quantity, f"{line.price:.2f}",
            name=line.product.name, properties_value="",
            outer_oi_id=str(order.place * 10 + line.place),
        )
        for line in order.lines
    ]  # fmt: skip
    paid = _text(order.paid) if order.is_paid and order.paid else None
    parcel, total = order.parcel, f"{order.total:.2f}"
    pays = [{"pay_id": order.place * 10, "outer_pay_id": order.transaction, "amount": total,
             "payment": _WAYS[order.way], "pay_date": paid}] if paid else []  # fmt: skip
    return sample.order(
        _key(order), items, so_id=order.number, **SHOP, status=status, shop_status=said,
        order_date=_text(order.placed), created=_text(order.placed + timedelta(minutes=2)),
        pay_date=paid, pay_amount=total, paid_amount=total if paid else "0.00",
        free_amount=f"{order.discount:.2f}", outer_pay_id=order.transaction if paid else "",
        pays=pays, shop_buyer_id=f"b{order.customer.number}**", **_masked(order.customer),
        **(
            {"send_date": _text(parcel.sent), "io_id": 9_600_000 + parcel.number,
             "l_id": parcel.tracking, "lc_id": _CODES[parcel.carrier],
             "logistics_company": parcel.carrier}
            if parcel else {}
        ),
    )  # fmt: skip


def _shipment(order: Order, parcel: Parcel, taken: Record) -> Record:
    return sample.shipment(
        9_600_000 + parcel.number, taken, io_date=_text(parcel.sent),
        created=_text(parcel.sent - timedelta(hours=2)), l_id=parcel.tracking,
        lc_id=_CODES[parcel.carrier], logistics_company=parcel.carrier, **_masked(order.customer),
    )  # fmt: skip


def _masked(one: Customer) -> dict[str, Any]:
    phone = one.phone.removeprefix("+")
    return {
        "receiver_name": f"{one.contact[:1]}**", "receiver_mobile": f"{phone[:3]}****{phone[-4:]}",
        "receiver_country": "" if one.country == "CN" else one.country,
        "receiver_state": one.place[0], "receiver_city": one.place[1],
        "receiver_district": one.place[2], "receiver_address": f"{one.street[:3]}***",
    }  # fmt: skip


def _wrong(oms: JushuitanSimulator, story: Story) -> None:
    """Put orders that were typed in by hand, with states and days that nobody expects."""
    like = story.orders[0]
    items = [sample.item(9_000_000, like.lines[0].product.sku, 1, "10.00")]
    for place, word in enumerate(("OnHoldByFinance", "OnHoldByFinance", "Presell"), 1):
        key = 990_000 + place
        made = sample.order(key, items, so_id=f"手工{key}", **SHOP, status=word,
                            order_date=_text(NOW - timedelta(days=50)), pay_date=None,
                            pays=[], paid_amount="0.00")  # fmt: skip
        oms.put("orders", made, at=NOW - timedelta(days=50))
        story.key.bad.append(
            Bad(CONNECTION, "orders", str(key), "order", "status", word, kept=True)
        )
    wrong: tuple[tuple[str, Any, str, str], ...] = (
        ("order_date", "0000-00-00 00:00:00", "placed_at", "is not a moment in time"),
        ("order_date", "3026-01-05 10:00:00", "placed_at", "between 1970 and 2200"),
        ("pay_amount", "-15.00", "total", "not negative"),
        ("pay_amount", "待定", "total", "is not a number"),
    )
    for place, (name, value, field, reason) in enumerate(wrong, 11):
        key = 990_000 + place
        given = {"so_id": f"手工{key}", "order_date": _text(NOW - timedelta(days=50)),
                 "pay_date": None, "pays": [], "paid_amount": "0.00", **SHOP}  # fmt: skip
        oms.put("orders", sample.order(key, items, **given | {name: value}),
                at=NOW - timedelta(days=50))  # fmt: skip
        story.key.bad.append(Bad(CONNECTION, "orders", str(key), "order", field, reason))


def _key(order: Order) -> int:
    return 7_500_000 + order.place


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
