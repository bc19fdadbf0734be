"""Any database through SQLAlchemy: tables and queries as streams."""

from connectors.sql.connector import SqlConnector
from connectors.sql.settings import SqlSettings
from connectors.sql.streams import StreamSettings

__all__ = ["SqlConnector", "SqlSettings", "StreamSettings"]
