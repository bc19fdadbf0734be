"""The streams of Stripe as data: where each is listed and which events tell of its changes.

Paths, parameters and event names are those of the vendor's OpenAPI document; `refund.*` and
`payout.reconciliation_completed` are younger than the copy of 2022 that the tests hold it against.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MAX_TYPES = 20
"""Event types that one list of events may be asked for."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One list. `object` is what events call its members.

    An event tells of a member that is its object, or that its object names in a member `object`
    (a refund names its charge). `expand` is a member that comes whole. `settles`: entries move
    from pending to available without an event. `deletable`: members can be deleted for good.
    `kept`: the list itself forgets, so what is missing in it is not deleted. `settled`: members
    are given the entries of the ledger that they settle, as `entries`.
    """

    name: str
    object: str
    title: str
    events: tuple[str, ...] = ()
    expand: str = ""
    settles: bool = False
    deletable: bool = False
    kept: bool = False
    settled: bool = False

    @property
    def path(self) -> str:
        """Return the path of the list."""
        return f"/v1/{self.name}"


def _of(prefix: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names)


_REFUNDED = (*_of("refund", "created", "updated", "failed"), "charge.refund.updated")

STREAMS: Mapping[str, Listed] = {
    listed.name: listed
    for listed in (
        Listed(
            "customers", "customer", "Customers",
            _of("customer", "created", "updated", "deleted", "discount.created",
                "discount.updated", "discount.deleted"),
            deletable=True,
        ),
        Listed(
            "charges", "charge", "Charges",
            (
                *_of("charge", "succeeded", "pending", "failed", "captured", "expired", "refunded",
                     "updated", "dispute.created", "dispute.updated", "dispute.closed",
                     "dispute.funds_withdrawn", "dispute.funds_reinstated"),
                *_REFUNDED,
            ),
            expand="balance_transaction",
        ),
        Listed(
            "payment_intents", "payment_intent", "Payment intents",
            _of("payment_intent", "created", "amount_capturable_updated", "canceled",
                "partially_funded", "payment_failed", "processing", "requires_action",
                "succeeded"),
        ),
        Listed("refunds", "refund", "Refunds", _REFUNDED),
        Listed(
            "balance_transactions", "balance_transaction", "Balance transactions", settles=True
        ),
        Listed(
            "payouts", "payout", "Payouts",
            _of("payout", "created", "canceled", "failed", "paid", "updated",
                "reconciliation_completed"),
            settled=True,
        ),
        Listed("events", "event", "Events of the last 30 days", kept=True),
    )
}  # fmt: skip

EVENTS, LEDGER = STREAMS["events"], STREAMS["balance_transactions"]
