"""Objects as the Admin API writes them, with every member that the streams ask for, for tests.

Connections stand as plain lists here: the simulator pages them. References are `{"id": …}`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from connectors.simulated import Simulated

Record = dict[str, Any]
CLIENT = "0a1b2c3d4e5f"
"""Id of the sample app, the one of docs/shopify.md."""
STATES = (
    "available", "on_hand", "committed", "incoming", "reserved", "damaged", "safety_stock",
    "quality_control",
)  # fmt: skip


def gid(kind: str, number: int | str) -> str:
    """Return a global id."""
    return f"gid://shopify/{kind}/{number}"


def ref(kind: str, number: int | None) -> Record | None:
    """Return a reference to an object, None for none."""
    return None if number is None else {"id": gid(kind, number)}


def bag(amount: str, currency: str, presentment: tuple[str, str] | None = None) -> Record:
    """Return money in the shop's currency and in the customer's."""
    shown = presentment or (amount, currency)
    return {
        "shopMoney": {"amount": amount, "currencyCode": currency},
        "presentmentMoney": {"amount": shown[0], "currencyCode": shown[1]},
    }


def _head(kind: str, number: int) -> Record:
    return {
        "id": gid(kind, number), "legacyResourceId": str(number),
        "createdAt": "2026-01-05T02:11:09Z", "updatedAt": "2026-01-05T02:11:09Z",
    }  # fmt: skip


def address(**more: Any) -> Record:
    """Return a mailing address."""
    return {
        "name": "Customer", "company": None, "phone": "+8613800000000", "countryCodeV2": "CN",
        "province": "Shanghai", "city": "Shanghai", "address1": "1 Example Road", "address2": None,
        "zip": "200000",
    } | more  # fmt: skip


def customer(number: int, **more: Any) -> Record:
    """Return a customer."""
    return _head("Customer", number) | {
        "displayName": f"Customer {number}", "firstName": "Customer", "lastName": str(number),
        "state": "ENABLED", "numberOfOrders": "1", "taxExempt": False, "locale": "zh-CN",
        "amountSpent": {"amount": "398.0", "currencyCode": "CNY"}, "tags": [], "note": None,
        "defaultEmailAddress": {"emailAddress": f"c{number}@shop.example"},
        "defaultPhoneNumber": None, "defaultAddress": address(),
    } | more  # fmt: skip


def product(number: int, **more: Any) -> Record:
    """Return a product, the head of its variants."""
    return _head("Product", number) | {
        "title": f"Tee {number}", "handle": f"tee-{number}", "status": "ACTIVE", "vendor": "Brand",
        "productType": "Apparel", "tags": [], "isGiftCard": False,
    } | more  # fmt: skip


def variant(number: int, of: int, **more: Any) -> Record:
    """Return a variant of the product `of`; its inventory item has the same number."""
    return _head("ProductVariant", number) | {
        "sku": f"TEE-{number}", "barcode": None, "displayName": f"Tee {of} - M", "title": "M",
        "price": "199.00", "compareAtPrice": None, "position": 1,
        "selectedOptions": [{"name": "Size", "value": "M"}], "product": ref("Product", of),
        "inventoryItem": ref("InventoryItem", number),
    } | more  # fmt: skip


def location(number: int, **more: Any) -> Record:
    """Return a location."""
    return _head("Location", number) | {
        "name": f"Warehouse {number}", "isActive": True, "fulfillsOnlineOrders": True,
        "isFulfillmentService": False,
        "address": {
            "address1": "2 Example Road", "address2": None, "city": "Shanghai",
            "province": "Shanghai", "countryCode": "CN", "zip": "200000", "phone": None,
        },
    } | more  # fmt: skip


def level(item: int, place: int, **counts: int) -> Record:
    """Return what of an item lies at a location, by state."""
    at = "2026-01-05T02:11:09Z"
    return {
        "id": f"{gid('InventoryLevel', place * 1000 + item)}?inventory_item_id={item}",
        "isActive": True, "createdAt": at, "updatedAt": at, "location": ref("Location", place),
        "item": ref("InventoryItem", item),
        "quantities": [
            {"name": name, "quantity": counts.get(name, 0), "updatedAt": None} for name in STATES
        ],
    }  # fmt: skip


def item(number: int, *levels: Record, **more: Any) -> Record:
    """Return an inventory item with its levels."""
    return _head("InventoryItem", number) | {
        "sku": f"TEE-{number}", "tracked": True,
        "unitCost": {"amount": "80.0", "currencyCode": "CNY"},
        "variant": ref("ProductVariant", number), "inventoryLevels": list(levels),
    } | more  # fmt: skip


def line(number: int, quantity: int, price: str, currency: str = "CNY", **more: Any) -> Record:
    """Return a line of an order, of the variant 4401."""
    total = more.pop("total", None) or str(quantity * float(price))
    return {
        "id": gid("LineItem", number), "sku": "TEE-RED-M", "title": "Tee", "variantTitle": "M",
        "quantity": quantity, "currentQuantity": quantity, "unfulfilledQuantity": quantity,
        "nonFulfillableQuantity": 0, "isGiftCard": False,
        "originalUnitPriceSet": bag(price, currency),
        "discountedTotalSet": bag(total, currency), "variant": ref("ProductVariant", 4401),
        "product": ref("Product", 44),
    } | more  # fmt: skip


def order(number: int, *lines: Record, total: str = "398.0", **more: Any) -> Record:
    """Return a paid order that waits to be sent; money is the shop's CNY."""
    nothing = bag("0.0", "CNY")
    return _head("Order", number) | {
        "name": f"#{number}", "processedAt": "2026-01-05T02:11:08Z", "cancelledAt": None,
        "cancelReason": None, "closedAt": None, "confirmed": True, "test": False,
        "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "UNFULFILLED",
        "returnStatus": "NO_RETURN", "currencyCode": "CNY", "presentmentCurrencyCode": "CNY",
        "taxesIncluded": True, "poNumber": None, "sourceName": "web", "sourceIdentifier": None,
        "paymentGatewayNames": ["alipay"], "tags": [], "note": None, "email": None, "phone": None,
        "subtotalPriceSet": bag(total, "CNY"), "totalDiscountsSet": nothing,
        "totalShippingPriceSet": nothing, "totalTaxSet": nothing,
        "totalPriceSet": bag(total, "CNY"), "currentTotalPriceSet": bag(total, "CNY"),
        "totalReceivedSet": bag(total, "CNY"), "totalRefundedSet": nothing,
        "customer": ref("Customer", 7712), "shippingAddress": address(), "billingAddress": None,
        "lineItems": list(lines), "fulfillments": [], "transactions": [], "refunds": [],
        "returns": [],
    } | more  # fmt: skip


