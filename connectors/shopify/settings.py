"""Settings of a `shopify` connection: the whole of `config:`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.address import parse
from connectors.errors import ConfigError
from connectors.named import names_of
from connectors.shopify.catalogue import STREAMS
from connectors.site import SiteSettings, UrlText, check_switches
from connectors.values import Duration, Secret, Text, Words, parse_duration

VERSION = "2026-10"
"""The version that the queries were held against; each lives about twelve months."""
SHOPS = ".myshopify.com"


class ShopifySettings(SiteSettings):
    """One shop, read by an app that may only read."""

    base_url: UrlText = Field(description="https://<shop>.myshopify.com, not the shop's own domain")
    token: Secret | None = Field(
        None, description="env:NAME or file:PATH of the permanent token (shpat_…) of an old app"
    )
    client_id: Text | None = Field(
        None, description="Client id of an app of the Dev Dashboard, in place of token"
    )
    client_secret: Secret | None = Field(
        None, description="env:NAME or file:PATH of that app's client secret"
    )
    version: Text = Field(
        VERSION, pattern="^20[0-9]{2}-(01|04|07|10)$", description="API version, a quarter"
    )
    personal: bool = Field(
        True,
        description="Ask for names, e-mails, phones and addresses; false where the app has no "
        "approval for protected customer data",
    )
    skip: Annotated[Words, AfterValidator(names_of(STREAMS))] = Field(
        (), description="Streams that are not read"
    )
    lookback: Duration = Field(
        default=parse_duration("10m"),
        description="Read again on every run, for what the search index shows late",
    )
    lag: Duration = Field(
        default=parse_duration("5s"),
        description="The bookmark stays this far behind the shop's clock",
    )
    reread: Duration = Field(
        default=parse_duration("1d"),
        description="How often orders of the last 30 days are read again, stamp or not, and the "
        "variants of products that changed",
    )
    bulk: bool = Field(True, description="Long reads by bulk operation; false reads all in pages")
    bulk_above: int = Field(
        5000, ge=0, description="Objects above which a whole read is a bulk operation"
    )
    bulk_wait: Duration = Field(
        default=parse_duration("5m"),
        description="How long a run waits for a bulk operation; the next one goes on with it",
    )
    download_url: UrlText = Field(
        "https://storage.googleapis.com",
        description="The only place that files of bulk operations are fetched from, without token",
    )

    @classmethod
    def lacks(cls, given: Mapping[str, Any]) -> str:
        """Return what is missing of the credentials."""
        pair = (given["client_id"], given["client_secret"])
        if (given["token"] is None) == (pair == (None, None)):
            return "give either client_id and client_secret of an app, or token of an old one"
        if given["token"] is None and None in pair:
            return "client_id and client_secret go together"
        return ""

    @model_validator(mode="after")
    def _shop(self) -> Self:
        host = parse(self.base_url, error=ConfigError).origin.host
        if not host.endswith(SHOPS) and not (self.allow_private or self.allow_plain_http):
            raise ValueError(
                f"base_url must be https://<shop>{SHOPS}; a token is not sent to another domain"
            )
        check_switches(
            self.download_url, self.tls,
            allow_private=self.allow_private, allow_plain_http=self.allow_plain_http,
        )  # fmt: skip
        return self
