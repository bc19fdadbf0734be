"""The suite on `stripe`, over the simulator that the vendor's own material is held against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.stripe import StripeConnector, sample
from connectors.stripe.simulator import StripeSimulator
from connectors.testing import Bench, ConformanceSuite

KEY = "rk_test_canaryOfTheSuite00000001"


class CustomersBench(Bench):
    """Customers: changes and deletions are told by events."""

    connector = StripeConnector
    stream = "customers"
    page_size = 20
    secrets: ClassVar[Mapping[str, str]] = {"env:STRIPE_KEY": KEY}

    def boot(self) -> Any:
        self.stripe = StripeSimulator(KEY, now=self.clock.now)
        self.stripe.most = self.page_size  # a real one gives 100; has_more says where a list ends
        return self.stripe

    def settings(self) -> dict[str, Any]:
        return {
            "key": "env:STRIPE_KEY",
            "base_url": "http://stripe.example",
            "allow_plain_http": "true",
            "rate": "1000/s",
        }

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        good = self.settings()
        yield good | {"account": "1234"}
        yield good | {"skip": ["custmers"]}
        yield good | {"lookback": "10s"}
        yield good | {"base_url": "stripe.example"}

    def put(self, number: int, version: int, at: datetime) -> str:
        key, second = f"cus_{number:06d}", int(at.timestamp())
        known = self.stripe.living(self.stream).get(key)
        record = known or sample.customer(key, second)
        self.stripe.put(self.stream, record | {"description": f"v{version}"})
        kind = "customer.updated" if known else "customer.created"
        self.stripe.tell(kind, self.stripe.living(self.stream)[key], at=second)
        return key

    def delete(self, number: int) -> None:
        self.stripe.delete("customers", f"cus_{number:06d}", "customer.deleted")

    def living(self) -> Mapping[str, str]:
        return {key: one["description"] for key, one in self.stripe.living(self.stream).items()}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["description"])

    def fill_others(self) -> None:
        second = int(self.clock.now().timestamp()) - 60
        for name, record in (
            ("charges", sample.charge("ch_1", second, 1000, "usd")),
            ("payment_intents", sample.payment_intent("pi_1", second, 1000, "usd")),
            ("refunds", sample.refund("re_1", second, 100, "usd", "ch_1")),
            ("balance_transactions", sample.entry("txn_1", second, 1000, "usd", 20)),
            ("payouts", sample.payout("po_1", second, 900, "usd")),
        ):
            self.stripe.put(name, record)

    def is_page(self, request: Any) -> bool:
        return request.url.path == f"/v1/{self.stream}"

    def clamp(self, size: int) -> None:
        self.stripe.most = size

    def error_body(self) -> bytes:
        return b'{"error":{"type":"api_error","message":"an error on our side"}}'

    def with_link(self, body: bytes, url: str) -> bytes:
        return body.replace(b'"url": "/v1/', f'"url": "{url}/v1/'.encode())


NOT_APPLICABLE = {
    "token_expires": "a restricted key holds until a person revokes it",
    "throttled_in_body": "Stripe throttles by HTTP 429 alone",
    "foreign_next_link": "lists go on behind an id; the url in an answer is not followed",
}


class TestCustomers(ConformanceSuite):
    title = "customers"
    bench = CustomersBench
    not_applicable = NOT_APPLICABLE


class ChargesBench(CustomersBench):
    """Charges: changes are told by events, none is ever deleted."""

    stream = "charges"

    def put(self, number: int, version: int, at: datetime) -> str:
        key, second = f"ch_{number:06d}", int(at.timestamp())
        known = self.stripe.living(self.stream).get(key)
        record = known or sample.charge(key, second, 1000, "usd")
        self.stripe.put(self.stream, record | {"description": f"v{version}"})
        kind = "charge.updated" if known else "charge.succeeded"
        self.stripe.tell(kind, self.stripe.living(self.stream)[key], at=second)
        return key

    def fill_others(self) -> None:
        super().fill_others()
        self.stripe.put("customers", sample.customer("cus_1", int(self.clock.now().timestamp())))


class TestCharges(ConformanceSuite):
    title = "charges"
    bench = ChargesBench
    not_applicable: ClassVar = NOT_APPLICABLE | {
        "deletes_seen": "charges are never deleted",
        "sweep_lists_keys": "charges are never deleted, so there is nothing to sweep for",
    }
