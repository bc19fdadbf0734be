"""Which line of which mapping fills a column, stream by stream, and how fresh each stream is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from connectors.errors import ConfigError
from mappings.errors import MappingError
from mappings.form import Child
from mappings.load import LoadedMapping, load_mapping
from pipelines.connection import Connection
from pipelines.lineage import parts, spelt

if TYPE_CHECKING:
    from pipelines.workspace import Workspace

Name: TypeAlias = tuple[str, str]
"""Connection and stream."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One place where a column is filled: the stream, and file, line and text of its mapping."""

    connection: str
    stream: str
    file: str
    line: int
    expression: str


@dataclass(frozen=True, slots=True)
class Fresh:
    """How fresh a stream was when the file was published; `promise` and `lag` in seconds."""

    as_of: datetime | None
    promise: int | None
    lag: int | None
    is_kept: bool | None


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a sound connection. `trouble` says why its mapping could not be read."""

    connection: str
    title: str
    system: str
    name: str
    schedule: str
    file: str
    entities: tuple[str, ...]
    fresh: Fresh | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """All streams, and what fills each column by (entity, column)."""

    streams: tuple[Stream, ...]
    fills: Mapping[tuple[str, str], tuple[Fill, ...]]


def read_streams(space: Workspace, fresh: Mapping[Name, Fresh]) -> Read:
    """Read the mappings of every sound connection; nothing is reached."""
    streams: list[Stream] = []
    fills: dict[tuple[str, str], list[Fill]] = {}
    for connection in space.connections().values():
        if not isinstance(connection, Connection):
            continue
        try:
            specs = connection.streams
        except ConfigError:
            continue
        for spec in specs:
            mapping, trouble = _mapping(connection, spec.name)
            entities: list[str] = []
            if mapping is not None:
                for entity, column, (path, line), expression in filled(mapping):
                    one = Fill(connection.name, spec.name, shown(space, path), line, expression)
                    fills.setdefault((entity, column), []).append(one)
                entities = list(dict.fromkeys(entity for _, entity, _, _ in parts(mapping)))
            streams.append(
                Stream(
                    connection.name, connection.title, connection.system, spec.name,
                    spec.schedule or "", shown(space, mapping.file) if mapping else "",
                    tuple(entities), fresh.get((connection.name, spec.name)), trouble,
                )
            )  # fmt: skip
    return Read(tuple(streams), {key: tuple(found) for key, found in fills.items()})


def filled(mapping: LoadedMapping) -> Iterator[tuple[str, str, tuple[str, int], str]]:
    """Yield (entity, column, place, expression) of all that a mapping fills."""
    for spot, entity, _, part in parts(mapping):
        key = part.key if isinstance(part.key, str) else " / ".join(part.key)
        yield entity, "source_key", mapping.place((*spot, "key")), key
        for name, value in part.fields.items():
            yield entity, name, spelt(mapping, (*spot, "fields", name)), value.value
        if part.extra:
            yield entity, "ext", mapping.place((*spot, "extra")), ", ".join(part.extra)
        if isinstance(part, Child):
            continue
        form = mapping.form
        if form.version is not None:
            yield entity, "version", spelt(mapping, ("version",)), form.version.value
        if form.deleted is not None:
            yield entity, "is_deleted", mapping.place(("deleted",)), form.deleted


def shown(space: Workspace, path: str) -> str:
    """Return a file's path as people of the company know it: from their own folder, or from ours.

    Where the folder stands on this machine is nobody's business who reads the pages.
    """
    from pipelines.workspace import PROJECT

    whole = Path(path)
    for root in (space.defs.parent, PROJECT):
        if whole.is_relative_to(root):
            return whole.relative_to(root).as_posix()
    return "/".join(whole.parts[-3:])


def _mapping(connection: Connection, stream: str) -> tuple[LoadedMapping | None, str]:
    path = connection.mapping_path(stream)
    if path is None:
        return None, "no mapping"
    try:
        return load_mapping(path, search=connection.overlays), ""
    except MappingError as error:
        return None, f"{path.name}:{error.line}: {error.what}"
