"""A folder of CSV and Excel files as streams of rows."""

from connectors.files.connector import FilesConnector
from connectors.files.errors import BadFiles
from connectors.files.settings import FilesSettings, StreamSettings

__all__ = ["BadFiles", "FilesConnector", "FilesSettings", "StreamSettings"]
