"""`explain`: which source, batch, mapping and expression gave each value, and what lost."""

from __future__ import annotations

import json as texts_of_json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.check.words import meant
from pipelines.cli.codes import CliError
from pipelines.cli.options import AsJson
from pipelines.cli.query import current, tell_age
from pipelines.cli.session import workspace
from pipelines.cli.show import as_json, cell, minute, remark, say, table
from pipelines.texts import t

if TYPE_CHECKING:
    from pipelines.lineage import FieldTold, Lineage, Source
    from pipelines.workspace import Workspace
    from warehouse.lineage import Match, Told

SHOWN = 60
"""Signs of a value or expression that a table shows; `--json` has them whole."""


def explain(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help=t("opt.entity"))],
    key: Annotated[str, typer.Argument(metavar="KEY", help=t("opt.explain_key"))],
    lines: Annotated[bool, typer.Option("--lines", help=t("opt.explain_lines"))] = False,
    raw: Annotated[bool, typer.Option("--raw", help=t("opt.explain_raw"))] = False,
    json: AsJson = False,
) -> None:
    """Tell where each value of a thing comes from, and which values lost."""
    space = workspace()
    published = current(space.home)
    name = _entity(entity)
    from pipelines.lineage import Lineage
    from warehouse import lineage, reader

    with reader.open_reader(published) as con:
        found = lineage.find(con, name, key, space.key)
        if len(found) != 1:
            _not_one(name, key, found, json=json)
        told = lineage.tell(con, name, found[0].id, lines=lines)
    if raw:
        _noted(space, f"{name}/{told.id}")
    sources = Lineage(space, told)
    if json:
        as_json(_as_data(told, sources, space if raw else None))
    else:
        _show(told, sources)
        if raw:
            _show_raw(told, space)
    tell_age(published)


def _entity(word: str) -> str:
    """Return the header entity that a person means by its name or its table's."""
    from warehouse.model import ENTITIES, HEADERS

    tables = {ENTITIES[e].table: e for e in HEADERS}
    if word in HEADERS or word in tables:
        return tables.get(word, word)
    raise CliError(t("explain.entity", word=cell(word)), meant(word, HEADERS))


def _not_one(entity: str, key: str, found: list[Match], *, json: bool) -> None:
    """End the command where the key means nothing or several things: none is chosen."""
    if not found:
        raise CliError(
            t("explain.none", entity=entity, key=cell(key)), t("explain.none_do", entity=entity)
        )
    if json:
        as_json({"matches": [{"id": str(m.id), "title": m.title, "by": m.by} for m in found]})
    else:
        table(
            [t("col.id"), t("col.title"), t("col.field")],
            [(m.id, m.title, m.by) for m in found],
        )
    raise CliError(
        t("explain.several", count=len(found), entity=entity, key=cell(key)),
        t("explain.several_do", entity=entity, id=found[0].id),
    )


def _show(told: Told, sources: Lineage) -> None:
    say(f"{told.entity} {told.id} {told.title}".rstrip())
    say()
    table(
        [t("col.record"), t("col.method"), t("col.score"), t("col.evidence"), t("col.since"),
         t("col.batch"), t("col.landed")],
        [(f"{r['connection']}/{r['stream']}/{r['source_key']}", r["method"], r["score"],
          r["evidence"], minute(r["valid_from"]), f"{r['batch']}:{r['position']}",
          minute(r["landed_at"])) for r in told.records],
    )  # fmt: skip
    if len(told.documents) > 1:
        say()
        table(
            [t("col.document"), t("col.role"), t("col.share")],
            [(f"{d['connection']}/{d['stream']}/{d['source_key']}", d["role"], d["share"])
             for d in told.documents],
        )  # fmt: skip
    say()
    changed: set[str] = set()
    _fields(list(sources.fields()), changed)
    for entity, row, fields in sources.children():
        say()
        say(f"{entity} {row['connection']}/{row['stream']}/{row['parent_key']}/{row['source_key']}")
        _fields(fields, changed)
    for stream in sorted(changed):
        remark(t("explain.changed", stream=stream))


def _fields(fields: list[FieldTold], changed: set[str]) -> None:
    """Print the fields; streams whose mapping is another one now are added to `changed`."""
    rows = []
    for one in fields:
        sources = [s for s in (one.source, *(s for s, _ in one.lost)) if s is not None]
        changed.update(f"{s.connection}/{s.stream}" for s in sources if not s.is_same)
        said = one.source
        rows.append(
            (
                one.field,
                _cut(one.value),
                f"{said.connection}/{said.stream}" if said else "",
                f"{said.batch}:{said.position}" if said else "",
                minute(said.landed_at) if said else "",
                _place(said) if said else "",
                _cut(said.expression) if said else "",
                "; ".join(f"{s.connection}: {_cut(value)}" for s, value in one.lost),
            )
        )
    table(
        [t("col.field"), t("col.value"), t("col.from"), t("col.batch"), t("col.landed"),
         t("col.mapping"), t("col.expression"), t("col.lost")],
        rows,
        tall=True,
    )  # fmt: skip


def _cut(value: Any) -> str:
    text = cell(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _place(source: Source) -> str:
    """Return file:line, the file from the working folder if it lies in it."""
    if not source.file:
        return ""
    file = Path(source.file)
    return (
        f"{file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}:{source.line}"
    )


def _show_raw(told: Told, space: Workspace) -> None:
    for record in told.records:
        say()
        say(f"{record['connection']}/{record['stream']}/{record['batch']}/{record['position']}")
        as_json(_raw(record, space))


def _raw(record: Mapping[str, Any], space: Workspace) -> Any:
    from warehouse.landing import Landing

    raw = Landing(space.home.landing).record(
        record["connection"], record["stream"], record["batch"], record["position"]
    )
    try:
        return texts_of_json.loads(raw)
    except ValueError:
        return bytes(raw).decode("utf-8", "replace")


def _noted(space: Workspace, name: str) -> None:
    """Log that records were looked at, before they are shown: they may hold what nobody may see."""
    from connectors.base import utc_now
    from pipelines.trace import note_access

    note_access(space.home.root / "logs" / "access.jsonl", "explain --raw", name, utc_now())


def _as_data(told: Told, sources: Lineage, raw: Workspace | None) -> dict[str, Any]:
    kept = (
        "connection",
        "stream",
        "source_key",
        "is_lead",
        "method",
        "score",
        "rule",
        "evidence",
        "valid_from",
        "first_seen_at",
        "landed_at",
        "batch",
        "position",
        "mapping",
        "version",
    )
    records = [{n: r[n] for n in kept} for r in told.records]  # fmt: skip
    for shown, record in zip(records, told.records, strict=True):
        if raw is not None:
            shown["record"] = _raw(record, raw)
    return {
        "entity": told.entity,
        "id": str(told.id),
        "title": told.title,
        "projected_at": told.projected_at,
        "records": records,
        "documents": [dict(d) for d in told.documents],
        "fields": [_field(one) for one in sources.fields()],
        "lines": [
            {"entity": entity, "connection": row["connection"], "stream": row["stream"],
             "parent_key": row["parent_key"], "source_key": row["source_key"],
             "fields": [_field(one) for one in fields]}
            for entity, row, fields in sources.children()
        ],
    }  # fmt: skip


def _field(one: FieldTold) -> dict[str, Any]:
    return {
        "field": one.field,
        "value": one.value,
        "source": None if one.source is None else _source(one.source),
        "lost": [{"value": value, **_source(source)} for source, value in one.lost],
    }


def _source(source: Source) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(source)
