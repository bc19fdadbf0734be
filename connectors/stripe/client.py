"""Make the HTTP client of a `stripe` connection from its settings."""

from __future__ import annotations

from connectors import site
from connectors.auth import bearer
from connectors.base import Context
from connectors.http import HttpClient
from connectors.redact import Redactor
from connectors.stripe.lists import RULES
from connectors.stripe.settings import StripeSettings
from connectors.values import resolve


def make_client(settings: StripeSettings, context: Context, redactor: Redactor) -> HttpClient:
    """Return the client of the connection; resolves its key.

    The version is sent always: an account's default would change the records' form one day.
    """
    secret = site.secret_reader(context, redactor)
    headers = {"Stripe-Version": settings.version}
    if settings.account:
        headers["Stripe-Account"] = settings.account
    auth = bearer(lambda: resolve(settings.key, secret))
    return site.make_client(settings, context, redactor, auth, rules=RULES, headers=headers)
