"""A mistake in a file that people write, and how a validation error becomes one with its line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mappings.yamltext import Document, Spot, YamlError
from pipelines.check.models import names_at
from pipelines.check.words import meant
from pipelines.texts import t

SHOWN = 60
TOKEN = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[^\s/:.{}]{20,}")
MIXED = re.compile(r"(?=[0-9A-Z]*[a-z])(?=[0-9a-z]*[A-Z])(?=[A-Za-z]*[0-9])[0-9A-Za-z]{16,}")
"""What passwords are made of and words are not, whatever signs stand around it."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: where it stands, what was found there, and what was meant or is to be done."""

    file: str
    line: int
    field: str
    found: str
    meant: str

    def __str__(self) -> str:
        field = f"{self.field}: " if self.field else ""
        said = " ".join(filter(None, (self.found, self.meant)))
        return f"{self.file}:{self.line}: {field}{said}"

    def as_json(self) -> dict[str, Any]:
        """Return the members for `--json`."""
        return asdict(self)


def from_yaml(error: YamlError) -> Problem:
    """Return the problem of a file that is not YAML as we read it."""
    return Problem(error.file, error.line, "", error.what, t("do", do=error.do))


def at(document: Document, spot: Spot, found: str, meant: str) -> Problem:
    """Return a problem at `spot` of `document`."""
    return Problem(document.file, document.key_line(spot), spell(spot), found, meant)


def from_validation(
    document: Document, error: ValidationError, model: type[BaseModel], *, under: Spot = ()
) -> list[Problem]:
    """Return one problem a wrong value of what `model` found wrong in `document` below `under`.

    A value that may have several shapes is wrong once, however many shapes pydantic tried.
    """
    grouped: dict[Spot, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        spot = locate(document, (*under, *detail["loc"]), missing=detail["type"] == "missing")
        grouped.setdefault(spot, []).append(detail)
    for spot in [s for s, group in grouped.items() if all(_is_shape(d) for d in group)]:
        # Another shape of the union fits and says more about what is inside.
        if any(len(other) > len(spot) and other[: len(spot)] == spot for other in grouped):
            del grouped[spot]
    return [_problem(document, spot, group, model, under) for spot, group in grouped.items()]


def _is_shape(detail: ErrorDetails) -> bool:
    return detail["type"].endswith("_type")


def locate(document: Document, loc: Sequence[str | int], *, missing: bool = False) -> Spot:
    """Return the spot of the document that pydantic's `loc` stands for.

    Pydantic puts names of union members and validators into a loc; what is not in the document is
    left out, but for the last name of a member that is missing.
    """
    value: Any = document.data
    spot: list[str | int] = []
    for position, name in enumerate(loc):
        if isinstance(value, dict) and str(name) in value:
            spot.append(str(name))
            value = value[str(name)]
        elif isinstance(value, list) and isinstance(name, int) and name < len(value):
            spot.append(name)
            value = value[name]
        elif missing and position == len(loc) - 1:
            spot.append(name)
    return tuple(spot)


def value_at(document: Document, spot: Spot) -> Any:
    """Return the value at `spot`, None where there is none."""
    value: Any = document.data
    for name in spot:
        if isinstance(value, dict):
            value = value.get(str(name))
        elif isinstance(value, list) and isinstance(name, int) and name < len(value):
            value = value[name]
        else:
            return None
    return value


def spell(spot: Spot) -> str:
    """Return a spot as people write it: `attributes.streams[0]`."""
    text = ""
    for name in spot:
        text += f"[{name}]" if isinstance(name, int) else f".{name}" if text else str(name)
    return text


def show(value: Any) -> str:
    """Return a value short enough for a line."""
    if value is None:
        return t("found.nothing")
    if isinstance(value, dict):
        return t("found.map")
    if isinstance(value, list):
        return t("found.list")
    text = str(value)
    # It may be a secret in the wrong place: enough to find it by.
    if TOKEN.fullmatch(text) or MIXED.search(text):
        text = text[:4] + "…"
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")


def _problem(
    document: Document,
    spot: Spot,
    details: Sequence[ErrorDetails],
    model: type[BaseModel],
    under: Spot,
) -> Problem:
    kinds = {d["type"] for d in details}
    # In a union the branch that knows the member speaks last: prefer what a person can act on.
    detail = next((d for d in details if d["type"] == "value_error"), details[0])
    if kinds == {"extra_forbidden"}:
        known = {n for d in details for n in names_at(model, d["loc"][:-1])}
        return at(document, spot, t("found.unknown_key"), meant(str(spot[-1]), known))
    if detail["type"] == "missing":
        written = value_at(document, spot[:-1])
        unknown = [n for n in written if n not in names_at(model, detail["loc"][:-1])] \
            if isinstance(written, dict) else []  # fmt: skip
        hint = meant(str(spot[-1]), unknown) if len(unknown) == 1 else ""
        return at(document, spot, t("found.missing"), hint or t("meant.add", name=spot[-1]))
    value = value_at(document, spot)
    if value is None:
        return at(document, spot, t("found.empty"), _described(model, detail) or _wanted(detail))
    is_rule = detail["type"] == "value_error" and isinstance(value, dict)  # on several members
    found = "" if is_rule else t("found.value", value=show(value))
    return at(document, spot, found, _wanted(detail))


def _described(model: type[BaseModel], detail: ErrorDetails) -> str:
    """Return what belongs into a setting that was left empty, by its own description."""
    name = detail["loc"][-1] if len(detail["loc"]) == 1 else None
    for field, info in model.model_fields.items():
        if name in (field, info.alias) and info.description:
            return t("meant.give", what=info.description)
    return ""


def _wanted(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in ("literal_error", "enum"):
        words = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return meant(str(detail["input"]), words)
    if kind == "value_error":
        return str(context.get("error", detail["msg"])).strip()
    if kind.startswith(("int_", "float_", "decimal_")):
        return t("meant.number")
    if kind.startswith("bool_"):
        return t("meant.bool")
    if kind.startswith("string_type"):
        return t("meant.text")
    if kind.startswith(("dict_", "model_", "mapping_")):
        return t("meant.map")
    if kind.startswith(("list_", "tuple_", "set_")):
        return t("meant.list")
    return t("meant.pydantic", text=detail["msg"])
