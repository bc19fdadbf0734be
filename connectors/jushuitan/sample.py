"""Records as the open platform shows them, for tests and the sample company.

Each function returns one record of a kind; further members replace or add to what stands in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.simulated import Simulated

Record = dict[str, Any]
_NO_ONE = {
    "receiver_name": "张**", "receiver_mobile": "138****0000", "receiver_phone": "",
    "receiver_country": "", "receiver_state": "浙江省", "receiver_city": "杭州市",
    "receiver_district": "余杭区", "receiver_town": "", "receiver_address": "文一西路***",
}  # fmt: skip


def shop(key: int, name: str, **more: Any) -> Record:
    """Return a shop; `shop_site` is its platform."""
    return {
        "shop_id": key, "shop_name": name, "co_id": 10001, "shop_site": "小程序商城",
        "shop_url": "", "created": "2024-01-02 10:00:00", **more,
    }  # fmt: skip


def warehouse(key: int, name: str, **more: Any) -> Record:
    """Return a warehouse or partner (分仓)."""
    return {
        "wms_co_id": key, "name": name, "co_id": 10001, "is_main": False, "status": "生效",
        "remark1": "", "remark2": "", **more,
    }  # fmt: skip


def supplier(key: int, name: str, **more: Any) -> Record:
    """Return a supplier."""
    return {
        "supplier_id": key, "supplier_code": f"S{key:04d}", "co_id": 10001, "name": name,
        "enabled": True, **more,
    }  # fmt: skip


def style(key: str, name: str, **more: Any) -> Record:
    """Return a style (款), the head of its SKUs."""
    return {
        "i_id": key, "name": name, "brand": "自有", "c_id": 11, "c_name": "T恤", "onsale": 1,
        "s_price": 199.0, "c_price": 80.0, "skus": [], **more,
    }  # fmt: skip


def product(key: str, name: str, **more: Any) -> Record:
    """Return a SKU; `enabled` is 1 in use, 0 spare, -1 forbidden."""
    return {
        "sku_id": key, "i_id": key.rpartition("-")[0], "name": name, "short_name": "",
        "properties_value": "红色;L", "sale_price": Decimal("199.0"), "market_price": None,
        "cost_price": Decimal("80.1234"), "category": "T恤", "brand": "自有",
        "weight": Decimal("0.25"), "enabled": 1, "sku_code": "6901234567892", "unit": "件",
        "supplier_id": None, "labels": "", **more,
    }  # fmt: skip


def stock(key: str, quantity: int, **more: Any) -> Record:
    """Return a SKU's stock, of all warehouses or of the one that is asked for."""
    return {
        "sku_id": key, "i_id": key.rpartition("-")[0], "name": "", "qty": quantity,
        "order_lock": 0, "pick_lock": 0, "virtual_qty": 0, "purchase_qty": 0, "return_qty": 0,
        "in_qty": 0, "defective_qty": 0, "lock_qty": 0, **more,
    }  # fmt: skip


def item(key: int, sku: str, quantity: int, price: str, **more: Any) -> Record:
    """Return an order's line; `price` is the price paid for one piece."""
    amount = Decimal(price) * quantity
    return {
        "oi_id": key, "sku_id": sku, "i_id": sku.rpartition("-")[0], "shop_sku_id": sku,
        "name": "纯棉T恤", "properties_value": "红色;L", "qty": quantity, "price": price,
        "base_price": price, "amount": str(amount), "refund_status": None, "refund_qty": 0,
        "item_status": "", "raw_so_id": "", "outer_oi_id": "", "is_gift": "false",
        "src_combine_sku_id": "", **more,
    }  # fmt: skip


def order(key: int, items: Sequence[Record], **more: Any) -> Record:
    """Return an order that is paid and waits; its sums are those of the lines."""
    so_id = str(more.get("so_id", f"D{key}"))
    total = sum((Decimal(line["amount"]) for line in items), Decimal(0))
    return {
        "o_id": key, "so_id": so_id, "co_id": 10001, "shop_id": 10890234,
        "shop_name": "小程序旗舰店", "status": "WaitConfirm",
        "shop_status": "WAIT_SELLER_SEND_GOODS", "type": "普通订单",
        "order_date": "2026-02-20 09:12:33", "created": "2026-02-20 09:12:40",
        "pay_date": "2026-02-20 09:12:58", "send_date": None, "io_id": None,
        "pay_amount": str(total), "paid_amount": str(total), "free_amount": "0.00",
        "freight": "0.00", "is_cod": False, "currency": None, "wms_co_id": 0, "l_id": "",
        "lc_id": "", "logistics_company": "", "labels": "", "merge_so_id": "",
        "question_type": None, "buyer_message": "", "remark": "", "shop_buyer_id": "b**",
        **_NO_ONE, "outer_pay_id": f"P{key}",
        "items": [{**line, "raw_so_id": line["raw_so_id"] or so_id} for line in items],
        "pays": [{"pay_id": key * 10, "outer_pay_id": f"P{key}", "amount": str(total),
                  "payment": "微信支付", "pay_date": "2026-02-20 09:12:58"}],
        **more,
    }  # fmt: skip


