"""Connections that a person stopped for a while: a vendor's maintenance, a stocktaking."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert

from pipelines.control_tables import pauses
from pipelines.control_view import Pause

if TYPE_CHECKING:
    from pipelines.control import Control


def pause(
    control: Control, connection: str, *, until: datetime | None, who: str, why: str, now: datetime
) -> Pause:
    """Pause a connection, or change how long it is paused."""
    made = Pause(connection, until, who, why, now)
    with control.exclusive(synced=True) as con:
        con.execute(delete(pauses).where(pauses.c.connection == connection))
        con.execute(
            insert(pauses).values(connection=connection, until=until, who=who, why=why, at=now)
        )
    return made


def resume(control: Control, connection: str) -> bool:
    """End a pause; False where there was none."""
    with control.exclusive(synced=True) as con:
        done = con.execute(delete(pauses).where(pauses.c.connection == connection))
    return bool(done.rowcount)
