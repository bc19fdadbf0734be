"""Settings of a `fxiaoke` connection: the whole of `config:`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.fxiaoke.catalogue import LINED, SELDOM, STREAMS, Object, Source, object_of
from connectors.named import meant, names_of
from connectors.site import RateText, SiteSettings, UrlText
from connectors.values import Duration, Secret, Strict, Text, Words, parse_duration, stream_names

HOSTS = (
    "open.fxiaoke.com", "open-hwcloud.fxiaoke.com", "open-ale.fxiaoke.com",
    "open-hws.fxiaoke.com", "open-ksc.sharecrm.com", "open-na.sharecrm.com",
)  # fmt: skip
"""The vendor's clouds that are known; which of them a tenant is on is told by no call."""

ApiName = Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_]{0,79}$")]
FieldName = Annotated[str, Field(pattern="^([A-Za-z_][A-Za-z0-9_]{0,79})?$")]
MoreName = Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]{0,79}|\*)$")]


class CustomStream(Strict):
    """An object of the tenant's own, or one that the catalogue does not know, read as a stream."""

    object: ApiName = Field(description="apiName, machine__c")
    lines: ApiName | None = Field(None, description="apiName of the object that is its lines")
    link: FieldName | None = Field(
        None, description="The field of a line that names its head; default: as describe says"
    )


Custom = Annotated[dict[str, CustomStream], AfterValidator(stream_names)]


class FxiaokeSettings(SiteSettings):
    """A tenant of 纷享销客, and the app and user that read it."""

    base_url: UrlText = Field(
        "https://open.fxiaoke.com",
        description="The tenant's cloud: open.fxiaoke.com, open-hwcloud, open-ale or open-hws"
        ".fxiaoke.com, open-ksc or open-na.sharecrm.com; no other host is spoken to",
    )
    app_id: Text = Field(pattern="^[0-9A-Za-z_-]{1,80}$", description="appId of the app, FSAID_…")
    app_secret: Secret = Field(description="appSecret: env:NAME or file:PATH")
    permanent_code: Secret = Field(description="permanentCode (永久授权码): env:NAME or file:PATH")
    auth_style: Literal["new", "legacy"] = Field(
        "new",
        description="new: token in the headers, users by employee id; legacy: in the body, FSUID_…",
    )
    user: Text | None = Field(
        None,
        pattern="^[0-9A-Za-z_-]{1,80}$",
        description="Who reads, a CRM administrator: employee id (new), FSUID_… (legacy). What "
        "this user may not see is missing without a word",
    )
    mobile: Secret | None = Field(
        None, description="That user's mobile number in place of user, with auth_style: legacy"
    )
    describe: bool = Field(
        True, description="Ask object/describe which fields there are; false where it is refused"
    )
    names: dict[ApiName, dict[FieldName, FieldName]] = Field(
        default_factory=dict,
        description="Fields that are called otherwise here: {CasesObj: {subject: title__c}}; an "
        "empty one is left out",
    )
    more: dict[ApiName, tuple[MoreName, ...]] = Field(
        default_factory=dict,
        description='Fields that are read besides, by object: {SalesOrderObj: [site__c]}; ["*"] is '
        "all of them",
    )
    custom: Custom = Field(
        default_factory=dict,
        description="Further streams: {machines: {object: machine__c, lines: part__c}}",
    )
    skip: Annotated[Words, AfterValidator(names_of(STREAMS))] = Field(
        SELDOM, description="Streams that are not read"
    )
    no_lines: Annotated[Words, AfterValidator(names_of(LINED))] = Field(
        (), description="Streams that are read without their lines, though they have some"
    )
    rows: int = Field(100, ge=1, le=100, description="Most records of one request (limit)")
    lookback: Duration = Field(
        default=parse_duration("10m"), description="Read again on every run, for late commits"
    )
    lag: Duration = Field(
        default=parse_duration("5s"),
        description="The bookmark stays this far behind the system's clock",
    )
    rate: RateText | None = Field(
        "100/20s per path", description="Most requests; the vendor's limit counts each path"
    )

    @property
    def sources(self) -> Mapping[str, Source]:
        """The catalogue's streams and the connection's own."""
        bare = {name: replace(STREAMS[name], lines=None) for name in self.no_lines}
        return {**STREAMS, **bare, **{name: _source(one) for name, one in self.custom.items()}}

    @classmethod
    def lacks(cls, given: Mapping[str, Any]) -> str:
        """Return what is missing of the one who reads."""
        style, user, mobile = (given[name] for name in ("auth_style", "user", "mobile"))
        if style == "new" and (user is None or mobile is not None):
            return "auth_style: new needs user (an employee id), and takes no mobile"
        if style == "legacy" and (user is None) == (mobile is None):
            return "auth_style: legacy needs user (FSUID_…) or mobile"
        return ""

    @model_validator(mode="after")
    def _objects(self) -> Self:
        for name in self.custom:
            if name in STREAMS:
                raise ValueError(f"custom: there is a stream {name!r} already")
        read = {one.api: one for source in self.sources.values() for one in source.objects}
        for setting, apis in (("names", self.names), ("more", self.more)):
            for api in apis:
                if api not in read:
                    raise ValueError(f"{setting}: no stream reads {api!r}.{meant(api, read)}")
        for api, names in self.names.items():
            known = read[api].fields
            for name in names:
                if name not in known:
                    raise ValueError(
                        f"{api} has no field {name!r} here.{meant(name, known)} "
                        "Fields that are read besides stand under more:"
                    )
        return self


def _source(one: CustomStream) -> Source:
    lines: Object | None = None
    if one.lines is not None:
        lines = object_of(one.lines, "", one.link or "")
    return Source(one.object, object_of(one.object, ""), lines)
