"""A journalled account at the simulator, a workspace that reads it, and the judge of both."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.kingdee import KingdeeConnector
from connectors.kingdee.catalogue import STREAMS
from connectors.kingdee.sample import FORMS, Record, order, record
from connectors.kingdee.settings import KingdeeSettings
from connectors.kingdee.simulator import KingdeeSimulator
from connectors.kingdee.simulator_proof import Identity
from tests.support.still_clock import StillClock
from tests.support.system_world import JudgedWorld, Network, context

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
    given = context("erp", SECRETS, clock, network or Network(simulator))
    return KingdeeConnector(KingdeeSettings.model_validate({**CONFIG, **more}), given)


class World(JudgedWorld):
    """An account and a workspace that reads it; `more` are further settings."""

    name, streams, number = "erp", READ, Decimal

    def __init__(self, folder: Path, **more: Any) -> None:
        time = StillClock()
        self.erp = KingdeeSimulator(IDENTITY, now=time.now)
        attributes = {
            "system": "kingdee", "config": {**CONFIG, **more}, "timezone": "Asia/Shanghai",
        }  # fmt: skip
        super().__init__(folder, self.erp, time, SECRETS, attributes)

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

    # --- the judge -----------------------------------------------------------------------------
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

    def key(self, stream: str, record: Record) -> str:
        return str(record[STREAMS[stream].key])

    def same(self, stream: str, ours: Record, theirs: Record) -> bool:
        return same(ours, theirs)


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
