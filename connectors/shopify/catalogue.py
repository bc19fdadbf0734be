"""The streams as data: which list of the Admin API, which fields, and what has pages of its own.

Field names are those of the vendor's schema of version 2026-10; a test holds each query against it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

REST = timedelta(days=30)
"""So long after its last stamp an order is read again now and then: parcels are delivered, fees
settle and tracking numbers are mended without a promise that the order's stamp moves."""

_MONEY = "{ shopMoney { amount currencyCode } }"
_BOTH = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
_ADDRESS = "{ name company phone countryCodeV2 province city address1 address2 zip }"
_OF_ORDER = "order { id name test currencyCode customer { id } }"


@dataclass(frozen=True, slots=True)
class Inner:
    """A connection inside an object, which has pages of its own.

    `owner` is the query's root field that answers the object by its id; `size` is what comes with
    the object, `more` what each later page has.
    """

    name: str
    owner: str
    fields: str
    size: int
    more: int


@dataclass(frozen=True, slots=True)
class Source:
    """One stream: the list `root` at the query's root, and what of its nodes the records are.

    A node is the record; or the members of its list `listed` are (with the fields `each`), or the
    nodes of its connection `inner`. `lines` is a connection inside the record. `personal` are
    fields that only an app with access to protected customer data may ask for. `ordered`: the list
    can be sorted by id. `by_day`: its filter by stamp knows whole days. `counted` is the field that
    counts the list, for lists that a bulk operation can read. `scopes`: what the token must be
    allowed. `rest`: how long after its stamp a node is read again; `beside`: another way to the
    same records, by another stamp.
    """

    title: str
    root: str
    fields: str
    size: int
    scopes: tuple[str, ...]
    personal: str = ""
    arguments: str = ""
    listed: str = ""
    each: str = ""
    inner: Inner | None = None
    lines: Inner | None = None
    stamped: bool = True
    ordered: bool = True
    by_day: bool = False
    counted: str = ""
    rest: timedelta | None = None
    beside: Source | None = None

    @property
    def of_orders(self) -> bool:
        """Whether the token's right to see old orders bounds what is seen."""
        return self.root == "orders"

    def keys_only(self) -> Source:
        """Return the source with the keys alone, in larger pages."""
        inner = self.inner and replace(self.inner, fields="id", size=20)
        size = 40 if inner or self.listed else 250
        return replace(
            self, fields="id updatedAt", each="id", personal="", size=size, inner=inner,
            lines=None, by_day=False,
        )  # fmt: skip


_VARIANT = (
    "id legacyResourceId sku barcode displayName title price compareAtPrice position createdAt"
    " updatedAt selectedOptions { name value }"
    " product { id title status vendor productType }"
    " inventoryItem { id tracked unitCost { amount currencyCode } }"
)
_ORDERS = ("read_orders",)

