"""Reach the shop: which one it is, what the app may read, and what comes empty without approval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectors.base import Finding
from connectors.body import Body
from connectors.clock import clock_finding
from connectors.errors import ConnectorError
from connectors.shopify import queries
from connectors.shopify.api import OLD_ORDERS
from connectors.shopify.catalogue import STREAMS
from connectors.shopify.walk import Walk
from connectors.site import tls_findings

if TYPE_CHECKING:
    from connectors.shopify.connector import ShopifyConnector

_LOOKED_AT = 10
_PERSONAL = (
    ("firstName",), ("lastName",), ("defaultEmailAddress", "emailAddress"),
    ("defaultPhoneNumber", "phoneNumber"),
)  # fmt: skip


def check(connector: ShopifyConnector) -> Iterator[Finding]:
    """Yield what may be read; a stream that fails does not stop the others."""
    settings = connector.settings
    yield from tls_findings(settings.tls)
    try:
        with connector.clean("credentials"):
            api = connector.api()
            scopes = api.scopes()
            shop = api.want(queries.SHOP, {}, ("shop",))
    except ConnectorError as error:  # each stream would say the same
        yield Finding.failed("credentials", error)
        return
    said = [shop.text(("data", "shop", name)) for name in ("name", "currencyCode")]
    yield Finding("shop", True, f"{api.shop} is {said[0]}, its money is {said[1]}.")
    if api.version not in ("", settings.version):
        yield Finding(
            "version", None, f"{settings.version} was asked for and {api.version} answered.",
            f"set version: {api.version} after a look at the shop's changelog.",
        )  # fmt: skip
    for name in connector.streams():
        yield from _stream(connector, name, scopes)
    if OLD_ORDERS not in scopes and "orders" in connector.streams():
        yield Finding(
            "orders", None, f"without {OLD_ORDERS} only the orders of the last 60 days are seen; "
            "deletions of orders are not looked for.",
            f"request {OLD_ORDERS} in the app's settings; the vendor has to approve it.",
        )  # fmt: skip
    date = api.date
    if date is not None:
        yield clock_finding("The shop's", date - connector.context.now())


def _stream(connector: ShopifyConnector, name: str, scopes: frozenset[str]) -> Iterator[Finding]:
    source = STREAMS[name]
    missing = [one for one in source.scopes if one not in scopes]
    size = _LOOKED_AT if name == "customers" else 1
    try:
        with connector.clean(name):
            part = next(Walk(connector.api(), source, size=size).pages())
    except ConnectorError as error:
        yield Finding.failed(name, error)
        return
    yield Finding(name, True, "can be read." if part.keys else "can be read; it is empty.")
    if missing:
        yield Finding(
            name, None, f"the app has no {', '.join(missing)}: what it leads to may come empty.",
            "add the scope in the app's settings and install it anew.",
        )  # fmt: skip
    if name == "customers" and connector.settings.personal and part.records:
        bodies = [Body(record) for record in part.records]
        if not any(body.text(path) for body in bodies for path in _PERSONAL):
            yield Finding(
                name, None, f"names and contacts of the first {len(bodies)} customers are empty.",
                "request access to protected customer data for the app; without it the vendor "
                "leaves these fields out.",
            )  # fmt: skip
