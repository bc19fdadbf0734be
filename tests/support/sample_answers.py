"""What is wrong in the sample company, found anew in what its systems hold, without its key."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Place = tuple[str, str]
Systems = Mapping[str, Any]
_PAID = ("PAID", "REFUNDED", "PARTIALLY_REFUNDED")


def shop_orders(systems: Systems) -> dict[str, dict[str, Any]]:
    """Return the shop's orders by their number."""
    return {row["name"]: row for row in systems["shop"].living("orders").values()}


def signs(systems: Systems) -> dict[Place, dict[str, str]]:
    """Return by which signs each system knows its customers; phones without their prefix."""
    found: dict[Place, dict[str, str]] = {}
    for row in systems["shop"].living("customers").values():
        found["shop", row["legacyResourceId"]] = {
            "phone": row["defaultPhoneNumber"]["phoneNumber"].removeprefix("+86"),
            "email": row["defaultEmailAddress"]["emailAddress"], "name": row["lastName"],
        }  # fmt: skip
    for row in systems["erp"].living("BD_Customer").values():
        found["erp", str(row["FCUSTID"])] = {
            "code": row["FSOCIALCRECODE"] or "", "phone": row["FTEL"] or "", "name": row["FName"],
        }  # fmt: skip
    for row in systems["crm"].living("AccountObj").values():
        number = str(int(row["account_no"][2:])) if "account_no" in row else row["_id"]
        found["crm", number] = {
            "code": row.get("uscc__c", ""), "phone": row.get("tel", ""),
            "email": row.get("email", ""), "name": row["name"],
        }  # fmt: skip
    for row in systems["stripe"].living("customers").values():
        found["stripe", row["id"]] = {"email": row["email"], "name": row["name"]}
    return found


def same(systems: Systems) -> set[frozenset[Place]]:
    """Return the groups of places that share a code, a phone, an e-mail or a short name."""
    known, by_sign = signs(systems), defaultdict[tuple[str, str], list[Place]](list)
    for place, said in known.items():
        for sign, text in said.items():
            text = re.sub("(股份)?有限公司$", "", text) if sign == "name" else text
            if text:
                by_sign[sign, text].append(place)
    leader = {place: place for place in known}

    def head(place: Place) -> Place:
        while leader[place] != place:
            place = leader[place]
        return place

    for places in by_sign.values():
        for place in places[1:]:
            leader[head(place)] = head(places[0])
    groups = defaultdict[Place, set[Place]](set)
    for place in known:
        groups[head(place)].add(place)
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def claims(systems: Systems) -> dict[str, str]:
    """Return the shop's number that an order of the ERP claims, by the ERP's number."""
    rows = systems["erp"].living("SAL_SaleOrder").values()
    return {row["FBillNo"]: row["FNote"].split()[1] for row in rows if row["FNote"]}


def lacking(systems: Systems) -> set[str]:
    """Return the shop's paid orders that no order of the ERP claims."""
    has = set(claims(systems).values())
    orders = shop_orders(systems)
    return {n for n, o in orders.items() if o["displayFinancialStatus"] in _PAID} - has


def stray(systems: Systems) -> set[tuple[str, str]]:
    """Return the orders of the ERP that claim a number that no order of the shop has."""
    orders = shop_orders(systems)
    return {(own, said) for own, said in claims(systems).items() if said not in orders}


def gateway(systems: Systems) -> dict[str, dict[str, Decimal]]:
    """Return what the gateways have for an order, by its number: paid, back."""
    found = defaultdict[str, dict[str, Decimal]](lambda: {"paid": Decimal(0), "back": Decimal(0)})
    for row in systems["alipay"].living("account").values():
        word = {"在线支付": "paid", "交易退款": "back"}.get(row["业务类型"])
        if word:
            money = Decimal(row["收入金额（+元）"]) - Decimal(row["支出金额（-元）"])
            found[row["商户订单号"]][word] += abs(money)
    for row in systems["stripe"].living("charges").values():
        if row["status"] == "succeeded":
            found[row["metadata"]["order_id"]]["paid"] += Decimal(row["amount"]) / 100
    for row in systems["stripe"].living("refunds").values():
        found[row["metadata"]["order_id"]]["back"] += Decimal(row["amount"]) / 100
    return dict(found)


