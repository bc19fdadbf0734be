"""A journalled tenant at the simulator, a workspace that reads it, and the judge of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.base import ReadRequest
from connectors.fxiaoke import FxiaokeConnector
from connectors.fxiaoke.sample import Record, order, record
from connectors.fxiaoke.settings import FxiaokeSettings
from connectors.fxiaoke.simulator import FxiaokeSimulator
from connectors.fxiaoke.simulator_door import Identity
from tests.support.still_clock import StillClock
from tests.support.system_world import JudgedWorld, Network, context

SECRET = "canary-secret-0123456789abcdef"
CODE = "canary-code-0123456789abcdef"
MOBILE = "+86-13900000000"
IDENTITY = Identity("FSAID_1318abc", SECRET, CODE, mobile=MOBILE)
CONFIG = {
    "base_url": "http://crm.example", "allow_plain_http": "true", "app_id": IDENTITY.app_id,
    "app_secret": "env:FX_SECRET", "permanent_code": "env:FX_CODE", "user": IDENTITY.user,
}  # fmt: skip
LEGACY = {
    **CONFIG, "auth_style": "legacy", "user": IDENTITY.open_user,
}  # fmt: skip
SECRETS = {"env:FX_SECRET": SECRET, "env:FX_CODE": CODE, "env:FX_MOBILE": MOBILE}
WAYS: tuple[dict[str, Any], ...] = (
    {}, {"auth_style": "legacy"}, {"auth_style": "legacy", "user": None, "mobile": "env:FX_MOBILE"},
)  # fmt: skip
ways = pytest.mark.parametrize("how", WAYS, ids=["new", "legacy", "legacy by mobile"])
LINES = {
    "orders": ("SalesOrderObj", "lines", "SalesOrderProductObj", "order_id"),
    "payments": ("PaymentObj", "allocations", "OrderPaymentObj", "payment_id"),
    "customers": ("AccountObj", "addresses", "AccountAddrObj", "account_id"),
}  # fmt: skip


def connector(
    simulator: FxiaokeSimulator, clock: StillClock, network: Any = None, **more: Any
) -> FxiaokeConnector:
    """Return a connector that speaks to the simulator, or to what `network` is."""
    at = context("crm", SECRETS, clock, network or Network(simulator))
    base = LEGACY if more.get("auth_style") == "legacy" else CONFIG
    given = {name: value for name, value in {**base, **more}.items() if value is not None}
    return FxiaokeConnector(FxiaokeSettings.model_validate(given), at)


def read(one: FxiaokeConnector, stream: str = "leads") -> list[str]:
    """Read a stream from its beginning; return the keys that came."""
    try:
        return [key or "" for page in one.read(ReadRequest(stream)) for key in page.keys]
    finally:
        one.close()


def records(one: FxiaokeConnector, stream: str) -> list[Record]:
    """Read a stream from its beginning; return the records that came."""
    try:
        return [json.loads(bytes(r)) for p in one.read(ReadRequest(stream)) for r in p.records]
    finally:
        one.close()


def calls(crm: FxiaokeSimulator, path: str) -> int:
    """Return how often a path was called."""
    return sum(1 for one in crm.journal if one.path == path)


class World(JudgedWorld):
    """A tenant and a workspace that reads it; `more` are further settings."""

    name = "crm"

    def __init__(self, folder: Path, **more: Any) -> None:
        time = StillClock()
        self.crm = FxiaokeSimulator(IDENTITY, now=time.now)
        attributes = {
            "system": "fxiaoke", "config": {**CONFIG, **more}, "timezone": "Asia/Shanghai",
        }  # fmt: skip
        super().__init__(folder, self.crm, time, SECRETS, attributes)

    def put(self, api: str, number: int, /, **members: Any) -> Record:
        return self.crm.put(api, record(api, number, **members))

    def order(self, number: int, *lines: tuple[str, str, str], **members: Any) -> Record:
        """Put an order; a line is product id, quantity and price."""
        whole = [{"product_id": p, "quantity": q, "sales_price": s} for p, q, s in lines]
        head, *rest = order(number, whole, **members)
        for one in rest:
            self.crm.put("SalesOrderProductObj", one)
        return self.crm.put("SalesOrderObj", head)

    # --- the judge -----------------------------------------------------------------------------
    def there(self, stream: str) -> dict[str, Record]:
        """Return what stands in the tenant, each document with its lines."""
        api, each, lines, link = LINES[stream]
        rows = sorted(self.crm.living(lines).values(), key=lambda one: one["_id"])
        return {
            key: head | {each: [one for one in rows if one[link] == key]}
            for key, head in self.crm.living(api).items()
        }

    def key(self, stream: str, record: Record) -> str:
        return str(record["_id"])

    def same(self, stream: str, ours: Record, theirs: Record) -> bool:
        """Say whether a landed document has what the tenant's has, all its lines and no other."""
        each = LINES[stream][1]
        mine, lines = ours[each], theirs[each]
        heads = [{n: v for n, v in one.items() if n != each} for one in (ours, theirs)]
        return same(*heads) and len(mine) == len(lines) and all(map(same, mine, lines))


def same(ours: Record, theirs: Record) -> bool:
    """Say whether a landed record has what the tenant's has."""
    return all(theirs.get(name) == value for name, value in ours.items() if name in theirs)
