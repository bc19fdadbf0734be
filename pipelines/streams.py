"""The Dagster asset of one stream: its step, metadata, checks, and failures that say what to do.

No postponed annotations here: Dagster reads the step's `config` parameter by its class.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import dagster as dg
from pydantic import model_validator

from connectors.base import utc_now
from pipelines.connection import Connection, StreamSpec
from pipelines.listen import current
from pipelines.outcome import ErrorText, StreamOutcome
from pipelines.runbook import entry
from pipelines.schedules import op_name
from pipelines.stream_checks import LAST_RUNS, finished, row_count, schema
from pipelines.stretches import days_of
from pipelines.sync import sync_stream
from pipelines.units import spell
from pipelines.workspace import Workspace

LEAST_WINDOW = timedelta(minutes=2)


class StreamConfig(dg.Config):
    """What a run may be told in the launchpad, a stream each.

    `since` and `until` are days (2026-03-01, both included) that are read again.
    """

    full: bool = False
    trust_source: bool = False
    sweep: bool = False
    since: str = ""
    until: str = ""

    @model_validator(mode="after")
    def _are_days(self) -> "StreamConfig":
        days_of(self.since, self.until)
        return self


def stream_asset(connection: Connection, spec: StreamSpec) -> dg.AssetsDefinition:
    """Return the asset `<connection>/<stream>`; materialising it brings the stream up to date."""
    name, stream = connection.name, spec.name
    key = dg.AssetKey([name, stream])
    promise = spec.promise

    asset = dg.AssetSpec(
        key,
        group_name=name,
        kinds={_kind(connection.system)},
        description=_describe(connection, spec),
        metadata=_settings(connection, spec),
        tags={"isthmus/connection": name, "isthmus/system": _kind(connection.system)},
        owners=connection.file.owners,
        freshness_policy=(
            dg.FreshnessPolicy.time_window(fail_window=max(promise, LEAST_WINDOW))
            if promise
            else None
        ),
    )

    # An asset of one key whose step can be named.
    @dg.multi_asset(
        name=op_name(name, stream),
        specs=[asset],
        check_specs=[
            dg.AssetCheckSpec("rows", asset=key, description="Every record read is accounted for."),
            dg.AssetCheckSpec(
                "quarantine_share", asset=key, description="Few enough records are in quarantine."
            ),
            dg.AssetCheckSpec(
                "freshness", asset=key, description="The promise of freshness was kept."
            ),
            dg.AssetCheckSpec(
                "finished", asset=key, description="The read came to its end, no quota stopped it."
            ),
            dg.AssetCheckSpec(
                "row_count", asset=key, description="About as many records as in the runs before."
            ),
            dg.AssetCheckSpec(
                "schema", asset=key, description="The fields that the mapping reads are as before."
            ),
        ],
    )
    def step(
        context: dg.AssetExecutionContext, config: StreamConfig
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[Any]]:
        workspace = Workspace.discover()
        listener = current()
        before = _last_success(workspace, name, stream)
        outcome = sync_stream(
            workspace,
            name,
            stream,
            full=config.full,
            sweep=config.sweep,
            trust_source=config.trust_source,
            days=days_of(config.since, config.until),
            progress=listener.progress if listener else None,
            run_id=context.run.run_id,
        )
        if listener:
            listener.streams.append(outcome)
        yield _freshness(key, before, promise, outcome)
        if outcome.error is not None:
            raise failure(outcome.error, outcome) from None
        yield from _checks(key, outcome)
        yield finished(key, outcome)
        yield schema(key, outcome)
        yield row_count(key, outcome, workspace.control.runs_of(name, stream, limit=LAST_RUNS))
        yield dg.MaterializeResult(asset_key=key, metadata=figures(outcome))

    return step


def figures(outcome: StreamOutcome) -> dict[str, Any]:
    """Return the metadata of a step: what was read, what became of it, what it cost."""
    shown: dict[str, Any] = {
        "status": outcome.status,
        "rows read": outcome.read,
        "rows landed": outcome.landed,
        "rows unchanged": outcome.unchanged,
        "rows inserted": outcome.inserted,
        "rows updated": outcome.updated,
        "rows quarantined": outcome.quarantined,
        "rows deleted": outcome.deleted,
        "deletions held": outcome.held,
        "rows refused": outcome.refused,
        "bookmark before": dg.MetadataValue.json(outcome.bookmark_before or {}),
        "bookmark after": dg.MetadataValue.json(outcome.bookmark_after or {}),
        "requests": outcome.requests,
        "throttled seconds": outcome.throttled_seconds,
        "seconds": outcome.seconds,
    }
    if outcome.quota is not None:
        shown["quota"] = outcome.quota
        shown["goes on after"] = outcome.quota_until or "the next run tries"
    if outcome.lag_seconds is not None:
        shown["lag seconds"] = outcome.lag_seconds
    if outcome.tally:
        shown["tally"] = dg.MetadataValue.json(outcome.tally)
    if outcome.warnings:
        shown["warnings"] = dg.MetadataValue.json(outcome.warnings)
    return shown


def failure(error: ErrorText, outcome: StreamOutcome | None = None) -> dg.Failure:
    """Return the failure that a run page shows: named after the cause, text first, no retry."""
    subject = f"{outcome.connection}/{outcome.stream}: " if outcome else ""
    shown: dict[str, Any] = {
        "what happened": error.what,
        "what to do": error.do,
        "may heal by itself": error.retriable,
        "runbook": dg.MetadataValue.md(entry(error.kind)),
    }
    if error.place:
        shown["place"] = error.place
    if error.request_id:
        shown["request id of the system"] = error.request_id
    if outcome is not None:
        shown |= {
            "rows read": outcome.read,
            "rows landed": outcome.landed,
            "rows loaded": outcome.inserted + outcome.updated,
            "bookmark kept": dg.MetadataValue.json(outcome.bookmark_after or {}),
            "requests": outcome.requests,
            **({"tally": dg.MetadataValue.json(outcome.tally)} if outcome.tally else {}),
        }
    return _failure_class(error.kind)(
        description=f"{subject}{error}", metadata=shown, allow_retries=False
    )


@cache
def _failure_class(kind: str) -> type[dg.Failure]:
    # In the UI an exception of module builtins stands without a prefix: the headline is the cause.
    return type(kind, (dg.Failure,), {"__module__": "builtins"})


def _checks(key: dg.AssetKey, outcome: StreamOutcome) -> Iterator[dg.AssetCheckResult]:
    whole = outcome.read == outcome.landed + outcome.unchanged
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name="rows",
        passed=whole and not outcome.held,
        severity=dg.AssetCheckSeverity.ERROR if not whole else dg.AssetCheckSeverity.WARN,
        description=(
            f"{outcome.held} deletions wait for a person: more is gone than is believable."
            if outcome.held
            else f"{outcome.read} read = {outcome.landed} landed + {outcome.unchanged} unchanged"
        ),
        metadata={"read": outcome.read, "landed": outcome.landed, "unchanged": outcome.unchanged},
    )
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name="quarantine_share",
        passed=not outcome.is_over_limit,
        severity=dg.AssetCheckSeverity.ERROR,
        description=(
            f"{outcome.quarantined} in quarantine, {outcome.quarantine_share:.1%} of what was "
            f"loaded; the limit is {outcome.quarantine_limit:.1%}. See isthmus quarantine list."
        ),
        metadata={"quarantined": outcome.quarantined, "share": outcome.quarantine_share},
    )


def _freshness(
    key: dg.AssetKey, before: datetime | None, promise: timedelta | None, outcome: StreamOutcome
) -> dg.AssetCheckResult:
    """Judge the gap that ends with this run (a good one), or that this run leaves open."""
    gap = utc_now() - before if before else None
    late = gap is not None and promise is not None and gap > promise
    if promise is None:
        text = "no schedule, no promise"
    elif gap is None:
        text = "the first success" if outcome.error is None else "never read yet"
    else:
        text = f"{gap.total_seconds():.0f} s since the last success; promised: {spell(promise)}"
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="freshness",
        passed=not late,
        severity=dg.AssetCheckSeverity.WARN,
        description=text,
        metadata={"seconds": gap.total_seconds() if gap else 0.0},
    )


def _last_success(workspace: Workspace, connection: str, stream: str) -> datetime | None:
    row = workspace.control.last_successes().get((connection, stream))
    return row["ended_at"] if row is not None else None


def _describe(connection: Connection, spec: StreamSpec) -> str:
    # Lists show the beginning as it is: no Markdown in it.
    lines = [f"{_plain(connection.title)}: {_plain(spec.name)}, read by {connection.system}."]
    if spec.schedule:
        lines.append(f"Read at `{spec.schedule}` ({connection.timezone}).")
    if spec.promise:
        lines.append(f"Promised to be no older than {spell(spec.promise)}.")
    if spec.sweep:
        lines.append(f"Hard deletes are looked for at `{spec.sweep}`.")
    return " ".join(lines)


def _plain(title: str) -> str:
    """Return a title as Markdown shows it: as it is, whatever signs it has."""
    one_line = " ".join("".join(c if c.isprintable() else " " for c in title).split())
    return re.sub(r"([\\`*_{}\[\]()<>#+!|&~$:-])", r"\\\1", one_line)


def _settings(connection: Connection, spec: StreamSpec) -> dict[str, Any]:
    line = connection.document.line(("attributes", "config", "streams", spec.name))
    shown: dict[str, Any] = {
        # "Open in editor" on the asset's page.
        "dagster/code_references": dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(file_path=str(connection.path), line_number=line)
            ]
        ),
        "system": connection.system,
        "defs.yaml": dg.MetadataValue.path(str(connection.path)),
        "timezone": connection.timezone,
    }
    mapping = connection.mapping_path(spec.name)
    if mapping is not None:
        shown["mapping"] = dg.MetadataValue.path(str(mapping))
    if spec.promise:
        shown["promise"] = spell(spec.promise)
    return shown


def _kind(system: str) -> str:
    # A kind is a tag key of Dagster: letters, digits, _ - and . only.
    return "".join(c if c.isalnum() or c in "_-." else "_" for c in system)[:63]
