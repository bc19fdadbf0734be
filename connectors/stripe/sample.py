"""Objects as the API writes them, with every member that the vendor's fixtures have, for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from connectors.simulated import Simulated

Record = dict[str, Any]

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def _nothing(*names: str) -> Record:
    return dict.fromkeys(names)


def customer(key: str, at: int, **more: Any) -> Record:
    """Return a customer made at `at` (seconds since 1970)."""
    return {
        "id": key, "object": "customer", "created": at, "livemode": False, "metadata": {},
        "address": _nothing(*_ADDRESS), "balance": 0, "currency": None, "delinquent": False,
        "email": f"{key.lower()}@shop.example", "name": f"Customer {key}", "phone": None,
        "invoice_prefix": "7FE1103", "next_invoice_sequence": 1, "preferred_locales": [],
        "tax_exempt": "none", "shipping": None, "discount": None,
        "invoice_settings": _nothing(
            "custom_fields", "default_payment_method", "footer", "rendering_options"
        ),
        **_nothing("default_source", "description", "test_clock"),
    } | more  # fmt: skip


def charge(key: str, at: int, amount: int, currency: str, **more: Any) -> Record:
    """Return a paid and captured charge of `amount` minor units."""
    return {
        "id": key, "object": "charge", "created": at, "livemode": False, "metadata": {},
        "amount": amount, "amount_captured": amount, "amount_refunded": 0, "currency": currency,
        "captured": True, "paid": True, "refunded": False, "disputed": False,
        "status": "succeeded", "fraud_details": {},
        "billing_details": {
            "address": _nothing(*_ADDRESS), **_nothing("email", "name", "phone", "tax_id"),
        },
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": "visa", "country": "US", "exp_month": 8, "exp_year": 2030,
                "funding": "credit", "last4": "4242", "network": "visa",
                **_nothing("checks", "installments", "mandate", "three_d_secure", "wallet"),
            },
        },
        "outcome": {"type": "authorized"} | _nothing(
            "advice_code", "network_advice_code", "network_decline_code", "network_status",
            "reason", "seller_message",
        ),
        "refunds": {
            "object": "list", "data": [], "has_more": False, "url": f"/v1/charges/{key}/refunds",
        },
        **_nothing(
            "application", "application_fee", "application_fee_amount", "balance_transaction",
            "calculated_statement_descriptor", "customer", "description",
            "failure_balance_transaction", "failure_code", "failure_message", "on_behalf_of",
            "payment_intent", "payment_method", "receipt_email", "receipt_number", "receipt_url",
            "review", "shipping", "source_transfer", "statement_descriptor",
            "statement_descriptor_suffix", "transfer_data", "transfer_group",
        ),
    } | more  # fmt: skip


def payment_intent(key: str, at: int, amount: int, currency: str, **more: Any) -> Record:
    """Return an intent that waits for a payment method."""
    return {
        "id": key, "object": "payment_intent", "created": at, "livemode": False, "metadata": {},
        "amount": amount, "amount_capturable": 0, "amount_received": 0, "currency": currency,
        "capture_method": "automatic", "confirmation_method": "automatic",
        "payment_method_types": ["card"], "payment_method_options": {}, "amount_details": {},
        "status": "requires_payment_method",
        **_nothing(
            "application", "application_fee_amount", "automatic_payment_methods", "canceled_at",
            "cancellation_reason", "client_secret", "customer", "description",
            "last_payment_error", "latest_charge", "next_action", "on_behalf_of",
            "payment_method", "processing", "receipt_email", "review", "setup_future_usage",
            "shipping", "statement_descriptor", "statement_descriptor_suffix", "transfer_data",
            "transfer_group",
        ),
    } | more  # fmt: skip


def refund(key: str, at: int, amount: int, currency: str, charge: str, **more: Any) -> Record:
    """Return a refund of a charge that succeeded."""
    return {
        "id": key, "object": "refund", "created": at, "metadata": {}, "amount": amount,
        "currency": currency, "charge": charge, "status": "succeeded",
        **_nothing(
            "balance_transaction", "payment_intent", "reason", "receipt_number",
            "source_transfer_reversal", "transfer_reversal",
        ),
    } | more  # fmt: skip


def entry(key: str, at: int, amount: int, currency: str, fee: int = 0, **more: Any) -> Record:
    """Return a balance transaction, pending for two days."""
    return {
        "id": key, "object": "balance_transaction", "created": at, "amount": amount, "fee": fee,
        "net": amount - fee, "currency": currency, "available_on": at + 172_800,
        "balance_type": "payments", "fee_details": [], "reporting_category": "charge",
        "status": "pending", "type": "charge",
        **_nothing("description", "exchange_rate", "source"),
    } | more  # fmt: skip


def payout(key: str, at: int, amount: int, currency: str, **more: Any) -> Record:
    """Return a payout that is on its way to the bank."""
    return {
        "id": key, "object": "payout", "created": at, "livemode": False, "metadata": {},
        "amount": amount, "currency": currency, "arrival_date": at + 86_400, "automatic": True,
        "method": "standard", "source_type": "card", "status": "in_transit",
        "type": "bank_account", "reconciliation_status": "completed",
        **_nothing(
            "balance_transaction", "description", "destination", "failure_balance_transaction",
            "failure_code", "failure_message", "original_payout", "reversed_by",
            "statement_descriptor",
        ),
    } | more  # fmt: skip


def event(key: str, at: int, kind: str, about: Record) -> Record:
    """Return an event that carries an object as it was."""
    return {
        "id": key, "object": "event", "created": at, "livemode": False, "type": kind,
        "api_version": "2020-08-27", "data": {"object": about}, "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
    }  # fmt: skip


def simulated(now: Callable[[], datetime]) -> Simulated:
    """Return an account with a customer and a charge, and what connects to it."""
    from connectors.stripe.simulator import StripeSimulator

    key, at = "-".join(("sample", "restricted", "key")), int(now().timestamp()) - 3600
    app = StripeSimulator(key, now=now)
    app.put("customers", customer("cus_1", at), "customer.created")
    app.put("charges", charge("ch_1", at, 1999, "usd", customer="cus_1"), "charge.succeeded")
    return Simulated(app, {"key": "env:STRIPE_KEY"}, {"STRIPE_KEY": key})
