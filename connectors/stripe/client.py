"""Make the HTTP client of a `stripe` connection from its settings."""

from __future__ import annotations

from connectors.address import AddressRules
from connectors.auth import bearer
from connectors.base import Context
from connectors.decode import Caps
from connectors.http import HttpClient, Limits
from connectors.rate import parse_rate
from connectors.redact import Redactor
from connectors.site import make_tls, secret_reader
from connectors.stripe.lists import RULES
from connectors.stripe.settings import StripeSettings
from connectors.values import resolve

MAX_BYTES, MAX_RATIO = 64_000_000, 200


def make_client(settings: StripeSettings, context: Context, redactor: Redactor) -> HttpClient:
    """Return the client of the connection; resolves its key.

    The version is sent always: an account's default would change the records' form one day.
    """
    secret = secret_reader(context, redactor)
    headers = {"Stripe-Version": settings.version}
    if settings.account:
        headers["Stripe-Account"] = settings.account
    return HttpClient(
        settings.base_url,
        context,
        auth=bearer(lambda: resolve(settings.key, secret)),
        headers=headers,
        address=AddressRules(settings.allow_private, settings.allow_plain_http),
        tls=make_tls(settings.tls, context),
        rate=parse_rate(settings.rate),
        rules=RULES,
        limits=Limits(
            Caps(MAX_BYTES, MAX_RATIO, settings.timeout.total_seconds()),
            settings.attempts,
            settings.patience.total_seconds(),
        ),
        redactor=redactor,
    )
