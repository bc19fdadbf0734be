"""Tokens that systems issued, kept in the control database: encrypted, one renewal at a time.

They are sealed (`sealing.py`) with connection and name, so that no row passes for another. What
another key wrote cannot be read and counts as not there.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.exc import IntegrityError

from connectors.errors import Unavailable
from connectors.tokens import Kept, Turn
from pipelines.control_tables import tokens
from pipelines.shelves import is_dead, owner_name
from warehouse.crashpoints import reach

if TYPE_CHECKING:
    from pipelines.control import Control

LEASE = 600.0
"""Seconds after which a renewal on another machine counts as dead; on this one the process table
says it at once."""
_POLL = 0.25
_USE = b"isthmus kept tokens 1"


class ControlTokens:
    """The tokens of one connection (see `connectors.tokens.TokenStore`), opened at first use."""

    def __init__(
        self,
        control: Callable[[], Control],
        key: Callable[[], bytes],
        connection: str,
        now: Callable[[], datetime],
        pause: Callable[[float], None] | None = None,
    ) -> None:
        self._control = control
        self._key = key
        self._connection = connection
        self._now = now
        self._pause = pause or time.sleep
        self._turns: dict[str, str] = {}

    def get(self, name: str) -> Kept | None:
        """Return the token kept; None for one that another key wrote."""
        query = select(tokens.c.sealed).where(*self._row(name))
        with self._control().reading() as con:
            sealed = con.execute(query).scalar()
        if sealed is None:
            return None
        from pipelines.sealing import unseal  # its library: most syncs have no token kept

        text = unseal(self._key(), _USE, sealed, self._about(name))
        with suppress(ValueError, msgspec.DecodeError):  # a form that this release does not know
            return None if text is None else msgspec.json.decode(text, type=Kept)
        return None

    def put(self, name: str, kept: Kept) -> bool:
        """Keep a token, synced to disk; False where the turn was taken over."""
        from pipelines.sealing import seal

        sealed = seal(self._key(), _USE, msgspec.json.encode(kept), self._about(name))
        reach("token.answered")
        mine = (*self._row(name), tokens.c.turn == self._turns.get(name, ""))
        with self._control().exclusive(synced=True) as con:
            return con.execute(update(tokens).where(*mine).values(sealed=sealed)).rowcount == 1

    @contextmanager
    def alone(self, name: str) -> Iterator[Turn]:
        """Wait for the turn; one whose process died is taken over, and told as cut off."""
        turn, waited = str(uuid.uuid4()), 0.0
        while (cut := self._take(name, turn)) is None:
            if waited > LEASE:
                raise Unavailable(
                    "Another run has been renewing the token for too long.", "run it again."
                )
            self._pause(_POLL)
            waited += _POLL
        self._turns[name] = turn
        try:
            yield Turn(cut)
        finally:
            del self._turns[name]
            free = {"turn": None, "owner": None, "until": None}
            mine = (*self._row(name), tokens.c.turn == turn)
            with self._control().exclusive() as con:
                con.execute(update(tokens).where(*mine).values(free))

    def _take(self, name: str, turn: str) -> bool | None:
        """Take the turn: False, or True where a dead one had it; None where it is held."""
        now = self._now().timestamp()
        values = {"turn": turn, "owner": owner_name(), "until": now + LEASE}
        row = self._row(name)
        with suppress(IntegrityError), self._control().exclusive() as con:
            held = con.execute(
                select(tokens.c.turn, tokens.c.owner, tokens.c.until).where(*row).with_for_update()
            ).one_or_none()
            if held is None:
                names = {"connection": self._connection, "name": name}
                con.execute(insert(tokens).values(names | values))
                return False
            if held.turn is not None:
                if held.until > now + LEASE:  # the clock was set back
                    con.execute(update(tokens).where(*row).values(until=now + LEASE))
                if held.until > now and not is_dead(held.owner):
                    return None
            con.execute(update(tokens).where(*row).values(values))
            return held.turn is not None
        return None  # two first ones at once, on a server

    def _row(self, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return tokens.c.connection == self._connection, tokens.c.name == name

    def _about(self, name: str) -> bytes:
        return f"{self._connection}/{name}".encode()
