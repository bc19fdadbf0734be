"""The connector for 金蝶云·星空 (Kingdee K3Cloud): its WebAPI, signed or with a session."""

from __future__ import annotations

from connectors.kingdee.connector import KingdeeConnector

__all__ = ["KingdeeConnector"]
