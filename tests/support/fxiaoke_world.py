"""A journalled tenant at the simulator, a workspace that reads it, and the judge of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from connectors.base import Context, Mode, ReadRequest
from connectors.fxiaoke import FxiaokeConnector
from connectors.fxiaoke.sample import Record, order, record
from connectors.fxiaoke.settings import FxiaokeSettings
from connectors.fxiaoke.simulator import FxiaokeSimulator
from connectors.fxiaoke.simulator_door import Identity
from pipelines.extract import Reading, extract
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.support import cut_off
from tests.support.still_clock import StillClock
from tests.support.system_world import Network
from warehouse.landing import Landing
from warehouse.reader import run_query

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
    context = Context(
        "crm", "Asia/Shanghai", secret=SECRETS.__getitem__, now=clock.now, pause=clock.pause,
        transport=network or Network(simulator),
    )  # fmt: skip
    base = LEGACY if more.get("auth_style") == "legacy" else CONFIG
    given = {name: value for name, value in {**base, **more}.items() if value is not None}
    return FxiaokeConnector(FxiaokeSettings.model_validate(given), context)


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


class World:
    """A tenant and a workspace that reads it; `more` are further settings."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.time = StillClock()
        self.crm = FxiaokeSimulator(IDENTITY, now=self.time.now)
        self.network = Network(self.crm)
        defs = {
            "type": "pipelines.Connection",
            "attributes": {
                "system": "fxiaoke", "config": {**CONFIG, **more}, "timezone": "Asia/Shanghai",
            },
        }  # fmt: skip
        path = folder / "defs" / "crm" / "defs.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(defs), encoding="utf-8")
        self.environment = {
            "ISTHMUS_HOME": str(folder / "home"), "ISTHMUS_DEFS": str(folder / "defs"),
            "FX_SECRET": SECRET, "FX_CODE": CODE,
        }  # fmt: skip
        self.space = Workspace.discover(self.environment)

    def close(self) -> None:
        self.space.control.close()

    def put(self, api: str, number: int, /, **members: Any) -> Record:
        return self.crm.put(api, record(api, number, **members))

    def order(self, number: int, *lines: tuple[str, str, str], **members: Any) -> Record:
        """Put an order; a line is product id, quantity and price."""
        whole = [{"product_id": p, "quantity": q, "sales_price": s} for p, q, s in lines]
        head, *rest = order(number, whole, **members)
        for one in rest:
            self.crm.put("SalesOrderProductObj", one)
        return self.crm.put("SalesOrderObj", head)

    # --- what the product does -----------------------------------------------------------------
    def sync(self, stream: str, **how: Any) -> StreamOutcome:
        """Read, land and load a stream."""
        given = {"transport": self.network, "pause": self.time.pause, "now": self.time.now}
        return sync_stream(self.space, "crm", stream, **given | how)

    def sync_all(self, *streams: str, **how: Any) -> dict[str, StreamOutcome]:
        done = {stream: self.sync(stream, **how) for stream in streams}
        for outcome in done.values():
            assert outcome.error is None, outcome.error
        return done

    def read(self, stream: str, mode: Mode = "changed") -> StreamOutcome:
        """Read and land a stream, which is all that a connector has a part in."""
        outcome = StreamOutcome("crm", stream)
        self.space.home.make()
        landing = Landing(self.space.home.landing, now=self.time.now)
        how = Reading(
            mode, self.time.now, lambda: None, transport=self.network, pause=self.time.pause
        )
        extract(self.space.connection("crm"), landing, outcome, how)
        return outcome

    def publish(self) -> None:
        outcome = unify_publish(self.space, now=self.time.now)
        assert outcome.error is None, outcome.error

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in run_query(self.space.home.current, sql).rows]

    # --- the judge -----------------------------------------------------------------------------
    def judge(self, *streams: str) -> list[str]:
        """Compare the newest landed version of each record with the tenant; say what differs."""
        found = []
        for stream in streams:
            api, each, lines, link = LINES[stream]
            stored, there = self.landed(stream), self.crm.living(api)
            found += [f"lost: {stream} {key}" for key in there.keys() - stored.keys()]
            found += [f"ghost: {stream} {key}" for key in stored.keys() - there.keys()]
            rows = self.crm.living(lines).values()
            for key in stored.keys() & there.keys():
                mine = sorted((one for one in rows if one[link] == key), key=lambda o: o["_id"])
                if not same(stored[key], there[key]) or not (
                    len(stored[key][each]) == len(mine) and all(map(same, stored[key][each], mine))
                ):
                    found.append(f"stale: {stream} {key}")
        return found

    def landed(self, stream: str) -> dict[str, Record]:
        """Return what the landed batches say, applied in their order."""
        folder = Path(self.environment["ISTHMUS_HOME"]) / "landing" / "crm" / stream
        stored: dict[str, Record] = {}
        for sidecar in sorted(folder.glob("*.json")):
            data = sidecar.with_suffix(".ndjson.zst").read_bytes()
            text = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
            said = json.loads(sidecar.read_text("utf-8"))
            for one in text.splitlines():
                made = json.loads(one)
                if said["content"] == "deletions" and not said["held"]:
                    stored.pop(made["key"], None)
                elif said["content"] == "records":
                    stored[str(made["_id"])] = made
        return stored


def same(ours: Record, theirs: Record) -> bool:
    """Say whether a landed record has what the tenant's has."""
    return all(theirs.get(name) == value for name, value in ours.items() if name in theirs)


def killed_at(world: World, place: int, stream: str, mode: Any) -> bool:
    """Read until the request of that number, counted from here; say whether it came so far."""
    return cut_off.killed_at(world.crm, place, lambda: world.read(stream, mode))
