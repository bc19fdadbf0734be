"""Settings that connectors over HTTP share, and the client that is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from connectors.address import parse
from connectors.base import Context, Finding
from connectors.errors import ConfigError
from connectors.rate import Rate, parse_rates
from connectors.redact import Redactor
from connectors.together import Together
from connectors.values import Duration, Size, Strict, Text, parse_duration, reference_in

if TYPE_CHECKING:
    from connectors.auth import Auth
    from connectors.body import Path
    from connectors.http import HttpClient
    from connectors.network import Tls
    from connectors.outcome import Rule


def as_value_error(read: Callable[[str], Any]) -> Callable[[str], str]:
    """Return a validator that takes what `read` takes; its ConfigError becomes a ValueError."""

    def check(text: str) -> str:
        try:
            read(text)
        except ConfigError as error:
            raise ValueError(f"{error.what} Do: {error.do}") from None
        return text

    return check


def _url(text: str) -> None:
    if parse(text, error=ConfigError).query:
        raise ValueError("the URL has a query; put it into params: of the streams")


def _joined(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _password(value: tuple[str, str] | None) -> tuple[str, str] | None:
    if value is not None and value[1] and reference_in(value[1]) is None:
        raise ValueError("the password must be a reference: env:NAME or file:PATH")
    return value


UrlText = Annotated[Text, AfterValidator(as_value_error(_url))]
RateText = Annotated[str, BeforeValidator(_joined), AfterValidator(as_value_error(parse_rates))]
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


def check_switches(
    base_url: str, tls: TlsSettings | None, *, allow_private: bool, allow_plain_http: bool
) -> None:
    """Raise ValueError where the address or its certificate needs a switch that is not set."""
    if tls is not None and not tls.verify and not allow_private:
        raise ValueError("tls.verify: false goes only together with allow_private: true")
    if base_url.lower().startswith("http:") and not (allow_private or allow_plain_http):
        raise ValueError(
            "plain http needs allow_private: true (own network) or allow_plain_http: true"
        )


def tls_remarks(tls: TlsSettings | None) -> tuple[str, ...]:
    """Return what every run says of a certificate that is not looked at."""
    if tls is None or tls.verify:
        return ()
    return ("tls.verify is false: whoever stands in between can read and change all.",)


def tls_findings(tls: TlsSettings | None) -> Iterator[Finding]:
    """Yield what a check says of a certificate that is not looked at."""
    if tls is not None and not tls.verify:
        yield Finding("tls", None, "verify is false.", "give tls.ca or tls.pin instead.")


class SiteSettings(Together):
    """Where a system is, and how patiently it is asked."""

    base_url: UrlText = Field(description="https://host:port; no other host is spoken to")
    allow_private: bool = Field(
        False, description="Private and loopback addresses, plain http included"
    )
    allow_plain_http: bool = Field(False, description="Plain http to public addresses, too")
    tls: TlsSettings | None = Field(None, description="Certificates that no authority signed")
    rate: RateText | None = Field(
        None,
        description="Most requests: 5/s, 100/20s, 10000/d; several together: 5/s, 100/m; of each "
        "path by itself: 100/20s per path",
    )
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
        check_switches(
            self.base_url, self.tls,
            allow_private=self.allow_private, allow_plain_http=self.allow_plain_http,
        )  # fmt: skip
        return self


def make_tls(tls: TlsSettings | None, context: Context) -> Tls | None:
    """Return how the certificate is judged, None for the usual way; raises ConfigError."""
    if tls is None:
        return None
    from connectors.network import Tls  # settings are read where httpx is not needed

    try:
        ca = context.secret(tls.ca) if tls.ca else ""
    except (LookupError, OSError):
        raise ConfigError(f"tls.ca {tls.ca} cannot be read.", "check the path.") from None
    return Tls(ca=ca, pin=tls.pin or "", verify=tls.verify)


def secret_reader(
    context: Context, redactor: Redactor, *, lines: bool = False
) -> Callable[[str], str]:
    """Return a resolver of references whose values the redactor learns; raises ConfigError.

    `lines`: a value may have several, as keys and certificates in PEM have.
    """

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
        if any((ord(c) < 32 and not (lines and c in "\r\n")) or ord(c) == 127 for c in value):
            raise ConfigError(
                f"The secret {reference} has control characters inside.",
                "check that it is one line of text.",
            )
        redactor.add(value)
        return value

    return read


def make_client(
    settings: SiteSettings,
    context: Context,
    redactor: Redactor,
    auth: Auth | None = None,
    *,
    rules: tuple[Rule, ...] = (),
    headers: Mapping[str, str] | None = None,
    messages: tuple[Path, ...] = (),
    wrapped: bool = False,
    request_id: Path = (),
    limits: Sequence[Rate] = (),
) -> HttpClient:
    """Return a client of the site. All that are made of one context share its rate budget.

    `limits` hold beside those of the settings; for a client that asks for tokens, say.
    """
    from connectors.address import AddressRules
    from connectors.decode import Caps
    from connectors.http import HttpClient, Limits

    caps = Caps(max_bytes=settings.max_bytes, seconds=settings.timeout.total_seconds())
    return HttpClient(
        settings.base_url,
        context,
        auth=auth,
        headers=headers or {},
        address=AddressRules(settings.allow_private, settings.allow_plain_http),
        tls=make_tls(settings.tls, context),
        rate=(*(parse_rates(settings.rate) if settings.rate else ()), *limits),
        rules=rules,
        limits=Limits(caps, settings.attempts, settings.patience.total_seconds()),
        redactor=redactor,
        messages=messages,
        wrapped=wrapped,
        request_id=request_id,
    )
