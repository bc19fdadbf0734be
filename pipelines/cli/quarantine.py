"""`quarantine`: records that a rule kept out, why, and what became of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.options import AsJson
from pipelines.cli.query import current, tell_age
from pipelines.cli.session import connection as known
from pipelines.cli.session import known_stream, unknown, workspace
from pipelines.cli.show import as_json, cell, minute, remark, say, table
from pipelines.texts import t

app = typer.Typer(no_args_is_help=True)

Ids = Annotated[list[str], typer.Argument(metavar="ID", help=t("opt.quarantine_ids"))]
COLUMNS = (
    "id", "connection", "stream", "entity", "source_key", "field", "rule", "reason", "status",
    "first_at", "last_at",
)  # fmt: skip


@app.command("list", help=t("help.quarantine_list"))
def list_(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help=t("opt.connection"))] = "",
    stream: Annotated[str, typer.Argument(metavar="STREAM", help=t("opt.stream"))] = "",
    everything: Annotated[bool, typer.Option("--all", help=t("opt.quarantine_all"))] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help=t("opt.limit"))] = 50,
    json: AsJson = False,
) -> None:
    """List what is in quarantine, as published."""
    published = current(workspace().home)
    conditions = [] if everything else ["status = 'open'"]
    if connection:
        conditions.append(f"connection = {_text(connection)}")
    if stream:
        conditions.append(f"stream = {_text(stream)}")
    where = f"where {' and '.join(conditions)}" if conditions else ""
    rows = _rows(
        f"select {', '.join(COLUMNS)} from ops.quarantine {where} order by last_at desc, id",
        limit + 1,
    )
    if not rows and connection:
        _expect(connection, stream)
    if json:
        as_json(rows[:limit])
    elif rows:
        table(
            [t("col.id"), t("col.key"), t("col.field"), t("col.reason"), t("col.status"),
             t("col.last")],
            [(r["id"], r["source_key"], r["field"], r["reason"], r["status"], minute(r["last_at"]))
             for r in rows[:limit]],
        )  # fmt: skip
        if len(rows) > limit:
            remark(t("query.more", rows=limit))
        remark(t("quarantine.next"))
    else:
        say(t("quarantine.empty"))
    tell_age(published)


@app.command("show", help=t("help.quarantine_show"))
def show(
    id: Annotated[str, typer.Argument(help=t("opt.quarantine_id"))], json: AsJson = False
) -> None:
    """Show one entry and its record, read from the landing."""
    entry = _entry(id)
    record = _record(entry)
    _noted(entry["id"])
    if json:
        as_json({**entry, "record": record})
        return
    for name, value in entry.items():
        if value is not None:
            say(f"{name}: {value}")
    say()
    say(t("quarantine.record"))
    as_json(record)


@app.command("replay", help=t("help.quarantine_replay"))
def replay(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help=t("opt.quarantine_ids"))
    ] = None,
    connection: Annotated[str, typer.Option("--connection", help=t("opt.connection"))] = "",
    stream: Annotated[str, typer.Option("--stream", help=t("opt.stream"))] = "",
    json: AsJson = False,
) -> None:
    """Apply the mapping of now to entries; good rows go into the store."""
    from pipelines.cli.decide import replay_entries

    replay_entries(ids or [], connection, stream, json=json)


@app.command("discard", help=t("help.quarantine_discard"))
def discard(
    ids: Ids,
    why: Annotated[str, typer.Option("--why", help=t("opt.why"), prompt=t("opt.why"))],
    json: AsJson = False,
) -> None:
    """Put entries aside by a decision that is kept."""
    from pipelines.cli.decide import discard_entries

    discard_entries(ids, why, json=json)


def _expect(connection: str, stream: str) -> None:
    """End the command where nobody knows the connection or stream; one removed may have rows."""
    space = workspace()
    if connection not in space.connections():
        raise unknown(space, connection)
    if stream:
        known_stream(known(space, connection), stream)


def _entry(id: str) -> dict[str, Any]:
    """Return an entry as published; the id alone finds the record of one not published yet."""
    if workspace().home.current.exists():
        rows = _rows(f"select * from ops.quarantine where id = {_text(id)}", 1)
        if rows:
            return rows[0]
    parts = id.split("/")
    if len(parts) == 5 and parts[2].isdigit() and parts[3].isdigit():
        connection, stream, batch, position, entity = parts
        return {"id": id, "connection": connection, "stream": stream, "batch": int(batch),
                "position": int(position), "entity": entity}  # fmt: skip
    raise CliError(t("quarantine.unknown", id=cell(id)), t("quarantine.unknown_do"))


def _record(entry: dict[str, Any]) -> Any:
    import json

    from warehouse.landing import Landing

    raw = Landing(workspace().home.landing).record(
        entry["connection"], entry["stream"], entry["batch"], entry["position"]
    )
    try:
        return json.loads(raw)
    except ValueError:
        return bytes(raw).decode("utf-8", "replace")


def _noted(id: str) -> None:
    """Log that a record was looked at, before it is shown: it may hold what nobody may see."""
    from connectors.base import utc_now
    from pipelines.trace import note_access

    note_access(workspace().home.root / "logs" / "access.jsonl", "quarantine show", id, utc_now())


def _rows(sql: str, limit: int) -> list[dict[str, Any]]:
    from warehouse import reader

    result = reader.run_query(current(workspace().home), sql, limit=limit)
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
