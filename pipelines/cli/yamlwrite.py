"""Writes the YAML files that people start from: every setting there is, with its description."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipelines.check.models import models_in
from pipelines.texts import t
from pipelines.units import spell

PLAIN = re.compile(r"^[\w./一-鿿-][\w./ 一-鿿()+-]*$")
WIDTH = 96


def block(value: Any, indent: int = 0) -> Iterator[str]:
    """Yield the lines of a value of dicts, lists and texts."""
    pad = " " * indent
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if _tall(inner):
                yield f"{pad}{scalar(str(name))}:"
                yield from block(inner, indent + 2)
            else:
                yield f"{pad}{scalar(str(name))}: {flow(inner)}"
    elif isinstance(value, list):
        for inner in value:
            lines = list(block(inner, indent + 2)) if _tall(inner) else []
            if lines:
                yield f"{pad}- {lines[0].lstrip()}"
                yield from lines[1:]
            else:
                yield f"{pad}- {flow(inner)}"
    else:
        yield f"{pad}{flow(value)}"


def flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(n))}: {flow(v)}" for n, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """Return a text as YAML reads it back, quoted where it must be."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if PLAIN.match(text) and not text.startswith(("-", ".")) and text == text.strip():
        return text
    return json.dumps(text, ensure_ascii=False)


def explained(
    model: type[BaseModel], values: Mapping[str, Any], indent: int = 0, *, depth: int = 0
) -> Iterator[str]:
    """Yield the lines of a settings model: what is set, what must be, and the rest commented out.

    The description of a field stands above it; a field whose value is made of further settings
    shows them once, commented out, three levels deep.
    """
    pad = " " * indent
    for field, info in model.model_fields.items():
        name = info.alias or field
        given, required = name in values, info.is_required()
        yield from _about(info, pad, required=required and not given)
        inner = models_in(info.annotation)
        if given:
            yield from _given(name, values[name], inner, indent, depth)
            continue
        yield f"{pad}{name}:" if required else f"{pad}# {name}: {_default(info)}".rstrip()
        if inner and depth < 2:
            step = "  "
            if _holds_names(info):
                yield f"{pad}#   NAME:"
                step = "    "
            for line in explained(inner[0], {}, depth=depth + 1):
                yield f"{pad}# {step}{line}"


def _given(
    name: str, value: Any, inner: list[type[BaseModel]], indent: int, depth: int
) -> Iterator[str]:
    """Yield a setting that has a value; the first of several of a kind is explained whole."""
    first = next(iter(value), None) if isinstance(value, Mapping) else None
    if first is None or not inner or not isinstance(value[first], Mapping):
        yield from block({name: value}, indent)
        return
    yield f"{' ' * indent}{scalar(name)}:"
    yield f"{' ' * (indent + 2)}{scalar(first)}:"
    yield from explained(inner[0], value[first], indent + 4, depth=depth + 1)
    yield from block({n: v for n, v in value.items() if n != first}, indent + 2)


def _tall(value: Any) -> bool:
    """Return whether a value takes lines of its own: maps, and lists that hold more than texts."""
    if isinstance(value, list):
        return any(isinstance(v, Mapping | list) for v in value)
    return isinstance(value, Mapping) and bool(value)


def _default(info: FieldInfo) -> str:
    if models_in(info.annotation):
        return ""
    default = info.get_default(call_default_factory=True)
    return "" if default in (None, PydanticUndefined, "") else flow(_plain(default))


def _about(info: FieldInfo, pad: str, *, required: bool) -> Iterator[str]:
    text = (info.description or "").strip()
    if required:
        text = f"{t('connect.required')} {text}".strip()
    if text:
        yield from textwrap.wrap(
            text, WIDTH, initial_indent=f"{pad}# ", subsequent_indent=f"{pad}# ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip


def _holds_names(info: FieldInfo) -> bool:
    return "dict" in str(info.annotation).lower() or "mapping" in str(info.annotation).lower()


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return spell(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    return value
