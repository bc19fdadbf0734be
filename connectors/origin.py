"""Settings that every connection to one HTTP origin has, and the client made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.address import parse
from connectors.errors import ConfigError
from connectors.rate import parse_rate
from connectors.values import Duration, Secret, Size, Strict, Text, parse_duration, reference_in

if TYPE_CHECKING:
    from connectors.auth import Auth
    from connectors.base import Context
    from connectors.http import HttpClient
    from connectors.network import Tls
    from connectors.outcome import Rule
    from connectors.redact import Redactor


def _url(text: str) -> str:
    try:
        url = parse(text, error=ConfigError)
    except ConfigError as error:
        raise ValueError(f"{error.what} Do: {error.do}") from None
    if url.query:
        raise ValueError("the URL has a query; write only scheme, host, port and path")
    return text


def _rate(text: str) -> str:
    try:
        parse_rate(text)
    except ConfigError as error:
        raise ValueError(f"{error.what} Do: {error.do}") from None
    return text


def _password(value: tuple[str, str] | None) -> tuple[str, str] | None:
    if value is not None and reference_in(value[1]) is None:
        raise ValueError("the password must be a reference: env:NAME or file:PATH")
    return value


UrlText = Annotated[Text, AfterValidator(_url)]
RateText = Annotated[str, AfterValidator(_rate)]
UserAndPassword = Annotated[tuple[Text, str] | None, AfterValidator(_password)]


class TlsSettings(Strict):
    """How the server's certificate is judged where no public authority signed it."""

    ca: str | None = Field(
        None, pattern="^file:.+", description="PEM of the own authority: file:PATH"
    )
    pin: str | None = Field(
        None, pattern="^sha256:[0-9A-Fa-f:]{64,95}$", description="sha256:<fingerprint>"
    )
    verify: bool = Field(True, description="false only together with allow_private; warned")


class LoginSettings(Strict):
    """A user with a password, or a key; every secret is a reference: env:NAME or file:PATH."""

    basic: UserAndPassword = Field(None, description="[user, password reference]")
    bearer: Secret | None = Field(None, description="Key sent as Authorization: Bearer")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.basic is None) == (self.bearer is None):
            raise ValueError("auth needs either basic or bearer")
        return self


class OriginSettings(Strict):
    """Where a system is, and how patiently it is asked."""

    base_url: UrlText = Field(description="https://host:port; no other host is spoken to")
    allow_private: bool = Field(
        False, description="Private and loopback addresses, plain http included"
    )
    allow_plain_http: bool = Field(False, description="Plain http to public addresses, too")
    tls: TlsSettings | None = Field(None, description="Certificates that no authority signed")
    rate: RateText | None = Field(None, description="Most requests: 5/s, 100/m, 1000/h, 10000/d")
    timeout: Duration = Field(
        default=parse_duration("120s"), description="Longest time of one request, in all"
    )
    attempts: int = Field(6, ge=1, le=20, description="Attempts of one request")
    patience: Duration = Field(
        default=parse_duration("5m"),
        description="Longest pause that a run makes when the system asks for it",
    )
    max_bytes: Size = Field(default=64_000_000, description="Largest answer, unpacked")

    @model_validator(mode="after")
    def _switches(self) -> Self:
        if self.tls is not None and not self.tls.verify and not self.allow_private:
            raise ValueError("tls.verify: false goes only together with allow_private: true")
        if self.base_url.lower().startswith("http:") and not (
            self.allow_private or self.allow_plain_http
        ):
            raise ValueError(
                "plain http needs allow_private: true (own network) or allow_plain_http: true"
            )
        return self


def secret_reader(context: Context, redactor: Redactor) -> Callable[[str], str]:
    """Return a resolver of references whose values the redactor learns; raises ConfigError."""

    def read(reference: str) -> str:
        try:
            value = context.secret(reference).strip()
        except (LookupError, OSError):
            raise ConfigError(
                f"The secret {reference} cannot be read.",
                "set the variable (in .env or the environment) or make the file.",
            ) from None
        if not value:
            raise ConfigError(f"The secret {reference} is empty.", "give it a value.")
        if any(ord(c) < 32 or ord(c) == 127 for c in value):
            raise ConfigError(
                f"The secret {reference} has control characters inside.",
                "check that it is one line of text.",
            )
        redactor.add(value)
        return value

    return read


def make_client(
    settings: OriginSettings,
    context: Context,
    redactor: Redactor,
    auth: Auth | None = None,
    rules: tuple[Rule, ...] = (),
) -> HttpClient:
    """Return a client of the origin. All that are made of one context share its rate budget."""
    from connectors.address import AddressRules
    from connectors.decode import Caps
    from connectors.http import HttpClient, Limits

    caps = Caps(max_bytes=settings.max_bytes, seconds=settings.timeout.total_seconds())
    return HttpClient(
        settings.base_url,
        context,
        auth=auth,
        address=AddressRules(settings.allow_private, settings.allow_plain_http),
        tls=_tls(settings.tls, context),
        rate=parse_rate(settings.rate) if settings.rate else None,
        rules=rules,
        limits=Limits(caps, settings.attempts, settings.patience.total_seconds()),
        redactor=redactor,
    )


def _tls(settings: TlsSettings | None, context: Context) -> Tls | None:
    from connectors.network import Tls

    if settings is None:
        return None
    try:
        ca = context.secret(settings.ca) if settings.ca else ""
    except (LookupError, OSError):
        raise ConfigError(f"tls.ca {settings.ca} cannot be read.", "check the path.") from None
    return Tls(ca=ca, pin=settings.pin or "", verify=settings.verify)
