"""One request budget a connection, shared by its streams and by its processes.

However its requests travel, in no window do more arrive than a limit allows: a request counts from
the moment it may leave until one whole window after its answer began, and it arrives in between.
Places are given out in order of asking, so nobody starves.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.errors import ConfigError, QuotaUsed
from connectors.ledger import Ledger, Rate, decode, encode
from connectors.shared import OwnShelf, Shelf

__all__ = ["Budget", "Place", "Rate", "parse_rate", "parse_rates"]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RATE = re.compile(r"\s*([0-9]{1,9})\s*/\s*([0-9]{1,5})?\s*([smhd])\s*(\bper\s+path\s*)?")
MOST_RATES = 4


def parse_rate(text: str) -> Rate:
    """Read `5/s`, `100/m`, `100/20s`, `100/20s per path` or `10000/d`; raises ConfigError."""
    found = _RATE.fullmatch(text)
    seconds = 0.0 if found is None else int(found[2] or 1) * _UNITS[found[3]]
    if found is None or int(found[1]) == 0 or not 0 < seconds <= 31 * 86400:
        raise ConfigError(
            "This rate cannot be read.",
            "write 5/s, 100/20s, 100/20s per path or 10000/d; several with commas: 5/s, 100/m.",
        )
    return Rate(int(found[1]), seconds, each=bool(found[4]))


def parse_rates(text: str) -> tuple[Rate, ...]:
    """Read one or several limits that hold together, `5/s, 100/m`; raises ConfigError."""
    rates = tuple(parse_rate(part) for part in text.split(","))
    if len(rates) > MOST_RATES:
        raise ConfigError(f"These are {len(rates)} rates.", f"give {MOST_RATES} at most.")
    return rates


@dataclass(slots=True)
class Place:
    """Leave to send one request, after `waited` seconds. `done` is said when its answer begins."""

    waited: float
    _done: Callable[[], None] | None = None

    def done(self) -> None:
        """Say that the request has arrived, or never will: its window begins to run out."""
        done, self._done = self._done, None
        if done is not None:
            done()


class Budget:
    """Hands out places for requests under all of `rates`. `shelf` None: this process alone.

    `now` gives seconds since the epoch (processes share it), `pause` sleeps, `patience` is the
    longest wait in seconds, `longest` the longest that a request may be under way: one of which no
    more was heard counts as arrived after it, or as soon as its process is seen to be dead.
    """

    def __init__(
        self,
        rates: Sequence[Rate],
        shelf: Shelf | None,
        *,
        now: Callable[[], float],
        pause: Callable[[float], None],
        patience: float,
        longest: float = 120.0,
    ) -> None:
        self._rates = tuple(rates)
        self._shelf: Shelf = shelf or OwnShelf()
        self._now = now
        self._pause = pause
        self._patience = patience
        self._longest = longest

    @property
    def counts(self) -> bool:
        """Say whether places are counted at all."""
        return bool(self._rates)

    def take(self, path: str = "") -> Place:
        """Wait for a place; `path` is what limits of each path count by.

        Raises QuotaUsed, taking no place, when the wait would be longer than `patience`.
        """
        name = uuid.uuid4().hex[:12]
        waited = 0.0
        while True:
            wait = self._ask(name, path)
            if wait <= 0:
                return Place(waited, (lambda: self._end(name)) if self._rates else None)
            if waited + wait > self._patience:
                self._leave(name)
                until = datetime.fromtimestamp(self._now() + wait, UTC)
                raise QuotaUsed(
                    f"The connection's request budget is used up for {wait:.0f} s more.",
                    "wait for the next run, or raise rate: if the system allows more.",
                    until=until,
                )
            try:
                self._pause(wait)
            except BaseException:
                self._leave(name)
                raise
            waited += wait

    def hold(self, seconds: float) -> None:
        """Let nobody start for `seconds`: the system asked for it."""
        self._change(lambda ledger: ledger.stop(self._now(), seconds))

    def _ask(self, name: str, path: str) -> float:
        if not self._rates:  # nothing is counted: a look is enough
            return self._held()
        return self._change(
            lambda ledger: ledger.ask(
                self._rates, name, self._shelf.owner, self._now(), self._longest,
                self._patience, self._shelf.is_dead, path,
            )
        )  # fmt: skip

    def _held(self) -> float:
        now, ledger = self._now(), decode(self._shelf.read())
        if now < ledger.held_at:  # the clock was set back: from now on it counts by the new one
            return self._change(lambda ledger: ledger.held(now))
        return ledger.held(now)

    def _leave(self, name: str) -> None:
        if self._rates:
            self._change(lambda ledger: ledger.leave(name))

    def _end(self, name: str) -> None:
        self._change(lambda ledger: ledger.end(name, self._now()))

    def _change(self, what: Callable[[Ledger], float]) -> float:
        def turn(text: str | None) -> tuple[str, float]:
            ledger = decode(text)
            result = what(ledger)
            return encode(ledger), result

        return self._shelf.change(turn)
