"""The two systems of the sample company that speak HTTP: a shop and a payment gateway."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, MutableMapping

from connectors.errors import ConfigError
from connectors.rest.serve import serve
from connectors.rest.simulator import Collection, RestSimulator
from pipelines.sample.story import NOW, Story
from pipelines.texts import t

SHOP_PORT, GATEWAY_PORT = 18801, 18802
TOKENS = {"SHOP_TOKEN": "shop-sample-token", "GATEWAY_TOKEN": "gateway-sample-token"}
"""What the demo sets for its own process; these servers are on loopback and know no secret."""


def shop(story: Story) -> RestSimulator:
    """Return the shop: a cursor, a total, a filter by `updated_at`."""
    # No member is called so: the simulator then keeps each version that the story lists.
    each = {"key": "no key", "page_size": 100, "max_page_size": 250}
    return RestSimulator(
        {
            "customers": Collection(list(story.customers), **each),  # type: ignore[arg-type]
            "products": Collection(list(story.products), **each),  # type: ignore[arg-type]
            "orders": Collection(list(story.orders), **each),  # type: ignore[arg-type]
        },
        token=TOKENS["SHOP_TOKEN"],
        now=lambda: NOW,
    )


def gateway(story: Story) -> RestSimulator:
    """Return the gateway: the last id goes into the next request, stamps are epoch seconds."""
    each = {
        "stamp": "updated",
        "paging": "last",
        "page_size": 100,
        "since_param": "updated_gte",
        "stamp_format": "epoch",
        "total_at": "",
        "envelope": {"object": "list"},
    }
    return RestSimulator(
        {
            "payments": Collection(list(story.payments), path="/v1/charges", **each),  # type: ignore[arg-type]
            "refunds": Collection(list(story.refunds), path="/v1/refunds", **each),  # type: ignore[arg-type]
        },
        token=TOKENS["GATEWAY_TOKEN"],
        now=lambda: NOW,
    )


@contextlib.contextmanager
def running(story: Story) -> Iterator[tuple[RestSimulator, RestSimulator]]:
    """Serve both on their ports while the block runs; raises ConfigError naming a taken port."""
    apps = shop(story), gateway(story)
    with contextlib.ExitStack() as stack:
        for app, port in zip(apps, (SHOP_PORT, GATEWAY_PORT), strict=True):
            try:
                stack.enter_context(serve(app, port=port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                raise ConfigError(t("sample.port.what", port=port), t("sample.port.do")) from None
        yield apps


def hand_out(env: MutableMapping[str, str], office: os.PathLike[str]) -> dict[str, str]:
    """Set what the sample's definitions refer to, without replacing a token that is set."""
    values = {**TOKENS, "SAMPLE_OFFICE": os.fspath(office)}
    for name, value in values.items():
        env[name] = value
    return values
