"""Which names a settings model knows at a place, for did-you-mean."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def names_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Return the field names that stand at `loc` of `model`, of every shape allowed there."""
    shapes: list[Any] = [model]
    for name in loc:
        inner = [s for shape in shapes for s in _step(shape, name)]
        if inner:  # names of union members are in a loc too: they lead nowhere and are passed
            shapes = inner
    return sorted({n for m in _models(shapes) for n in field_names(m)})


def field_names(model: type[BaseModel]) -> list[str]:
    """Return the names of a model's fields as they are written in YAML."""
    return [info.alias or name for name, info in model.model_fields.items()]


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that a value of this annotation may hold, through unions, lists, maps."""
    found: list[type[BaseModel]] = []
    for part in _parts(annotation):
        if _is_model(part):
            found.append(part)
        elif get_origin(part) is not None:
            found += [m for inner in get_args(part) for m in models_in(inner)]
    return list(dict.fromkeys(found))


def _step(shape: Any, name: str | int) -> Iterator[Any]:
    for part in _parts(shape):
        if _is_model(part):
            for field, info in part.model_fields.items():
                if name in (field, info.alias):
                    yield info.annotation
            continue
        origin, args = get_origin(part), get_args(part)
        if not args or not isinstance(origin, type):
            continue
        if isinstance(name, int) and issubclass(origin, list | tuple):
            yield args[0]
        elif isinstance(name, str) and len(args) == 2 and hasattr(origin, "keys"):
            yield args[1]


def _models(shapes: Sequence[Any]) -> Iterator[type[BaseModel]]:
    for shape in shapes:
        for part in _parts(shape):
            if _is_model(part):
                yield part


def _parts(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _parts(get_args(annotation)[0])
    elif origin is Union or origin is types.UnionType:
        for part in get_args(annotation):
            yield from _parts(part)
    else:
        yield annotation


def _is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)
