"""Settings of a `jushuitan` connection: the whole of `config:`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from connectors.base import ChangedSince
from connectors.jushuitan.catalogue import STREAMS
from connectors.named import names_of
from connectors.site import RateText, SiteSettings, UrlText
from connectors.values import Duration, Secret, Words, parse_duration

LONGEST = timedelta(days=6)
FORMAT = "%Y-%m-%d %H:%M:%S"
SPAN = timedelta(days=7) - timedelta(minutes=1)
"""The longest window; the system refuses more than 7 days."""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | int) else value


def _apart(value: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(value)) < len(value):
        raise ValueError("a warehouse stands twice")
    if 0 in value and len(value) > 1:
        raise ValueError("0 is the sum of all warehouses: beside others it would count twice")
    return value


def _short(value: timedelta) -> timedelta:
    if value > LONGEST:
        raise ValueError("the system takes 7 days at once: 6d at most")
    return value


Warehouses = Annotated[
    tuple[Annotated[int, Field(ge=0)], ...], BeforeValidator(_listed), AfterValidator(_apart)
]


class JushuitanSettings(SiteSettings):
    """An app of the open platform and the merchant (商家) that it reads."""

    base_url: UrlText = Field(
        "https://openapi.jushuitan.com",
        description="The open platform; https://dev-api.jushuitan.com is its sandbox. No other "
        "host is spoken to",
    )
    app_key: Secret = Field(description="AppKey of the app: env:NAME or file:PATH")
    app_secret: Secret = Field(description="AppSecret of the app: env:NAME or file:PATH")
    auth: Literal["self_built", "merchant"] = Field(
        "self_built",
        description="self_built: an app of the merchant's own (自有商城应用), which fetches its "
        "token by itself; merchant: an ISV's app, which a merchant authorised by a code",
    )
    code: Secret | None = Field(
        None,
        description="With auth: merchant alone: the authorisation code (授权码): env:NAME or "
        "file:PATH. A new one is put in its place after a new authorisation",
    )
    since: date = Field(
        description="Lists that go by the time of change are read from this day on: 2024-01-01"
    )
    start_ts: int = Field(
        0,
        ge=0,
        description="Orders, shipments and stock are read from this ts on; 0: all that are there",
    )
    warehouses: Warehouses = Field(
        (0,),
        min_length=1,
        description="分仓编号 (wms_co_id) whose stock is read, a row each; 0: the sum of all",
    )
    skip: Annotated[Words, AfterValidator(names_of(STREAMS))] = Field(
        (), description="Streams that are not read"
    )
    page_size: int = Field(
        100, ge=1, le=100, description="Most records of a page; a path's own limit is kept, too"
    )
    lookback: Annotated[Duration, AfterValidator(_short)] = Field(
        default=parse_duration("10m"), description="Read again on every run, for late commits"
    )
    lag: Annotated[Duration, AfterValidator(_short)] = Field(
        default=parse_duration("5s"),
        description="The bookmark stays this far behind the server's clock",
    )
    rate: RateText | None = Field(
        "5/s, 100/m", description="Most requests: the vendor's limits of an app and merchant"
    )

    def changed_since(self) -> ChangedSince:
        """Return how changes are found in lists that go by the time of change."""
        begin, end = "modified_begin", "modified_end"
        return ChangedSince("modified", begin, self.lookback, self.lag, FORMAT, end, SPAN)

    @classmethod
    def lacks(cls, given: Mapping[str, Any]) -> str:
        """Return what is missing of the credentials."""
        if (given["auth"] == "merchant") != (given["code"] is not None):
            return "auth: merchant needs code, and auth: self_built takes none"
        return ""
