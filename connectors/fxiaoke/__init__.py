"""The connector for 纷享销客 (Fxiaoke, ShareCRM): OpenAPI v2."""

from __future__ import annotations

from connectors.fxiaoke.connector import FxiaokeConnector

__all__ = ["FxiaokeConnector"]
