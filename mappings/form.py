"""The form of a mapping file, validated; values are still text as their writer wrote them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

Expression: TypeAlias = Annotated[str, StringConstraints(min_length=1)]
Key: TypeAlias = Expression | Annotated[list[Expression], Field(min_length=1)]


class Part(BaseModel):
    """Every part of the form refuses members that it does not know."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)


class Value(Part):
    """Where a field comes from: a path or expression, or the long form with its members.

    Members of the long form that are not listed here are words of a word map
    (`{value: state, paid: confirmed, else: unknown}`); `words:` holds those that clash.
    """

    value: Expression = Field(description="path or expression")
    stream: str | None = Field(None, description="a reference: the stream that holds the other")
    by: str | None = Field(None, description="a reference: another unique field than the key")
    words: dict[str, str] = Field(default_factory=dict, description="source word: our word")
    otherwise: str | None = Field(None, alias="else", description="our word for all others")
    nullable: bool = Field(False, description="a null result is meant")
    zone: str | None = Field(None, description="time zone, where it differs from the connection's")
    inline: tuple[str, ...] = Field((), exclude=True, description="words given without `words:`")

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {"value": data}
        if not isinstance(data, dict) or "value" not in data:
            return data
        known = {"value", "stream", "by", "words", "else", "nullable", "zone"}
        inline = {k: v for k, v in data.items() if k not in known}
        if not inline:
            return data
        rest = {k: v for k, v in data.items() if k in known}
        words = rest.get("words") or {}
        return {**rest, "words": {**words, **inline}, "inline": tuple(inline)}


def _version_from_text(data: Any) -> Any:
    return {"value": data} if isinstance(data, str) else data


class Version(Part):
    """What orders two versions of one record."""

    value: Expression
    compared: Literal["instant", "number", "text"] | None = Field(None, alias="as")


class Child(Part):
    """A set owned by its parent: one row a member of the list at `each`."""

    each: Expression = Field(description="path of the list; `rows` with `group`")
    entity: str | None = Field(None, description="default: what the parent's entity names so")
    key: Key = Field(description="key inside the parent, or `position`")
    where: Expression | None = None
    fields: dict[str, Value] = Field(default_factory=dict)
    extra: list[Expression] = Field(default_factory=list)


class Target(Part):
    """Rows of one entity made from a record."""

    entity: str
    key: Key
    where: Expression | None = Field(None, description="records that fail it are not rows of it")
    fields: dict[str, Value] = Field(default_factory=dict)
    children: dict[str, Child] = Field(default_factory=dict)
    extra: list[Expression] = Field(default_factory=list, description="kept in the ext column")


class MappingForm(Target):
    """A whole mapping file (FORMS.md section 3)."""

    extends: str | None = Field(None, description="<system>/<stream> to start from")
    version: Annotated[Version | None, BeforeValidator(_version_from_text)] = None
    deleted: Expression | None = Field(None, description="records that the source marks as gone")
    group: Key | None = Field(None, description="rows that repeat their head: one record a value")
    also: dict[str, Target] = Field(default_factory=dict, description="further rows of a record")
    empty: Literal["null", "keep"] | None = Field(
        None, description="blank values; default: null, but kept for text"
    )
    false_is_null: bool = Field(False, description="false means empty (Odoo)")
    zone: str | None = Field(None, description="time zone of the stream's naive times")
    words: dict[str, str] = Field(
        default_factory=dict, description="words of booleans: 是: true, 否: false"
    )
