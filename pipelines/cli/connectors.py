"""`connectors`: what is installed, what it can do, and the JSON Schema of its settings."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.cli.options import AsJson
from pipelines.cli.show import as_json, remark, table
from pipelines.texts import t


def connectors(
    schema: Annotated[str, typer.Option("--schema", metavar="NAME", help=t("opt.schema"))] = "",
    json: AsJson = False,
) -> None:
    """List the connectors installed, or print the JSON Schema of one's settings."""
    from connectors import ready, registry
    from connectors.errors import ConnectorError

    if schema:
        kind = "sql" if schema in ready.names() else schema
        as_json(registry.load(kind).Settings.model_json_schema())
        return
    found = []
    for name in registry.names():
        try:
            connector = registry.load(name)
        except ConnectorError as error:  # one broken package does not hide the others
            remark(str(error))
            continue
        fields = connector.Settings.model_fields
        found.append(
            {
                "name": name,
                "version": connector.version,
                "title": connector.title,
                "needs": [i.alias or n for n, i in fields.items() if i.is_required()],
                "settings": [i.alias or n for n, i in fields.items()],
            }
        )
    for name in ready.names():
        about = t("connectors.ready", title=ready.title(name))
        row = {"name": name, "version": "", "title": about, "needs": ["url"], "settings": []}
        found.append(row)
    if json:
        as_json(found)
        return
    table(
        [t("col.connector"), t("col.version"), t("col.title"), t("col.needs"), t("col.settings")],
        [
            (f["name"], f["version"], f["title"], ", ".join(f["needs"]), ", ".join(f["settings"]))
            for f in found
        ],
    )
