"""快递100: where parcels are, by carrier and number."""

from __future__ import annotations

from connectors.kuaidi100.connector import Kuaidi100Connector

__all__ = ["Kuaidi100Connector"]
