"""Settings of a `sql` connection: the whole of `config:`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from connectors.errors import ConfigError
from connectors.sql.streams import Encoding, StreamSettings
from connectors.values import (
    Duration,
    Secret,
    Size,
    Strict,
    Text,
    parse_duration,
    reference_in,
    refuse_template,
    stream_names,
)


def _url(text: str) -> str:
    from connectors.sql.address import read_url

    if reference_in(text) is not None:
        return text
    try:
        url = read_url(text)
    except ConfigError as error:
        raise ValueError(f"{error.what} Do: {error.do}") from None
    if url.password is not None:
        raise ValueError(
            "a password stands in the URL: write the whole URL as env:NAME, "
            "or only the password as password: env:NAME"
        )
    return text


UrlText = Annotated[str, AfterValidator(refuse_template), AfterValidator(_url)]


class SqlSettings(Strict):
    """A database that SQLAlchemy speaks to."""

    url: UrlText = Field(
        description="env:NAME or file:PATH of an SQLAlchemy URL, or the URL without its password: "
        "postgresql://reader@192.168.1.10/erp, mysql://…, mssql://…, oracle://…, sqlite:///erp.db"
    )
    password: Secret | None = Field(
        None, description="env:NAME or file:PATH of the password, where it is not in the URL"
    )
    allow_private: bool = Field(
        False, description="Private and loopback addresses and local sockets"
    )
    folder: Text | None = Field(
        None,
        min_length=1,
        description="SQLite only: the folder that the file must stand in, absolute, relative to "
        "the folder that holds defs, or env:NAME",
    )
    schema_: str | None = Field(
        None, alias="schema", min_length=1, description="Schema (owner) of tables that name none"
    )
    encoding: Encoding = Field(
        "utf-8",
        description="Encoding of texts that are not UTF-8, where the database knows none (SQLite, "
        "SQL_ASCII)",
    )
    timeout: Duration = Field(
        default=parse_duration("10m"),
        description="Longest time of one statement, and of one partition of a long one",
    )
    connect_timeout: Duration = Field(
        default=parse_duration("15s"), description="Longest time until the connection stands"
    )
    rows: int = Field(
        20_480, ge=1, le=200_000, description="Most rows of one partition (fetched at once)"
    )
    bytes: Size = Field(
        default=16_000_000, description="About the most bytes of one partition; wide rows, fewer"
    )
    isolation: Literal["READ COMMITTED", "REPEATABLE READ", "SNAPSHOT", "SERIALIZABLE"] | None = (
        Field(
            None,
            description="Isolation level, where the usual one does not suit: SNAPSHOT on SQL "
            "Server, if the database allows it",
        )
    )
    streams: dict[str, StreamSettings] = Field(min_length=1, description="The streams, by name")

    _names = field_validator("streams")(stream_names)

    @model_validator(mode="after")
    def _file(self) -> Self:
        if self.url.lower().startswith("sqlite:") and self.folder is None:
            raise ValueError("a SQLite file needs folder: the folder that it must stand in")
        return self
