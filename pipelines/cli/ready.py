"""`connect` of a ready connection: writes out a vendor's queries and mappings."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cli.codes import CliError
from pipelines.cli.yamlwrite import scalar
from pipelines.texts import t

if TYPE_CHECKING:
    from pipelines.workspace import Workspace

QUERY = re.compile(r"^( +)query: \|\n((?:\1 +.*\n|\n)+)", re.MULTILINE)


def ready_text(text: str, values: Mapping[str, Any], **attributes: str) -> str:
    """Return a ready file with settings of `config:` and attributes replaced, comments kept.

    With the URL of a SQLite file its queries, SQL Server's, come in SQLite's spelling. Raises
    CliError for settings that are no scalars: they are changed in the file.
    """
    for name, value in values.items():
        if isinstance(value, Mapping) or name == "streams":
            raise CliError(t("connect.ready_set", found=name), t("connect.ready_set_do"))
        text = _line(text, 4, name, value, below="  config:\n")
    for name, value in attributes.items():
        if value:
            text = _line(text, 2, name, value, below="attributes:\n")
    if str(values.get("url", "")).lower().startswith("sqlite:"):
        text = QUERY.sub(_spelled, text)
    return text


def write_mappings(space: Workspace, system: str, name: str) -> list[Path]:
    """Write one file a stream that starts from the ready mapping; never over what is there."""
    from mappings.find import BUILT_IN

    root = space.overlays[0] if space.overlays else space.defs.parent / "mappings"
    written = []
    for source in sorted((BUILT_IN / system).glob("*.yaml")):
        file = root / name / source.name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            head = t("connect.ready_mapping")
            file.write_text(f"# {head}\nextends: {system}/{source.stem}\n", encoding="utf-8")
            written.append(file)
    return written


def _line(text: str, indent: int, name: str, value: Any, *, below: str) -> str:
    """Return `text` with the first line of a setting replaced, or added below a heading."""
    pad = " " * indent
    line = f"{pad}{name}: {scalar(value)}\n"
    found = re.search(rf"^{pad}(?:# )?{re.escape(name)}: .*\n", text, re.MULTILINE)
    if found is None:
        return text.replace(below, below + line, 1)
    return text[: found.start()] + line + text[found.end() :]


def _spelled(found: re.Match[str]) -> str:
    from connectors.sql.spelling import to_sqlite

    pad = found[1]
    query = to_sqlite(textwrap.dedent(found[2]))
    return f"{pad}query: |\n{textwrap.indent(query, pad + '  ')}\n"
