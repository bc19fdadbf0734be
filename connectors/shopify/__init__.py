"""The connector for Shopify: orders and all that hangs on them, products, stock and customers."""

from __future__ import annotations

from connectors.shopify.connector import ShopifyConnector
from connectors.shopify.settings import ShopifySettings

__all__ = ["ShopifyConnector", "ShopifySettings"]
