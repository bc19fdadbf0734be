"""How every stream is: from the control database, the sidecars and the published file alone."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connectors.errors import ConnectorError
from pipelines.control_view import ControlView, Run, view

if TYPE_CHECKING:
    from pipelines.connection import Connection, StreamSpec
    from pipelines.workspace import Workspace
    from warehouse.home import Home

    Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class StreamState:
    """One stream.

    `lag_seconds` is the time since the last good read began; `waiting` counts batches that are
    landed and not yet published; `promise_kept` is None where nothing is owed; `tally` is what the
    last run's connector counted besides.
    """

    connection: str
    stream: str
    last_success: datetime | None
    last_status: str | None
    error: str | None
    quota: str | None
    quota_until: str | None
    tally: dict[str, int]
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


def gather(space: Workspace, names: Sequence[str], now: datetime) -> list[StreamState | Broken]:
    """Return the state of the connections named (all, where none is), in their order."""
    from pipelines.connection import Connection

    control = view(space)
    published = published_counts(space.home)
    found: list[StreamState | Broken] = []
    for name, one in space.connections().items():
        if names and name not in names:
            continue
        if not isinstance(one, Connection):
            found.append(Broken(name, tuple(str(p) for p in one.problems)))
            continue
        try:
            specs = one.streams
        except ConnectorError as error:
            found.append(Broken(name, (str(error),)))
            continue
        for spec in specs:
            counts = published.get((name, spec.name), (None, 0, 0))
            found.append(_state(space, one, spec, control, counts, now))
    return found


def published_counts(home: Home) -> dict[Key, tuple[int | None, int, int]]:
    """Return rows, open quarantine and newest batch by stream, as published."""
    if not home.current.exists():
        return {}
    from warehouse import reader

    # The tables are asked for, not the model: its classes take longer to make than the answer.
    tables = reader.run_query(
        home.current,
        "select table_name from duckdb_columns()"
        " where schema_name = 'source' and column_name = 'is_deleted'",
    )
    counted = " union all ".join(
        f"select connection, stream, count(*) as rows from source.{name}"
        " where not is_deleted group by all"
        for (name,) in tables.rows
    )
    result = reader.run_query(
        home.current,
        f"""
        with counted as (
            select connection, stream, sum(rows)::bigint as rows from ({counted}) group by all
        ),
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


def suggestions(home: Home) -> int:
    """Return how many published pairs wait for a person's word on whether they are one party."""
    if not home.current.exists():
        return 0
    from warehouse import reader

    # A file that an older release published has no such table.
    known = "select 1 from duckdb_tables() where schema_name = 'ops' and table_name = 'suggestions'"
    if not list(reader.run_query(home.current, known).rows):
        return 0
    counted = "select count(*) from ops.suggestions where entity = 'party'"
    ((count,),) = reader.run_query(home.current, counted).rows
    return int(count)


def next_tick(schedule: str | None, zone: str, now: datetime) -> datetime | None:
    """Return when a schedule is due next, in its zone."""
    if schedule is None:
        return None
    from croniter import croniter

    local = now.astimezone(zoneinfo.ZoneInfo(zone))
    tick: datetime = croniter(schedule, local).get_next(datetime)
    return tick


def _state(
    space: Workspace,
    one: Connection,
    spec: StreamSpec,
    control: ControlView,
    counts: tuple[int | None, int, int],
    now: datetime,
) -> StreamState:
    from warehouse.newest import last_number

    key = (one.name, spec.name)
    folder = space.home.landing / one.name / spec.name
    good, last = control.good.get(key), control.last.get(key)
    rows, bad, batch = counts
    lag = (now - good.started_at).total_seconds() if good else None
    promise = spec.promise.total_seconds() if spec.promise else None
    return StreamState(
        connection=one.name,
        stream=spec.name,
        last_success=good.ended_at if good else None,
        last_status=last.status if last else None,
        error=_error(last),
        quota=last.counts.get("quota") if last else None,
        quota_until=last.counts.get("quota_until") if last else None,
        tally=dict(last.counts.get("tally") or {}) if last else {},
        running=key in control.running,
        lag_seconds=lag,
        promise_seconds=promise,
        promise_kept=None if promise is None else lag is not None and lag <= promise,
        rows=rows,
        quarantine=bad,
        held=int(last.counts.get("held", 0)) if last else 0,
        waiting=max(0, last_number(folder) - batch),
        next_tick=next_tick(spec.schedule, one.timezone, now),
        unverified=_unverified(one),
    )


def _error(last: Run | None) -> str | None:
    if last is None or not last.error:
        return None
    place = f"{last.error['place']}: " if last.error.get("place") else ""
    do = f" Do: {last.error['do']}" if last.error.get("do") else ""
    return f"{place}{last.error.get('what', '')}{do}".strip()


def _unverified(one: Connection) -> bool:
    tls = one.file.config.get("tls")
    return isinstance(tls, dict) and str(tls.get("verify", "")).lower() in ("false", "no", "off")
