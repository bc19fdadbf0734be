"""`verify`: counts and sums at the source against the store, by window; what differs is healed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.options import AsJson, ConnectionName
from pipelines.cli.query import now
from pipelines.cli.session import connection as known
from pipelines.cli.session import known_stream, stream_names, workspace
from pipelines.cli.show import as_json, remark, say, table
from pipelines.texts import t

if TYPE_CHECKING:
    from pipelines.proof import StreamProof, Window

MOST = 20
"""Windows of a stream that are named one by one."""


def verify(
    connection: ConnectionName,
    streams: Annotated[
        list[str] | None, typer.Argument(metavar="[STREAM]...", help=t("opt.verify_streams"))
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help=t("opt.verify_since"))
    ] = None,
    heal: Annotated[bool, typer.Option("--heal/--no-heal", help=t("opt.heal"))] = True,
    json: AsJson = False,
) -> None:
    """Prove streams complete or name what is missing; heal it, unify and publish."""
    space = workspace()
    found = known(space, connection)
    names = [known_stream(found, name) for name in streams or stream_names(found)]
    from pipelines.sync import unify_publish
    from pipelines.verify import verify_stream

    day: date | None = since.date() if since is not None else None
    proofs = [
        verify_stream(space, connection, name, since=day, heal=heal, now=now)
        for name in dict.fromkeys(names)
    ]
    published = unify_publish(space, now=now)
    if json:
        as_json({"streams": [p.as_json() for p in proofs], "publish": published.as_json()})
    else:
        _summary(proofs)
        for proof in proofs:
            _remarks(proof)
    if published.error is not None:
        raise CliError(published.error.what, published.error.do, published.exit_code)
    raise typer.Exit(max(p.exit_code for p in proofs))


def _summary(proofs: Sequence[StreamProof]) -> None:
    columns = ("stream", "status", "windows", "off", "source", "store", "aside", "left_out", "how")
    table(
        [t(f"verify.col.{c}") for c in columns],
        [
            (
                f"{p.connection}/{p.stream}", t(f"verify.status.{p.status}"), len(p.windows),
                sum(w.is_off for w in p.windows),
                _added(w.source for w in p.windows), _added(w.store for w in p.windows),
                sum(w.aside for w in p.windows), sum(w.left_out for w in p.windows), p.how,
            )
            for p in proofs
        ],
        right=range(2, len(columns) - 1),
    )  # fmt: skip


def _added(counts: Iterable[int | None]) -> int | str:
    known_counts = [c for c in counts if c is not None]
    return sum(known_counts) if known_counts else ""


def _remarks(proof: StreamProof) -> None:
    """Say on stderr what a person has to know: failures, windows that differ, what was healed."""
    name = f"{proof.connection}/{proof.stream}"
    if proof.error is not None:
        remark(t("sync.failed", name=name, error=proof.error))
        return
    off = [w for w in proof.windows if w.status != "equal"]
    for window in off[:MOST]:
        remark(
            t(
                f"verify.window.{'counted' if window.source is not None else 'bare'}",
                name=name, window=_place(window), status=t(f"verify.status.{window.status}"),
                source=window.source, store=window.store, text=window.message or proof.how,
            )
        )  # fmt: skip
    if len(off) > MOST:
        remark(t("verify.more", name=name, count=len(off) - MOST))
    if proof.put_back or proof.read_again or proof.deleted:
        say(t("verify.healed", name=name, put_back=proof.put_back, read=proof.read_again,
              deleted=proof.deleted))  # fmt: skip


def _place(window: Window) -> str:
    """Return a window as people say it: its part, its days, or all."""
    if window.part is not None:
        return window.part
    since, until = window.span.since, window.span.until
    if since is None and until is None:
        return t("verify.whole")
    ends = [f"{at:%F}" if at and not (at.hour or at.minute or at.second) else
            f"{at:%F %T}" if at else "" for at in (since, until)]  # fmt: skip
    return f"[{ends[0]} … {ends[1]})"
