"""The generic connector for JSON over HTTP: its streams are declared in the connection's YAML."""

from __future__ import annotations

from connectors.rest.connector import RestConnector

__all__ = ["RestConnector"]
