"""When each item of a stream was asked for, kept in the control database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, delete, insert, select, update

from pipelines.control_tables import asked

if TYPE_CHECKING:
    from pipelines.control import Control

LONGEST = 200
"""Signs of an item that are kept, as wide as its column."""


class ControlAsked:
    """The marks of one connection (see `connectors.shared.Asked`), opened at first use."""

    def __init__(self, control: Callable[[], Control], connection: str) -> None:
        self._control = control
        self._connection = connection

    def times(self, stream: str) -> Mapping[str, datetime]:
        """Return the instants by item."""
        query = select(asked.c.item, asked.c.at).where(self._mine(stream))
        with self._control().reading() as con:
            return {item: at for item, at in con.execute(query)}

    def mark(self, stream: str, item: str, at: datetime | None) -> None:
        """Set or take away a mark; it is on disk, though not synced, before this returns."""
        mine = self._mine(stream) & (asked.c.item == item[:LONGEST])
        with self._control().exclusive() as con:
            if at is None:
                con.execute(delete(asked).where(mine))
            elif not con.execute(update(asked).where(mine).values(at=at)).rowcount:
                con.execute(
                    insert(asked).values(
                        connection=self._connection, stream=stream, item=item[:LONGEST], at=at
                    )
                )

    def forget(self, stream: str, before: datetime) -> None:
        """Let go of what is older."""
        with self._control().exclusive() as con:
            con.execute(delete(asked).where(self._mine(stream) & (asked.c.at < before)))

    def _mine(self, stream: str) -> ColumnElement[bool]:
        return (asked.c.connection == self._connection) & (asked.c.stream == stream)
