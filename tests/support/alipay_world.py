"""A journalled account at the simulator, a workspace that reads it, and the judge of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import zstandard
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.alipay import AlipayConnector
from connectors.alipay.catalogue import STREAMS, Bill, Log
from connectors.alipay.sample import Record, logged, movement, trade_row
from connectors.alipay.settings import AlipaySettings
from connectors.alipay.simulator import HERE, AlipaySimulator
from connectors.base import Context, Mode
from pipelines.extract import Reading, extract
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.support import cut_off
from tests.support.still_clock import StillClock
from tests.support.system_world import Network
from warehouse.landing import Landing
from warehouse.reader import run_query

APP = "2021000000000001"
GATEWAY = "http://alipay.example/gateway.do"
DOWNLOADS = "http://alipay.example:8080"
"""Another origin: a wire that watches for foreign hosts knows hosts by their name."""


@cache
def key(which: str) -> rsa.RSAPrivateKey:
    """Return the app's key or the platform's; made anew in each process.

    Half as long as real ones: reading one proves it, which takes a tenth of a second of those.
    """
    return rsa.generate_private_key(65537, 1024)


def private_text(which: str = "app", form: str = "PKCS8") -> str:
    """Return a private key as bare base64, PKCS1 or PKCS8."""
    kind = s.PrivateFormat.PKCS8 if form == "PKCS8" else s.PrivateFormat.TraditionalOpenSSL
    pem = key(which).private_bytes(s.Encoding.PEM, kind, s.NoEncryption()).decode()
    return "".join(pem.splitlines()[1:-1])


def public_text(which: str = "alipay") -> str:
    """Return a public key as the console shows it: bare base64."""
    form = s.PublicFormat.SubjectPublicKeyInfo
    pem = key(which).public_key().public_bytes(s.Encoding.PEM, form).decode()
    return "".join(pem.splitlines()[1:-1])


def config(**more: Any) -> dict[str, Any]:
    """Return `config:` of a connection to the simulator."""
    return {
        "app_id": APP, "private_key": "env:ALIPAY_KEY", "alipay_public_key": "env:ALIPAY_PUBLIC",
        "since": "2026-02-20", "base_url": GATEWAY, "download_url": DOWNLOADS,
        "allow_plain_http": "true", "rate": "1000/s", **more,
    }  # fmt: skip


def secrets() -> dict[str, str]:
    return {
        "env:ALIPAY_KEY": private_text(), "env:ALIPAY_PUBLIC": public_text(),
        "env:ALIPAY_TOKEN": "canary-of-app-auth-token-1",
    }  # fmt: skip


def simulator(now: Any) -> AlipaySimulator:
    return AlipaySimulator(
        APP, key("app").public_key(), key("alipay"), now=now, downloads=DOWNLOADS
    )


def connector(
    system: AlipaySimulator, clock: StillClock, network: Any = None, **more: Any
) -> AlipayConnector:
    """Return a connector that speaks to the simulator, or to what `network` is."""
    context = Context(
        "pay", "Asia/Shanghai", secret=secrets().__getitem__, now=clock.now, pause=clock.pause,
        transport=network or Network(system),
    )  # fmt: skip
    return AlipayConnector(AlipaySettings.model_validate(config(**more)), context)


class World:
    """An account and a workspace that reads it; `more` are further settings."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.time = StillClock()
        self.system = simulator(self.time.now)
        self.network = Network(self.system)
        defs = {
            "type": "pipelines.Connection",
            "attributes": {
                "system": "alipay", "config": config(**more), "timezone": "Asia/Shanghai",
            },
        }  # fmt: skip
        path = folder / "defs" / "pay" / "defs.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(defs), encoding="utf-8")
        self.environment = {
            "ISTHMUS_HOME": str(folder / "home"), "ISTHMUS_DEFS": str(folder / "defs"),
            **{name[4:]: value for name, value in secrets().items()},
        }  # fmt: skip
        self.space = Workspace.discover(self.environment)
        self.made = 0

    def close(self) -> None:
        self.space.control.close()

    # --- what happens in the account -----------------------------------------------------------
    @property
    def today(self) -> date:
        """The day in Beijing."""
        return self.time.now().astimezone(HERE).date()

    def at(self, days_ago: int, second: int = 0) -> datetime:
        """Return a moment of the day so many days ago, in Beijing."""
        midnight = datetime.combine(self.today, datetime.min.time(), HERE)
        return midnight - timedelta(days=days_ago) + timedelta(seconds=second)

    def move(self, days_ago: int, amount: str, **more: str) -> Record:
        """Put a movement of money."""
        self.made += 1
        number = more.pop("number", f"5463{self.made:010d}")
        made = movement(number, self.at(days_ago, self.made % 86_000), amount, **more)
        self.system.put("account", made)
        return made

    def trade(self, days_ago: int, amount: str, *, request: str = "", **more: str) -> Record:
        """Put a row of the trades' bill: a trade, or a refund of one."""
        self.made += 1
        number = more.pop("number", f"20260220220014{self.made:08d}")
        made = trade_row(number, self.at(days_ago, self.made % 86_000), amount, request, **more)
        self.system.put("trade", made)
        return made

    # --- what the product does -----------------------------------------------------------------
    def sync(self, stream: str, **how: Any) -> StreamOutcome:
        """Read, land and load a stream."""
        given = {"transport": self.network, "pause": self.time.pause, "now": self.time.now}
        return sync_stream(self.space, "pay", stream, **given | how)

    def read(self, stream: str, mode: Mode = "changed") -> StreamOutcome:
        """Read and land a stream, which is all that a connector has a part in."""
        outcome = StreamOutcome("pay", stream)
        self.space.home.make()
        landing = Landing(self.space.home.landing, now=self.time.now)
        how = Reading(
            mode, self.time.now, lambda: None, transport=self.network, pause=self.time.pause
        )
        extract(self.space.connection("pay"), landing, outcome, how)
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
            for name in stored.keys() & there.keys():
                if stored[name] != there[name]:
                    found.append(f"stale: {stream} {name}")
        return found

    def there(self, stream: str) -> dict[str, Mapping[str, Any]]:
        """Return the rows of every bill that is there, or the entries of a list."""
        source = STREAMS[stream]
        now = self.time.now().astimezone(HERE)
        if isinstance(source, Log):
            rows = [logged(row) for row in self.system.living("account").values()]
            rows = [{n: v for n, v in row.items() if v} for row in rows]
            return {r["account_log_id"]: r for r in rows if r["trans_dt"] <= f"{now:%F %T}"}
        kind = "account" if stream == "account_bill" else "trade"
        made = {}
        for name, row in self.system.living(kind).items():
            day = date.fromisoformat((row.get("发生时间") or row["完成时间"])[:10])
            there = datetime.combine(day + timedelta(days=1), self.system.ready, HERE)
            if self.system.delayed.get((kind, day), there) <= now:
                made[name.removesuffix("/")] = {n: v for n, v in row.items() if v}
        return made

    def landed(self, stream: str) -> dict[str, Mapping[str, Any]]:
        """Return what the landed batches say, applied in their order."""
        folder = Path(self.environment["ISTHMUS_HOME"]) / "landing" / "pay" / stream
        source, stored = STREAMS[stream], dict[str, Mapping[str, Any]]()
        name = source.key if isinstance(source, Bill | Log) else ""
        for sidecar in sorted(folder.glob("*.json")):
            said = json.loads(sidecar.read_text("utf-8"))
            for made in _lines(sidecar):
                if said["content"] == "deletions" and not said["held"]:
                    stored.pop(made["key"], None)
                elif said["content"] == "records":
                    shown = {n: v for n, v in made.items() if v and n[:1] != "_"}
                    stored[str(made[name])] = shown
        return stored


def _lines(sidecar: Path) -> list[dict[str, Any]]:
    table = sidecar.with_suffix(".parquet")
    if table.exists():
        return list(pq.read_table(table).to_pylist())
    data = sidecar.with_suffix(".ndjson.zst").read_bytes()
    text = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    return [json.loads(line) for line in text.splitlines()]


def killed_at(world: World, place: int, stream: str, mode: Any) -> bool:
    """Read until the request of that number, counted from here; say whether it came so far."""
    return cut_off.killed_at(world.system, place, lambda: world.read(stream, mode))
