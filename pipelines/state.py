"""How every stream is: from the control database, the sidecars and the published file alone."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connectors.errors import ConnectorError

if TYPE_CHECKING:
    from sqlalchemy.engine import RowMapping

    from pipelines.connection import Connection, StreamSpec
    from pipelines.workspace import Workspace
    from warehouse.home import Home

    Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class StreamState:
    """One stream.

    `lag_seconds` is the time since the last good read began; `waiting` counts batches that are
    landed and not yet published; `promise_kept` is None where nothing is owed.
    """

    connection: str
    stream: str
    last_success: datetime | None
    last_status: str | None
    error: str | None
    running: bool
    lag_seconds: float | None
    promise_seconds: float | None
    promise_kept: bool | None
    rows: int | None
    quarantine: int
    held: int
    waiting: int
    next_tick: datetime | None
    unverified: bool

    def as_json(self) -> dict[str, Any]:
        """Return the members for `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Broken:
    """A connection whose file has mistakes."""

    connection: str
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the members for `--json`."""
        return {"connection": self.connection, "problems": list(self.problems)}


@dataclass(frozen=True, slots=True)
class _Sources:
    """What was read once for all streams."""

    good: Mapping[Key, RowMapping]
    last: Mapping[Key, RowMapping]
    running: frozenset[Key]
    published: Mapping[Key, tuple[int, int, int]]
    """Rows, open quarantine and the newest batch, by stream."""


def gather(space: Workspace, names: Sequence[str], now: datetime) -> list[StreamState | Broken]:
    """Return the state of the connections named (all, where none is), in their order."""
    from pipelines.connection import Connection

    sources = _Sources(
        good=space.control.last_successes(),
        last=space.control.last_runs(),
        running=_running(space, now),
        published=published_counts(space.home),
    )
    found: list[StreamState | Broken] = []
    for name, one in space.connections().items():
        if names and name not in names:
            continue
        if not isinstance(one, Connection):
            found.append(Broken(name, tuple(str(p) for p in one.problems)))
            continue
        try:
            found += [_state(space, one, spec, sources, now) for spec in one.streams]
        except ConnectorError as error:
            found.append(Broken(name, (str(error),)))
    return found


def published_counts(home: Home) -> dict[Key, tuple[int, int, int]]:
    """Return rows, open quarantine and newest batch by stream, as published."""
    if not home.current.exists():
        return {}
    from warehouse import reader
    from warehouse.model import ENTITIES

    tables = " union all ".join(
        f"select connection, stream, count(*) as rows from source.{e.table}"
        " where not is_deleted group by all"
        for e in ENTITIES.values() if e.parent is None
    )  # fmt: skip
    result = reader.run_query(
        home.current,
        f"""
        with rows as ({tables}),
        counted as (select connection, stream, sum(rows)::bigint as rows from rows group by all),
        bad as (
            select connection, stream, count(*) as bad from ops.quarantine
            where status = 'open' group by all
        ),
        batches as (
            select connection, stream, max(batch) as batch from ops.batches group by all
        )
        select connection, stream, coalesce(rows, 0), coalesce(bad, 0), coalesce(batch, 0)
        from batches
        full join counted using (connection, stream)
        full join bad using (connection, stream)
        """,
    )
    return {(c, s): (rows, bad, batch) for c, s, rows, bad, batch in result.rows}


def next_tick(schedule: str | None, zone: str, now: datetime) -> datetime | None:
    """Return when a schedule is due next, in its zone."""
    if schedule is None:
        return None
    from croniter import croniter

    local = now.astimezone(zoneinfo.ZoneInfo(zone))
    tick: datetime = croniter(schedule, local).get_next(datetime)
    return tick


def _state(
    space: Workspace, one: Connection, spec: StreamSpec, sources: _Sources, now: datetime
) -> StreamState:
    from warehouse.landing import Landing

    key = (one.name, spec.name)
    good, last = sources.good.get(key), sources.last.get(key)
    rows, bad, batch = sources.published.get(key, (None, 0, 0))
    landed = Landing(space.home.landing).last(one.name, spec.name)
    since = (good["read_from"] or good["started_at"]) if good else None
    lag = (now - since).total_seconds() if since else None
    promise = spec.promise.total_seconds() if spec.promise else None
    return StreamState(
        connection=one.name,
        stream=spec.name,
        last_success=good["ended_at"] if good else None,
        last_status=last["status"] if last else None,
        error=_error(last),
        running=key in sources.running,
        lag_seconds=lag,
        promise_seconds=promise,
        promise_kept=None if promise is None or lag is None else lag <= promise,
        rows=rows,
        quarantine=bad,
        held=int((last["counts"] or {}).get("held", 0)) if last else 0,
        waiting=max(0, (landed.sequence if landed else 0) - batch),
        next_tick=next_tick(spec.schedule, one.timezone, now),
        unverified=_unverified(one),
    )


def _running(space: Workspace, now: datetime) -> frozenset[Key]:
    from pipelines.leases import is_dead

    held = space.control.held_leases()
    return frozenset((h["connection"], h["stream"]) for h in held if not is_dead(h, now))


def _error(last: RowMapping | None) -> str | None:
    if last is None or not last["error"]:
        return None
    error = last["error"]
    if not isinstance(error, dict):
        return str(error)
    place = f"{error['place']}: " if error.get("place") else ""
    return f"{place}{error.get('what', '')} {error.get('do', '')}".strip()


def _unverified(one: Connection) -> bool:
    tls = one.file.config.get("tls")
    return isinstance(tls, dict) and str(tls.get("verify", "")).lower() in ("false", "no", "off")
