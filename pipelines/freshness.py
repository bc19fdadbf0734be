"""How fresh each stream is and what its runs did, as rows for `ops.freshness` and `ops.runs`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import RowMapping

from connectors.errors import ConfigError
from pipelines.connection import Connection
from pipelines.control import Control
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from warehouse.mask import PrivacyMode

COUNTS = ("read", "landed", "unchanged", "inserted", "updated", "quarantined", "deleted")
RUNS_SHOWN = 300


def run_rows(
    control: Control, limit: int = RUNS_SHOWN, *, privacy: PrivacyMode = "masked"
) -> list[dict[str, Any]]:
    """Return the newest stream runs as rows of `ops.runs`.

    What happened quotes the system, which may name a customer: masked, the kind of the failure
    stands in its place. `isthmus status` shows the words to those who run the syncs.
    """
    return [_run(row, privacy) for row in control.recent_runs(limit)]


def _run(row: RowMapping, privacy: PrivacyMode) -> dict[str, Any]:
    error = row["error"]
    return {
        "run": row["run_id"],
        "connection": row["connection"],
        "stream": row["stream"],
        "status": row["status"],
        "started_at": row["started_at"],
        "ended_at": row["ended_at"],
        **{name: row["counts"].get(name) for name in COUNTS},
        "message": _message(error, privacy) if error else None,
    }


def _message(error: Mapping[str, Any], privacy: PrivacyMode) -> str:
    place = f"{error['place']}: " if error["place"] else ""
    what = error["what"] if privacy == "clear" else f"{error['kind']}."
    return f"{place}{what} Do: {error['do']}"


def freshness_rows(workspace: Workspace, now: datetime) -> list[dict[str, Any]]:
    """Return a row of `ops.freshness` for each stream that is read, or ever was.

    A stream is as fresh as the moment its last good read began: what the source had then is here.
    Ages are told as of the newest run of all, so that nothing is published again for their sake.
    """
    good, last = workspace.control.last_successes(), workspace.control.last_runs()
    moment = max((row["ended_at"] for row in last.values()), default=now)
    promises = _promises(workspace)
    rows = []
    for connection, stream in sorted({*promises, *good, *last}):
        row = good.get((connection, stream))
        promise = promises.get((connection, stream))
        age = moment - row["started_at"] if row else None
        rows.append(
            {
                "connection": connection,
                "stream": stream,
                "last_success_at": row["ended_at"] if row else None,
                "fresh_as_of": row["started_at"] if row else None,
                "promise_seconds": int(promise.total_seconds()) if promise else None,
                "lag_seconds": int(age.total_seconds()) if age is not None else None,
                "is_kept": _kept(age, promise),
            }
        )
    return rows


def _kept(age: timedelta | None, promise: timedelta | None) -> bool | None:
    if promise is None:
        return None
    return age is not None and age <= promise


def _promises(workspace: Workspace) -> dict[tuple[str, str], timedelta | None]:
    """Return the promise by (connection, stream) of every stream of every sound connection."""
    found: dict[tuple[str, str], timedelta | None] = {}
    for name, connection in workspace.connections().items():
        if not isinstance(connection, Connection):
            continue
        try:
            found |= {(name, spec.name): spec.promise for spec in connection.streams}
        except ConfigError:
            continue
    return found
