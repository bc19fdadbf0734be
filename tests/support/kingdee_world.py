"""A journalled account at the simulator, a workspace that reads it, and the judge of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import zstandard

from connectors.base import Context, Mode
from connectors.kingdee import KingdeeConnector
from connectors.kingdee.catalogue import STREAMS
from connectors.kingdee.sample import FORMS, Record, order, record
from connectors.kingdee.settings import KingdeeSettings
from connectors.kingdee.simulator import KingdeeSimulator
from connectors.kingdee.simulator_proof import Identity
from pipelines.extract import Reading, extract
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.support import cut_off
from tests.support.still_clock import StillClock
from tests.support.system_world import Network
from warehouse.landing import Landing
from warehouse.reader import run_query

SECRET = "canary0123456789abcdef0123456789"
PASSWORD = "canary-Pass-word-1"
IDENTITY = Identity(
    "60a1b2c3d4e5f6", "integration", "123456_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", SECRET, PASSWORD
)
CONFIG = {
    "base_url": "http://erp.example/k3cloud/", "allow_plain_http": "true",
    "account": IDENTITY.account, "user": IDENTITY.user, "app_id": "env:KD_APP",
    "app_secret": "env:KD_SECRET", "organisation": "100", "rate": "1000/s",
}  # fmt: skip
SECRETS = {"env:KD_APP": IDENTITY.app_id, "env:KD_SECRET": SECRET, "env:KD_PASSWORD": PASSWORD}
READ = tuple(name for name, one in STREAMS.items() if one.form in FORMS)


def connector(
    simulator: KingdeeSimulator, clock: StillClock, network: Any = None, **more: Any
) -> KingdeeConnector:
    """Return a connector that speaks to the simulator, or to what `network` is."""
    context = Context(
        "erp", "Asia/Shanghai", secret=SECRETS.__getitem__, now=clock.now, pause=clock.pause,
        transport=network or Network(simulator),
    )  # fmt: skip
    return KingdeeConnector(KingdeeSettings.model_validate({**CONFIG, **more}), context)


class World:
    """An account and a workspace that reads it; `more` are further settings."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.time = StillClock()
        self.erp = KingdeeSimulator(IDENTITY, now=self.time.now)
        self.network = Network(self.erp)
        defs = {
            "type": "pipelines.Connection",
            "attributes": {
                "system": "kingdee", "config": {**CONFIG, **more}, "timezone": "Asia/Shanghai",
            },
        }  # fmt: skip
        path = folder / "defs" / "erp" / "defs.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(defs), encoding="utf-8")
        self.environment = {
            "ISTHMUS_HOME": str(folder / "home"), "ISTHMUS_DEFS": str(folder / "defs"),
            "KD_APP": IDENTITY.app_id, "KD_SECRET": SECRET, "KD_PASSWORD": PASSWORD,
        }  # fmt: skip
        self.space = Workspace.discover(self.environment)

    def close(self) -> None:
        self.space.control.close()

    def order(self, key: int, *lines: tuple[str, str, str], **more: Any) -> Record:
        """Put an order; a line is material, quantity and price with tax."""
        whole = [
            {"FMaterialId.FNumber": sku, "FQty": Decimal(many), "FTaxPrice": Decimal(price)}
            for sku, many, price in lines
        ]
        given = {"FCustId__FNumber": "CUST0001", "FDate": "2026-03-01T00:00:00", **more}
        made = order(key, whole, **given)
        self.erp.put("SAL_SaleOrder", made)
        return made

    def put(self, form: str, key: Any, lines: Any = (), **more: Any) -> Record:
        made = record(form, key, lines, **more)
        self.erp.put(form, made)
        return made

    # --- what the product does -----------------------------------------------------------------
    def sync(self, stream: str, **how: Any) -> StreamOutcome:
        """Read, land and load a stream."""
        given = {"transport": self.network, "pause": self.time.pause, "now": self.time.now}
        return sync_stream(self.space, "erp", stream, **given | how)

    def sync_all(self, *streams: str, **how: Any) -> dict[str, StreamOutcome]:
        done = {stream: self.sync(stream, **how) for stream in streams or READ}
        for outcome in done.values():
            assert outcome.error is None, outcome.error
        return done

    def read(self, stream: str, mode: Mode = "changed") -> StreamOutcome:
        """Read and land a stream, which is all that a connector has a part in."""
        outcome = StreamOutcome("erp", stream)
        self.space.home.make()
        landing = Landing(self.space.home.landing, now=self.time.now)
        how = Reading(
            mode, self.time.now, lambda: None, transport=self.network, pause=self.time.pause
        )
        extract(self.space.connection("erp"), landing, outcome, how)
        return outcome

    def publish(self) -> None:
        outcome = unify_publish(self.space, now=self.time.now)
        assert outcome.error is None, outcome.error

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in run_query(self.space.home.current, sql).rows]

    # --- the judge -----------------------------------------------------------------------------
    def judge(self, *streams: str) -> list[str]:
        """Compare the newest landed version of each record with the account; say what differs."""
        found = []
        for stream in streams:
            stored, there = self.landed(stream), self.there(stream)
            found += [f"lost: {stream} {key}" for key in there.keys() - stored.keys()]
            found += [f"ghost: {stream} {key}" for key in stored.keys() - there.keys()]
            for key in stored.keys() & there.keys():
                if not same(stored[key], there[key]):
                    found.append(f"stale: {stream} {key}")
        return found

    def there(self, stream: str) -> dict[str, Record]:
        """Return what stands in the account, a master's uses as one."""
        source = STREAMS[stream]
        made: dict[str, Record] = {}
        for row in self.erp.living(source.form).values():
            spelled = {name.lower(): value for name, value in row.items()}
            key = str(spelled[source.key.lower()])
            known = made.setdefault(key, {**row, "uses": []} if source.uses else row)
            if source.uses:
                known["uses"].append(row)
        return made

    def landed(self, stream: str) -> dict[str, Record]:
        """Return what the landed batches say, applied in their order."""
        folder = Path(self.environment["ISTHMUS_HOME"]) / "landing" / "erp" / stream
        key = STREAMS[stream].key
        stored: dict[str, Record] = {}
        for sidecar in sorted(folder.glob("*.json")):
            data = sidecar.with_suffix(".ndjson.zst").read_bytes()
            text = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
            said = json.loads(sidecar.read_text("utf-8"))
            for line in text.splitlines():
                made = json.loads(line, parse_float=Decimal)
                if said["content"] == "deletions" and not said["held"]:
                    stored.pop(made["key"], None)
                elif said["content"] == "records":
                    stored[str(made[key])] = made
        return stored


def same(ours: Record, theirs: Mapping[str, Any]) -> bool:
    """Say whether a landed record has what the account's has, whatever the keys' case."""
    there = {name.lower(): value for name, value in theirs.items()}
    for name, value in ours.items():
        if isinstance(value, list):
            wanted = there[name]
            if len(wanted) != len(value) or not all(
                same(one, other) for one, other in zip(value, wanted, strict=True)
            ):
                return False
        elif isinstance(value, int | float | Decimal):
            if Decimal(str(value)) != Decimal(str(there[name.lower()])):
                return False
        elif there[name.lower()] != value:
            return False
    return True


def killed_at(world: World, place: int, stream: str, mode: Any) -> bool:
    """Read until the request of that number, counted from here; say whether it came so far."""
    return cut_off.killed_at(world.erp, place, lambda: world.read(stream, mode))
