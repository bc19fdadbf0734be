"""A journalled account at the simulator, a shop's shipments, a workspace that reads both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from connectors.kuaidi100 import Kuaidi100Connector
from connectors.kuaidi100.sample import event
from connectors.kuaidi100.settings import Kuaidi100Settings
from connectors.kuaidi100.simulator import Kuaidi100Simulator
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream
from tests.support.still_clock import StillClock
from tests.support.system_world import Network, SystemWorld, context

CUSTOMER, KEY = "CUSTOMER01", "canary-key-0123456789"
SECRETS = {"env:K100_KEY": KEY}
CONFIG = {
    "base_url": "http://track.example", "allow_plain_http": "true", "customer": CUSTOMER,
    "key": "env:K100_KEY", "rate": "1000/s", "workers": "1",
}  # fmt: skip
Row = Mapping[str, str | None]

SHIPMENTS = """\
entity: shipment
key: id
version: at
fields:
  number: id
  tracking_number: tracking
  carrier_code: code
  carrier_name: carrier
  status: {value: state, shipped: shipped, delivered: delivered, else: unknown}
  ship_to_phone: phone
  shipped_at: shipped
"""


def connector(
    simulator: Kuaidi100Simulator, clock: StillClock, network: Any = None, **more: Any
) -> Kuaidi100Connector:
    """Return a connector that speaks to the simulator, or to what `network` is."""
    given = context("post", SECRETS, clock, network or Network(simulator))
    return Kuaidi100Connector(Kuaidi100Settings.model_validate({**CONFIG, **more}), given)


class World(SystemWorld):
    """A shop, whose shipments are a file, and an account that knows where the parcels are."""

    name = "post"

    def __init__(self, folder: Path, wants: str = "", **more: Any) -> None:
        time = StillClock()
        self.post = Kuaidi100Simulator(CUSTOMER, KEY, now=time.now)
        self.shop: dict[str, dict[str, Any]] = {}
        self.files = folder / "files"
        options = {"wants": wants} if wants else {}
        tracks = {
            "system": "kuaidi100", "config": {**CONFIG, **more}, "timezone": "Asia/Shanghai",
            "streams": {"tracks": options},
        }  # fmt: skip
        shop = {
            "system": "rest", "timezone": "Asia/Shanghai",
            "config": {
                "base_url": "http://shop.example", "allow_plain_http": "true",
                "streams": {"shipments": {"path": "/shipments", "records": "data", "key": "id"}},
            },
        }  # fmt: skip
        mapping = folder / "mappings" / "shop" / "shipments.yaml"
        mapping.parent.mkdir(parents=True)
        mapping.write_text(SHIPMENTS, encoding="utf-8")
        variables = {**SECRETS, "ISTHMUS_MAPPINGS": str(folder / "mappings")}
        super().__init__(folder, self.post, time, variables, tracks, shop=shop)

    # --- what happens outside ------------------------------------------------------------------
    def ship(
        self, key: str, number: str | None, carrier: str = "圆通速递", state: str = "shipped",
        **more: Any,
    ) -> None:  # fmt: skip
        """Put a shipment of the shop, that leaves now."""
        at = self.time.now().isoformat()
        self.shop[key] = {
            "id": key, "tracking": number, "carrier": carrier, "code": None, "state": state,
            "phone": "13800138000", "shipped": at, "at": at,
        } | more  # fmt: skip

    def move(self, number: str, *codes: str, com: str = "yuantong", **more: Any) -> None:
        """Put a parcel whose events of these codes, the newest last, were an hour apart."""
        now = self.time.now()
        events = [
            event(now - timedelta(hours=age), f"【上海】{number} {code}", code, "上海")
            for age, code in enumerate(reversed(codes))
        ]
        self.post.put(com, number, events, **more)

    # --- what the product does -----------------------------------------------------------------
    def sync(self, stream: str = "tracks", **how: Any) -> StreamOutcome:
        """Read, land and load what is known of the parcels."""
        return super().sync(stream, **how)

    def sync_shop(self) -> None:
        body = httpx.ByteStream(json.dumps({"data": list(self.shop.values())}).encode())
        head = {"content-type": "application/json"}
        answer = httpx.MockTransport(lambda _: httpx.Response(200, headers=head, stream=body))
        done = sync_stream(self.space, "shop", "shipments", now=self.time.now, transport=answer)
        assert done.error is None, done.error
        self.publish()

    def asked(self, since: datetime | None = None) -> list[str]:
        """Return the numbers that the account was asked for, in order."""
        lines = [line for line in self.post.journal if line.kind == "request"]
        return [line.num for line in lines if since is None or line.at >= since]
