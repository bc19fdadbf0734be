"""What is read of 聚水潭, as data: a stream's path, its list's name, its key, how it is walked.

Paths and fields are those of the contract sheet; docs/jushuitan.md says which nobody here has seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")
"""The zone of every time that the system writes or is asked for; it writes no offset."""

How = Literal["cursor", "windows", "list"]
WAREHOUSE = "_wms_co_id"
"""The member that says of which warehouse a stock record was asked for; answers do not say it."""


@dataclass(frozen=True, slots=True)
class Source:
    """One stream.

    `how` it is walked: `cursor` by the row number `ts`, which rises with every change; `windows` of
    `modified`; `list`: whole. `cursor` is the name of that parameter. `size` is the most that a
    page may have. `listed` is the usual name of the list. `sweeps`: what is not listed any more is
    gone; documents are never deleted there.
    """

    path: str
    title: str
    key: str
    how: How
    size: int
    listed: str = "datas"
    cursor: str = ""
    sweeps: bool = False
    by_warehouse: bool = False


_SOURCES = {
    "shops": Source("/open/shops/query", "店铺", "shop_id", "list", 100, sweeps=True),
    "warehouses": Source(
        "/open/wms/partner/query", "仓库", "wms_co_id", "list", 100, sweeps=True
    ),
    "suppliers": Source("/open/supplier/query", "供应商", "supplier_id", "list", 50, sweeps=True),
    "styles": Source(
        "/open/mall/item/query", "商品款式", "i_id", "windows", 50, sweeps=True
    ),
    "products": Source("/open/sku/query", "商品 SKU", "sku_id", "windows", 50, sweeps=True),
    "stock": Source(
        "/open/inventory/query", "库存", "sku_id", "cursor", 100, "inventorys", "ts",
        by_warehouse=True,
    ),
    "orders": Source(
        "/open/orders/single/query", "订单", "o_id", "cursor", 50, "orders", "start_ts"
    ),
    "shipments": Source(
        "/open/orders/out/simple/query", "销售出库单", "io_id", "cursor", 50, "datas", "start_ts"
    ),
    "after_sales": Source("/open/refund/single/query", "售后单", "as_id", "windows", 50),
    "received_returns": Source(
        "/open/aftersale/received/query", "实际收货单", "io_id", "windows", 50
    ),
    "purchase_orders": Source("/open/purchase/query", "采购单", "po_id", "windows", 50),
    "purchase_ins": Source("/open/purchasein/query", "采购入库单", "io_id", "windows", 50),
}  # fmt: skip

STREAMS: Mapping[str, Source] = MappingProxyType(_SOURCES)
"""Every stream by its name, in the order in which references find what they refer to."""
