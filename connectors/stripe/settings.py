"""Settings of a `stripe` connection: the whole of `config:`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from connectors.named import names_of
from connectors.site import RateText, SiteSettings, UrlText
from connectors.stripe.streams import STREAMS
from connectors.values import Duration, Secret, Text, Words, parse_duration

VERSION = "2026-10-28.endive"
"""The version that the vendor's client 16.1.0 for Python sends."""


def _long_enough(value: timedelta) -> timedelta:
    if value < timedelta(minutes=1):
        raise ValueError("must be a minute or longer")
    return value


Stretch = Annotated[Duration, AfterValidator(_long_enough)]


class StripeSettings(SiteSettings):
    """One account at Stripe, read with a key that may only read."""

    key: Secret = Field(
        description="env:NAME or file:PATH of a restricted key with read rights (rk_live_…)"
    )
    account: Text | None = Field(
        None, pattern="^acct_[A-Za-z0-9]+$", description="A connected account of a platform: acct_…"
    )
    version: Text = Field(
        VERSION,
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[a-z]+)?$",
        description="API version that is always asked for, whatever the account's default is",
    )
    base_url: UrlText = Field("https://api.stripe.com", description="Where the API stands")
    skip: Annotated[Words, AfterValidator(names_of(STREAMS))] = Field(
        (), description="Streams that are not read: those that the key may not read"
    )
    changes: Literal["events", "windows", "full"] = Field(
        "events",
        description="How changes are found: events, windows (objects of the last reread: again), "
        "or full (every run reads all)",
    )
    lookback: Stretch = Field(
        default=parse_duration("10m"),
        description="Read again on every run, for what was written late and clocks that differ",
    )
    window: Stretch = Field(
        default=parse_duration("1d"),
        description="Events are worked off in stretches of so long; after each the bookmark moves",
    )
    reread: Stretch = Field(
        default=parse_duration("90d"),
        description="Without events: objects made so long ago are read again on every run",
    )
    fees: bool = Field(
        True,
        description="Charges bring their fee and net amount, payouts what they settle; false "
        "where the key may not read balance transactions",
    )
    rate: RateText | None = Field(
        "20/s", description="Most requests; Stripe allows 25/s in a sandbox, 100/s live"
    )
    timeout: Duration = Field(
        default=parse_duration("80s"), description="Longest time of one request, in all"
    )
