"""Checks a whole workspace: company, connections, mappings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.errors import ConnectorError
from pipelines.check.connection_file import check_company_file, company_warnings
from pipelines.check.mapping_files import check_overlays, check_stream_mappings, unmapped
from pipelines.check.problems import Problem
from pipelines.texts import t

if TYPE_CHECKING:
    from pipelines.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Report:
    """What a check of files found.

    `unmapped` are streams without a mapping, of which a new connection has nothing else;
    `warnings` are settings without an effect, no mistakes;
    `sound` are the connections that can be reached.
    """

    files: int
    problems: tuple[Problem, ...]
    unmapped: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    sound: tuple[str, ...]


def check_project(space: Workspace, only: Sequence[str] = ()) -> Report:
    """Check the connections named in `only`, or everything; every mistake, ordered by file."""
    from connectors import registry
    from pipelines.connection import Connection

    connections = space.connections()
    problems: list[Problem] = []
    warnings: list[Problem] = []
    files: set[Path] = set()
    missing: list[Problem] = []
    sound = []
    if not only and space.company_path.exists():
        files.add(space.company_path)
        problems += check_company_file(space.company_path)
        warnings += company_warnings(space.company_path)
    for name, found in connections.items():
        if only and name not in only:
            continue
        files.add(found.path)
        if not isinstance(found, Connection):
            problems += found.problems
            continue
        sound.append(name)
        try:
            missing += unmapped(found)
            problems += check_stream_mappings(found)
            paths = (found.mapping_path(s.name) for s in found.streams)
            files |= {p.resolve() for p in paths if p is not None}
        except ConnectorError as error:
            problems.append(Problem(str(found.path), 1, "", error.what, t("do", do=error.do)))
    if not only:
        own = [f for f in space.overlays if f.is_dir()]
        problems += check_overlays(own, files, [*connections, *registry.names()])
        files |= {p for f in own for p in f.glob("*/*.yaml")}
    mistakes = tuple(sorted(set(problems)))
    return Report(len(files), mistakes, tuple(missing), tuple(warnings), tuple(sound))
