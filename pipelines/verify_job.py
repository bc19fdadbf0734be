"""The completeness proof in Dagster: a check `complete` a stream, and the job `verify`.

A check is run by itself from its asset's page. A run that materialises the asset leaves it out: a
proof asks the system far more than a sync does. The job proves any streams of any connection, and
reports to the same checks.

No postponed annotations here: Dagster reads the step's `config` parameter by its class.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from connectors.base import utc_now
from pipelines.connection import Connection
from pipelines.proof import StreamProof
from pipelines.schedules import op_name
from pipelines.streams import failure
from pipelines.verify import verify_stream
from pipelines.workspace import Workspace

CHECK = "complete"
JOB = "verify"
SHOWN = 50


class VerifyConfig(dg.Config):
    """What a proof may be told in the launchpad: how far back, and whether to mend what differs.

    `days` 0 means from the beginning.
    """

    days: int = 0
    heal: bool = True


class VerifyJobConfig(VerifyConfig):
    """The same with the connection and its streams; none means all of them.

    `recent` keeps to what may be asked of a source each night: the last month of the streams that
    it counts by time. `patience` are the minutes that another run of a stream is waited for.
    """

    connection: str
    streams: list[str] = Field(default_factory=list)
    recent: bool = False
    patience: int = 0


def complete_key(connection: str, stream: str) -> dg.AssetCheckKey:
    """Return the key of a stream's check."""
    return dg.AssetCheckKey(dg.AssetKey([connection, stream]), CHECK)


def complete_checks(connection: Connection) -> dg.AssetChecksDefinition:
    """Return the checks of a connection's streams, each run for itself or several together."""
    name = connection.name
    keys = {complete_key(name, spec.name): spec.name for spec in connection.streams}

    @dg.multi_asset_check(
        name=f"{op_name(name, CHECK)}_check",
        specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=key.asset_key,
                description="Counts and sums at the source equal those here, window by window.",
            )
            for key in keys
        ],
        can_subset=True,
    )
    def step(
        context: dg.AssetCheckExecutionContext, config: VerifyConfig
    ) -> Iterator[dg.AssetCheckResult]:
        workspace = Workspace.discover()
        synced = context.job_def.asset_layer.selected_asset_keys
        failed: list[StreamProof] = []
        for key, stream in keys.items():
            if key not in context.selected_asset_check_keys or key.asset_key in synced:
                continue
            proof = _verify(workspace, name, stream, config, context.run.run_id)
            yield _result(proof)
            if proof.error is not None:
                failed.append(proof)
        _raise_first(failed)

    return step


@dg.op(name="prove", description="Counts at the source against the store, stream by stream.")
def prove(context: dg.OpExecutionContext, config: VerifyJobConfig) -> None:
    """Prove the streams; the results stand at their checks and in ops.completeness."""
    workspace = Workspace.discover()
    found = workspace.connection(config.connection)
    names = [found.stream(s).name for s in config.streams] or [s.name for s in found.streams]
    failed: list[StreamProof] = []
    for stream in names:
        proof = _verify(
            workspace, found.name, stream, config, context.run_id,
            recent=config.recent, patience=timedelta(minutes=config.patience),
        )  # fmt: skip
        if proof.passed_over:
            context.log.info(f"{found.name}/{stream}: passed over, not counted by time")
            continue
        result = _result(proof)
        context.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey([found.name, stream]),
                check_name=CHECK,
                passed=result.passed,
                metadata=dict(result.metadata),
                severity=result.severity,
                description=result.description,
            )
        )
        context.log.info(f"{found.name}/{stream}: {proof.status}. {result.description}")
        if proof.error is not None:
            failed.append(proof)
    _raise_first(failed)


@dg.job(name=JOB, executor_def=dg.in_process_executor)
def verify() -> None:
    """Proves streams of one connection complete, or names the windows that differ."""
    prove()


def _raise_first(failed: Sequence[StreamProof]) -> None:
    """End a run red where a proof could not be made; the other streams have theirs."""
    for proof in failed:
        if proof.error is not None:
            raise failure(proof.error) from None


def _verify(
    workspace: Workspace,
    connection: str,
    stream: str,
    config: VerifyConfig,
    run_id: str,
    *,
    recent: bool = False,
    patience: timedelta = timedelta(0),
) -> StreamProof:
    since: date | None = None
    if config.days > 0:
        since = (utc_now() - timedelta(days=config.days)).date()
    return verify_stream(
        workspace, connection, stream, since=since, heal=config.heal, run_id=run_id,
        recent=recent, patience=patience,
    )  # fmt: skip


def _result(proof: StreamProof) -> dg.AssetCheckResult:
    """Return what a check says: failed where something differs, a warning where none can count."""
    off = [w for w in proof.windows if w.is_off]
    unknown = proof.status in ("cannot_count", "not_compared")
    source = sum(w.source or 0 for w in proof.windows)
    store = sum(w.store or 0 for w in proof.windows)
    if proof.error is not None:
        said = str(proof.error)
    elif unknown:
        said = proof.windows[0].message if proof.status == "not_compared" else ""
        said = f"{said or proof.how}: nothing is proved."
    elif off:
        said = f"{len(off)} of {len(proof.windows)} windows differ: {off[0].message}"
    else:
        said = f"{source} at the source = {store} here, in {len(proof.windows)} windows."
    shown: dict[str, Any] = {
        "how the source counted": proof.how,
        "status": proof.status,
        "source": source,
        "store": store,
        "rows put back": proof.put_back,
        "records read again": proof.read_again,
        "rows deleted": proof.deleted,
        "requests": proof.requests,
        "seconds": proof.seconds,
        "windows": dg.MetadataValue.json(
            [w for w in proof.as_json()["windows"] if w["status"] != "equal"][:SHOWN]
        ),
    }
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey([proof.connection, proof.stream]),
        check_name=CHECK,
        passed=proof.is_proved and not unknown,
        severity=dg.AssetCheckSeverity.WARN if unknown else dg.AssetCheckSeverity.ERROR,
        description=said,
        metadata=shown,
    )
