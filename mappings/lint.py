"""What a mapping covers of the canonical model, so that people see what is still to be mapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mappings.form import Child, Target
from mappings.load import LoadedMapping
from mappings.yamltext import Spot
from warehouse.model import ENTITIES
from warehouse.model.base import Entity


@dataclass(frozen=True, slots=True)
class Coverage:
    """One canonical field: mapped with what and where, or not at all (`value` is empty).

    `owner` is the name under `children:` or `also:`, empty for the record's own entity.
    """

    entity: str
    owner: str
    field: str
    en: str
    zh: str
    value: str = ""
    file: str = ""
    line: int = 0

    @property
    def covered(self) -> bool:
        """Whether the mapping gives the field a value."""
        return bool(self.value)


def coverage(
    mapping: LoadedMapping, entities: Mapping[str, type[Entity]] = ENTITIES
) -> list[Coverage]:
    """Return every canonical field of the mapping's entities, in the model's order.

    Children that the entity could have and the mapping does not name are listed too, uncovered.
    """
    form = mapping.form
    found = list(_target(mapping, (), "", form, entities))
    for name, also in form.also.items():
        found += _target(mapping, ("also", name), name, also, entities)
    return found


def _target(
    mapping: LoadedMapping,
    spot: Spot,
    owner: str,
    form: Target,
    entities: Mapping[str, type[Entity]],
) -> Iterator[Coverage]:
    entity = entities.get(form.entity)
    if entity is None:
        return
    yield from _fields(mapping, spot, owner, form, entity)
    for name, child in entity.children.items():
        here = (*spot, "children", name)
        yield from _fields(mapping, here, name, form.children.get(name), entities[child])


def _fields(
    mapping: LoadedMapping,
    spot: Spot,
    owner: str,
    form: Target | Child | None,
    entity: type[Entity],
) -> Iterator[Coverage]:
    for name, column in entity.columns().items():
        value = form.fields[name].value if form is not None and name in form.fields else ""
        file, line = mapping.place((*spot, "fields", name)) if value else ("", 0)
        yield Coverage(entity.entity, owner, name, column.en, column.zh, value, file, line)
