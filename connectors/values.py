"""Values of settings that connectors share: durations, sizes, references, what is no secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_T = TypeVar("_T")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_REFERENCE = re.compile(r"(?:[A-Za-z][A-Za-z0-9_-]*[ =])?(?P<reference>env:[A-Za-z_]\w*|file:.+)")
_SECRET_VALUE = re.compile(
    r"(?:bearer|basic|token)\s+\S{8,}|eyJ[A-Za-z0-9_-]{10,}\.|(?:sk|rk|pk|shp(?:at|ca|pa|ss)|gh[pousr]"
    r"|xox[abprs]|glpat|AKIA|ASIA|SG)[-_.]?[A-Za-z0-9_-]{16,}|-----BEGIN ",
    re.IGNORECASE,
)


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


def refuse_template(text: str) -> str:
    """Return `text`; raises ValueError for `{{`, which Dagster would resolve where all see it."""
    if "{{" in text:
        raise ValueError(
            "'{{' is not used here: it would be resolved into the definitions. "
            "Write a secret as env:NAME or file:PATH"
        )
    return text


def refuse_secret(text: str) -> str:
    """Return `text`; raises ValueError where it looks like a credential."""
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


def stream_names(streams: dict[str, _T]) -> dict[str, _T]:
    """Return `streams`; raises ValueError for a name that cannot be a folder's and an asset's."""
    for name in streams:
        if re.fullmatch("[a-z][a-z0-9_]{0,40}", name) is None:
            raise ValueError(
                f"the stream name {name[:60]!r} must be small letters, digits and _, "
                "beginning with a letter"
            )
    return streams


def _words(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(refuse_template), AfterValidator(refuse_secret)]
Secret = Annotated[str, AfterValidator(refuse_template), AfterValidator(_reference)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Size = Annotated[int, BeforeValidator(_size), Field(gt=0)]
Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_words)]


class Strict(BaseModel):
    """The base of all settings: unknown names are errors, values never appear in messages."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )
