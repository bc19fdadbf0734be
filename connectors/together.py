"""Settings that go together: what is missing of them is told beside all that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from connectors.values import Strict


class Together(Strict):
    """The base of settings of which some need or exclude one another: see `lacks`."""

    @classmethod
    def lacks(cls, given: Mapping[str, Any]) -> str:
        """Return what is missing, or too many, of those that go together; "" for nothing.

        `given` holds each setting as it was written or its default, None for one that is not there;
        it may be of any type.
        """
        return ""

    @model_validator(mode="wrap")
    @classmethod
    def _lacking(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Say what is missing in one go: a rule on the whole is not asked where a part is wrong."""
        try:
            made = handler(data)
        except ValidationError as error:
            if not isinstance(data, dict) or not (said := cls.lacks(_given(cls, data))):
                raise
            raise _with(error, said) from None
        if said := cls.lacks({name: getattr(made, name) for name in cls.model_fields}):
            raise ValueError(said)
        return made


def _given(model: type[Strict], data: Mapping[str, Any]) -> dict[str, Any]:
    made = {
        name: None if info.is_required() else info.get_default(call_default_factory=True)
        for name, info in model.model_fields.items()
    }
    return made | {name: value for name, value in data.items() if name in made}


def _with(error: ValidationError, said: str) -> ValidationError:
    """Return an error with one more line, about the whole."""
    lines = list[InitErrorDetails]()
    for one in error.errors(include_url=False):
        context = {"said": one["msg"]} | one.get("ctx", {})
        kind = PydanticCustomError(one["type"], "{said}", context)
        lines.append({"type": kind, "loc": one["loc"], "input": one["input"]})
    about = PydanticCustomError("value_error", "{error}", {"error": ValueError(said)})
    lines.append({"type": about, "loc": (), "input": None})
    return ValidationError.from_exception_data(error.title, lines, hide_input=True)
