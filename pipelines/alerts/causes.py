"""What is wrong at this moment, each cause once however many streams and runs it spoils."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from connectors.errors import ConfigError
from pipelines.connection import Connection
from pipelines.control_view import ControlView, Run, view
from pipelines.outcome import RESUMABLE, quarantine_share

if TYPE_CHECKING:
    from pipelines.workspace import Workspace

Severity = Literal["error", "warning"]
IN_A_ROW = 2
"""Runs that fail one after the other before an error that may pass by itself is told of."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that a person has to know of.

    `name` is one of failed, late, quarantine, held, broken, publish, export, breaks, unchecked (a
    rule that could not run), unmade (a mart that could not be made), unproved; with connection and
    kind (of error; the rule; the mart) it is what the cause is known by. `what` are the system's
    own words, which may name a customer; `since` is the
    last moment at which all was well, None where there was none.
    """

    name: str
    severity: Severity
    connection: str = ""
    kind: str = ""
    streams: tuple[str, ...] = ()
    what: str = ""
    do: str = ""
    since: datetime | None = None
    count: int = 0

    @property
    def key(self) -> str:
        """What makes tomorrow's cause the same one."""
        return "/".join(part for part in (self.name, self.connection, self.kind) if part)

    def facts(self) -> dict[str, Any]:
        """Return the members as JSON."""
        return asdict(self) | {
            "streams": list(self.streams),
            "since": self.since.isoformat() if self.since else None,
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Cause:
        """Return the cause that `facts()` wrote."""
        since = facts["since"]
        return cls(
            **dict(facts)
            | {
                "streams": tuple(facts["streams"]),
                "since": datetime.fromisoformat(since) if since else None,
            }
        )


def causes(space: Workspace, now: datetime, seen: ControlView | None = None) -> list[Cause]:
    """Return what is wrong now, by key: from files of settings and the control database alone.

    `seen` is what the control database says, where the caller has it.
    """
    seen = seen or view(space)
    stopped = seen.paused(now)
    found: list[Cause] = []
    for name, one in space.connections().items():
        if name in stopped:  # a person knows
            continue
        if not isinstance(one, Connection):
            found.append(Cause("broken", "error", name, what=one.text))
            continue
        try:
            found += _of_connection(space, one, seen, now)
        except ConfigError as error:
            found.append(Cause("broken", "error", name, what=error.what, do=error.do))
    last = space.control.last_publish(good=False)
    if last is not None and last["error"] and last["error"]["kind"] not in RESUMABLE:
        good, told = space.control.last_publish(), last["error"]
        since = good["ended_at"] if good else None
        found.append(
            Cause("publish", "error", "", told["kind"], (), told["what"], told["do"], since)
        )
    found += _of_export(space)
    return sorted(found, key=lambda cause: cause.key)


def _of_export(space: Workspace) -> Iterator[Cause]:
    """Yield that the files of the shared folder are not those of the last night."""
    try:
        if space.company().export is None:
            return
    except ConfigError:
        return  # said by its own check
    from pipelines.export import last_export

    last = last_export(space)
    if last.get("failed"):
        good = last.get("good")
        since = datetime.fromisoformat(good) if good else None
        yield Cause("export", "warning", what=str(last["failed"]), since=since)


def _of_connection(
    space: Workspace, one: Connection, seen: ControlView, now: datetime
) -> Iterator[Cause]:
    last = {spec.name: run for spec in one.streams if (run := seen.last.get((one.name, spec.name)))}
    good = {spec.name: run for spec in one.streams if (run := seen.good.get((one.name, spec.name)))}
    failed = {name: run for name, run in last.items() if _is_lasting(space, run)}
    for kind in sorted({str(run.error["kind"]) for run in failed.values() if run.error}):
        streams = [n for n, run in failed.items() if run.error and run.error["kind"] == kind]
        error = failed[streams[0]].error or {}
        yield Cause(
            "failed", "error", one.name, kind, tuple(streams), str(error.get("what", "")),
            str(error.get("do", "")), _since(streams, good),
        )  # fmt: skip
    late = [
        spec.name
        for spec in one.streams
        if spec.promise is not None
        and spec.name not in failed
        and spec.name in last
        and now - (good.get(spec.name) or last[spec.name]).started_at > spec.promise
    ]
    if late:
        yield Cause("late", "error", one.name, "", tuple(late), since=_since(late, good))
    for name, run in last.items():
        counts = run.counts
        if _is_over(counts):
            yield Cause(
                "quarantine", "error", one.name, name, (name,),
                count=int(counts.get("quarantined") or 0), since=_since([name], good),
            )  # fmt: skip
        if counts.get("held"):
            yield Cause(
                "held", "warning", one.name, name, (name,), count=int(counts["held"]),
            )  # fmt: skip


def _is_lasting(space: Workspace, run: Run) -> bool:
    """Say whether a run failed, and not in a way that the next tick is likely to mend."""
    if run.status != "failed" or not run.error or run.error["kind"] in RESUMABLE:
        return False
    if not run.error.get("retriable"):
        return True
    newest = space.control.runs_of(run.connection, run.stream, limit=IN_A_ROW)
    return len(newest) == IN_A_ROW and all(r["status"] == "failed" for r in newest)


def _is_over(counts: Mapping[str, Any]) -> bool:
    limit = counts.get("quarantine_limit")
    return limit is not None and quarantine_share(counts) > float(limit)


def _since(streams: Sequence[str], good: Mapping[str, Run]) -> datetime | None:
    """Return when the last of `streams` was well; None where one of them never was."""
    ends = [good[name].ended_at for name in streams if name in good]
    return min(ends) if len(ends) == len(streams) else None
