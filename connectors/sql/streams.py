"""Settings of one stream of a `sql` connection: a table or a query, its key, how it changes."""

from __future__ import annotations

import codecs
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from connectors.changes import check_format
from connectors.errors import ConfigError
from connectors.values import Duration, Strict, Words, parse_duration


def _format(pattern: str) -> str:
    if pattern == "auto":
        return pattern
    check_format(pattern)
    parts = re.findall("%[-a-zA-Z]", pattern)
    if "%" in pattern and parts != ["%Y", "%m", "%d", "%H", "%M", "%S"][: len(parts)]:
        raise ValueError(
            "the database compares such stamps as texts: only year, month, day, hour, minute, "
            'second in this order can be read, as in "%Y%m%d%H%M%S"'
        )
    return pattern


def _encoding(name: str) -> str:
    try:
        codec = codecs.lookup(name)
        "".encode(codec.name)  # refuses rot13, hex and the like, which are not of text
    except (LookupError, TypeError):
        raise ValueError("there is no such text encoding; write gbk, gb18030, big5") from None
    # GB18030 holds all of GBK and GB2312, and columns said to be those often hold more.
    return "gb18030" if codec.name in ("gbk", "gb2312", "cp936") else codec.name


Encoding = Annotated[str, AfterValidator(_encoding)]
Format = Annotated[str, AfterValidator(_format)]


class ChangesSettings(Strict):
    """How changes are found: exactly one of since, number, rowversion."""

    since: Words = Field(
        (), description="Stamp that moves at every change; of a list the first that is not null"
    )
    number: str | None = Field(
        None, description="Number that only grows: an identity of rows that are never edited"
    )
    rowversion: str | None = Field(
        None, description="SQL Server's rowversion (timestamp) column, e.g. ufts of U8"
    )
    lookback: Duration = Field(
        default=parse_duration("10m"), description="Read again on every run, for late commits"
    )
    lag: Duration = Field(
        default=parse_duration("5s"),
        description="Rows younger than this are left for the next run",
    )
    behind: int = Field(
        default=1000, ge=0, description="With number or rowversion: how many are read again"
    )
    format: Format = Field(
        "auto",
        description='How a stamp stands in a text or number column: iso, epoch, epoch_ms or "%Y%m%d'
        '%H%M%S"; auto looks at the newest one',
    )

    @field_validator("since")
    @classmethod
    def _some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name the column of the stamp")
        return value

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [n for n in ("since", "number", "rowversion") if getattr(self, n)]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"changes needs one of since, number, rowversion; has {found}")
        said = self.model_fields_set
        stamps = {"lookback", "lag", "format"} & said
        if not self.since and stamps:
            raise ValueError(f"{min(stamps)} goes with since; beside {given[0]} write behind")
        if self.since and "behind" in said:
            raise ValueError("behind goes with number and rowversion; beside since write lookback")
        return self


class StreamSettings(Strict):
    """One table, view or query."""

    table: str | None = Field(None, min_length=1, description="Name of the table or view")
    query: str | None = Field(
        None, min_length=1, description="One SELECT in the database's own SQL, in place of table"
    )
    schema_: str | None = Field(
        None, alias="schema", min_length=1, description="Schema (owner) of the table, if not usual"
    )
    title: str = Field("", description="What people call it")
    key: Words = Field(
        min_length=1, description="Column, or list of columns, that names a row and is unique"
    )
    columns: Words = Field((), description="Only these columns of the table; default all")
    skip: Words = Field((), description="Columns of the table that are not read, e.g. pictures")
    changes: ChangesSettings | None = Field(
        None, description="How changes are found; default: full read every time"
    )
    decode: dict[str, Encoding] = Field(
        default={},
        description="Columns whose bytes the database labels wrongly, and their encoding: "
        "{cCusName: gbk}",
    )
    xml: Words = Field(
        (),
        description="Columns that `for xml raw` made, landed as JSON lists: SQL Server before 2016 "
        "has no for json",
    )
    trim: Literal["padding", "all", "none"] = Field(
        "padding",
        description="padding cuts the blanks that char(20) is filled with, all those at both ends "
        "of every text",
    )

    @field_validator("query")
    @classmethod
    def _select(cls, value: str | None) -> str | None:
        from connectors.sql.query import check_query

        if value is None:
            return None
        try:
            return check_query(value)
        except ConfigError as error:
            raise ValueError(f"{error.what} Do: {error.do}") from None

    @field_validator("key", "columns", "skip", "xml")
    @classmethod
    def _once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a column stands there twice")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("write either table or query")
        if self.query is not None:
            for name in ("schema_", "columns", "skip"):
                if getattr(self, name):
                    raise ValueError(f"{name.rstrip('_')} goes with table; a query says it itself")
        if self.columns and self.skip:
            raise ValueError("write either columns or skip")
        return self

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns without which the stream cannot be read."""
        changes = self.changes
        moving = () if changes is None else (*changes.since, changes.number, changes.rowversion)
        named = (
            *self.key,
            *(name for name in moving if name),
            *self.columns,
            *self.decode,
            *self.xml,
        )
        return tuple(dict.fromkeys(named))
