"""Two runs never read one stream at once: a lease for each (connection, stream).

Dagster's queue does not see runs of the command line, so the rule stands in the control database.
A holder that died (host, boot, pid, start time) loses its lease to the next who asks.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import RowMapping

from connectors.errors import Unavailable
from pipelines.control import Control
from pipelines.process import Process, this_process

EXPIRES = timedelta(minutes=30)
"""After so long without a sign of life a holder on another machine counts as dead; on this one the
process table says it at once. Longer than the wait for the store's lock, which gives no sign."""
RENEW = timedelta(seconds=20)


class AlreadyRunning(Unavailable):
    """Another run reads this stream at this moment."""


class LeaseLost(Unavailable):
    """Another machine took this stream over, because this run gave no sign of life."""


@dataclass
class Lease:
    """A held lease; `renew` is called at every page and writes at most each 20 seconds."""

    control: Control
    token: str
    now: Callable[[], datetime]
    renewed: datetime

    def renew(self) -> None:
        """Give a sign of life; raises LeaseLost."""
        now = self.now()
        if now - self.renewed < RENEW:
            return
        if not self.control.renew_lease(self.token, now):
            raise LeaseLost("another run took this stream over.", "look at the newest run.")
        self.renewed = now


@contextmanager
def lease(
    control: Control, connection: str, stream: str, run_id: str, now: Callable[[], datetime]
) -> Iterator[Lease]:
    """Hold the lease of a stream; raises AlreadyRunning naming the run that holds it."""
    moment = now()
    me = this_process()
    values = {
        "connection": connection,
        "stream": stream,
        "token": str(uuid.uuid4()),
        "run_id": run_id,
        "host": me.host,
        "boot": me.boot,
        "pid": me.pid,
        "started": me.started,
        "taken_at": moment,
        "renewed_at": moment,
    }
    held = control.take_lease(values)
    if held is not None and not (
        is_dead(held, moment) and control.replace_lease(held["token"], values)
    ):
        raise AlreadyRunning(
            f"{connection}/{stream} is already running in run {held['run_id']} "
            f"(process {held['pid']} on {held['host']}, since {held['taken_at']:%F %T}Z).",
            "wait for it to end; the next run goes on where it stopped.",
        )
    try:
        yield Lease(control, str(values["token"]), now, moment)
    finally:
        control.give_back(str(values["token"]))


def is_dead(held: RowMapping, now: datetime) -> bool:
    """Say whether the holder of a lease row has ended, or must be taken to have."""
    dead = Process(held["host"], held["boot"], held["pid"], held["started"]).is_dead()
    return now - held["renewed_at"] > EXPIRES if dead is None else dead