STREAMS: dict[str, Source] = {
    "customers": Source(
        "Customers", "customers",
        "id legacyResourceId state numberOfOrders amountSpent { amount currencyCode } taxExempt"
        " locale tags createdAt updatedAt",
        size=100, scopes=("read_customers",), by_day=True, counted="customersCount",
        personal="displayName firstName lastName note defaultEmailAddress { emailAddress }"
        f" defaultPhoneNumber {{ phoneNumber }} defaultAddress {_ADDRESS}",
    ),
    "products": Source(
        "Products, the heads of their variants", "products",
        "id legacyResourceId title handle status vendor productType tags isGiftCard createdAt"
        " updatedAt",
        size=250, scopes=("read_products",), counted="productsCount",
    ),
    "variants": Source(
        "Product variants: what is sold and stocked", "productVariants", _VARIANT,
        size=100, scopes=("read_products", "read_inventory"), counted="productVariantsCount",
        beside=Source(
            "Variants of products that changed", "products", "id updatedAt", size=10,
            scopes=("read_products",), rest=timedelta(),
            inner=Inner("variants", "product", _VARIANT, size=10, more=100),
        ),
    ),
    "locations": Source(
        "Locations that hold stock", "locations",
        "id legacyResourceId name isActive fulfillsOnlineOrders isFulfillmentService createdAt"
        " updatedAt address { address1 address2 city province countryCode zip phone }",
        size=100, scopes=("read_locations",), stamped=False,
        arguments="includeInactive: true, includeLegacy: true",
    ),
    "stock": Source(
        "Stock by item and location", "inventoryItems", "id",
        size=20, scopes=("read_inventory", "read_products", "read_locations"), stamped=False,
        ordered=False, counted="productVariantsCount",
        inner=Inner(
            "inventoryLevels", "inventoryItem",
            "id isActive createdAt updatedAt location { id name }"
            " item { id sku tracked unitCost { amount currencyCode } variant { id displayName } }"
            ' quantities(names: ["available", "on_hand", "committed", "incoming", "reserved",'
            ' "damaged", "safety_stock", "quality_control"]) { name quantity updatedAt }',
            size=5, more=100,
        ),
    ),
    "orders": Source(
        "Orders with all their lines", "orders",
        "id legacyResourceId name createdAt processedAt updatedAt cancelledAt cancelReason"
        " closedAt confirmed test displayFinancialStatus displayFulfillmentStatus returnStatus"
        " currencyCode presentmentCurrencyCode taxesIncluded poNumber sourceName sourceIdentifier"
        f" paymentGatewayNames tags subtotalPriceSet {_MONEY} totalDiscountsSet {_MONEY}"
        f" totalShippingPriceSet {_MONEY} totalTaxSet {_MONEY} totalPriceSet {_BOTH}"
        f" currentTotalPriceSet {_MONEY} totalReceivedSet {_MONEY} totalRefundedSet {_MONEY}"
        " customer { id }",
        size=8, scopes=(*_ORDERS, "read_customers", "read_products"), rest=REST,
        counted="ordersCount",
        personal=f"email phone note shippingAddress {_ADDRESS} billingAddress {_ADDRESS}",
        lines=Inner(
            "lineItems", "order",
            "id sku title variantTitle quantity currentQuantity unfulfilledQuantity"
            " nonFulfillableQuantity"
            f" isGiftCard originalUnitPriceSet {_MONEY}"
            f" discountedTotalSet(withCodeDiscounts: true) {_MONEY}"
            " variant { id } product { id }",
            size=10, more=100,
        ),
    ),
    "fulfillments": Source(
        "Fulfilments: parcels that left", "orders", "id updatedAt",
        size=8, scopes=(*_ORDERS, "read_fulfillments"), listed="fulfillments", rest=REST,
        each="id legacyResourceId name status displayStatus createdAt updatedAt inTransitAt"
        " deliveredAt estimatedDeliveryAt totalQuantity trackingInfo { company number url }"
        f" location {{ id name }} {_OF_ORDER}",
        lines=Inner(
            "fulfillmentLineItems", "fulfillment",
            "id quantity lineItem { id sku title variant { id } }", size=10, more=250,
        ),
    ),
    "transactions": Source(
        "Transactions: money that moved", "orders", "id updatedAt",
        size=25, scopes=_ORDERS, listed="transactions", rest=REST, counted="ordersCount",
        each="id kind status test gateway formattedGateway paymentId processedAt createdAt"
        f" errorCode amountSet {_BOTH} settlementCurrency parentTransaction {{ id }}"
        f" fees {{ amount {{ amount currencyCode }} }} {_OF_ORDER}",
    ),
    "refunds": Source(
        "Refunds with their lines", "orders", "id updatedAt",
        size=10, scopes=_ORDERS, listed="refunds", rest=REST,
        each="id legacyResourceId createdAt processedAt updatedAt note"
        f" totalRefundedSet {_BOTH} return {{ id }} {_OF_ORDER}",
        lines=Inner(
            "refundLineItems", "refund",
            f"id quantity restockType subtotalSet {_MONEY} totalTaxSet {_MONEY}"
            " lineItem { id sku title variant { id } }", size=8, more=100,
        ),
    ),
    "returns": Source(
        "Returns with their lines", "orders", "id updatedAt",
        size=10, scopes=(*_ORDERS, "read_returns"), rest=REST,
        inner=Inner(
            "returns", "order",
            f"id name status createdAt closedAt requestApprovedAt totalQuantity {_OF_ORDER}",
            size=3, more=10,
        ),
        lines=Inner(
            "returnLineItems", "return",
            "id quantity processedQuantity refundedQuantity returnReasonNote customerNote"
            " ... on ReturnLineItem { fulfillmentLineItem { lineItem { id sku title"
            " variant { id } } } }", size=4, more=100,
        ),
    ),
}  # fmt: skip
