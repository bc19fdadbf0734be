"""Settings of a `rest` connection: the whole of `config:`."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from connectors.rest.streams import AnswerRule, StreamSettings
from connectors.rest.values import ConditionText, Headers, PathText
from connectors.site import RateText, TlsSettings, UrlText, UserAndPassword, check_switches
from connectors.values import (
    Duration,
    Secret,
    Size,
    Strict,
    Text,
    parse_duration,
    stream_names,
)


class OAuth2Settings(Strict):
    """Client credentials (RFC 6749 section 4.4), or a refresh token (section 6)."""

    token_url: UrlText = Field(description="Where tokens are given out")
    client_id: Text = Field(description="Id of the technical client, or env:NAME")
    client_secret: Secret = Field(description="env:NAME or file:PATH")
    refresh_token: Secret | None = Field(
        None, description="First refresh token: env:NAME or file:PATH; later ones are kept"
    )
    scope: Text = Field("", description="Scopes, separated by spaces")
    client_in: str = Field(
        "body", pattern="^(body|basic)$", description="Where id and secret go: body or basic"
    )


class AuthSettings(Strict):
    """Exactly one way; every secret is a reference: env:NAME or file:PATH."""

    bearer: Secret | None = Field(None, description="Token sent as Authorization: Bearer")
    basic: UserAndPassword = Field(None, description="[user, password reference]")
    header: dict[str, Secret] | None = Field(None, description="{X-Api-Key: env:NAME}")
    query: dict[str, Secret] | None = Field(None, description="{access_token: env:NAME}")
    oauth2: OAuth2Settings | None = Field(
        None, description="OAuth 2 client credentials or refresh token"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"auth needs one of bearer, basic, header, query, oauth2; has {found}")
        return self


class RestSettings(Strict):
    """A system that answers JSON over HTTP."""

    base_url: UrlText = Field(description="https://host/path; no other host is spoken to")
    allow_private: bool = Field(
        False, description="Private and loopback addresses, plain http included"
    )
    allow_plain_http: bool = Field(False, description="Plain http to public addresses, too")
    auth: AuthSettings | None = Field(None, description="How requests prove who asks")
    rate: RateText | None = Field(
        None, description="Most requests: 5/s, 100/20s, 10000/d; several together: 5/s, 100/m"
    )
    headers: Headers = Field(default={}, description="Headers of every request")
    tls: TlsSettings | None = Field(None, description="Certificates that no authority signed")
    timeout: Duration = Field(
        default=parse_duration("120s"), description="Longest time of one request, in all"
    )
    attempts: int = Field(6, ge=1, le=20, description="Attempts of one request")
    patience: Duration = Field(
        default=parse_duration("5m"),
        description="Longest pause that a run makes when the system asks for it",
    )
    max_bytes: Size = Field(default=64_000_000, description="Largest answer, unpacked")
    max_ratio: int = Field(200, ge=2, description="Largest answer unpacked over packed")
    encoding: str = Field(
        "", description="Encoding of the answers where they do not say it right, e.g. gb18030"
    )
    ok: ConditionText | None = Field(None, description="Default of the streams' ok")
    message: PathText = Field("", description="Default of the streams' message")
    answers: tuple[AnswerRule, ...] = Field((), description="What answers mean, first that holds")
    streams: dict[str, StreamSettings] = Field(min_length=1, description="The lists, by name")

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            "".encode(value or "utf-8")
        except LookupError:
            raise ValueError("there is no such encoding; write gb18030, big5, utf-8") from None
        return value

    _names = field_validator("streams")(stream_names)

    @model_validator(mode="after")
    def _switches(self) -> Self:
        check_switches(
            self.base_url, self.tls,
            allow_private=self.allow_private, allow_plain_http=self.allow_plain_http,
        )  # fmt: skip
        return self
