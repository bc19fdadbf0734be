"""Checks the names that the company's file gives: entities, their fields, connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mappings.yamltext import Document, Spot
from pipelines.check.problems import Problem, at, show
from pipelines.check.words import meant
from pipelines.texts import t


def names(document: Document) -> Iterator[Problem]:
    """Yield the names under `priority`, `sku_aliases`, `reconcile`, `export` that nothing has.

    A connection is known by its folder beside the company's; nothing is looked for where the file
    stands alone.
    """
    attributes = document.data.get("attributes")
    given = attributes if isinstance(attributes, dict) else {}
    folder = Path(document.file).resolve().parent
    known = [p.parent.name for p in folder.parent.glob("*/defs.yaml") if p.parent != folder]
    for name, connections in _map(given.get("priority")).items():
        spot: Spot = ("attributes", "priority", name)
        yield from _field(document, spot, name)
        for connection in connections if isinstance(connections, list) else []:
            yield from _connection(document, spot, str(connection), known)
    for connection in _map(given.get("sku_aliases")):
        spot = ("attributes", "sku_aliases", connection)
        yield from _connection(document, spot, connection, known)
    yield from _rules(document, given)
    yield from _marts(document, given)


def _rules(document: Document, given: Mapping[str, Any]) -> Iterator[Problem]:
    from warehouse.recon_rules import names

    for name in _map(given.get("reconcile")):
        if name not in names():
            spot: Spot = ("attributes", "reconcile", name)
            yield at(document, spot, t("found.unknown_key"), meant(name, names(), most=30))


def _marts(document: Document, given: Mapping[str, Any]) -> Iterator[Problem]:
    from warehouse.handout import names

    named = _map(given.get("export")).get("marts")
    for place, name in enumerate(named if isinstance(named, list) else []):
        if name not in names():
            spot: Spot = ("attributes", "export", "marts", place)
            yield at(document, spot, t("found.value", value=show(name)), meant(name, names()))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _field(document: Document, spot: Spot, name: str) -> Iterator[Problem]:
    from warehouse.model import ENTITIES, HEADERS

    entity, dot, field = name.partition(".")
    if entity not in HEADERS:
        yield at(document, spot, t("found.unknown_key"), meant(entity, HEADERS, most=30))
    elif dot and field not in ENTITIES[entity].columns():
        fields = [f"{entity}.{n}" for n in ENTITIES[entity].columns()]
        yield at(document, spot, t("found.unknown_key"), meant(name, fields))


def _connection(document: Document, spot: Spot, name: str, known: list[str]) -> Iterator[Problem]:
    if known and name not in known:
        yield at(document, spot, t("found.no_connection", value=show(name)), meant(name, known))
