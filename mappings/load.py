"""Reads a mapping file, resolves `extends`, validates it; every value keeps its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError

from mappings.errors import MappingError, did_you_mean, first_of
from mappings.find import candidates, known
from mappings.form import Child, MappingForm, Target, Value
from mappings.form import Version as VersionForm
from mappings.yamltext import Spot, YamlError, read_file, read_text

Place: TypeAlias = tuple[str, int]
_MAX_CHAIN = 10


@dataclass(frozen=True, slots=True)
class LoadedMapping:
    """A validated mapping: the form, the merged text, and the file and line of each value."""

    file: str
    form: MappingForm
    data: Mapping[str, Any]
    places: Mapping[Spot, Place] = field(default_factory=dict)

    def place(self, spot: Spot) -> Place:
        """Return file and line of the value at `spot`, or of the closest one around it."""
        while spot and spot not in self.places:
            spot = spot[:-1]
        return self.places.get(spot, (self.file, 1))

    def error(self, spot: Spot, what: str, do: str) -> MappingError:
        """Return an error that points at `spot`."""
        file, line = self.place(spot)
        return MappingError(file, line, ".".join(str(s) for s in spot), what, do)


def load_mapping(path: Path, *, search: Sequence[Path] = ()) -> LoadedMapping:
    """Return the mapping in the file at `path`; raises MappingError (`.all` holds every one).

    `search` are the overlay folders in which `extends: <system>/<stream>` is looked up before the
    built-in mappings. A file never extends itself: an overlay of `kingdee/orders` that extends
    `kingdee/orders` gets the next one in that order.
    """
    data, places = _read_chain(path, search, ())
    return validated(str(path), data, places)


def parse_mapping(text: str, file: str = "<text>") -> LoadedMapping:
    """Return the mapping written in `text`, which extends nothing; raises MappingError."""
    try:
        document = read_text(text, file)
    except YamlError as error:
        raise MappingError(error.file, error.line, "", error.what, error.do) from None
    places = {spot: (file, line) for spot, line in document.lines.items()}
    return validated(file, _as_map(document.data, file), places)


def validated(file: str, data: dict[str, Any], places: Mapping[Spot, Place]) -> LoadedMapping:
    """Return `data` as a mapping; raises MappingError for members that are wrong or missing."""
    try:
        form = MappingForm.model_validate(data)
    except ValidationError as error:
        blank = LoadedMapping(file, MappingForm.model_construct(entity="", key=""), data, places)
        raise first_of(list(_explain(error, blank, data))) from None
    return LoadedMapping(file, form, data, places)


def _as_map(data: Any, file: str) -> dict[str, Any]:
    if isinstance(data, dict):
        return data
    raise MappingError(file, 1, "", "is no mapping.", "start it with `entity:` (see FORMS.md).")


def _read_chain(
    path: Path, search: Sequence[Path], below: tuple[Path, ...]
) -> tuple[dict[str, Any], dict[Spot, Place]]:
    try:
        document = read_file(path)
    except YamlError as error:
        raise MappingError(error.file, error.line, "", error.what, error.do) from None
    file = str(path)
    data = _as_map(document.data, file)
    places = {spot: (file, line) for spot, line in document.lines.items()}
    name = data.get("extends")
    if name is None:
        return data, places
    line = document.line(("extends",))
    chain = (*below, path.resolve())
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise MappingError(
            file, line, "extends", f"{name!r} is no <system>/<stream>.", "write rest/orders."
        )
    base = next((p for p in candidates(name, search) if p.resolve() not in chain), None)
    if base is None or len(chain) > _MAX_CHAIN:
        guess = did_you_mean(name, known(search))
        raise MappingError(
            file, line, "extends", f"there is no mapping {name} to start from.{guess}",
            "name a file of the overlay folders or a built-in one.",
        )  # fmt: skip
    base_data, base_places = _read_chain(base, search, chain)
    merged = merge(base_data, {k: v for k, v in data.items() if k != "extends"})
    return merged, {**base_places, **places}


def merge(base: Any, over: Any, spot: Spot = ()) -> Any:
    """Return `base` with what `over` names; maps merge by member, all else is replaced.

    A field written short (`status: state`) meets one written long as `{value: state}`.
    """
    if isinstance(base, str) and isinstance(over, dict) and "fields" in spot:
        base = {"value": base}
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    merged = dict(base)
    for name, value in over.items():
        merged[name] = merge(base[name], value, (*spot, name)) if name in base else value
    return merged


def _explain(
    error: ValidationError, mapping: LoadedMapping, data: dict[str, Any]
) -> Iterator[MappingError]:
    seen: set[tuple[Spot, str]] = set()
    for found in error.errors(include_url=False):
        spot = _spot(found["loc"], data)
        last = found["loc"][-1] if found["loc"] else ""
        kind = found["type"]
        if kind == "missing":
            what, do = f"`{last}` is missing.", f"add the member `{last}:`."
        elif kind == "extra_forbidden":
            names = _members_at(found["loc"])
            what = f"`{last}` is no member known here.{did_you_mean(str(last), names)}"
            do = f"use one of: {', '.join(names)}."
        elif found["input"] is None:
            what, do = f"`{last}` has no value.", "write one, or take the line out."
        elif kind == "literal_error":
            what = f"{found['input']!r} is not allowed."
            do = f"write {found['ctx']['expected']}."
        else:
            what = f"{found['input']!r} does not fit: {found['msg'].lower()}."
            do = "compare with docs/mappings.md."
        if (spot, kind) not in seen:
            seen.add((spot, kind))
            yield mapping.error(spot, what, do)


def _spot(loc: Sequence[str | int], data: Any) -> Spot:
    """Return the part of pydantic's location that the file has (it adds names of union members)."""
    spot: list[str | int] = []
    for step in loc:
        inside = isinstance(data, dict) and step in data
        if inside or (isinstance(data, list) and isinstance(step, int) and step < len(data)):
            data = data[step]
            spot.append(step)
    return tuple(spot)


def _members_at(loc: Sequence[str | int]) -> list[str]:
    """Return the members that the form knows at the place of `loc`."""
    form: type[BaseModel] = MappingForm
    inside = list(loc[:-1])
    if "version" in inside[:1]:
        form = VersionForm
    elif "fields" in inside:
        form = Value
    elif "children" in inside:
        form = Child
    elif "also" in inside:
        form = Target
    return [f.alias or n for n, f in form.model_fields.items() if n != "inline"]
