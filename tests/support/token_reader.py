"""A process that reads `shop/orders` once, of the workspace that the environment names."""

from __future__ import annotations

import sys

from connectors.base import ReadRequest
from connectors.errors import ConnectorError
from pipelines.workspace import Workspace


def main() -> None:
    """Read when a line comes; print the keys, or the error."""
    connector = Workspace.discover().connection("shop").connector()
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        print([key for page in connector.read(ReadRequest("orders")) for key in page.keys])
    except ConnectorError as error:
        print(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
