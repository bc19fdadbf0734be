"""Settings of one stream of a `rest` connection: requests, paging, changes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote

from pydantic import BeforeValidator, Field, field_validator, model_validator

from connectors.outcome import Outcome
from connectors.rest.values import (
    ConditionText,
    Constants,
    FormatText,
    Headers,
    PathText,
    no_secrets,
)
from connectors.values import Duration, Strict, Text, Words, parse_duration

Place = Literal["query", "body"]
_STYLES: dict[str, set[str]] = {
    "cursor": {"param"},
    "page": {"size", "from", "pages"},
    "offset": {"limit"},
    "next": set(),
    "last": {"param"},
}


class PagingSettings(Strict):
    """How the list goes on: exactly one of cursor, page, offset, next, last."""

    cursor: PathText | None = Field(None, description="Path of the cursor in the answer")
    param: Text | None = Field(None, description="Parameter that takes the cursor or last value")
    page: Text | None = Field(None, description="Parameter that takes the page number")
    size: Text | None = Field(
        None, description="Parameter of the page size (a number there only documents the size)"
    )
    from_: int = Field(1, alias="from", ge=0, le=1, description="Number of the first page: 1 or 0")
    pages: PathText | None = Field(None, description="Path of the number of pages, if answered")
    offset: Text | None = Field(None, description="Parameter that takes the offset")
    limit: Text | None = Field(None, description="Parameter of the page size; 100 unless in params")
    next: PathText | None = Field(
        None, description='Path of the link to the next page, or "link" for the Link header'
    )
    last: PathText | None = Field(
        None, description="Field of the last record that goes into param (keyset)"
    )
    more: PathText | None = Field(None, description="Path that is false on the last page")
    in_: Place | None = Field(
        None, alias="in", description="Where parameters go: query or body (JSON)"
    )

    @property
    def style(self) -> str:
        """Return which of the five styles it is."""
        return next(style for style in _STYLES if getattr(self, style) is not None)

    @model_validator(mode="after")
    def _one_style(self) -> Self:
        styles = [style for style in _STYLES if getattr(self, style) is not None]
        if len(styles) != 1:
            found = " and ".join(styles) or "none"
            raise ValueError(f"paging needs one of cursor, page, offset, next, last; has {found}")
        given = {name.rstrip("_") for name in self.model_fields_set}
        strange = given - _STYLES[styles[0]] - {styles[0], "more", "in"}
        if strange:
            raise ValueError(f"{', '.join(sorted(strange))} does not go with {styles[0]} paging")
        if "param" in _STYLES[styles[0]] and not self.param:
            raise ValueError(f"{styles[0]} paging needs param: the parameter's name")
        return self


def _start(value: Any) -> Any:
    return f"{value}T00:00:00+00:00" if isinstance(value, str) and len(value) == 10 else value


class ChangesSettings(Strict):
    """Changes are found by a stamp; without it every read is a full one."""

    since: PathText = Field(description="Field of the record that moves at every change")
    param: Text = Field(description="Parameter that takes the lower bound (inclusive)")
    lookback: Duration = Field(
        default=parse_duration("10m"), description="Read again on every run, for late commits"
    )
    lag: Duration = Field(
        default=parse_duration("5s"), description="The bookmark stays this far behind the clock"
    )
    format: FormatText = Field(
        "iso", description='How it is written: iso, epoch, epoch_ms or "%Y-%m-%d %H:%M:%S"'
    )
    until: Text | None = Field(None, description="Parameter that takes the upper bound")
    span: Duration | None = Field(
        None, description="Longest window that the system accepts, e.g. 7d; needs until"
    )
    start: Annotated[datetime | None, BeforeValidator(_start)] = Field(
        None, description="Where windows begin on the first load (default 2010-01-01)"
    )
    in_: Place | None = Field(None, alias="in", description="Where they go: query or body")

    @model_validator(mode="after")
    def _windows(self) -> Self:
        if self.span is not None and self.until is None:
            raise ValueError("span needs until: the parameter of the upper bound")
        if self.span is not None and self.span.total_seconds() < 60:
            raise ValueError("span must be a minute or longer")
        if self.start is not None and self.start.tzinfo is None:
            raise ValueError("start needs a zone: 2020-01-01 or 2020-01-01T00:00:00+08:00")
        return self


class AnswerRule(Strict):
    """One line of the table that says what an answer means, for systems with own habits."""

    status: Annotated[
        tuple[int, ...], BeforeValidator(lambda v: v if isinstance(v, list | tuple) else (v,))
    ] = Field((), description="HTTP status or a list of them; default any")
    when: ConditionText | None = Field(None, description="Condition on the body, e.g. code = 429")
    is_: Outcome = Field(
        alias="is",
        description="ok, empty, skip, retry, throttled, quota, refresh, denied, config or fatal",
    )
    after: PathText | None = Field(
        None, description="throttled, quota: path of the seconds to wait, or of the instant"
    )
    wait: Duration | None = Field(None, description="throttled, quota: how long, e.g. 20s")
    resets: str | None = Field(
        None,
        pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="quota: time of day (connection's zone) from which on it is there again",
    )

    @model_validator(mode="after")
    def _pauses(self) -> Self:
        given = [name for name in ("after", "wait", "resets") if getattr(self, name) is not None]
        if given and self.is_ not in ("throttled", "quota"):
            raise ValueError(f"{given[0]} goes with is: throttled or is: quota")
        if self.resets and self.is_ != "quota":
            raise ValueError("resets goes with is: quota")
        return self


class FeedSettings(Strict):
    """Changes are listed by the system: a token (or link) says where the next read goes on."""

    cursor: PathText = Field(
        description="Path of the token in the answer; of the delta link where there is no param"
    )
    param: Text | None = Field(
        None, description="Parameter that takes the token; without it the token is a link"
    )
    next: PathText | None = Field(
        None, description="Path of the link to the next page, before the delta link comes"
    )
    more: PathText | None = Field(
        None, description="Path that is false on the last page; default: an empty page is the last"
    )
    deleted: ConditionText | None = Field(
        None, description="Condition on a record that says that it is gone, e.g. removed = true"
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.param is not None and self.next is not None:
            raise ValueError("next is for links: leave out param, or next")
        if self.param is None and self.next is None:
            raise ValueError("feed needs param (a token) or next (links)")
        if self.next is not None and self.more is not None:
            raise ValueError("more goes with param: links end where there is no next")
        return self


class DetailSettings(Strict):
    """A call for each record of the list; its answer stands in the record's place."""

    path: Text = Field(
        min_length=1, description="Path below base_url with {key} in it: /orders/{key}"
    )
    params: Constants = Field(default={}, description="Constant query parameters; may hold {key}")
    record: PathText = Field("", description="Path of the record in the answer; default: the body")
    workers: int = Field(4, ge=1, le=16, description="Calls at a time")

    @model_validator(mode="after")
    def _keyed(self) -> Self:
        if not any("{key}" in text for text in (self.path, *self.params.values())):
            raise ValueError("detail needs {key} in path or params: the record's key goes there")
        if "://" in self.path or self.path.startswith("//") or re.search(r"[\s#\\]", self.path):
            raise ValueError("path stands below base_url: /orders/{key}; no host or space")
        return self


