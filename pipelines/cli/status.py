"""`status`: how every stream is, from control database, sidecars and published file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from pipelines.cli.options import AsJson
from pipelines.cli.query import now, tell_age
from pipelines.cli.session import unknown, workspace
from pipelines.cli.show import age, as_json, quota_text, remark, say, span, table, tally_text
from pipelines.texts import t


def status(
    connection: Annotated[
        list[str] | None, typer.Argument(metavar="CONNECTION", help=t("opt.check_connection"))
    ] = None,
    json: AsJson = False,
) -> None:
    """Tell how every stream is, from control database, sidecars and published file."""
    from pipelines.control_view import view
    from pipelines.state import Broken, gather, suggestions

    space = workspace()
    for name in connection or []:
        if name not in space.connections():
            raise unknown(space, name)
    moment = now()
    found = gather(space, connection or [], moment)
    streams = [s for s in found if not isinstance(s, Broken)]
    broken = [s for s in found if isinstance(s, Broken)]
    alike = suggestions(space.home)
    if json:
        as_json(
            {
                "streams": [s.as_json() for s in streams],
                "broken": [b.as_json() for b in broken],
                "suggestions": alike,
                "published": str(space.home.readable) if space.home.current.exists() else None,
            }
        )
        return
    if not found:
        say(t("connection.none", folder=space.defs))
        say(t("connection.none_do"))
        return
    columns = ("stream", "last", "lag", "promise", "rows", "quarantine", "waiting", "next")
    table(
        [t(f"status.col.{c}") for c in columns],
        [
            (
                f"{s.connection}/{s.stream}",
                t("status.running") if s.running else age(s.last_success, moment),
                span(s.lag_seconds),
                _promise(s.promise_kept),
                s.rows,
                s.quarantine or "",
                s.waiting or "",
                s.next_tick.strftime("%m-%d %H:%M %Z") if s.next_tick else "",
            )
            for s in streams
        ],
        right=(4, 5, 6),
    )
    _remarks(streams, broken)
    for one in view(space).paused(moment).values():
        remark(t("pause.skipped", name=one.connection, who=one.who, why=one.why))
    if alike:
        remark(t("status.suggestions", count=alike))
    if space.home.current.exists():
        tell_age(space.home.current)
    else:
        remark(t("status.unpublished"))


def _promise(kept: bool | None) -> str:
    return "" if kept is None else t("status.kept") if kept else t("status.broken_promise")


def _remarks(streams: Sequence[Any], broken: Sequence[Any]) -> None:
    for s in streams:
        if s.error:
            remark(t("sync.failed", name=f"{s.connection}/{s.stream}", error=s.error))
        if s.quota:
            remark(quota_text(f"{s.connection}/{s.stream}", s.quota, s.quota_until))
        if s.tally:
            remark(tally_text(f"{s.connection}/{s.stream}", s.tally))
        if s.held:
            remark(t("sync.held", name=f"{s.connection}/{s.stream}", count=s.held))
    for name in dict.fromkeys(s.connection for s in streams if s.unverified):
        remark(t("status.unverified", name=name))
    for one in broken:
        remark(t("connection.broken", name=one.connection))
        for problem in one.problems:
            remark(f"  {problem}")
