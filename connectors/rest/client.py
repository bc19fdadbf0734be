"""Make the HTTP client of a `rest` connection from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time
from typing import Any

import msgspec

from connectors import auth
from connectors.address import AddressRules
from connectors.base import Context
from connectors.body import Body, parse_path
from connectors.condition import parse_condition
from connectors.decode import Caps
from connectors.errors import AuthError, ConfigError, ConnectorError
from connectors.http import HttpClient, Limits, Request
from connectors.outcome import Pause, Rule
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
        Rule(
            rule.is_,
            rule.status,
            parse_condition(rule.when) if rule.when else None,
            pause=_pause(rule),
        )
        for rule in rules
    )


def _pause(rule: AnswerRule) -> Pause | None:
    after = parse_path(rule.after) if rule.after else ()
    seconds = rule.wait.total_seconds() if rule.wait is not None else None
    resets = time.fromisoformat(rule.resets) if rule.resets else None
    return Pause(after, seconds, resets) if after or seconds is not None or resets else None


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
    return _oauth2(settings.oauth2, context, secret, shared)


def _oauth2(
    settings: OAuth2Settings,
    context: Context,
    secret: Callable[[str], str],
    shared: Mapping[str, Any],
) -> auth.Auth:
    """Return what asks the token endpoint, under the same rules as every other request."""
    client_id = resolve(settings.client_id, secret)
    client_secret = resolve(settings.client_secret, secret)
    seed = resolve(settings.refresh_token, secret) if settings.refresh_token else ""

    def fetch(kept: auth.Kept | None, turn: auth.Turn) -> auth.Token:
        form = {"grant_type": "client_credentials"}
        if seed:  # RFC 6749 section 6; the first one is the settings', each later one was kept
            spent = kept.refresh if kept is not None and kept.refresh else seed
            form = {"grant_type": "refresh_token", "refresh_token": spent}
        if settings.scope:
            form["scope"] = settings.scope
        proof: auth.Auth | None = None
        if settings.client_in == "basic":
            proof = auth.basic(lambda: client_id, lambda: client_secret)
        else:
            form |= {"client_id": client_id, "client_secret": client_secret}
        client = HttpClient(settings.token_url, context, auth=proof, **shared)
        try:
            answer = client.send(Request(method="POST", form=form))
        except (ConfigError, AuthError) as error:  # a wrong id or secret is answered 400 or 401
            raise _refused(error, bool(seed), turn.cut) from None
        finally:
            client.close()
        return _token(answer.body)

    return auth.KeptToken(
        fetch, context.now, store=context.tokens, name="oauth2", learn=shared["redactor"].add,
        fits=auth.digest(settings.token_url, settings.scope, client_id, client_secret, seed),
        whose=auth.digest(settings.token_url, settings.scope, client_id, seed),
    )  # fmt: skip


def _refused(error: ConnectorError, refreshed: bool, cut: bool) -> AuthError:
    what, do = f"The token endpoint refused: {error.what}", "check auth.oauth2."
    if refreshed:
        do = (
            "let the system issue a new refresh token and put it where "
            "auth.oauth2.refresh_token points: the one before is not used any more then."
        )
    if refreshed and cut:
        what += " The last renewal was cut off before its answer was kept."
    return AuthError(what, do, place=error.place, request_id=error.request_id)


def _token(body: Body | None) -> auth.Token:
    found = {
        name: (body.text((name,)) if body is not None else None) or ""
        for name in ("access_token", "refresh_token", "expires_in")
    }
    try:
        seconds = msgspec.convert(found["expires_in"] or "3600", float, strict=False)
    except msgspec.ValidationError:
        seconds = 3600.0
    return auth.Token(found["access_token"], seconds, found["refresh_token"])
