"""A journalled account at the simulator, a workspace that reads it, and the judge of both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.alipay import AlipayConnector
from connectors.alipay.catalogue import STREAMS, Bill, Log
from connectors.alipay.sample import Record, logged, movement, trade_row
from connectors.alipay.settings import AlipaySettings
from connectors.alipay.simulator import HERE, AlipaySimulator
from tests.support.still_clock import StillClock
from tests.support.system_world import JudgedWorld, Network, context

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
    given = context("pay", secrets(), clock, network or Network(system))
    return AlipayConnector(AlipaySettings.model_validate(config(**more)), given)


class World(JudgedWorld):
    """An account and a workspace that reads it; `more` are further settings."""

    name = "pay"

    def __init__(self, folder: Path, **more: Any) -> None:
        time = StillClock()
        attributes = {
            "system": "alipay", "config": config(**more), "timezone": "Asia/Shanghai",
        }  # fmt: skip
        super().__init__(folder, simulator(time.now), time, secrets(), attributes)
        self.made = 0

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

    # --- the judge -----------------------------------------------------------------------------
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

    def key(self, stream: str, record: Record) -> str:
        source = STREAMS[stream]
        assert isinstance(source, Bill | Log)
        return str(record[source.key])

    def landed(self, stream: str) -> dict[str, Record]:
        """Return what was landed, without empty members and those that the connector adds."""
        return {
            key: {name: value for name, value in made.items() if value and name[:1] != "_"}
            for key, made in super().landed(stream).items()
        }
