"""A process that asks a server again and again under the shared budget of a connection.

Arguments: control URL, base URL, rates, seconds to go on, where to answer ready on stdout.
"""

from __future__ import annotations

import sys
import time

from connectors.address import AddressRules
from connectors.base import Context
from connectors.http import HttpClient, Request
from connectors.rate import parse_rates
from pipelines.control import Control
from pipelines.shelves import ControlShelf


def main(url: str, base: str, rates: str, seconds: str) -> None:
    """Send requests until the time is over; print how many."""
    control = Control(url)
    shelf = ControlShelf(lambda: control, "shop")
    client = HttpClient(
        base, Context("shop", shelf=shelf), rate=parse_rates(rates),
        address=AddressRules(allow_private=True, allow_plain_http=True),
    )  # fmt: skip
    shelf.read()
    print("ready", flush=True)
    sys.stdin.readline()
    end, sent = time.monotonic() + float(seconds), 0
    while time.monotonic() < end:
        client.send(Request("/orders"))
        sent += 1
    print(sent, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
