"""Make the HTTP client of a `rest` connection from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from connectors import auth
from connectors.address import AddressRules
from connectors.base import Context
from connectors.condition import parse_condition
from connectors.decode import Caps
from connectors.errors import AuthError, ConfigError
from connectors.http import HttpClient, Limits, Request
from connectors.outcome import Rule
from connectors.rate import parse_rates
from connectors.redact import Redactor
from connectors.rest.settings import AuthSettings, OAuth2Settings, RestSettings
from connectors.rest.streams import AnswerRule
from connectors.site import make_tls, secret_reader
from connectors.values import resolve


def make_client(settings: RestSettings, context: Context, redactor: Redactor) -> HttpClient:
    """Return the client of the connection; resolves its secrets."""
    secret = secret_reader(context, redactor)
    caps = Caps(settings.max_bytes, settings.max_ratio, settings.timeout.total_seconds())
    shared: dict[str, Any] = {
        "address": AddressRules(settings.allow_private, settings.allow_plain_http),
        "tls": make_tls(settings.tls, context),
        "limits": Limits(caps, settings.attempts, settings.patience.total_seconds()),
        "redactor": redactor,
    }
    return HttpClient(
        settings.base_url,
        context,
        auth=_auth(settings.auth, context, secret, shared),
        headers=resolved(settings.headers, secret),
        rate=parse_rates(settings.rate) if settings.rate else (),
        rules=compiled(settings.answers),
        encoding=settings.encoding,
        **shared,
    )


def resolved(values: Mapping[str, str], secret: Callable[[str], str]) -> dict[str, str]:
    """Return `values` with the references in them replaced."""
    return {name: resolve(value, secret) for name, value in values.items()}


def compiled(rules: tuple[AnswerRule, ...]) -> tuple[Rule, ...]:
    """Return the table of answers in the client's form."""
    return tuple(
        Rule(rule.is_, rule.status, parse_condition(rule.when) if rule.when else None)
        for rule in rules
    )


def _auth(
    settings: AuthSettings | None,
    context: Context,
    secret: Callable[[str], str],
    shared: Mapping[str, Any],
) -> auth.Auth:
    if settings is None:
        return auth.Auth()
    if settings.bearer is not None:
        bearer = settings.bearer
        return auth.bearer(lambda: resolve(bearer, secret))
    if settings.basic is not None:
        user, password = settings.basic
        return auth.basic(lambda: resolve(user, secret), lambda: resolve(password, secret))
    if settings.header is not None:
        header = settings.header
        return auth.HeaderAuth(lambda: resolved(header, secret))
    if settings.query is not None:
        query = settings.query
        return auth.QueryAuth(lambda: resolved(query, secret))
    assert settings.oauth2 is not None  # noqa: S101 - one is set, by the settings' own rule
    oauth2 = settings.oauth2
    return auth.OAuth2(lambda: _token(oauth2, context, secret, shared), context.now)


def _token(
    settings: OAuth2Settings,
    context: Context,
    secret: Callable[[str], str],
    shared: Mapping[str, Any],
) -> auth.Token:
    """Ask the token endpoint, under the same rules as every other request."""
    form = {"grant_type": "client_credentials"}
    if settings.scope:
        form["scope"] = settings.scope
    client_id = resolve(settings.client_id, secret)
    client_secret = resolve(settings.client_secret, secret)
    proof: auth.Auth | None = None
    if settings.client_in == "basic":
        proof = auth.basic(lambda: client_id, lambda: client_secret)
    else:
        form |= {"client_id": client_id, "client_secret": client_secret}
    client = HttpClient(settings.token_url, context, auth=proof, **shared)
    try:
        answer = client.send(Request(method="POST", form=form))
    except (ConfigError, AuthError) as error:  # a wrong id or secret is answered 400 or 401
        raise AuthError(
            f"The token endpoint refused: {error.what}", "check auth.oauth2.",
            place=error.place, request_id=error.request_id,
        )  from None  # fmt: skip
    finally:
        client.close()
    text = (answer.body.text(("access_token",)) if answer.body else None) or ""
    life = (answer.body.text(("expires_in",)) if answer.body else None) or "3600"
    try:
        seconds = msgspec.convert(life, float, strict=False)
    except msgspec.ValidationError:
        seconds = 3600.0
    if text:
        shared["redactor"].add(text)
    return auth.Token(text, seconds)
