"""What Dagster loads: every connection's folder by itself, so that a broken one stops no other."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import dagster as dg

from connectors.errors import ConfigError
from mappings.yamltext import YamlError, read_file
from pipelines.alerts.sensor import alerts
from pipelines.broken import broken_defs
from pipelines.check.connection_file import COMPANY
from pipelines.component import connection_defs
from pipelines.connection import FILE, BrokenConnection, Connection
from pipelines.export_job import export_defs
from pipelines.housekeeping import housekeeping, nightly
from pipelines.jobs import unify_defs
from pipelines.oncall import oncall_jobs
from pipelines.sensor import unify_when_due
from pipelines.verify_job import verify
from pipelines.workspace import PROJECT, Workspace

LOCATION = "isthmus"


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions of the workspace that the environment names."""
    with warnings.catch_warnings():
        # Links to files and lines are in beta: whoever lists definitions cannot do anything there.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return build(Workspace.discover())


def build(workspace: Workspace) -> dg.Definitions:
    """Return the definitions of a workspace; reaches no system and resolves no secret."""
    workspace.export()
    _module("pipelines.defs", workspace.defs)
    connections = workspace.connections()
    feeds: dict[str, list[dg.AssetKey]] = {}
    for name, connection in connections.items():
        if isinstance(connection, Connection):
            for spec in connection.streams:
                for entity in connection.entities(spec.name):
                    feeds.setdefault(entity, []).append(dg.AssetKey([name, spec.name]))
    streams = {
        name: [s.name for s in found.streams] if isinstance(found, Connection) else []
        for name, found in connections.items()
    }
    parts = [
        broken_defs(connection.name, connection.path, connection.text)
        for connection in connections.values()
        if isinstance(connection, BrokenConnection)
    ]
    for folder in _folders(workspace.defs):
        found = connections.get(folder.name)
        if isinstance(found, Connection) and _is_plain(found):
            parts.append(connection_defs(found))
        elif not isinstance(found, BrokenConnection) and not _is_company(workspace, folder):
            parts.append(_folder_defs(folder))
    return dg.Definitions.merge(
        *parts,
        unify_defs(feeds),
        export_defs(workspace),
        dg.Definitions(
            sensors=[unify_when_due, alerts],
            jobs=[housekeeping, verify, *oncall_jobs(streams)],
            schedules=[nightly],
            executor=dg.in_process_executor,
        ),
    )


def _folders(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir()):
        hidden = folder.name.startswith((".", "_"))
        if folder.is_dir() and not hidden and any(folder.iterdir()):
            yield folder


def _is_plain(connection: Connection) -> bool:
    """Say whether the file asks nothing of Dagster itself (post_processing and the like).

    A component tree costs half a second a folder; what the tree would make of such a one is known.
    """
    return set(connection.document.data) == {"type", "attributes"}


def _is_company(workspace: Workspace, folder: Path) -> bool:
    """Say whether a folder holds the company's settings alone, in order: they define nothing."""
    path = workspace.company_path
    if folder != path.parent or [*folder.iterdir()] != [path]:
        return False
    try:
        workspace.company()
        data = read_file(path).data
    except (ConfigError, YamlError):
        return False  # the tree says what is wrong
    if not isinstance(data, dict) or data.get("type") != COMPANY:
        return False
    return data.keys() <= {"type", "attributes"}


def _folder_defs(folder: Path) -> dg.Definitions:
    """Load one folder through a tree of its own; what fails in it becomes an asset that says so."""
    # The folder need not be inside the project, and its module name must not depend on where it is.
    module = _module(f"pipelines.defs.{folder.name}", folder)
    tree = dg.ComponentTree(defs_module=module, project_root=PROJECT, code_location_name=LOCATION)
    try:
        found = tree.build_defs()
    except Exception as error:  # people's own components too: one folder must not stop the others
        cause = _cause(error)
        return broken_defs(folder.name, folder / FILE, f"{type(cause).__name__}: {cause}")
    # Definitions that each hold a tree cannot be merged.
    return dg.Definitions(
        assets=found.assets,
        asset_checks=found.asset_checks,
        jobs=found.jobs,
        schedules=found.schedules,
        sensors=found.sensors,
        resources=found.resources,
        metadata=found.metadata,
    )


def _module(name: str, folder: Path) -> ModuleType:
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    module.__file__ = None
    sys.modules[name] = module
    return module


def _cause(error: BaseException) -> BaseException:
    """Return what was raised first: Dagster wraps it with a drawing of the tree."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
