"""docs/connectors.md, made of what connectors declare and of the suites in this folder."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from textwrap import fill

from connectors import registry
from connectors.testing import CASES, ConformanceSuite, table
from mappings.find import locate
from mappings.load import load_mapping

PAGE = Path(__file__).resolve().parents[2] / "docs" / "connectors.md"
NAMES = sorted(registry.names(), key=lambda name: (name not in ("rest", "files", "sql"), name))
SUITES: tuple[type[ConformanceSuite], ...] = tuple(
    found
    for module in (import_module(f"tests.conformance.test_{name}") for name in NAMES)
    for name, found in vars(module).items()
    if name.startswith("Test") and issubclass(found, ConformanceSuite)
)
HEAD = """# Connectors: what each reads, and what it was held against

Made by `make conformance`, which plays every case; a test keeps the page up to date and fails where
a case does. What a connector has to be told by the administrator of its system stands on its own
page: {pages}.
How to write one: [new-connector](new-connector.md).

## What is read

As the connectors themselves declare it. The streams of `rest`, `files` and `sql` are declared in
the connection's YAML; here stand those that the suite reads. What the last column means and what
is made of it: [completeness](completeness.md).

"""
PASSED = """
## The conformance suite

{cases} cases, each on a fresh simulator (`sql`: a SQLite file; `files`: a folder; `tryton`: a
scripted server, a real one is read by `tests/system`).

"""
MATRIX = """
✓ passed by every suite of the connector; 2/3 by so many, it does not apply to the others; – it does
not apply at all. The reasons stand below.

"""
WHY = """
### What does not apply

A case that is declared so is played all the same; one that passes must not be declared.

"""
ASKED = """
### What the cases ask

"""


def page() -> str:
    """Return the page."""
    results = table.declared(SUITES)
    return (
        HEAD.format(pages=fill(", ".join(f"[{name}]({name}.md)" for name in NAMES), 94))
        + table.capabilities(SUITES, entity)
        + PASSED.format(cases=len(CASES)) + table.summary(results)
        + MATRIX + table.matrix(results)
        + WHY + table.reasons(SUITES)
        + ASKED + table.asked()
    )  # fmt: skip


def entity(connector: str, stream: str) -> str:
    """Return what a stream's records become by the ready mapping; a link where there is none."""
    file = locate(connector, connector, stream, ())
    if file is None:
        return "[as mapped](mappings.md)"
    form = load_mapping(file).form
    if form.where == f"{form.key} is null":  # which holds of none
        return "landed, no row"
    found = [form.entity, *(also.entity for also in form.also.values())]
    return ", ".join(f"`{each}`" for each in dict.fromkeys(found))
