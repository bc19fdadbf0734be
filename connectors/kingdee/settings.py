"""Settings of a `kingdee` connection: the whole of `config:`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from connectors.kingdee.catalogue import LICENSED, STREAMS
from connectors.named import meant, names_of
from connectors.site import RateText, SiteSettings
from connectors.values import Duration, Secret, Text, Words, parse_duration

_FIELD = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"
FieldKey = Annotated[str, Field(pattern=f"^({_FIELD})?$")]
Names = dict[str, dict[str, FieldKey]]
More = dict[str, tuple[Annotated[str, Field(pattern=f"^{_FIELD}$")], ...]]


def _renamed(value: Names) -> Names:
    names_of(STREAMS)(tuple(value))
    for stream, names in value.items():
        source = STREAMS[stream]
        known = (*source.names, *((source.lines.each,) if source.lines else ()))
        for name in names:
            if name not in known:
                raise ValueError(
                    f"{stream} has no field {name[:60]!r}.{meant(name, known)} "
                    "Fields that are read besides stand under more:"
                )
    return value


def _of_streams(value: More) -> More:
    names_of(STREAMS)(tuple(value))
    return value


class KingdeeSettings(SiteSettings):
    """A site of 金蝶云·星空 and one of its accounts (账套)."""

    account: Text = Field(
        pattern="^[0-9A-Za-z]{1,40}$", description="账套ID (acctID, dbId): 13 or 14 signs"
    )
    user: Text = Field(
        pattern=r"^[^,\x00-\x1f]+$", description="The integration user (集成用户), by its name"
    )
    app_id: Secret | None = Field(
        None,
        description="应用ID of 第三方系统登录授权, <number>_<32 signs>: env:NAME or file:PATH, for "
        "the 32 signs are a secret in a thin cover",
    )
    app_secret: Secret | None = Field(None, description="应用密钥: env:NAME or file:PATH")
    password: Secret | None = Field(
        None, description="The user's password, with login: password alone"
    )
    login: Literal["signed", "app_secret", "password"] = Field(
        "signed",
        description="signed: each request is; app_secret: a session with the app's secret; "
        "password: one with the user's password, for old sites",
    )
    language: Literal[2052, 1033, 3076] = Field(
        2052, description="2052 简体中文, 1033 English, 3076 繁體中文"
    )
    organisation: Text = Field(
        "0", pattern=r"^[^,\s]+$", description="组织编码 that signs; 0 is the user's own"
    )
    organisations: Words = Field(
        (), description="组织编码 of those that are read; default: all that the user may see"
    )
    query: Literal["execute", "bill"] = Field(
        "execute",
        description="execute: ExecuteBillQuery, which all releases have; bill: BillQuery",
    )
    metadata: bool = Field(
        True, description="Ask QueryBusinessInfo which fields a form has; false where it is refused"
    )
    names: Annotated[Names, AfterValidator(_renamed)] = Field(
        default_factory=dict,
        description="Fields that have another key here: {orders: {FDate: FBILLDATE}}; an "
        "empty one is left out",
    )
    more: Annotated[More, AfterValidator(_of_streams)] = Field(
        default_factory=dict,
        description="Fields that are read besides, one's own too: {orders: [F_ABCD_Channel]}",
    )
    skip: Annotated[Words, AfterValidator(names_of(STREAMS))] = Field(
        LICENSED, description="Streams that are not read"
    )
    rows: int = Field(2000, ge=1, le=10_000, description="Most rows of one request (Limit)")
    lookback: Duration = Field(
        default=parse_duration("10m"), description="Read again on every run, for late commits"
    )
    lag: Duration = Field(
        default=parse_duration("5s"),
        description="The bookmark stays this far behind the server's clock",
    )
    reread: Duration = Field(
        default=parse_duration("1d"),
        description="How often documents that are still open are read again, stamp or not",
    )
    rate: RateText | None = Field("5/s", description="Most requests; the vendor names no limit")

    @classmethod
    def lacks(cls, given: Mapping[str, Any]) -> str:
        """Return what is missing of the credentials."""
        login = given["login"]
        if login == "password":
            return "" if given["password"] is not None else "login: password needs password"
        if login in ("signed", "app_secret") and None in (given["app_id"], given["app_secret"]):
            return f"login: {login} needs app_id and app_secret"
        return ""
