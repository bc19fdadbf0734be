"""The company's settings (FORMS.md section 2): one file, everything in it optional."""

from __future__ import annotations

import zoneinfo
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipelines.secrets import is_reference
from pipelines.units import Duration, Share, Size


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tolerance(_Strict):
    """How far two systems may differ before a break is reported."""

    amount: str = Field("0.01", pattern=r"^\d{1,12}(\.\d{1,4})?$", description="Money, in units.")
    transit: Duration = Field(timedelta(days=3), description="Time goods may be under way.")


class RuleFile(_Strict):
    """How one rule of reconciliation is kept; what is not said is the rule's or the company's."""

    severity: Literal["error", "warning", "info"] | None = Field(None, description="How bad it is.")
    tolerance: str | None = Field(
        None, pattern=r"^\d{1,12}(\.\d{1,4})?$", description="Money or pieces it may differ by."
    )
    transit: Duration | None = Field(None, description="Time in which it counts as under way.")
    since: date | None = Field(None, description="What happened before is not looked at.")
    off: bool = Field(False, description="Switched off: it leaves no open break.")


class Keep(_Strict):
    """How long things are kept."""

    landing: Duration = Field(
        timedelta(days=400), description="Not acted on: nothing that was landed is ever dropped."
    )
    published: int = Field(5, ge=1, le=1000, description="Published versions.")
    runs: Duration = Field(timedelta(days=90), description="History of runs.")


class Alert(_Strict):
    """Where a failure is told to; `to` is a reference to an apprise address."""

    to: str
    severity: Literal["error", "warning"] = Field(
        "error", description="error: what stops data; warning: what waits for a person, too."
    )
    language: Literal["en", "zh"] | None = Field(
        None, description="Of the messages; default: that of the process."
    )

    @field_validator("to")
    @classmethod
    def _reference(cls, value: str) -> str:
        if not is_reference(value):
            raise ValueError("an address holds a key: write env:NAME or file:PATH in its place")
        return value


class Export(_Strict):
    """Marts as files in a shared folder, for people without DuckDB."""

    folder: str = Field(min_length=1, description="Where; from the folder that holds defs.")
    at: str = Field(
        "02:30",
        pattern=r"^(([01]\d|2[0-3]):[0-5]\d|never)$",
        description="When each night, in the company's time zone: HH:MM, or never.",
    )
    marts: list[str] = Field(default_factory=list, description="Which; none named: all of them.")
    formats: list[Literal["xlsx", "parquet"]] = Field(
        ["xlsx", "parquet"], min_length=1, description="xlsx, parquet."
    )


class CompanyFile(_Strict):
    """Settings of the whole company; every one has a default."""

    base_currency: str = Field("CNY", pattern=r"^[A-Z]{3}$", description="ISO 4217 code.")
    timezone: str = Field("UTC", description="Zone of connections that name none.")
    priority: dict[str, list[str]] = Field(
        default_factory=dict, description="Who wins: entity or entity.field -> connections."
    )
    sku_aliases: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="Connection -> its SKU -> the SKU that the other systems know the item by.",
    )
    tolerance: Tolerance = Tolerance()
    reconcile: dict[str, RuleFile] = Field(
        default_factory=dict, description="Rules of reconciliation by name, where kept otherwise."
    )
    privacy: Literal["masked", "clear"] = Field(
        "masked", description="What is published: personal data masked, or in clear."
    )
    publish_every: Duration = Field(timedelta(seconds=60), description="Least pause of publishing.")
    keep: Keep = Keep()
    min_free: Size = Field(2_000_000_000, description="Free disk below which nothing is read.")
    quarantine_limit: Share = Field(
        0.05, description="Share of a read's records in quarantine above which the check fails."
    )
    verify: Literal["nightly", "never"] = Field(
        "nightly", description="Whether connections that say nothing of it are proved complete."
    )
    alerts: list[Alert] = []
    digest: str = Field(
        "09:00",
        pattern=r"^(([01]\d|2[0-3]):[0-5]\d|never)$",
        description="When each address of `alerts` is told how all is: HH:MM, or never.",
    )

    export: Export | None = Field(None, description="Marts as Excel and Parquet, every night.")

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return known_zone(value)


def known_zone(value: str) -> str:
    """Return `value` if it is an IANA time zone; raises ValueError with the form."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value!r} is not a time zone; write one like Asia/Shanghai") from None
    return value
