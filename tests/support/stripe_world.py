"""A journalled account at the simulator, a workspace that reads it, and the judge of both."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import zstandard

from connectors.base import Mode
from connectors.stripe import sample
from connectors.stripe.simulator import StripeSimulator
from pipelines.extract import Reading, extract
from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.support import cut_off
from tests.support.still_clock import StillClock as Time
from tests.support.system_world import Network
from warehouse.landing import Landing
from warehouse.reader import run_query

KEY = "rk_test_canaryOfTheSimulator0001"
CONNECTION = """\
type: pipelines.Connection
attributes:
  system: stripe
  config:
    key: "env:STRIPE_KEY"
    base_url: http://stripe.example
    allow_plain_http: true
    rate: 1000/s
{extra}"""
STREAMS = ("customers", "charges", "payment_intents", "refunds", "balance_transactions", "payouts")


class World:
    """An account, and a workspace whose clock may differ from Stripe's by `apart`."""

    def __init__(self, folder: Path, extra: str = "", apart: timedelta = timedelta()) -> None:
        self.time = Time()
        self.stripe = StripeSimulator(KEY, now=self.time.now)
        self.network = Network(self.stripe)
        self._apart = apart
        self._made = 0
        path = folder / "defs" / "pay" / "defs.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(CONNECTION.format(extra=extra), encoding="utf-8")
        self.environment = {
            "ISTHMUS_HOME": str(folder / "home"),
            "ISTHMUS_DEFS": str(folder / "defs"),
            "STRIPE_KEY": KEY,
        }
        self.space = Workspace.discover(self.environment)

    def close(self) -> None:
        self.space.control.close()

    # --- the account -------------------------------------------------------------------------
    def id(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}_{self._made:06d}"

    @property
    def second(self) -> int:
        return int(self.time.at.timestamp())

    def customer(self, **how: Any) -> str:
        key = self.id("cus")
        self.stripe.put("customers", sample.customer(key, self.second), "customer.created", **how)
        return key

    def charge(self, amount: int = 1000, currency: str = "usd", *, late: float = 0,
               told: str = "charge.succeeded", **more: Any) -> str:  # fmt: skip
        """Make a charge and its entry in the ledger."""
        key, entry = self.id("ch"), self.id("txn")
        made = sample.entry(entry, self.second, amount, currency, amount // 50, source=key)
        self.stripe.put("balance_transactions", made, late=late)
        record = sample.charge(
            key, self.second, amount, currency, balance_transaction=entry, **more
        )
        self.stripe.put("charges", record, told, late=late)
        return key

    def refund(self, charge: str, amount: int) -> str:
        """Give money back: a refund, an entry, and the charge moves."""
        key, entry = self.id("re"), self.id("txn")
        record = self.stripe.living("charges")[charge]
        currency = record["currency"]
        self.stripe.put(
            "balance_transactions",
            sample.entry(entry, self.second, -amount, currency, type="refund", source=key),
        )
        made = sample.refund(key, self.second, amount, currency, charge, balance_transaction=entry)
        self.stripe.put("refunds", made, "refund.created")
        whole = record["amount_refunded"] + amount
        self.stripe.change("charges", charge, "charge.refunded", amount_refunded=whole,
                           refunded=whole == record["amount"])  # fmt: skip
        return key

    def settle(self) -> None:
        """Let entries that are due become available; no event tells of it."""
        for key, entry in self.stripe.living("balance_transactions").items():
            if entry["status"] == "pending" and entry["available_on"] <= self.second:
                self.stripe.change("balance_transactions", key, status="available")

    # --- what the product does ---------------------------------------------------------------
    def sync(self, stream: str, **how: Any) -> StreamOutcome:
        """Read, land and load a stream."""
        given = {"transport": self.network, "pause": self.time.pause, "now": self.now}
        return sync_stream(self.space, "pay", stream, **given | how)

    def sync_all(self, *streams: str, **how: Any) -> dict[str, StreamOutcome]:
        done = {stream: self.sync(stream, **how) for stream in streams or STREAMS}
        for outcome in done.values():
            assert outcome.error is None, outcome.error
        return done

    def now(self) -> datetime:
        """Return the time as the workspace has it."""
        return self.time.at + self._apart

    def read(self, stream: str, mode: Mode = "changed") -> StreamOutcome:
        """Read and land a stream, which is all that a connector has a part in."""
        outcome = StreamOutcome("pay", stream)
        self.space.home.make()
        landing = Landing(self.space.home.landing, now=self.now)
        how = Reading(mode, self.now, lambda: None, transport=self.network, pause=self.time.pause)
        extract(self.space.connection("pay"), landing, outcome, how)
        return outcome

    def read_all(self, mode: Mode = "changed") -> dict[str, StreamOutcome]:
        return {stream: self.read(stream, mode) for stream in STREAMS}

    def publish(self) -> None:
        outcome = unify_publish(self.space, now=self.time.now)
        assert outcome.error is None, outcome.error

    # --- the judge ---------------------------------------------------------------------------
    def judge(self, *streams: str) -> list[str]:
        """Compare the newest landed version of each record with the account; return what differs.

        The landing is read by itself, in order: records replace, deletions remove.
        """
        found = []
        for stream in streams or STREAMS:
            stored, there = self.landed(stream), self.stripe.living(stream)
            found += [f"lost: {stream} {key}" for key in there.keys() - stored.keys()]
            found += [f"ghost: {stream} {key}" for key in stored.keys() - there.keys()]
            for key in stored.keys() & there.keys():
                seen = dict(stored[key])
                if isinstance(seen.get("balance_transaction"), dict):
                    seen["balance_transaction"] = seen["balance_transaction"]["id"]
                if seen != there[key]:
                    found.append(f"stale: {stream} {key}")
        return found

    def landed(self, stream: str) -> dict[str, dict[str, Any]]:
        """Return what the landed batches say, applied in their order."""
        folder = Path(self.environment["ISTHMUS_HOME"]) / "landing" / "pay" / stream
        stored: dict[str, dict[str, Any]] = {}
        for sidecar in sorted(folder.glob("*.json")):
            data = sidecar.with_suffix(".ndjson.zst").read_bytes()
            text = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
            said = json.loads(sidecar.read_text("utf-8"))
            for line in text.splitlines():
                record = json.loads(line)
                if said["content"] == "deletions" and not said["held"]:
                    stored.pop(record["key"], None)
                elif said["content"] == "records":
                    stored[record["id"]] = record
        return stored

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in run_query(self.space.home.current, sql).rows]


def killed_at(world: World, place: int, stream: str, mode: Any) -> bool:
    """Read until the request of that number, counted from here; say whether it came so far."""
    return cut_off.killed_at(world.stripe, place, lambda: world.read(stream, mode))
