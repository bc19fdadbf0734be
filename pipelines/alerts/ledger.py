"""What was told to whom, in the control database: causes that stand, messages and their delivery.

A message is written down in the transaction that notices its cause and sent after it, so that two
processes never tell the same thing, and a message that nobody took is tried again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection, RowMapping

from pipelines.alerts import messages as texts
from pipelines.alerts.causes import Cause, Severity
from pipelines.alerts.messages import Message, Voice
from pipelines.control import Control
from pipelines.control_tables import alerts, messages

RATE, PERIOD = 10, timedelta(hours=1)
"""How often an address is spoken to at most in a period: robots are blocked for less."""
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Address:
    """Where messages go. `to` is the reference in the company's file, never the address itself."""

    to: str
    severity: Severity
    voice: Voice

    def wants(self, severity: str) -> bool:
        """Whether it is told of causes so severe."""
        return severity == "error" or self.severity == "warning"


@dataclass(frozen=True, slots=True)
class Standing:
    """A cause that was noticed `first` and still stands."""

    cause: Cause
    first: datetime


class Ledger:
    """The ledger in a control database."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def settle(
        self,
        found: Sequence[Cause],
        addresses: Iterable[Address],
        now: datetime,
        quiet: Collection[str] = (),
    ) -> None:
        """Take in what is wrong now: write a message of what is new, and of what is over.

        What stands of connections that are `quiet` (paused) stays as it is.
        """
        known, tellers = {cause.key: cause for cause in found}, list(addresses)
        with self._control.exclusive() as con:
            stood = {row["cause"]: row for row in con.execute(select(alerts)).mappings()}
            for key, cause in known.items():
                facts = {"facts": cause.facts(), "severity": cause.severity, "last_at": now}
                before = stood[key]["severity"] if key in stood else None
                if before is not None:
                    con.execute(update(alerts).where(alerts.c.cause == key).values(**facts))
                else:
                    con.execute(insert(alerts).values(cause=key, first_at=now, **facts))
                for one in tellers:
                    # Whoever was told of a warning need not hear that it is an error now.
                    if one.wants(cause.severity) and not (before and one.wants(before)):
                        _write(con, one, "alert", key, texts.alert(cause, one.voice), now)
            for key in sorted(stood.keys() - known.keys()):
                if stood[key]["facts"]["connection"] not in quiet:
                    _end(con, stood[key], tellers, now)

    def standing(self) -> list[Standing]:
        """Return the causes that stand, the oldest first."""
        with self._control.reading() as con:
            rows = con.execute(select(alerts).order_by(alerts.c.first_at, alerts.c.cause))
            return [Standing(Cause.of(row["facts"]), row["first_at"]) for row in rows.mappings()]

    def has_digest(self, to: str, day: str) -> bool:
        """Whether an address has the digest of a day."""
        with self._control.reading() as con:
            return _digest_of(con, to, day)

    def ended_since(self, to: str, moment: datetime) -> int:
        """Return how many causes an address was told to be over since a moment."""
        query = select(func.count()).where(
            messages.c.address == to, messages.c.kind == "recovered", messages.c.made_at > moment
        )
        with self._control.reading() as con:
            return int(con.execute(query).scalar_one())

    def write_digest(self, one: Address, day: str, message: Message, now: datetime) -> None:
        """Write the digest of a day, unless another process was faster."""
        with self._control.exclusive() as con:
            if not _digest_of(con, one.to, day):
                _write(con, one, "digest", day, message, now)

    def claim(self, to: str, now: datetime) -> list[RowMapping]:
        """Take the messages to an address that are due; nobody else gets them in this turn.

        None are due while the address has had its share of the period: what waits goes out together
        when there is room. After a try in vain the pause doubles, up to an hour.
        """
        with self._control.exclusive() as con:
            had = con.execute(
                select(func.count(func.distinct(messages.c.sent_at))).where(
                    messages.c.address == to, messages.c.sent_at > now - PERIOD
                )
            ).scalar_one()
            if had >= RATE:
                return []
            query = select(messages).where(messages.c.address == to, messages.c.sent_at.is_(None))
            due = [
                row for row in con.execute(query.order_by(messages.c.id)).mappings()
                if row["tried_at"] is None or now - row["tried_at"] >= _pause(row["attempts"])
            ]  # fmt: skip
            con.execute(
                update(messages)
                .where(messages.c.id.in_([row["id"] for row in due]))
                .values(tried_at=now, attempts=messages.c.attempts + 1)
            )
        return due

    def close(self, rows: Sequence[RowMapping], error: str, now: datetime) -> None:
        """Write down how a try went: `error` is "" where the messages were taken."""
        values = {"error": error} if error else {"sent_at": now, "error": None}
        with self._control.exclusive() as con:
            con.execute(
                update(messages).where(messages.c.id.in_([r["id"] for r in rows])).values(**values)
            )

    def waiting(self) -> list[RowMapping]:
        """Return the messages that nobody took yet, the oldest first."""
        query = select(messages).where(messages.c.sent_at.is_(None)).order_by(messages.c.id)
        with self._control.reading() as con:
            return list(con.execute(query).mappings())

    def forget(self, before: datetime) -> None:
        """Delete messages that were made before an instant, sent or not."""
        with self._control.exclusive() as con:
            con.execute(delete(messages).where(messages.c.made_at < before))


def _end(con: Connection, row: RowMapping, tellers: Iterable[Address], now: datetime) -> None:
    """Let a cause end: who was told of it is told so, who was not yet is not told at all."""
    cause, first = Cause.of(row["facts"]), row["first_at"]
    for one in tellers:
        mine = (
            (messages.c.address == one.to) & (messages.c.cause == cause.key)
            & (messages.c.kind == "alert") & (messages.c.made_at >= first)
        )  # fmt: skip
        con.execute(delete(messages).where(mine, messages.c.attempts == 0))
        if con.execute(select(func.count()).where(mine)).scalar_one():
            message = texts.recovered(cause, first, one.voice)
            _write(con, one, "recovered", cause.key, message, now)
    con.execute(delete(alerts).where(alerts.c.cause == cause.key))


def _write(
    con: Connection, one: Address, kind: str, cause: str, message: Message, now: datetime
) -> None:
    con.execute(
        insert(messages).values(
            address=one.to, kind=kind, cause=cause, title=message.title, body=message.body,
            made_at=now, attempts=0,
        )
    )  # fmt: skip


def _digest_of(con: Connection, to: str, day: str) -> bool:
    query = select(func.count()).where(
        messages.c.address == to, messages.c.kind == "digest", messages.c.cause == day
    )
    return bool(con.execute(query).scalar_one())


def _pause(attempts: int) -> timedelta:
    return min(timedelta(minutes=int(2 ** min(attempts, 10))), LONGEST_PAUSE)
