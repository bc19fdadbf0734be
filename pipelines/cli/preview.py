"""`preview`: what the first records of a stream become, before anything is landed or stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.codes import USAGE, CliError
from pipelines.cli.options import AsJson
from pipelines.cli.query import now
from pipelines.cli.session import connection as find_connection
from pipelines.cli.session import known_stream, only_connection, workspace
from pipelines.cli.show import as_json, remark, say, table
from pipelines.texts import t

if TYPE_CHECKING:
    from pipelines.connection import Connection
    from pipelines.workspace import Workspace
    from warehouse.preview import Preview

RECORDS = 10


def preview(
    connection: Annotated[
        str | None, typer.Argument(metavar="CONNECTION", help=t("opt.one_connection"))
    ] = None,
    stream: Annotated[
        str | None, typer.Argument(metavar="STREAM", help=t("opt.one_stream"))
    ] = None,
    suggest: Annotated[bool, typer.Option("--suggest", help=t("opt.suggest"))] = False,
    write: Annotated[bool, typer.Option("--write", help=t("opt.write"))] = False,
    entity: Annotated[str | None, typer.Option("--entity", help=t("opt.entity"))] = None,
    json: AsJson = False,
) -> None:
    """Read up to ten records, map them in a throwaway database, and show what comes out."""
    from pipelines.sampling import first_records, samples
    from pipelines.trace import note_access

    space = workspace()
    found = find_connection(space, connection or only_connection(space))
    name = known_stream(found, stream)
    if entity is not None:
        _known_entity(entity)
    sample = first_records(found, name, RECORDS)
    log = space.home.root / "logs" / "access.jsonl"
    note_access(log, "preview", f"{found.name}/{name}", now())  # what it shows is not masked
    proposal: str | None = None
    path = found.mapping_path(name)
    if suggest or write:
        from mappings.suggest import suggest as propose

        proposal = propose(samples(sample), entity, key=_key(found, name), stream=name)
        if write:
            path = _write(space, found, name, proposal)
    elif path is None:
        raise CliError(
            t("preview.no_mapping", name=found.name, stream=name),
            t("preview.no_mapping_do", name=found.name, stream=name), USAGE,
        )  # fmt: skip
    if proposal is not None and not json:
        say(proposal.rstrip())
        say()
    from warehouse.preview import preview as map_records

    result = map_records(_plan(space, found, name, None if write else proposal), sample, now=now())
    if json:
        as_json(_json(found.name, name, proposal, result))
        return
    _show(result)
    if write:
        say(t("preview.wrote", file=path))
        say(t("preview.next_sync", name=found.name))
    elif suggest:
        say(t("preview.next_write", name=found.name, stream=name))


def _key(found: Connection, stream: str) -> tuple[str, ...]:
    """Return the stream's key: deletions find rows by it, so the mapping must say the same."""
    return found.connector().streams()[stream].key


def _plan(space: Workspace, found: Connection, stream: str, proposal: str | None) -> Any:
    if proposal is None:
        return found.plan(stream)
    import tempfile

    from mappings.compile import compile_mapping
    from mappings.load import load_mapping

    with tempfile.TemporaryDirectory(prefix="isthmus-preview-") as folder:
        file = Path(folder) / f"{stream}.yaml"
        file.write_text(proposal, "utf-8")
        return compile_mapping(
            load_mapping(file, search=space.overlays),
            connection=found.name, stream=stream, zone=found.timezone, settings=found.settings(),
        )  # fmt: skip


def _write(space: Workspace, found: Connection, stream: str, text: str) -> Path:
    root = space.overlays[0] if space.overlays else space.defs.parent / "mappings"
    file = root / found.name / f"{stream}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise CliError(t("preview.exists", file=file), t("preview.exists_do")) from None
    return file


def _known_entity(entity: str) -> None:
    from pipelines.check.words import meant
    from warehouse.model import ENTITIES

    if entity not in ENTITIES:
        raise CliError(t("preview.entity", entity=entity), meant(entity, ENTITIES))


def _show(result: Preview) -> None:
    for warning in result.warnings:
        say(t("preview.warning", text=warning))
    for part in result.mapped:
        title = f"{part.entity} ({part.child})" if part.child else part.entity
        say(t("preview.entity_rows", entity=title, rows=len(part.rows)))
        if part.rows:
            table(part.columns, part.rows, tall=True)
        for warning in part.warnings:
            say(t("preview.warning", text=warning))
        if part.refused:
            say()
            say(t("preview.refused", entity=title, count=len(part.refused)))
            table(
                [t("col.record"), t("col.key"), t("col.reason")],
                [(r.position, r.source_key, "; ".join(r.reasons)) for r in part.refused],
            )
        say()
    if result.broken:
        say(t("preview.broken", count=len(result.broken)))
        table(
            [t("col.record"), t("col.reason")],
            [(r.position, "; ".join(r.reasons)) for r in result.broken],
        )
        say()
    if result.read == 0:
        say(t("preview.empty"))
    else:
        say(t("preview.count", read=result.read, bad=result.quarantined))
    remark(t("preview.untouched"))


def _json(name: str, stream: str, proposal: str | None, result: Preview) -> dict[str, Any]:
    return {
        "connection": name,
        "stream": stream,
        "suggestion": proposal,
        "read": result.read,
        "quarantined": result.quarantined,
        "warnings": list(result.warnings),
        "broken": [{"record": r.position, "reasons": list(r.reasons)} for r in result.broken],
        "mapped": [
            {
                "entity": part.entity,
                "child": part.child or None,
                "rows": [dict(zip(part.columns, row, strict=True)) for row in part.rows],
                "refused": [
                    {"record": r.position, "source_key": r.source_key, "reasons": list(r.reasons)}
                    for r in part.refused
                ],
                "warnings": list(part.warnings),
            }
            for part in result.mapped
        ],
    }
