"""What the processes of a connection share, kept in the control database: its request budget."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from pipelines.control_tables import shelves
from pipelines.process import Process, this_process

if TYPE_CHECKING:
    from pipelines.control import Control

T = TypeVar("T")


def owner_name() -> str:
    """Return the name of this process, other than that of any process before it."""
    return _name_of(os.getpid())


@lru_cache(maxsize=1)
def _name_of(_pid: int) -> str:
    return json.dumps(asdict(this_process()))


def is_dead(owner: str) -> bool:
    """Say whether the process `owner` has surely ended; False for one of another machine."""
    try:
        return Process(**json.loads(owner)).is_dead() is True
    except (TypeError, ValueError):
        return False


class ControlShelf:
    """The shelf of one connection (see `connectors.shared.Shelf`), opened at first use."""

    def __init__(self, control: Callable[[], Control], connection: str) -> None:
        self._control = control
        self._connection = connection

    @property
    def owner(self) -> str:
        """The name of this process."""
        return owner_name()

    def is_dead(self, owner: str) -> bool:
        """Say whether the process `owner` has surely ended."""
        return is_dead(owner)

    def read(self) -> str | None:
        """Return the document."""
        with self._control().reading() as con:
            return con.execute(self._mine()).scalar()

    def change(self, turn: Callable[[str | None], tuple[str, T]]) -> T:
        """Replace the document by what `turn` makes of it, in one transaction."""
        try:
            return self._change(turn)
        except IntegrityError:  # two first ones at once, on a server: now the row is there
            return self._change(turn)

    def _mine(self) -> Select[str]:
        return select(shelves.c.text).where(shelves.c.connection == self._connection)

    def _change(self, turn: Callable[[str | None], tuple[str, T]]) -> T:
        with self._control().exclusive() as con:
            before = con.execute(self._mine().with_for_update()).scalar()
            after, result = turn(before)
            values = {"text": after}
            mine = shelves.c.connection == self._connection
            if not con.execute(update(shelves).where(mine).values(values)).rowcount:
                con.execute(insert(shelves).values(connection=self._connection, **values))
            return result
