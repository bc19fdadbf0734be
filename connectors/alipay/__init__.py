"""The connector for 支付宝 (Alipay): daily bills, the account's log, single trades."""

from __future__ import annotations

from connectors.alipay.connector import AlipayConnector
from connectors.alipay.settings import AlipaySettings

__all__ = ["AlipayConnector", "AlipaySettings"]
