"""Settings of a `tryton` connection: the whole of `config:`."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.named import names_of
from connectors.site import SiteSettings, UserAndPassword
from connectors.tryton.catalogue import STREAMS
from connectors.values import Duration, Secret, Strict, Text, Words, parse_duration


class LoginSettings(Strict):
    """A user with a password, or a key; every secret is a reference: env:NAME or file:PATH."""

    basic: UserAndPassword = Field(None, description="[user, password reference]")
    bearer: Secret | None = Field(None, description="Key sent as Authorization: Bearer")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.basic is None) == (self.bearer is None):
            raise ValueError("auth needs either basic or bearer")
        return self


class TrytonSettings(SiteSettings):
    """A Tryton server and one of its databases."""

    database: Text = Field(
        pattern=r"^[^\s/?#]+$", description="Name of the database, as the log-in window shows it"
    )
    auth: LoginSettings = Field(
        description="{basic: [user, env:NAME]} logs in over JSON-RPC; {bearer: env:NAME} is the "
        "key of a user application (REST), which needs no password"
    )
    company: int | None = Field(
        None, ge=1, description="Id of the company that is read; default: the user's current one"
    )
    skip: Annotated[Words, AfterValidator(names_of(STREAMS))] = Field(
        (), description="Streams that are not read: those whose module is not installed"
    )
    rows: int = Field(500, ge=1, le=5000, description="Most records of one request")
    lookback: Duration = Field(
        default=parse_duration("10m"), description="Read again on every run, for late commits"
    )
    lag: Duration = Field(
        default=parse_duration("5s"),
        description="The bookmark stays this far behind the server's clock",
    )
