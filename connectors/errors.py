"""Errors of the connectors, named by what the caller should do next.

ConnectorError              two texts: what happened, what to do; `retriable`
├── ConfigError             the connection's settings are wrong: mend the YAML
├── AuthError               the credentials were refused: renew them
├── Unavailable             the system does not answer now: the next run tries again
│   └── Throttled           the system asked us to slow down for longer than we wait
│       └── QuotaUsed       a quota is used up until a time: the run ends early and goes on then
├── ContractBroken          the system answered something that its contract rules out
│   └── PaginationLoop      a page or a cursor came back
├── TooLarge                a cap on bytes, ratio, depth or time was hit
└── Refused                 an address, redirect or path that we never touch
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class ConnectorError(Exception):
    """Something that a person has to know: `what` happened and what to `do` next.

    `place` names where (file, sheet and row; stream and page; URL without its query); `retriable`
    says whether the same call may succeed later without a person. Texts never hold a secret.
    """

    retriable: ClassVar[bool] = False

    def __init__(self, what: str, do: str, *, place: str = "", request_id: str = "") -> None:
        super().__init__(f"{place}: {what}" if place else what)
        self.what = what
        self.do = do
        self.place = place
        self.request_id = request_id

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        return f"{place}{self.what} Do: {self.do}"


class ConfigError(ConnectorError):
    """The connection's settings are wrong."""


class AuthError(ConnectorError):
    """The system refused the credentials."""


class Unavailable(ConnectorError):
    """The system did not answer within the attempts allowed."""

    retriable = True


class Throttled(Unavailable):
    """The system asked for a longer pause than a run may wait."""


class QuotaUsed(Throttled):
    """A quota is used up `until` a time (aware; None where nobody says): what came is kept."""

    def __init__(
        self,
        what: str,
        do: str,
        *,
        until: datetime | None = None,
        place: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(what, do, place=place, request_id=request_id)
        self.until = until


class ContractBroken(ConnectorError):
    """The system answered something that its contract rules out."""


class PaginationLoop(ContractBroken):
    """A page or a cursor was answered a second time."""


class TooLarge(ConnectorError):
    """A cap on bytes, compression ratio, nesting or time was hit."""


class Refused(ConnectorError):
    """An address, redirect or path that is never touched."""
