"""Settings of a `kuaidi100` connection: the whole of `config:`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from connectors.kuaidi100.carriers import plain
from connectors.site import RateText, SiteSettings, UrlText
from connectors.values import Duration, Secret, Text, Words, parse_duration

LEAST = timedelta(minutes=30)
"""The vendor asks not to query one number more often than every 30 to 60 minutes."""


def _names(value: dict[str, str]) -> dict[str, str]:
    for name in value:
        if not plain(name):
            raise ValueError(f"carriers: {name[:40]!r} has no letter and no digit")
    return value


def _not_often(value: timedelta) -> timedelta:
    if value < LEAST:
        raise ValueError("every: the vendor forbids less than 30m for one number")
    return value


def _days(value: timedelta) -> timedelta:
    if not timedelta(days=1) <= value <= timedelta(days=170):
        raise ValueError("max_age: 1d to 170d; carriers use a number again after half a year")
    return value


Code = Annotated[str, Field(pattern="^[a-z0-9_]{1,40}$")]
Every = Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_not_often)]
Age = Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_days)]


class Kuaidi100Settings(SiteSettings):
    """A company's account at 快递100."""

    base_url: UrlText = Field(
        "https://poll.kuaidi100.com", description="The enterprise API; no other host is spoken to"
    )
    customer: Text = Field(
        pattern=r"^[0-9A-Za-z]{4,64}$", description="The company's id (customer, 授权参数)"
    )
    key: Secret = Field(description="授权key: env:NAME or file:PATH")
    daily_quota: int | None = Field(
        None, ge=1, le=10_000_000,
        description="Most queries within 24 hours, over all runs; each one is billed",
    )  # fmt: skip
    every: Every = Field(
        default=timedelta(hours=1), description="One parcel is asked for again after so long"
    )
    max_every: Duration = Field(
        default=timedelta(days=1),
        description="The longest time between two questions for a parcel of which nothing is found",
    )
    max_age: Age = Field(
        default=timedelta(days=45), description="Parcels that left longer ago are not asked for"
    )
    carriers: Annotated[dict[str, Code], AfterValidator(_names)] = Field(
        default_factory=dict,
        description="Names of carriers that the table lacks: {专线快递: suning}",
    )
    guess: bool = Field(
        False, description="Guess an unknown carrier by how the number begins (SF, YT, JT, JD, DPK)"
    )
    needs_phone: Words = Field(
        ("shunfeng", "shunfengkuaiyun"),
        description="Carriers that are not asked for without the last four digits of a phone",
    )
    sender_phone: Text | None = Field(
        None, pattern="^[0-9]{4}([0-9]{7})?$",
        description="Phone of the sender or its last four digits, where a parcel has none",
    )  # fmt: skip
    detail: Literal["0", "1", "4", "8"] = Field(
        "4", description="resultv2: 4 with sub-states and areas, 1 with states, 0 plain, 8 all"
    )
    sign_with_t: bool = Field(
        False, description="Sign MD5(param + t + key + customer), as some accounts are told to"
    )
    page: int = Field(20, ge=1, le=500, description="Parcels that are landed together")
    workers: int = Field(4, ge=1, le=16, description="Queries under way at once")
    rate: RateText | None = Field(
        "5/s", description="Most requests; the vendor's own limit is not published"
    )
    timeout: Duration = Field(
        default=parse_duration("30s"), description="Longest time of one request, in all"
    )
