"""Writes the dictionary into a folder: pages, one style, one script, an index to search in.

Every text on a page may be somebody else's (titles, file names, expressions of mappings): Jinja
escapes all of it, the index is JSON read by a script that writes text only, and the pages forbid
any other script, any form and any request to elsewhere.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from pipelines.dictionary import pictures
from pipelines.dictionary.facts import Dictionary, TableFacts
from pipelines.texts import Language
from warehouse import ddl
from warehouse.mart_lineage import Origin
from warehouse.model import ENTITIES

MARK = "isthmus-dictionary.json"
"""Stands in a folder that we wrote: only such a one is replaced."""
MOST_FILLS = 60
"""Places of mappings that are shown at one column."""
_PLAIN = ("style.css", "app.js")


class NotOurs(Exception):
    """The folder holds something else than a dictionary."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the page to open, how many pages, tables and columns."""

    index: Path
    pages: int
    tables: int
    columns: int


def write_site(told: Dictionary, folder: Path, language: Language) -> Written:
    """Write the dictionary into `folder`, whole or not at all.

    A folder that holds a dictionary already is replaced, any other one must be empty; else NotOurs
    is raised. `language` is the one shown first; each reader may switch.
    """
    if folder.exists() and not (folder / MARK).exists() and any(folder.iterdir()):
        raise NotOurs(str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    try:
        pages = dict(_pages(told, language))
        for name, text in pages.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        files = resources.files("pipelines.dictionary") / "pages"
        for name in _PLAIN:
            (new / name).write_text((files / name).read_text("utf-8"), "utf-8")
        (new / "search.js").write_text(_index(told), "utf-8")
        (new / MARK).write_text(json.dumps({"made_at": told.made_at.isoformat()}), "utf-8")
        _swap(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    columns = sum(len(table.columns) for table in told.tables.values())
    return Written(folder / "index.html", len(pages), len(told.tables), columns)


def _swap(new: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _pages(told: Dictionary, language: Language) -> Iterator[tuple[str, str]]:
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("pipelines.dictionary", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals |= {
        "told": told, "language": language, "schemas": ddl.SCHEMAS, "href": href,
        "place": place, "most": MOST_FILLS, "by_schema": _by_schema(told),
        "tables_of": {entity: cls.table for entity, cls in ENTITIES.items()},
    }  # fmt: skip
    env.filters["moment"] = lambda at: _moment(at, told.timezone)
    env.filters["span"] = _span
    env.filters["marked"] = _marked
    yield "index.html", _render(env, "index.html", here="index", picture=None)
    picture = pictures.of_model()
    yield "model.html", _render(env, "model.html", here="model", picture=picture)
    yield "streams.html", _render(env, "streams.html", here="streams", picture=None)
    for table in told.tables.values():
        yield (
            href(table.full),
            _render(env, "table.html", here=table.schema, table=table, root="../",
                    picture=pictures.of_table(table, told)),
        )  # fmt: skip


def _render(env: jinja2.Environment, name: str, **values: Any) -> str:
    return env.get_template(name).render({"root": "", "table": None, **values})


def href(full: str) -> str:
    """Return the file of a table's page, from the root of the site."""
    return f"tables/{full}.html"


def place(origin: Origin) -> str:
    """Return the address of an origin inside the site."""
    page = href(f"{origin.schema}.{origin.table}")
    return f"{page}#{origin.column}" if origin.column else page


def _by_schema(told: Dictionary) -> dict[str, list[TableFacts]]:
    found: dict[str, list[TableFacts]] = {}
    for name in ("mart", "unified", "source", "history", "recon", "ops", "unified_as_of"):
        found[name] = [t for t in told.tables.values() if t.schema == name]
    return found


def _index(told: Dictionary) -> str:
    """Return the script that holds what can be searched: kind, name, address, English, Chinese."""
    rows: list[tuple[str, str, str, str, str]] = []
    for table in told.tables.values():
        rows.append(("t", table.full, href(table.full), table.en, table.zh))
        for column in table.columns:
            one = column.field
            said = f"{one.en}: {one.about}" if one.about else one.en
            address = f"{href(table.full)}#{one.name}"
            rows.append(("c", f"{table.full}.{one.name}", address, said, one.zh))
    for stream in told.streams:
        name = f"{stream.connection}/{stream.name}"
        rows.append(("s", name, f"streams.html#{name}", stream.title, stream.file))
    text = json.dumps(rows, separators=(",", ":")).replace("<", "\\u003c")
    return f"window.ENTRIES = {text};\n"


def _moment(at: Any, zone: str) -> str:
    import zoneinfo
    from datetime import datetime

    if not at:
        return ""
    when = at if isinstance(at, datetime) else datetime.fromisoformat(str(at))
    return f"{when.astimezone(zoneinfo.ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}"


def _marked(text: str) -> Markup:
    """Return a text of ours, what stands in backticks as code; everything is escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def _span(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:.0f} s"
