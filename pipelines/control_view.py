"""Reads the control database for commands that must answer at once.

SQLAlchemy takes longer to import than such a command may take (0.6 s of its second on a small
machine), so a SQLite file is read with the standard library, read-only; any other URL goes through
`Control`. A test holds both ways against each other.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.outcome import STRETCH
from pipelines.process import Process

if TYPE_CHECKING:
    from pipelines.workspace import Workspace

    Key = tuple[str, str]

RUNS = """
select connection, stream, status, started_at, ended_at, counts, error from runs
where id in (select max(id) from runs {where} group by connection, stream)
"""
LEASES = "select connection, stream, host, boot, pid, started from leases"
PAUSES = "select connection, until, who, why, at from pauses"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a stream; times are aware."""

    connection: str
    stream: str
    status: str
    started_at: datetime
    ended_at: datetime
    counts: Mapping[str, Any]
    error: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pause:
    """A connection that no schedule reads; `until` is None where a person has to resume it."""

    connection: str
    until: datetime | None
    who: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ControlView:
    """The newest run and the newest good one of each stream, those that run now, and pauses."""

    last: Mapping[Key, Run] = field(default_factory=dict)
    good: Mapping[Key, Run] = field(default_factory=dict)
    running: frozenset[Key] = frozenset()
    pauses: tuple[Pause, ...] = ()

    def paused(self, now: datetime) -> dict[str, Pause]:
        """Return the pauses that hold at a moment, by connection."""
        return {p.connection: p for p in self.pauses if p.until is None or p.until > now}


def view(space: Workspace) -> ControlView:
    """Return what the control database says now; empty where there is none yet."""
    if not space.control_url:
        return _of_file(space.home.control)
    control = space.control
    return ControlView(
        last={k: _run(dict(r)) for k, r in control.last_runs().items()},
        good={k: _run(dict(r)) for k, r in control.last_successes().items()},
        running=_running(dict(h) for h in control.held_leases()),
        pauses=_pauses(dict(p) for p in control.held_pauses()),
    )


def _of_file(path: Path) -> ControlView:
    if not path.exists():
        return ControlView()
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as con:
        con.row_factory = sqlite3.Row
        try:
            last = [_run(dict(r)) for r in con.execute(RUNS.format(where=""))]
            good = [
                _run(dict(r))
                for r in con.execute(
                    RUNS.format(where=f"where status = 'ok' and mode <> '{STRETCH}'")
                )
            ]
            held = [dict(r) for r in con.execute(LEASES)]
            stopped = [dict(r) for r in con.execute(PAUSES)] if _has_pauses(con) else []
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            return ControlView()  # made this moment: its tables are not there yet
        except (sqlite3.DatabaseError, ValueError):
            from pipelines.control import damaged

            raise damaged(path) from None
    return ControlView(
        last={(r.connection, r.stream): r for r in last},
        good={(r.connection, r.stream): r for r in good},
        running=_running(held),
        pauses=_pauses(stopped),
    )


def _running(held: Iterable[Mapping[str, Any]]) -> frozenset[Key]:
    return frozenset(
        (h["connection"], h["stream"])
        for h in held
        if not Process(h["host"], h["boot"], h["pid"], h["started"]).is_dead()
    )


def _has_pauses(con: sqlite3.Connection) -> bool:
    """Say whether the file is of a release that knows pauses: nothing upgraded it yet."""
    named = "select 1 from sqlite_master where type = 'table' and name = 'pauses'"
    return con.execute(named).fetchone() is not None


def _pauses(rows: Iterable[Mapping[str, Any]]) -> tuple[Pause, ...]:
    return tuple(
        Pause(
            row["connection"], None if row["until"] is None else _instant(row["until"]),
            row["who"], row["why"], _instant(row["at"]),
        )
        for row in rows
    )  # fmt: skip


def _run(row: Mapping[str, Any]) -> Run:
    return Run(
        row["connection"],
        row["stream"],
        row["status"],
        _instant(row["started_at"]),
        _instant(row["ended_at"]),
        _json(row["counts"]) or {},
        _json(row["error"]),
    )


def _instant(value: str | datetime) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
