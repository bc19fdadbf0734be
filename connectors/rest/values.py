"""Values of settings: durations, sizes, paths, references, and what looks like a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Annotated, Any, TypeVar

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field

from connectors.body import parse_path
from connectors.changes import check_format
from connectors.condition import parse_condition
from connectors.errors import ConfigError
from connectors.rate import parse_rate

_T = TypeVar("_T")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_REFERENCE = re.compile(r"(?:[A-Za-z][A-Za-z0-9_-]*[ =])?(?P<reference>env:[A-Za-z_]\w*|file:.+)")
_SECRET_NAME = re.compile(
    r"token|secret|passw|pwd|api[-_]?key|app[-_]?key|access[-_]?key|private[-_]?key|subscription"
    r"[-_]?key|credential|authorization|cookie|session[-_]?id|signature|^sign$|^auth$|^key$",
    re.IGNORECASE,
)
_HARMLESS_NAME = re.compile(r"page|next|cursor|type|format|version|url|expire|count|limit", re.I)
_SECRET_VALUE = re.compile(
    r"(?:bearer|basic|token)\s+\S{8,}|eyJ[A-Za-z0-9_-]{10,}\.|(?:sk|rk|pk|shp(?:at|ca|pa|ss)|gh[pousr]"
    r"|xox[abprs]|glpat|AKIA|ASIA|SG)[-_.]?[A-Za-z0-9_-]{16,}|-----BEGIN ",
    re.IGNORECASE,
)


def _as_value_error(read: Callable[[str], Any]) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            read(text)
        except ConfigError as error:
            raise ValueError(f"{error.what} Do: {error.do}") from None
        return text

    return check


def parse_duration(value: Any) -> Any:
    """Read `90s`, `10m`, `2h`, `7d` or `1w`; leave a timedelta as it is."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([smhdw])\s*", value)
    if found is None:
        raise ValueError("a duration is a number with a unit: 90s, 10m, 2h, 7d")
    return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])


def _size(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([a-zA-Z]*)\s*", value)
    if found is None or found[2].lower() not in _BYTES:
        raise ValueError("a size is a number with a unit: 500kB, 64MB, 1GB")
    return int(float(found[1]) * _BYTES[found[2].lower()])


def _plain(text: str) -> str:
    if "{{" in text:
        raise ValueError(
            "'{{' is not used here: it would be resolved into the definitions. "
            "Write a secret as env:NAME or file:PATH"
        )
    return text


def _not_secret(text: str) -> str:
    if _SECRET_VALUE.search(text):
        raise ValueError("this looks like a secret: write env:NAME or file:PATH instead")
    return text


def _reference(text: str) -> str:
    if _REFERENCE.fullmatch(text) is None:
        raise ValueError(
            "a secret must be a reference: write env:NAME or file:PATH "
            "(a word may stand before it: Token env:NAME)"
        )
    return text


def reference_in(text: str) -> str | None:
    """Return the reference that a value is or ends with, or None."""
    found = _REFERENCE.fullmatch(text)
    return found["reference"] if found else None


def resolve(text: str, secret: Callable[[str], str]) -> str:
    """Put the secret in the place of the reference, if the value has one."""
    reference = reference_in(text)
    return text if reference is None else text[: -len(reference)] + secret(reference)


def no_secrets(values: dict[str, _T]) -> dict[str, _T]:
    """Refuse constants whose name says secret and whose value is no reference, at any depth."""
    for name, value in _leaves(values):
        named = _SECRET_NAME.search(name) and not _HARMLESS_NAME.search(name)
        if named and value and reference_in(value) is None:
            raise ValueError(f"{name} looks like a secret: write env:NAME or file:PATH instead")
        _not_secret(_plain(value))
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


def _words(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_plain), AfterValidator(_not_secret)]
Secret = Annotated[str, AfterValidator(_plain), AfterValidator(_reference)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Size = Annotated[int, BeforeValidator(_size), Field(gt=0)]
PathText = Annotated[str, AfterValidator(_as_value_error(parse_path))]
ConditionText = Annotated[str, AfterValidator(_as_value_error(parse_condition))]
RateText = Annotated[str, AfterValidator(_as_value_error(parse_rate))]
FormatText = Annotated[str, AfterValidator(check_format)]
Constants = Annotated[dict[str, str], AfterValidator(no_secrets)]
Headers = Annotated[dict[str, str], AfterValidator(no_secrets), AfterValidator(one_line)]
Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_words)]
