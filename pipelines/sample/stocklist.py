"""What the warehouse of the sample company counted: enough of all, but for a few products."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.sample.story import Story

PLACES = (("WH01", "上海总仓"), ("WH02", "深圳分仓"))


def make_stock(dice: random.Random, story: Story, scarce: list[str]) -> None:
    """Add a row a product and place; what is scarce has at most one piece in all."""
    wanted: dict[str, int] = {}
    for order in story.orders:
        if order["fulfillment_status"] != "fulfilled":
            for line in order["line_items"]:
                wanted[line["sku"]] = wanted.get(line["sku"], 0) + line["quantity"]
    for product in story.products:
        sku = product["sku"]
        needed = wanted.get(sku, 0) + dice.randrange(5, 300)
        split = dice.randrange(0, needed + 1)
        amounts = [split, needed - split]
        if sku in scarce:
            amounts = [scarce.index(sku) % 2, 0]
        for (code, place), available in zip(PLACES, amounts, strict=True):
            reserved = dice.randrange(0, 20)
            story.stock.append(
                {
                    "货号": sku,
                    "名称": product["title"],
                    "仓库编码": code,
                    "仓库": place,
                    "单位": product["unit"],
                    "现存数量": available + reserved,
                    "占用数量": reserved,
                    "可用数量": available,
                    "备注": "",
                }
            )
