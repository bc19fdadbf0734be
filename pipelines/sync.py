"""What a step of a run does, as plain functions: no Dagster here, so that tests run thousands.

`sync_stream` reads one stream into the landing and loads it into the store; `unify_publish` brings
the golden rows up to date and publishes. Both answer with an outcome and raise nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.base import Mode, utc_now
from connectors.errors import QuotaUsed
from connectors.redact import Redactor
from pipelines import catch_up
from pipelines.alongside import Alongside
from pipelines.explain import explain
from pipelines.extract import Reading
from pipelines.leases import AlreadyRunning, lease
from pipelines.listen import OnProgress, Progress
from pipelines.outcome import INTERRUPTED, STRETCH, ErrorText, PublishOutcome, StreamOutcome
from pipelines.shape import paths_of, remember
from pipelines.space import need_space
from pipelines.stops import stops_pass
from pipelines.stretches import Days, expect_stretches, stretch_of
from pipelines.unify_job import unify_publish
from pipelines.waiting import waiting

if TYPE_CHECKING:
    import httpx

    from pipelines.connection import Connection
    from pipelines.workspace import Workspace
    from warehouse.landing import Landing
    from warehouse.load import LoadReport
    from warehouse.model.plan import StreamPlan

DRIFT_SHOWN = 50

__all__ = ["ErrorText", "PublishOutcome", "StreamOutcome", "sync_stream", "unify_publish"]


def sync_stream(
    workspace: Workspace,
    connection: str | Connection,
    stream: str,
    *,
    full: bool = False,
    sweep: bool = False,
    trust_source: bool = False,
    stretch: tuple[datetime, datetime] | None = None,
    days: Days | None = None,
    progress: OnProgress | None = None,
    now: Callable[[], datetime] = utc_now,
    pause: Callable[[float], None] | None = None,
    transport: httpx.BaseTransport | None = None,
    run_id: str | None = None,
) -> StreamOutcome:
    """Bring one stream of a connection up to date: lease, read, land, load.

    `full` reads everything again, `sweep` only looks for what is gone, `trust_source` accepts
    older versions (after a restore at the source), `stretch` reads what is stamped [from, to)
    behind the bookmark again, `days` the same as people say it. Whatever goes wrong is in the
    outcome's `error`; what was landed before it is loaded all the same. The outcome is recorded in
    the control database, but for that of a stream another run holds: that run records its own.
    """
    name = connection if isinstance(connection, str) else connection.name
    mode: Mode = "sweep" if sweep else "full" if full else "changed"
    said = mode if stretch is None and days is None else STRETCH
    begun = now()
    outcome = StreamOutcome(name, stream, run_id=run_id or str(uuid.uuid4()))
    try:
        with stops_pass(), lease(workspace.control, name, stream, outcome.run_id, now) as held:
            found = workspace.connection(name) if isinstance(connection, str) else connection
            found.stream(stream)
            if days is not None:
                expect_stretches(name, stream, found.connector().streams())
                stretch = stretch_of(days, found.timezone, now())
            good = workspace.control.last_successes().get((name, stream))
            reading = Reading(
                mode, now, held.renew, good is None, good["ended_at"] if good else None,
                trust_source, transport, progress, pause, stretch=stretch,
            )  # fmt: skip
            _read_and_load(workspace, found, outcome, reading)
    except AlreadyRunning as busy:
        outcome.status, outcome.error = "failed", explain(busy, workspace.home)
        return outcome
    except Exception as error:  # the boundary of a step: its failure is data
        outcome.status = "failed"
        outcome.error = explain(error, workspace.home, workspace.secrets.given)
    except BaseException:
        outcome.status = "failed"
        outcome.error = ErrorText(
            INTERRUPTED, "was stopped from outside.", "run it again: it goes on.", retriable=True
        )
        _record(workspace, outcome, said, begun, now())
        raise
    _record(workspace, outcome, said, begun, now())
    if progress is not None:
        progress(Progress(name, stream, "done", outcome.read, outcome.requests))
    return outcome


def _read_and_load(
    workspace: Workspace,
    connection: Connection,
    outcome: StreamOutcome,
    reading: Reading,
) -> None:
    from warehouse.landing import Landing

    company = workspace.company()
    limit = connection.file.quarantine_limit
    outcome.quarantine_limit = company.quarantine_limit if limit is None else limit
    workspace.home.make()
    need_space(workspace.home, company.min_free)
    # A mapping that cannot work is said before the system is asked for anything.
    plan = connection.plan(outcome.stream)
    landing = Landing(workspace.home.landing, now=reading.now)
    loads = Alongside(workspace.home, landing, plan, reading.now)
    if not reading.trust_source:  # that is decided for all pending batches, at the end
        reading = replace(reading, landed=loads.landed)
    try:
        with loads:
            catch_up.read(
                connection, landing, outcome, reading, workspace.control, grouped=plan.grouped
            )
    except QuotaUsed as used:  # no failure: what came is kept, the next run goes on
        outcome.status = "partial"
        outcome.quota = Redactor(workspace.secrets.given).text(used.what)
        outcome.quota_until = used.until.isoformat(timespec="seconds") if used.until else None
    except Exception:
        _load(workspace, landing, plan, outcome, reading, loads.report)
        raise
    _load(workspace, landing, plan, outcome, reading, loads.report)
    _look(workspace, plan, outcome, reading)


def _look(workspace: Workspace, plan: StreamPlan, outcome: StreamOutcome, reading: Reading) -> None:
    """Say which fields of the records are not like those of the runs before."""
    redactor, read = Redactor(workspace.secrets.given), paths_of(plan)
    reading.shape.forget(read, lambda path: redactor.text(path) != path)
    found = remember(workspace.control, outcome.connection, outcome.stream, reading.shape, read)
    outcome.drift = [asdict(change) for change in found[:DRIFT_SHOWN]]


def _load(
    workspace: Workspace,
    landing: Landing,
    plan: StreamPlan,
    outcome: StreamOutcome,
    reading: Reading,
    before: LoadReport | None,
) -> None:
    from warehouse.checks import loaded_under_another_mapping
    from warehouse.load import load_pending
    from warehouse.store import open_store

    if reading.progress is not None:
        reading.progress(
            Progress(outcome.connection, outcome.stream, "load", outcome.read, outcome.requests)
        )
    with open_store(workspace.home, clock=reading.now, on_wait=waiting) as store:
        report = load_pending(
            store, landing, plan, now=reading.now, trust_source=reading.trust_source,
            report=before,
        )  # fmt: skip
        older = loaded_under_another_mapping(store.con, plan)
    if older:
        outcome.warnings[
            "the mapping changed since records were loaded: isthmus rebuild applies it to them"
        ] = older
    outcome.inserted, outcome.updated = report.inserted, report.updated
    outcome.unchanged_rows, outcome.refused = report.unchanged, report.refused
    outcome.quarantined, outcome.deleted = report.quarantined, report.deleted
    for warning, count in (report.warnings | report.void).items():
        outcome.warnings[warning] = outcome.warnings.get(warning, 0) + count


def _record(
    workspace: Workspace, outcome: StreamOutcome, mode: str, begun: datetime, ended: datetime
) -> None:
    outcome.seconds = round((ended - begun).total_seconds(), 3)
    workspace.control.record_run(
        {
            "run_id": outcome.run_id,
            "connection": outcome.connection,
            "stream": outcome.stream,
            "mode": mode,
            "status": outcome.status,
            "started_at": begun,
            "ended_at": ended,
            "counts": outcome.counts(),
            "error": asdict(outcome.error) if outcome.error else None,
            "bookmark_before": outcome.bookmark_before,
            "bookmark_after": outcome.bookmark_after,
        }
    )
