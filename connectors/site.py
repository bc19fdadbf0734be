"""Settings that connectors over HTTP share: where the system stands, its certificate, the rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from connectors.address import parse
from connectors.base import Context
from connectors.errors import ConfigError
from connectors.rate import parse_rate
from connectors.redact import Redactor
from connectors.values import Strict, Text

if TYPE_CHECKING:
    from connectors.network import Tls


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


UrlText = Annotated[Text, AfterValidator(as_value_error(_url))]
RateText = Annotated[str, AfterValidator(as_value_error(parse_rate))]


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
