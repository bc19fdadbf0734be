"""The shop: the story as Shopify writes it.

Ids are global ids, money is text in the shop's CNY, times are UTC, phones are international. What
the shop was told of payments and parcels is here, be it right or not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from connectors.shopify import sample
from connectors.shopify.sample import Record, bag, gid
from connectors.shopify.simulator import ShopifySimulator
from pipelines.sample.facts import Customer, Movement, Order
from pipelines.sample.story import START, Story

CONNECTION, PORT = "shop", 18801
SECRETS = {"SHOP_TOKEN": "shpat_sampleCompany"}
STREAMS = ("customers", "variants", "locations", "stock", "orders", "transactions")
PLACE = 11
_MONEY = {
    "paid": "PAID", "pending": "PENDING", "refunded": "REFUNDED", "voided": "VOIDED",
    "partially_refunded": "PARTIALLY_REFUNDED",
}  # fmt: skip
_GATEWAYS = {"alipay": ("alipay", "Alipay"), "stripe": ("stripe", "Stripe"),
             "bank": ("bank_deposit", "Bank deposit")}  # fmt: skip


def build(story: Story) -> ShopifySimulator:
    """Return the shop with all that it holds."""
    shop = ShopifySimulator(SECRETS["SHOP_TOKEN"])
    shop.bucket = shop.refill = 1e9  # it is on this machine
    shop.bulk.where, shop.bulk.takes = f"http://127.0.0.1:{PORT}", timedelta()
    for one in story.customers:
        if one.entry(CONNECTION) is not None:
            shop.put("customers", _customer(one), at=one.since)
    shop.put("locations", sample.location(PLACE, name="电商仓"), at=START)
    for held in story.stock:
        product, number = held.product, held.product.number
        heads = {"title": product.name, "productType": product.category,
                 "status": "ACTIVE" if product.is_sold else "ARCHIVED", "vendor": "自有",
                 "handle": f"p-{number}"}  # fmt: skip
        shop.put("products", sample.product(number, **heads), at=product.since)
        given = {"sku": product.sku, "barcode": product.barcode, "displayName": product.name,
                 "title": "Default Title", "price": str(product.price),
                 "selectedOptions": [{"name": "Title", "value": "Default Title"}]}  # fmt: skip
        shop.put("variants", sample.variant(number, number, **given), at=product.since)
        level = sample.level(number, PLACE, available=held.offered, on_hand=held.offered)
        shop.put("items", sample.item(number, level, sku=product.sku), at=product.since)
    back = {m.order: m for m in story.movements if m.kind == "refund"}
    for order in story.orders:
        known = (
            back.get(order.number) if order.money in ("refunded", "partially_refunded") else None
        )
        shop.put("orders", _order(order, known), at=order.changed)
    return shop


def _customer(one: Customer) -> Record:
    return sample.customer(
        one.number, displayName=one.name, firstName=None, lastName=one.name,
        createdAt=_moment(one.since), tags=[one.level],
        locale="zh-CN" if one.country == "CN" else "en",
        defaultEmailAddress={"emailAddress": one.email},
        defaultPhoneNumber={"phoneNumber": _phone(one)}, defaultAddress=_address(one),
    )  # fmt: skip


def _address(one: Customer) -> Record:
    return sample.address(
        name=one.contact, company=one.name if one.is_company else None, phone=_phone(one),
        countryCodeV2=one.country, province=one.place[0], city=one.place[1],
        address1=one.place[2] + one.street, zip=one.place[5],
    )  # fmt: skip


def _phone(one: Customer) -> str:
    return one.phone if one.phone.startswith("+") else f"+86{one.phone}"


def _order(order: Order, back: Movement | None) -> Record:
    total, nothing = _bag(order.total), _bag(Decimal(0))
    refunded = back.amount if back else Decimal(0)
    lines, left = [], order.discount
    for line in order.lines:
        share = (order.discount * line.gross / order.goods).quantize(Decimal("0.01"))
        share = left if line is order.lines[-1] else share
        left -= share
        sent = order.parcel is not None and order.is_told
        lines.append(
            sample.line(
                order.place * 10 + line.place, line.quantity, str(line.price),
                total=str(line.gross - share), sku=line.product.sku, title=line.product.name,
                variantTitle=None, unfulfilledQuantity=0 if sent else line.quantity,
                variant=sample.ref("ProductVariant", line.product.number),
                product=sample.ref("Product", line.product.number),
            )
        )  # fmt: skip
    gateway = _GATEWAYS[order.way][0] if order.way else "alipay"
    placed, changed = _moment(order.placed), _moment(order.changed)
    is_off = order.money == "voided"
    return sample.order(
        500_000 + order.place, *lines, name=order.number, createdAt=placed, processedAt=placed,
        cancelledAt=changed if is_off else None, cancelReason="CUSTOMER" if is_off else None,
        displayFinancialStatus=_MONEY[order.money],
        displayFulfillmentStatus="FULFILLED" if order.parcel and order.is_told else "UNFULFILLED",
        paymentGatewayNames=[gateway], email=order.customer.email, phone=_phone(order.customer),
        subtotalPriceSet=total, totalDiscountsSet=_bag(order.discount), totalPriceSet=total,
        currentTotalPriceSet=_bag(order.total - refunded), totalShippingPriceSet=nothing,
        totalReceivedSet=total if order.is_paid else nothing, totalRefundedSet=_bag(refunded),
        customer=sample.ref("Customer", order.customer.number),
        shippingAddress=_address(order.customer), transactions=_transactions(order, back),
        fulfillments=_fulfillments(order), refunds=_refunds(order, back),
    )  # fmt: skip


def _transactions(order: Order, back: Movement | None) -> list[Record]:
    if not order.is_paid or order.paid is None:
        return []
    number, (gateway, shown) = order.place * 10, _GATEWAYS[order.way]
    at = {"processedAt": _moment(order.paid), "createdAt": _moment(order.paid)}
    how = {"gateway": gateway, "formattedGateway": shown}
    found = [
        sample.transaction(
            number + 1, "SALE", str(order.total), paymentId=order.transaction, **how, **at
        )
    ]
    if back is not None:
        at = {"processedAt": _moment(back.at), "createdAt": _moment(back.at)}
        parent = {"id": gid("OrderTransaction", number + 1)}
        found.append(
            sample.transaction(
                number + 2, "REFUND", str(back.amount), paymentId=back.number,
                parentTransaction=parent, **how, **at,
            )
        )  # fmt: skip
    return found


def _fulfillments(order: Order) -> list[Record]:
    if order.parcel is None or not order.is_told:
        return []
    at, company = _moment(order.parcel.sent), order.parcel.carrier
    return [
        sample.fulfillment(
            order.place, *((order.place * 10 + line.place, line.quantity) for line in order.lines),
            name=f"{order.number}-F1", createdAt=at, updatedAt=at, inTransitAt=at,
            trackingInfo=[{"company": company, "number": order.parcel.tracking, "url": None}],
            location=sample.ref("Location", PLACE),
        )
    ]  # fmt: skip


def _refunds(order: Order, back: Movement | None) -> list[Record]:
    if back is None:
        return []
    first = order.lines[0]
    whole = order.money == "refunded"
    line = (order.place * 10 + 1, first.quantity if whole else 1, str(back.amount))
    at = _moment(back.at)
    return [
        sample.refund(
            order.place, str(back.amount), line, createdAt=at, updatedAt=at, processedAt=at,
            note=back.reason,
        )
    ]  # fmt: skip


def _bag(amount: Decimal) -> Record:
    return bag(f"{amount:.2f}", "CNY")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
