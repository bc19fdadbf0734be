"""The two component types that a `defs.yaml` names: a connection to one system, and the company.

Dagster renders strings of a component through Jinja and reads YAML 1.1 (`on` is true, 12:30 is
750). So every attribute is taken raw here and none is used: what a run uses is read from the file
again by our own reader, which keeps the text as written.
"""

from __future__ import annotations

from typing import Annotated, Any

import dagster as dg

from pipelines.connection import Connection as SoundConnection
from pipelines.schedules import build_jobs, proof_schedules
from pipelines.streams import stream_asset
from pipelines.verify_job import JOB as VERIFY
from pipelines.verify_job import complete_checks
from pipelines.workspace import Workspace


def _raw(kind: Any) -> dg.Resolver:
    return dg.Resolver(lambda _context, value: value, model_field_type=kind)


Text = Annotated[Any, _raw(str | int | float | None)]


class Connection(dg.Component, dg.Model, dg.Resolvable):
    """A system, its streams and when they are read. `isthmus connect` writes such a file."""

    system: Annotated[Any, _raw(str)]
    title: Text = None
    config: Annotated[Any, _raw(dict[str, Any] | None)] = None
    streams: Annotated[Any, _raw(list[str] | dict[str, Any] | None)] = None
    schedule: Text = None
    verify: Text = None
    timezone: Text = None
    slice: Text = None
    owners: Annotated[Any, _raw(list[str] | None)] = None
    quarantine_limit: Text = None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return one asset a stream, the connection's job and its schedules; reaches nothing."""
        return connection_defs(Workspace.discover().connection(context.path.name))


class Company(dg.Component, dg.Model, dg.Resolvable):
    """Settings of the whole company: it defines nothing, runs read the file."""

    base_currency: Text = None
    timezone: Text = None
    priority: Annotated[Any, _raw(dict[str, Any] | None)] = None
    tolerance: Annotated[Any, _raw(dict[str, Any] | None)] = None
    privacy: Text = None
    publish_every: Text = None
    keep: Annotated[Any, _raw(dict[str, Any] | None)] = None
    min_free: Text = None
    quarantine_limit: Text = None
    verify: Text = None
    alerts: Annotated[Any, _raw(list[Any] | None)] = None
    digest: Text = None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return nothing to run."""
        return dg.Definitions()


def connection_defs(connection: SoundConnection) -> dg.Definitions:
    """Return the definitions of a connection whose file is in order."""
    assets = [stream_asset(connection, spec) for spec in connection.streams]
    job, schedules = build_jobs(connection)
    return dg.Definitions(
        asset_checks=[complete_checks(connection)],
        assets=assets,
        jobs=[job],
        schedules=[*schedules, *proof_schedules(connection, VERIFY)],
        executor=dg.in_process_executor,
    )
