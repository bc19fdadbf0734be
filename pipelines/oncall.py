"""Jobs that a person on call starts in the UI, each with a form that is checked before it runs.

No postponed annotations here: Dagster reads a step's `config` parameter by its class.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from enum import Enum
from typing import Any

import dagster as dg
from pydantic import Field, field_validator, model_validator

from connectors.base import utc_now
from pipelines import pauses, repair
from pipelines.compact import compact
from pipelines.compact_job import told
from pipelines.explain import explain
from pipelines.outcome import PublishOutcome
from pipelines.streams import failure, figures
from pipelines.stretches import days_of
from pipelines.sync import sync_stream, unify_publish
from pipelines.units import parse_duration
from pipelines.workspace import Workspace

WHO = "Your name: Dagster does not know who you are. 您的姓名。"
WHY = "Why; kept with the decision. 原因，与决定一同留存。"


def oncall_jobs(streams: Mapping[str, Sequence[str]]) -> list[dg.JobDefinition]:
    """Return the jobs; their forms offer the connections and the `streams` of each."""
    Connection: Any = _choice("Connection", streams)
    Stream: Any = _choice(
        "Stream", [f"{name}/{one}" for name, own in streams.items() for one in own]
    )

    class Replay(dg.Config):
        connection: Connection | None = Field(None, description="Only of this one. 仅此连接。")
        stream: str = Field("", description="Only of this stream of it. 仅此数据流。")
        ids: list[str] = Field([], description="Only these entries. 仅这些条目。")

    class Accept(dg.Config):
        connection: Connection = Field(description="Connection. 连接。")
        stream: str = Field(min_length=1, description="Stream. 数据流。")
        batch: int = Field(0, ge=0, description="Batch, as listed; 0: list only. 批次；0 仅列出。")
        who: str = Field("", description=WHO)
        why: str = Field("", description=WHY)

    class Pausing(dg.Config):
        connection: Connection = Field(description="Connection. 连接。")
        resume: bool = Field(False, description="End the pause. 结束暂停。")
        span: str = Field("", description="How long: 4h, 2d; empty: until resumed. 时长。")
        who: str = Field(min_length=1, description=WHO)
        why: str = Field(min_length=1, description=WHY)

        @field_validator("span")
        @classmethod
        def _span(cls, value: str) -> str:
            if value:
                parse_duration(value)
            return value

    class SyncOne(dg.Config):
        stream: Stream = Field(description="connection/stream. 连接/数据流。")
        full: bool = Field(False, description="All of it, and what is gone. 全量并查找已删除的。")

    class Reread(dg.Config):
        stream: Stream = Field(description="connection/stream. 连接/数据流。")
        since: str = Field(
            "", description="First day, 2026-03-01; empty: all of it. 起始日期；空为全量。"
        )
        until: str = Field("", description="Last day, included; empty: today. 截止日期（含）。")

        @model_validator(mode="after")
        def _both(self) -> Any:
            days_of(self.since, self.until)
            return self

    class Rebuild(dg.Config):
        connection: Connection = Field(description="Connection. 连接。")

    class Compact(dg.Config):
        connection: Connection | None = Field(
            None, description="Its landing only; empty: all, and the store. 仅此连接；空为全部。"
        )
        dry_run: bool = Field(False, description="Tell only. 仅显示，不改动。")

    @dg.op(description="Brings one stream up to date, then publishes.")
    def sync_one(context: dg.OpExecutionContext, config: SyncOne) -> None:
        name, _, stream = _name(config.stream).partition("/")
        space = Workspace.discover()
        outcome = sync_stream(space, name, stream, full=config.full, run_id=context.run_id)
        _told_of(context, repair.Reread(outcome, unify_publish(space)))

    @dg.op(description="Reads days of a stream again, or all of it, then publishes.")
    def read_again(context: dg.OpExecutionContext, config: Reread) -> None:
        name, _, stream = _name(config.stream).partition("/")
        days = days_of(config.since, config.until)
        _told_of(
            context,
            _tried(
                lambda space: repair.read_again(
                    space, utc_now, name, stream, days, run_id=context.run_id
                )
            ),
        )

    @dg.op(description="Makes one connection's rows anew from the landing, then publishes.")
    def make_anew(context: dg.OpExecutionContext, config: Rebuild) -> None:
        name = _name(config.connection)
        done = _tried(lambda space: repair.rebuild(space, utc_now, connection=name))
        context.add_output_metadata({"rows": dg.MetadataValue.json(done.report.as_json())})
        _tell(context, done.publish, streams=done.report.streams, batches=done.report.batches)

    @dg.op(description="Makes landed files fewer and the store smaller; drops nothing.")
    def make_smaller(context: dg.OpExecutionContext, config: Compact) -> None:
        name = _name(config.connection) or None
        told(context, _tried(lambda space: compact(space, utc_now, name, dry_run=config.dry_run)))

    @dg.op(description="Applies the mapping of now to records in quarantine, then publishes.")
    def replay_entries(context: dg.OpExecutionContext, config: Replay) -> None:
        done = _tried(
            lambda space: repair.replay(
                space, utc_now, connection=_name(config.connection), stream=config.stream,
                ids=config.ids,
            )
        )  # fmt: skip
        _tell(context, done.publish, good=done.good, still_broken=done.still_broken)

    @dg.op(description="Lists deletions that wait, or accepts a batch of them and publishes.")
    def accept_deletions(context: dg.OpExecutionContext, config: Accept) -> None:
        name = _name(config.connection)
        waits = _tried(lambda space: repair.held(space, name))
        mine = [one for one in waits if one.stream == config.stream]
        context.add_output_metadata({"waiting": _table(mine)})
        if not config.batch:
            return
        if not (config.who.strip() and config.why.strip()):
            raise dg.Failure("Who accepts, and why? Fill in `who` and `why`.", allow_retries=False)
        done = _tried(
            lambda space: repair.accept(
                space, utc_now, name, config.stream, config.batch, why=config.why.strip(),
                who=config.who.strip(),
            )
        )  # fmt: skip
        _tell(context, done.publish, deleted=done.deleted, seen_since=done.seen_since)

    @dg.op(description="Stops the schedules of a connection for a while, or lets them go on.")
    def pause_or_resume(context: dg.OpExecutionContext, config: Pausing) -> None:
        name, moment = _name(config.connection), utc_now()

        def work(space: Workspace) -> dict[str, Any]:
            if config.resume:
                return {"was paused": pauses.resume(space.control, name)}
            span: timedelta | None = parse_duration(config.span) if config.span else None
            made = pauses.pause(
                space.control, name, until=moment + span if span else None, who=config.who,
                why=config.why, now=moment,
            )  # fmt: skip
            return {"paused until": str(made.until or "it is resumed")}

        context.add_output_metadata(_tried(work))

    return [
        _job("sync_one_stream", sync_one, "One stream now. 立即同步一个数据流。"),
        _job("reread", read_again, "What was missed or changed silently. 补读漏掉的日期。"),
        _job("rebuild_connection", make_anew, "The source is not asked. 不访问源系统。"),
        _job("compact", make_smaller, "Files merged, free blocks given back. 合并文件，释放空间。"),
        _job("replay_quarantine", replay_entries, "After a mapping was mended. 修正映射后重放。"),
        _job("accept_deletion", accept_deletions, "Deletions held back. 被搁置的删除。"),
        _job("pause_connection", pause_or_resume, "Pause or resume. 暂停或恢复连接。"),
    ]


def _choice(name: str, members: Iterable[str]) -> Any:
    """Return the type of a field that offers `members`; any text where there is none."""
    offered = {one: one for one in sorted(members)}
    # Dagster keeps one enumeration a name in a process: other members, another name.
    digest = hashlib.sha256("\n".join(offered).encode()).hexdigest()[:8]
    return Enum(f"{name}_{digest}", offered) if offered else str


def _job(name: str, op: dg.OpDefinition, description: str) -> dg.JobDefinition:
    graph = dg.GraphDefinition(name=name, node_defs=[op])
    return graph.to_job(
        description=f"{op.description} {description}",
        executor_def=dg.in_process_executor,
        tags={"isthmus/on-call": "true"},
    )


def _tried(work: Callable[[Workspace], Any]) -> Any:
    """Do the work; what goes wrong is the failure that a run page shows, text first."""
    space = Workspace.discover()
    try:
        return work(space)
    except Exception as error:  # the boundary of a step: its failure is a text
        raise failure(explain(error, space.home, space.secrets.given)) from None


def _tell(context: dg.OpExecutionContext, publish: PublishOutcome, **figures: int) -> None:
    context.log.info(", ".join(f"{name}: {count}" for name, count in figures.items()))
    context.add_output_metadata(
        {**figures, "a new version": publish.published, "rows changed": publish.changed}
    )
    if publish.error is not None:
        raise failure(publish.error)


def _told_of(context: dg.OpExecutionContext, done: repair.Reread) -> None:
    """Tell what a read did; a stream that failed is the failure, whatever publishing did."""
    if done.outcome.error is not None:
        raise failure(done.outcome.error, done.outcome) from None
    context.add_output_metadata(figures(done.outcome))
    if done.publish.error is not None:
        raise failure(done.publish.error) from None


def _table(held: Sequence[repair.Held]) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord(
            {**asdict(one), "first_keys": ", ".join(one.first_keys), "part": one.part or ""}
        )
        for one in held
    ]
    columns = [dg.TableColumn(name, "string") for name in ("connection", "stream", "at", "part")]
    columns += [dg.TableColumn("batch", "int"), dg.TableColumn("keys", "int")]
    columns += [dg.TableColumn("first_keys", "string", description="The first ten. 前十个。")]
    return dg.TableMetadataValue(records, dg.TableSchema(columns))


def _name(connection: Any) -> str:
    return "" if connection is None else str(getattr(connection, "value", connection))
