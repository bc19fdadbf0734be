"""The connector for Stripe: money that came in, went back and was paid out."""

from __future__ import annotations

from connectors.stripe.connector import StripeConnector
from connectors.stripe.settings import StripeSettings

__all__ = ["StripeConnector", "StripeSettings"]
