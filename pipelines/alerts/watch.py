"""Looks at what is wrong and tells it: after each sync of the command line, and by a sensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.engine import RowMapping

from connectors.base import utc_now
from connectors.errors import ConnectorError
from pipelines.alerts import messages
from pipelines.alerts.causes import causes
from pipelines.alerts.ledger import Address, Ledger
from pipelines.alerts.messages import Message, Voice
from pipelines.alerts.published import published_causes
from pipelines.alerts.send import send
from pipelines.control_view import view
from pipelines.texts import language

if TYPE_CHECKING:
    from pipelines.company import CompanyFile
    from pipelines.workspace import Workspace

Send = Callable[[str, Message], str]
AT_ONCE = 3
"""Messages that go out one by one; more go out as one."""


@dataclass(slots=True)
class Told:
    """What one look did: causes that stand, messages sent, and why others could not be."""

    standing: int = 0
    sent: int = 0
    refused: list[str] = field(default_factory=list)


def watch(space: Workspace, *, now: Callable[[], datetime] = utc_now, by: Send = send) -> Told:
    """Notice what is wrong and over, and send what is due; safe to call at any time.

    Does nothing where the company names no address. An address that cannot be reached is in
    `refused` and tried again by a later look.
    """
    company, moment = space.company(), now()
    addresses = addresses_of(company)
    if not addresses:
        return Told()
    ledger = Ledger(space.control)
    seen = view(space)
    found = [*causes(space, moment, seen), *published_causes(space.home)]
    ledger.settle(found, addresses, moment, seen.paused(moment).keys())
    done = Told(standing=len(ledger.standing()))
    for one in addresses:
        _digest(space, company, ledger, one, moment)
        _deliver(space, ledger, one, moment, by, done)
    ledger.forget(moment - company.keep.runs)
    return done


def addresses_of(company: CompanyFile) -> list[Address]:
    """Return the addresses of the company's file."""
    return [
        Address(said.to, said.severity, Voice.of(company, said.language or language()))
        for said in company.alerts
    ]


def reach(space: Workspace, one: Address, parts: Sequence[Message], by: Send = send) -> str:
    """Send to one address, several messages as one where they are many; "" or why it failed."""
    try:
        address = space.secrets.resolve(one.to)
    except ConnectorError as error:
        return f"{error.what} {error.do}"
    if len(parts) > AT_ONCE:
        parts = [messages.together(parts, one.voice)]
    return next((why for part in parts if (why := by(address, part))), "")


def _deliver(
    space: Workspace, ledger: Ledger, one: Address, now: datetime, by: Send, done: Told
) -> None:
    due = ledger.claim(one.to, now)
    # Each by itself, so that one which is taken is not sent again for the sake of the next.
    groups: list[Sequence[RowMapping]] = [due] if len(due) > AT_ONCE else [[row] for row in due]
    for group in groups:
        why = reach(space, one, [Message(row["title"], row["body"]) for row in group], by)
        ledger.close(group, why, now)
        if why:
            done.refused.append(f"{one.to}: {why}")
            return
        done.sent += 1


def _digest(
    space: Workspace, company: CompanyFile, ledger: Ledger, one: Address, now: datetime
) -> None:
    local = now.astimezone(ZoneInfo(company.timezone))
    if company.digest == "never" or local.time() < time.fromisoformat(company.digest):
        return
    day = local.date().isoformat()
    if ledger.has_digest(one.to, day):
        return
    from pipelines.state import gather

    stands = [(s.cause, s.first) for s in ledger.standing() if one.wants(s.cause.severity)]
    over = ledger.ended_since(one.to, now - timedelta(days=1))
    ledger.write_digest(
        one, day, messages.digest(gather(space, [], now), stands, over, now, one.voice), now
    )
