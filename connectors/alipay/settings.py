"""Settings of an `alipay` connection: the whole of `config:`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.address import parse
from connectors.alipay.catalogue import RARE, STREAMS
from connectors.errors import ConfigError
from connectors.named import names_of
from connectors.site import RateText, SiteSettings, UrlText, check_switches
from connectors.values import Duration, Secret, Size, Text, Words, parse_duration

EARLIEST = date(2016, 1, 1)
"""The vendor's page: days before have no bill that can be downloaded."""
LONGEST = timedelta(days=31)


def _window(value: timedelta) -> timedelta:
    if not timedelta(minutes=1) <= value <= LONGEST:
        raise ValueError("must be between 1m and 31d: the vendor refuses longer stretches")
    return value


Certificate = Annotated[str, Field(pattern="^(file|env):.+")]


class AlipaySettings(SiteSettings):
    """One app of the open platform, and the account that it may read."""

    app_id: Text = Field(description="应用 APPID, 16 digits and more", pattern="^[0-9]{10,32}$")
    private_key: Secret = Field(
        description="应用私钥: file:PATH or env:NAME of PEM or bare base64, PKCS1 or PKCS8"
    )
    alipay_public_key: Secret | None = Field(
        None,
        description="支付宝公钥 (not 应用公钥): env:NAME or file:PATH; answers are proved by it",
    )
    app_cert: Certificate | None = Field(
        None, description="With certificates in place of the key: appCertPublicKey_….crt, file:PATH"
    )
    alipay_cert: Certificate | None = Field(
        None, description="alipayCertPublicKey_RSA2.crt, file:PATH"
    )
    alipay_root_cert: Certificate | None = Field(None, description="alipayRootCert.crt, file:PATH")
    app_auth_token: Secret | None = Field(
        None, description="env:NAME or file:PATH where a service provider reads for a merchant"
    )
    since: date = Field(description="First day that is read: 2026-01-01")
    movements: Literal["bill", "log"] = Field(
        "bill",
        description="Which stream is the money: bill (account_bill, a day late, complete) or log "
        "(account_log, at once; a right of its own). Never both: each tells of all movements",
    )
    skip: Annotated[Words, AfterValidator(names_of(STREAMS))] = Field(
        RARE, description="Streams that are not read"
    )
    ready: time = Field(
        time(9, 30), description="Beijing time at which the bill of the day before is asked for"
    )
    missing: Duration = Field(
        default=parse_duration("3d"),
        description="So long a bill that is not there is asked for again; then the day had none",
    )
    lookback: Duration = Field(
        default=parse_duration("3d"),
        description="Bills of so many days are downloaded again, for what was corrected; of the "
        "lists by time: what is read again on every run",
    )
    reread: Duration = Field(
        default=parse_duration("20h"),
        description="How often they are: not at every run of an hourly schedule",
    )
    proof: Literal["refuse", "warn"] = Field(
        "refuse",
        description="A bill whose rows are not those that its own tail or summary counts: refuse "
        "lands nothing of it and the run fails, warn lands it and says so",
    )
    window: Annotated[Duration, AfterValidator(_window)] = Field(
        default=LONGEST, description="Lists are asked in stretches of so long; at most 31d"
    )
    rows: int = Field(2000, ge=1, le=2000, description="Most entries of one page of a list")
    base_url: UrlText = Field(
        "https://openapi.alipay.com/gateway.do", description="The gateway; another for the sandbox"
    )
    download_url: UrlText = Field(
        "https://dwbillcenter.alipay.com",
        description="The one further host: bills are fetched from there, without any credentials",
    )
    rate: RateText | None = Field("5/s", description="Most requests; the vendor tells no figure")
    max_bytes: Size = Field(default=64_000_000, description="Largest answer and largest ZIP")
    max_unpacked: Size = Field(default=2 * 10**9, description="Largest bill, unpacked")
    max_ratio: int = Field(200, ge=2, description="Largest size of a bill unpacked over packed")

    @classmethod
    def lacks(cls, given: Mapping[str, Any]) -> str:
        """Return what is missing of the credentials."""
        certificates = [given[n] for n in ("app_cert", "alipay_cert", "alipay_root_cert")]
        if given["alipay_public_key"] is not None and any(certificates):
            return "give alipay_public_key or the three certificates, not both"
        if given["alipay_public_key"] is None and not all(certificates):
            return "give alipay_public_key, or all of app_cert, alipay_cert and alipay_root_cert"
        return ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.since < EARLIEST:
            raise ValueError("since: the vendor keeps bills from 2016-01-01 on")
        check_switches(
            self.download_url, self.tls,
            allow_private=self.allow_private, allow_plain_http=self.allow_plain_http,
        )  # fmt: skip
        if parse(self.download_url, error=ConfigError).path not in ("", "/"):
            raise ValueError("download_url: is a host alone: https://dwbillcenter.alipay.com")
        return self
