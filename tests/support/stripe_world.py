"""A journalled account at the simulator, a workspace that reads it, and the judge of both."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.base import Mode
from connectors.stripe import sample
from connectors.stripe.simulator import StripeSimulator
from pipelines.outcome import StreamOutcome
from tests.support.still_clock import StillClock
from tests.support.system_world import JudgedWorld, Record

KEY = "rk_test_canaryOfTheSimulator0001"
CONFIG = {
    "key": "env:STRIPE_KEY", "base_url": "http://stripe.example", "allow_plain_http": "true",
    "rate": "1000/s",
}  # fmt: skip
STREAMS = ("customers", "charges", "payment_intents", "refunds", "balance_transactions", "payouts")


class World(JudgedWorld):
    """An account, and a workspace whose clock may differ from Stripe's by `apart`."""

    name, streams = "pay", STREAMS

    def __init__(self, folder: Path, apart: timedelta = timedelta(), **more: Any) -> None:
        time = StillClock()
        self.stripe = StripeSimulator(KEY, now=time.now)
        self._apart = apart
        self._made = 0
        attributes = {"system": "stripe", "config": {**CONFIG, **more}}
        super().__init__(folder, self.stripe, time, {"env:STRIPE_KEY": KEY}, attributes)

    def now(self) -> datetime:
        return self.time.at + self._apart

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

    # --- what the product does, and the judge --------------------------------------------------
    def read_all(self, mode: Mode = "changed") -> dict[str, StreamOutcome]:
        return {stream: self.read(stream, mode) for stream in STREAMS}

    def same(self, stream: str, ours: Record, theirs: Record) -> bool:
        """Say whether two objects are one; the entry of one may have come with it."""
        entry = ours.get("balance_transaction")
        seen = ours | ({"balance_transaction": entry["id"]} if isinstance(entry, dict) else {})
        seen.pop("entries", None)  # what a payout settles is told by the ledger
        return seen == theirs