def fulfillment(number: int, *lines: tuple[int, int], **more: Any) -> Record:
    """Return a parcel that left; a line is the order line's number and a quantity."""
    return _head("Fulfillment", number) | {
        "name": f"#{number}-F1", "status": "SUCCESS", "displayStatus": "FULFILLED",
        "inTransitAt": None, "deliveredAt": None, "estimatedDeliveryAt": None,
        "totalQuantity": sum(many for _, many in lines),
        "trackingInfo": [{"company": "SF", "number": f"SF{number}", "url": None}],
        "location": ref("Location", 11),
        "fulfillmentLineItems": [
            {"id": gid("FulfillmentLineItem", key), "quantity": many,
             "lineItem": ref("LineItem", key)} for key, many in lines
        ],
    } | more  # fmt: skip


def transaction(number: int, kind: str, amount: str, **more: Any) -> Record:
    """Return a movement of money that succeeded, in the shop's CNY."""
    return {
        "id": gid("OrderTransaction", number), "kind": kind, "status": "SUCCESS", "test": False,
        "gateway": "alipay", "formattedGateway": "Alipay", "paymentId": f"pay-{number}",
        "processedAt": "2026-01-05T02:11:08Z", "createdAt": "2026-01-05T02:11:08Z",
        "errorCode": None, "amountSet": bag(amount, "CNY"), "settlementCurrency": None,
        "parentTransaction": None, "fees": [],
    } | more  # fmt: skip


def refund(number: int, amount: str, *lines: tuple[int, int, str], **more: Any) -> Record:
    """Return money promised back; a line is the order line's number, quantity and subtotal."""
    return _head("Refund", number) | {
        "processedAt": "2026-01-06T02:00:00Z", "note": None, "return": None,
        "totalRefundedSet": bag(amount, "CNY"),
        "refundLineItems": [
            {"id": gid("RefundLineItem", number * 100 + key % 100), "quantity": many,
             "restockType": "RETURN", "subtotalSet": bag(money, "CNY"),
             "totalTaxSet": bag("0.0", "CNY"), "lineItem": ref("LineItem", key)}
            for key, many, money in lines
        ],
    } | more  # fmt: skip


def returned(number: int, *lines: tuple[int, int], **more: Any) -> Record:
    """Return a return; a line is the order line's number and a quantity."""
    return _head("Return", number) | {
        "name": f"#{number}-R1", "status": "OPEN", "closedAt": None, "requestApprovedAt": None,
        "totalQuantity": sum(many for _, many in lines),
        "returnLineItems": [
            {"id": gid("ReturnLineItem", number * 100 + key % 100), "quantity": many,
             "processedQuantity": 0, "refundedQuantity": 0, "returnReasonNote": "too small",
             "customerNote": None, "fulfillmentLineItem": {"lineItem": ref("LineItem", key)}}
            for key, many in lines
        ],
    } | more  # fmt: skip


def simulated(now: Callable[[], datetime]) -> Simulated:
    """Return a shop with a customer, a product and an order, and what connects to it.

    The app is the one of docs/shopify.md; an old app's permanent token lets in as well.
    """
    from connectors.shopify.simulator import ShopifySimulator

    token, secret = ("-".join(("sample", *words)) for words in (("access", "token"), ("secret",)))
    app = ShopifySimulator(token, (CLIENT, secret), now=now)
    app.put("customers", customer(7712))
    app.put("products", product(301))
    app.put("variants", variant(4401, 301))
    app.put("locations", location(11))
    app.put("orders", order(1001, line(1500, 2, "199.0")))
    config = {"client_id": CLIENT, "client_secret": "env:SHOP_SECRET"}
    return Simulated(app, config, {"SHOP_SECRET": secret})
