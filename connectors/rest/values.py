"""Values of settings: durations, sizes, paths, references, and what looks like a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeVar

import msgspec
from pydantic import AfterValidator

from connectors.body import parse_path
from connectors.changes import check_format
from connectors.condition import parse_condition
from connectors.site import as_value_error
from connectors.values import (
    reference_in,
    refuse_secret,
    refuse_template,
    resolve,
)

_T = TypeVar("_T")
_SECRET_NAME = re.compile(
    r"token|secret|passw|pwd|api[-_]?key|app[-_]?key|access[-_]?key|private[-_]?key|subscription"
    r"[-_]?key|credential|authorization|cookie|session[-_]?id|signature|^sign$|^auth$|^key$",
    re.IGNORECASE,
)
_HARMLESS_NAME = re.compile(r"page|next|cursor|type|format|version|url|expire|count|limit", re.I)


def no_secrets(values: dict[str, _T]) -> dict[str, _T]:
    """Refuse constants whose name says secret and whose value is no reference, at any depth."""
    for name, value in _leaves(values):
        named = _SECRET_NAME.search(name) and not _HARMLESS_NAME.search(name)
        if named and value and reference_in(value) is None:
            raise ValueError(f"{name} looks like a secret: write env:NAME or file:PATH instead")
        refuse_secret(refuse_template(value))
    return values


def one_line(values: dict[str, str]) -> dict[str, str]:
    """Refuse headers that would be more than one."""
    for name, value in values.items():
        if any(ord(c) < 32 or ord(c) == 127 for c in name + value):
            raise ValueError(f"the header {name[:40]!r} has control characters; write one line")
    return values


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, name)
    elif isinstance(value, str):
        yield name, value


def json_constant(value: Any, secret: Callable[[str], str]) -> Any:
    """Turn text as written in YAML into a JSON value.

    `250`, `true`, `null` and `"250"` in quotes of its own (YAML: '"250"') are read as JSON,
    everything else is text; references are resolved.
    """
    if isinstance(value, dict):
        return {name: json_constant(inner, secret) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_constant(inner, secret) for inner in value]
    if not isinstance(value, str):
        return value
    if reference_in(value) is not None:
        return resolve(value, secret)
    if re.fullmatch(r'-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|true|false|null|".*"', value):
        try:
            return msgspec.Raw(value.encode()) if msgspec.json.decode(value) is not None else None
        except msgspec.DecodeError:
            return value
    return value


PathText = Annotated[str, AfterValidator(as_value_error(parse_path))]
ConditionText = Annotated[str, AfterValidator(as_value_error(parse_condition))]
FormatText = Annotated[str, AfterValidator(check_format)]
Constants = Annotated[dict[str, str], AfterValidator(no_secrets)]
Headers = Annotated[dict[str, str], AfterValidator(no_secrets), AfterValidator(one_line)]
