"""One request budget a connection, shared by its streams and by its processes.

A sliding log of the calls of the last window in a small SQLite file: in no window are there more
than the allowed number. Places are given out in order of asking, so nobody starves.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from connectors.errors import ConfigError, Throttled, Unavailable

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MARGIN = 0.05  # the network moves requests together: windows are counted this much wider


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds."""

    count: int
    seconds: float


def parse_rate(text: str) -> Rate:
    """Read `5/s`, `100/m`, `1000/h` or `10000/d`; raises ConfigError."""
    found = re.fullmatch(r"\s*([0-9]{1,9})\s*/\s*([smhd])\s*", text)
    if found is None or int(found[1]) == 0:
        raise ConfigError("This rate cannot be read.", "write 5/s, 100/m or 10000/d.")
    return Rate(int(found[1]), _UNITS[found[2]])


class Budget:
    """Hands out places for requests. `path` None: this process alone.

    `now` gives seconds since the epoch (processes share it), `pause` sleeps, `patience` is the
    longest wait in seconds.
    """

    def __init__(
        self,
        rate: Rate | None,
        path: str | None,
        *,
        now: Callable[[], float],
        pause: Callable[[float], None],
        patience: float,
    ) -> None:
        self._rate = rate
        self._path = path
        self._now = now
        self._pause = pause
        self._patience = patience
        self._lock = threading.Lock()
        self._memory = None if path else self._open()

    def _open(self) -> sqlite3.Connection:
        con = sqlite3.connect(
            self._path or ":memory:", timeout=30, isolation_level=None, check_same_thread=False
        )
        con.execute("pragma synchronous = off")  # a power cut may forget who called: harmless
        con.execute("create table if not exists calls (at real not null)")
        con.execute("create table if not exists hold (until real not null)")
        return con

    def close(self) -> None:
        """Close what this process holds."""
        if self._memory is not None:
            self._memory.close()

    def take(self) -> float:
        """Wait for a place and return the seconds waited.

        Raises Throttled, taking no place, when the wait would be longer than `patience`.
        """
        wait = self._place()
        if wait > self._patience:
            raise Throttled(
                f"The connection's request budget is used up for {wait:.0f} s more.",
                "wait for the next run, or raise rate: if the system allows more.",
            )
        if wait > 0:
            self._pause(wait)
        return wait

    def hold(self, seconds: float) -> None:
        """Let nobody start for `seconds`: the system asked for it."""
        with self._lock:
            self._write(lambda con: self._set_hold(con, self._now() + seconds))

    def _set_hold(self, con: sqlite3.Connection, until: float) -> float:
        row = con.execute("select max(until) from hold").fetchone()
        con.execute("delete from hold")
        con.execute("insert into hold values (?)", [max(until, row[0] or 0.0)])
        return 0.0

    def _place(self) -> float:
        if self._rate is None and self._path is None and self._memory is None:
            return 0.0
        with self._lock:
            return self._write(self._reserve)

    def _write(self, change: Callable[[sqlite3.Connection], float]) -> float:
        if self._memory is not None:
            return change(self._memory)
        try:
            with closing(self._open()) as con:
                con.execute("begin immediate")
                result = change(con)
                con.execute("commit")
                return result
        except sqlite3.Error as error:
            raise Unavailable(
                f"The file of the request budget cannot be used ({error}).",
                "check the rights and space of the folder; it may be deleted.",
            ) from None

    def _reserve(self, con: sqlite3.Connection) -> float:
        now = self._now()
        # A clock that was set back leaves marks in the future: none further than patience is ours.
        con.execute("delete from hold where until <= ? or until > ? + 86400", [now, now])
        start = max(now, con.execute("select max(until) from hold").fetchone()[0] or now)
        if self._rate is not None:
            window = self._rate.seconds * (1 + _MARGIN)
            con.execute(
                "delete from calls where at <= ? or at > ?",
                [now - window, now + window + self._patience],
            )
            # Calls within a window before a start count against it, in order of their places.
            row = con.execute(
                "select at from calls order by at desc limit 1 offset ?", [self._rate.count - 1]
            ).fetchone()
            if row is not None:
                start = max(start, row[0] + window)
            latest = con.execute("select max(at) from calls").fetchone()[0]
            start = max(start, latest or start)
            if start - now <= self._patience:
                con.execute("insert into calls values (?)", [start])
        return start - now
