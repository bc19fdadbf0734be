"""The connector for 聚水潭 (Jushuitan OMS): its open platform V2, each request a signed form."""

from __future__ import annotations

from connectors.jushuitan.connector import JushuitanConnector

__all__ = ["JushuitanConnector"]