class StreamSettings(Strict):
    """One list of records."""

    path: Text = Field(min_length=1, description="Path below base_url, e.g. /orders")
    title: str = Field("", description="What people call it")
    method: Literal["GET", "POST"] = Field("GET", description="GET, or POST for a JSON body")
    params: Constants = Field(default={}, description="Constant query parameters")
    constants: dict[str, Any] = Field(
        default={}, alias="json", description="Constant members of the JSON body"
    )
    headers: Headers = Field(default={}, description="Headers of this stream")
    records: PathText = Field("", description="Path of the list; default: the body itself")
    key: Words = Field(min_length=1, description="Field, or list of fields, that names a record")
    paging: PagingSettings | None = Field(None, description="How the list goes on")
    changes: ChangesSettings | None = Field(
        None, description="How changes are found; default: full read every time"
    )
    total: PathText | None = Field(
        None, description="Path of the number of all records; proves a full read complete"
    )
    ok: ConditionText | None = Field(
        None, description="Condition on the body that must hold, e.g. code = 0"
    )
    message: PathText = Field("", description="Path of the system's message when ok does not hold")
    answers: tuple[AnswerRule, ...] = Field((), description="What this stream's answers mean")
    feed: FeedSettings | None = Field(
        None, description="The list is one of changes; in place of paging and changes"
    )
    detail: DetailSettings | None = Field(
        None, description="A call for each record, where the list does not say everything"
    )
    in_: Place | None = Field(
        None, alias="in", description="Where paging and changes parameters go: query or body"
    )

    @field_validator("constants")
    @classmethod
    def _constants(cls, value: dict[str, Any]) -> dict[str, Any]:
        return no_secrets(value)

    @field_validator("path")
    @classmethod
    def _below(cls, value: str) -> str:
        if "://" in value or value.startswith("//") or re.search(r"[\s#\\]", value):
            raise ValueError("path stands below base_url: /orders; no host, space or fragment")
        if any(unquote(part) in (".", "..") for part in re.split("/|%2[fF]", value.split("?")[0])):
            raise ValueError("path stands below base_url: no . or .. in it")
        return value

    @field_validator("key")
    @classmethod
    def _paths(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from connectors.body import parse_path
        from connectors.errors import ConfigError

        for part in value:
            try:
                path = parse_path(part)
            except ConfigError as error:
                raise ValueError(f"{error.what} Do: {error.do}") from None
            if any(isinstance(step, int) for step in path):
                raise ValueError("a key cannot reach into a list")
        return value

    @model_validator(mode="after")
    def _feeds(self) -> Self:
        if self.feed is not None:
            for name in ("paging", "changes", "total"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} does not go with feed")
        return self

    @model_validator(mode="after")
    def _bodies(self) -> Self:
        wants = [
            name
            for name, place in (
                ("json", "body" if self.constants else None),
                ("in", self.in_),
                ("paging.in", self.paging.in_ if self.paging else None),
                ("changes.in", self.changes.in_ if self.changes else None),
            )
            if place == "body"
        ]
        if wants and self.method == "GET":
            raise ValueError(f"{wants[0]} needs method: POST (a GET has no body)")
        return self
