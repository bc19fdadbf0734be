"""The connector for Tryton, the free ERP: JSON-RPC with a user, or its REST calls with a key."""

from __future__ import annotations

from connectors.tryton.connector import TrytonConnector

__all__ = ["TrytonConnector"]
