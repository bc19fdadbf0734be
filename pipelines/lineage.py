"""Where the values of a golden row are from: the published file beside the mapping files of now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mappings.errors import MappingError
from mappings.form import Child, Target, Value
from mappings.load import LoadedMapping, load_mapping
from pipelines.connection import Connection
from warehouse.lineage import Told
from warehouse.model import ENTITIES

if TYPE_CHECKING:
    from mappings.yamltext import Spot
    from pipelines.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value was read: the record, its batch, and the line of the mapping of now.

    `is_same` is false where the mapping has changed since the row was made: file, line and
    expression are those of now. They are empty where no mapping fills the field any more.
    """

    connection: str
    stream: str
    key: str
    batch: int
    position: int
    landed_at: datetime
    file: str = ""
    line: int = 0
    expression: str = ""
    is_same: bool = True


@dataclass(frozen=True, slots=True)
class FieldTold:
    """One field: its value, where it is from, and what other records say (`lost`)."""

    field: str
    value: Any
    source: Source | None
    lost: tuple[tuple[Source, Any], ...] = ()


class Lineage:
    """Tells the sources of a thing's values."""

    def __init__(self, space: Workspace, told: Told) -> None:
        self.told = told
        self.connections = space.connections()
        self.mappings: dict[tuple[str, str], LoadedMapping | None] = {}

    def fields(self) -> Iterator[FieldTold]:
        """Yield the fields of the thing that any record knows, in the model's order."""
        by_id = {r["own_id"]: r for r in self.told.records}
        for name in ENTITIES[self.told.entity].columns():
            value, winner = self.told.values[name], self.told.winners.get(name)
            said = [r for r in self.told.records if r[name] not in (None, "unknown")]
            lost = [r for r in said if r["own_id"] != winner and r[name] != value]
            if value is None and not lost:
                continue
            won = by_id.get(winner) if winner is not None else None
            yield FieldTold(
                name,
                value,
                None if won is None else self.source(won, name),
                tuple((self.source(r, name), r[name]) for r in lost),
            )

    def children(self) -> Iterator[tuple[str, Mapping[str, Any], list[FieldTold]]]:
        """Yield the rows that the thing owns: entity, the row, its fields."""
        owners = {(r["connection"], r["stream"], r["source_key"]): r for r in self.told.records}
        for entity, rows in self.told.children.items():
            for row in rows:
                owner = owners.get((row["connection"], row["stream"], row["parent_key"]))
                yield entity, row, [
                    FieldTold(name, row[name],
                          None if owner is None else self.source(owner, name, child=entity))
                    for name in ENTITIES[entity].columns()
                    if row[name] is not None
                ]  # fmt: skip

    def source(self, record: Mapping[str, Any], name: str, *, child: str = "") -> Source:
        """Return where a record's value of a field was read."""
        stream = str(record["connection"]), str(record["stream"])
        found = Source(
            *stream, str(record["source_key"]), int(record["batch"]), int(record["position"]),
            record["landed_at"],
        )  # fmt: skip
        mapping = self._mapping(*stream)
        if mapping is None:
            return replace(found, is_same=False)
        is_same = self._is_same(record, mapping)
        for spot, value in _uses(mapping, self.told.entity, name, child):
            file, line = spelt(mapping, spot)
            return replace(found, file=file, line=line, expression=value.value, is_same=is_same)
        return replace(found, is_same=False)

    def _mapping(self, connection: str, stream: str) -> LoadedMapping | None:
        """Return the mapping of now; None where there is none, or none that can be read."""
        if (connection, stream) not in self.mappings:
            found, owner = None, self.connections.get(connection)
            if isinstance(owner, Connection):
                path = owner.mapping_path(stream)
                if path is not None:
                    try:
                        found = load_mapping(path, search=owner.overlays)
                    except MappingError:
                        found = None
            self.mappings[connection, stream] = found
        return self.mappings[connection, stream]

    def _is_same(self, record: Mapping[str, Any], mapping: LoadedMapping) -> bool:
        """Whether the row was made by the mapping of the newest load, not edited since.

        To compile it and compare would take longer than all else here.
        """
        newest = self.told.newest.get((str(record["connection"]), str(record["stream"])))
        if newest is None or newest["mapping"] != record["mapping"]:
            return False
        files = {file for file, _ in mapping.places.values()} | {mapping.file}
        edited = max((Path(f).stat().st_mtime for f in files if Path(f).exists()), default=0.0)
        return bool(datetime.fromtimestamp(edited, UTC) <= newest["loaded_at"])


def parts(mapping: LoadedMapping) -> Iterator[tuple[Spot, str, str, Target | Child]]:
    """Yield the parts of a mapping that make rows: spot, entity, the owner's entity, the part.

    The owner is empty for rows that stand on their own.
    """
    targets: list[tuple[Spot, Target]] = [((), mapping.form)]
    targets += [(("also", n), t) for n, t in mapping.form.also.items()]
    for spot, target in targets:
        yield spot, target.entity, "", target
        owned = ENTITIES[target.entity].children
        for name, child in target.children.items():
            if name in owned:
                yield (*spot, "children", name), owned[name], target.entity, child


def spelt(mapping: LoadedMapping, spot: Spot) -> tuple[str, int]:
    """Return file and line of a value's expression, in its long form too."""
    return mapping.place((*spot, "value") if (*spot, "value") in mapping.places else spot)


def _uses(
    mapping: LoadedMapping, entity: str, name: str, child: str
) -> Iterator[tuple[Spot, Value]]:
    """Yield the values of the mapping that fill a field of `entity` (or of its `child`)."""
    for at, made, owner, part in parts(mapping):
        wanted = made == child and owner == entity if child else made == entity and not owner
        if wanted and name in part.fields:
            yield (*at, "fields", name), part.fields[name]