def shipment(key: int, order: Record, **more: Any) -> Record:
    """Return the 销售出库单 of a whole order."""
    return {
        "io_id": key, "o_id": order["o_id"], "so_id": order["so_id"], "shop_id": order["shop_id"],
        "shop_name": order["shop_name"], "status": "Confirmed", "io_date": "2026-02-21 15:00:00",
        "created": "2026-02-21 10:00:00", "l_id": f"SF{key}", "lc_id": "SF",
        "logistics_company": "顺丰速运", "wms_co_id": 0, "weight": Decimal("0.5"),
        "freight": "8.00", **_NO_ONE,
        "items": [
            {"ioi_id": line["oi_id"] + 5000, "oi_id": line["oi_id"], "sku_id": line["sku_id"],
             "i_id": line["i_id"], "name": line["name"], "qty": line["qty"],
             "sale_price": line["price"], "sale_amount": line["amount"]}
            for line in order["items"]
        ],
        **more,
    }  # fmt: skip


def after_sale(key: int, order: Record, refund: str, **more: Any) -> Record:
    """Return an after-sales document: the goods of an order's first line come back."""
    line = order["items"][0]
    return {
        "as_id": key, "outer_as_id": f"R{key}", "o_id": order["o_id"], "so_id": order["so_id"],
        "shop_id": order["shop_id"], "shop_name": order["shop_name"], "type": "普通退货",
        "status": "Confirmed", "shop_status": "SUCCESS", "good_status": "SELLER_RECEIVED",
        "refund": refund, "payment": "0.00", "freight": "0.00", "question_type": "七天无理由",
        "remark": "", "warehouse": "主仓", "wms_co_id": 0, "logistics_company": "顺丰速运",
        "l_id": f"SFR{key}", "as_date": "2026-02-24 11:00:00", "created": "2026-02-24 11:00:05",
        "confirm_date": "2026-02-25 09:00:00",
        "items": [{"asi_id": key * 10, "sku_id": line["sku_id"], "name": line["name"],
                   "properties_value": line["properties_value"], "qty": line["qty"],
                   "r_qty": line["qty"], "price": line["price"], "amount": refund,
                   "type": "退货", "outer_oi_id": ""}],
        **more,
    }  # fmt: skip


def received(key: int, document: Record, **more: Any) -> Record:
    """Return what came back for an after-sales document (实际收货)."""
    return {
        "io_id": key, "as_id": document["as_id"], "o_id": document["o_id"],
        "so_id": document["so_id"], "status": "Confirmed", "io_date": "2026-02-26 10:00:00",
        "wms_co_id": document["wms_co_id"], "items": document["items"], **more,
    }  # fmt: skip


def purchase_order(key: int, items: Sequence[tuple[str, int, str]], **more: Any) -> Record:
    """Return a confirmed 采购单; a line is SKU, quantity and price."""
    return {
        "po_id": key, "so_id": "", "po_date": "2026-02-10 00:00:00", "status": "Confirmed",
        "receive_status": "Not_Received", "supplier_id": 501, "seller": "供应商甲",
        "purchaser_name": "", "tax_rate": 0, "freight": 0, "wms_co_id": 0, "remark": "",
        "confirm_date": "2026-02-10 12:00:00", "finish_time": None, "item_type": "成品",
        "items": [
            {"poi_id": key * 100 + place, "sku_id": sku, "i_id": sku.rpartition("-")[0],
             "name": "纯棉T恤", "properties_value": "红色;L", "qty": many, "price": price,
             "plan_arrive_qty": None, "delivery_date": "2026-03-10 00:00:00", "remark": ""}
            for place, (sku, many, price) in enumerate(items, 1)
        ],
        **more,
    }  # fmt: skip


def purchase_in(key: int, document: Record, **more: Any) -> Record:
    """Return the 采购入库单 of a whole purchase order."""
    return {
        "io_id": key, "po_id": document["po_id"], "supplier_id": document["supplier_id"],
        "supplier_name": document["seller"], "status": "Confirmed", "type": "采购进仓",
        "io_date": "2026-02-20 10:00:00", "wms_co_id": document["wms_co_id"], "remark": "",
        "items": [{"ioi_id": line["poi_id"], "sku_id": line["sku_id"], "qty": line["qty"],
                   "cost_price": line["price"]} for line in document["items"]],
        **more,
    }  # fmt: skip


def simulated(now: Callable[[], datetime]) -> Simulated:
    """Return a merchant with a shop, a SKU, its stock and an order, and what connects to it."""
    from connectors.jushuitan.simulator import Identity, JushuitanSimulator

    secrets = {"JST_APP_KEY": "sample-app-key-0123", "JST_APP_SECRET": "sample-app-secret-01"}
    key, secret = secrets.values()
    app = JushuitanSimulator(Identity(key, secret), now=now)
    app.put("shops", shop(1, "小程序旗舰店"))
    app.put("products", product("A-1001-R", "纯棉T恤"))
    app.put("stock", stock("A-1001-R", 320))
    app.put("orders", order(1528134, [item(2011, "A-1001-R", 1, "199.00")]))
    config = {
        "app_key": "env:JST_APP_KEY", "app_secret": "env:JST_APP_SECRET",
        "since": f"{now() - timedelta(days=6):%Y-%m-%d}",
    }  # fmt: skip
    return Simulated(app, config, secrets)
