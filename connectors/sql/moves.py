"""How a read knows what changed: by stamp, by a growing number, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from connectors.base import Bookmark
from connectors.changes import Tide, write_bookmark
from connectors.clock import SKEW
from connectors.errors import ConfigError, ContractBroken
from connectors.sql.stamps import Stamps, see

if TYPE_CHECKING:
    import pyarrow as pa

DAY = timedelta(days=1)


class Move(Protocol):
    """What a read asks for and what it learns; one of the classes below."""

    @property
    def is_bounded(self) -> bool:
        """Whether only what changed is asked for; such a read is ordered by what moves."""

    def bounds(self) -> dict[str, Any]:
        """Return `low`, `high` and `beyond` as the database compares them."""

    def see(self, column: pa.ChunkedArray) -> None:
        """Take note of what moves in a page's rows."""

    def on_the_way(self, resume: dict[str, Any] | None) -> Bookmark:
        """Return the bookmark of a page before the last."""

    def at_the_end(self) -> Bookmark:
        """Return the bookmark of a read that came to its end."""

    def greatest(self) -> Any:
        """Return the greatest seen, as JSON."""

    def warnings(self) -> list[str]:
        """Return what people should know."""


@dataclass(slots=True)
class Standing:
    """Nothing says what changed: every read is a full one."""

    is_bounded: bool = False

    def bounds(self) -> dict[str, Any]:
        """Return no bounds."""
        return {}

    def see(self, column: pa.ChunkedArray) -> None:
        """Learn nothing."""

    def on_the_way(self, resume: dict[str, Any] | None) -> Bookmark:
        """Return where to go on."""
        return write_bookmark(None, resume)

    def at_the_end(self) -> Bookmark:
        """Return an empty bookmark."""
        return {}

    def greatest(self) -> Any:
        """Return None."""
        return None

    def warnings(self) -> list[str]:
        """Return nothing."""
        return []


@dataclass(slots=True)
class ByStamp:
    """Rows whose stamp is not below the bookmark less the lookback, up to the start less the lag.

    `stamps` is None where no row has a stamp yet. Stamps more than a day ahead are asked for on
    every run: the upper bound would hide them until their day comes. `ahead` is how far the newest
    of the others lies ahead of our clock. `until` ends the window where a stretch behind the
    bookmark is read again.
    """

    tide: Tide
    stamps: Stamps | None
    ahead: timedelta = timedelta(0)
    until: datetime | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether there is a bookmark to start from."""
        return self.tide.since is not None and self.stamps is not None

    def bounds(self) -> dict[str, Any]:
        """Return the window in the column's own form."""
        if self.stamps is None or self.tide.since is None:
            return {}
        if self.until is not None:
            return {
                "low": self.stamps.bound(self.tide.since, lower=True),
                "high": self.stamps.bound(min(self.until, self.tide.ceiling), lower=False),
            }
        return {
            "low": self.stamps.bound(self.tide.since, lower=True),
            "high": self.stamps.bound(self.tide.ceiling, lower=False),
            "beyond": self.stamps.bound(self.tide.begun + DAY, lower=False),
        }

    def see(self, column: pa.ChunkedArray) -> None:
        """Take note of a page's stamps."""
        if self.stamps is None:
            self.tide.unread += len(column)
        else:
            see(self.tide, self.stamps, column)

    def on_the_way(self, resume: dict[str, Any] | None) -> Bookmark:
        """Return the stamp of before and where to go on."""
        return write_bookmark(self.tide.before, resume)

    def at_the_end(self) -> Bookmark:
        """Return the greatest stamp that is not above the start less the lag."""
        return write_bookmark(self.tide.stamp())

    def greatest(self) -> Any:
        """Return the greatest stamp that counts."""
        return self.tide.greatest.isoformat() if self.tide.greatest else None

    def warnings(self) -> list[str]:
        """Return what is odd about the stamps."""
        found = self.tide.warnings()
        if self.ahead > SKEW:
            minutes = self.ahead // timedelta(minutes=1)
            found.append(
                f"The newest {self.tide.spec.field} lies {minutes} minutes ahead of our clock: "
                "such changes are read that much later. Check the connection's timezone and the "
                "database's clock."
            )
        return found


@dataclass(slots=True)
class ByNumber:
    """Rows whose number is not below the bookmark less `behind`, up to `high`, frozen at the start.

    `high` is None where there is no row yet.
    """

    name: str
    before: int | None
    behind: int
    high: int | None
    seen: int | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether there is a bookmark to start from."""
        return self.before is not None and self.high is not None

    def bounds(self) -> dict[str, Any]:
        """Return the stretch of numbers."""
        if self.before is None or self.high is None:
            return {}
        return {"low": min(self.before, self.high) - self.behind, "high": self.high}

    def see(self, column: pa.ChunkedArray) -> None:
        """Take note of a page's numbers; raises ConfigError where they are none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        try:
            numbers = pc.cast(column, pa.int64())
        except pa.ArrowInvalid:
            raise _no_number(self.name) from None
        if self.high is not None:
            numbers = numbers.filter(pc.less_equal(numbers, self.high))
        top = pc.max(numbers).as_py() if len(numbers) else None
        if top is not None:
            self.seen = top if self.seen is None else max(self.seen, top)

    def on_the_way(self, resume: dict[str, Any] | None) -> Bookmark:
        """Return the number of before and where to go on."""
        return self._mark(self.before) | ({"resume": resume} if resume is not None else {})

    def at_the_end(self) -> Bookmark:
        """Return the greatest number seen; it never goes back."""
        known = [number for number in (self.before, self.seen) if number is not None]
        return self._mark(max(known) if known else None)

    def greatest(self) -> Any:
        """Return the greatest number seen."""
        return self.seen

    def warnings(self) -> list[str]:
        """Return whether the source seems restored."""
        if self.before is None or (self.high is not None and self.high >= self.before):
            return []
        return [
            f"The greatest {self.name} ({self.high}) is behind the bookmark ({self.before}): the "
            "newest rows were deleted, or the source was restored from a backup. After a restore "
            "run a full sync."
        ]

    @staticmethod
    def _mark(number: int | None) -> dict[str, Any]:
        return {} if number is None else {"number": number}


def whole_number(name: str, value: Any) -> int | None:
    """Return a column's greatest value as an integer; raises ConfigError where it is none."""
    if value is None:
        return None
    try:
        found = Decimal(str(value).strip())
        if found == found.to_integral_value():
            return int(found)
    except ArithmeticError:
        pass
    raise _no_number(name)


def _no_number(name: str) -> ConfigError:
    return ConfigError(
        f"The column {name} holds what is no whole number.",
        "name a column that only grows, or a stamp under `since:`.",
    )


def number_of(bookmark: Bookmark | None) -> int | None:
    """Return the bookmark's number; raises ContractBroken for one that is not ours."""
    number = (bookmark or {}).get("number")
    if number is None or (isinstance(number, int) and not isinstance(number, bool)):
        return number
    raise ContractBroken("The stream's bookmark cannot be read.", "run a full sync of the stream.")


def begun_of(resume: Mapping[str, Any]) -> datetime | None:
    """Return when an interrupted read began; None where that cannot be read."""
    try:
        at = datetime.fromisoformat(resume["begun"])
    except (KeyError, TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None