def payments(systems: Systems, since: str) -> set[tuple[str, str, Decimal | None, Decimal]]:
    """Return (kind, order, expected, found) of what does not match; `since` is a UTC stamp."""
    orders, money = shop_orders(systems), gateway(systems)
    came_back = {row["so_id"] for row in systems["oms"].living("after_sales").values()}
    found = set()
    for number in orders.keys() | money.keys():
        order, has = orders.get(number), money.get(number, {"paid": Decimal(0), "back": Decimal(0)})
        if has["back"] and number not in came_back:
            found.add(("kept", number, Decimal(0), has["back"]))
        if order is None:
            found.add(("unknown", number, None, has["paid"]))
            continue
        total = Decimal(order["totalPriceSet"]["shopMoney"]["amount"])
        ways = order["paymentGatewayNames"]
        if order["displayFinancialStatus"] not in _PAID:
            if has["paid"]:
                found.add(("unpaid", number, total, has["paid"]))
        elif ways == ["stripe"] or (ways == ["alipay"] and order["createdAt"] >= since):
            if not has["paid"]:
                found.add(("missing", number, total, Decimal(0)))
            elif has["paid"] != total:
                kind = "short" if has["paid"] < total else "long"
                found.add((kind, number, total, has["paid"]))
    return found


def oversold(systems: Systems) -> set[tuple[str, int, int]]:
    """Return (SKU, offered, there) where the shop offers more than the OMS can send."""
    there = {
        row["sku_id"]: row["qty"] - row["order_lock"]
        for row in systems["oms"].living("stock").values()
    }
    offered = {
        item["sku"]: sum(
            state["quantity"]
            for level in item["inventoryLevels"]
            for state in level["quantities"]
            if state["name"] == "available"
        )
        for item in systems["shop"].living("items").values()
    }
    return {(sku, many, there[sku]) for sku, many in offered.items() if many > there[sku]}


def delivered(systems: Systems) -> set[tuple[str, str]]:
    """Return (order, tracking number) that a carrier delivered and the shop has not sent."""
    arrived = {
        num for (_, num), row in systems["logistics"].living().items() if row["ischeck"] == "1"
    }
    orders = shop_orders(systems)
    return {
        (row["so_id"], row["l_id"])
        for row in systems["oms"].living("shipments").values()
        if row["l_id"] in arrived
        and orders[row["so_id"]]["displayFulfillmentStatus"] == "UNFULFILLED"
    }


def short(systems: Systems) -> set[tuple[str, str]]:
    """Return (order, SKU) that are paid, not sent, and not in the warehouse."""
    there = {
        row["sku_id"]: row["qty"] - row["order_lock"]
        for row in systems["oms"].living("stock").values()
    }
    return {
        (number, line["sku"])
        for number, order in shop_orders(systems).items()
        if order["displayFinancialStatus"] == "PAID"
        and order["displayFulfillmentStatus"] == "UNFULFILLED"
        for line in order["lineItems"]
        if line["quantity"] > there[line["sku"]]
    }


def printed(systems: Systems) -> str:
    """Return all that the systems hold as text, to compare two tellings."""
    kinds = {
        "shop": ("customers", "variants", "items", "orders"), "oms": ("stock", "orders"),
        "erp": ("BD_Customer", "SAL_SaleOrder", "STK_Inventory"), "stripe": ("charges", "refunds"),
        "crm": ("AccountObj", "LeadsObj", "CasesObj"), "alipay": ("account",),
    }  # fmt: skip
    held = {name: [systems[name].living(one) for one in of] for name, of in kinds.items()}
    return json.dumps(held, ensure_ascii=False, default=str)
