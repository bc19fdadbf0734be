"""What an entity of the canonical model is made of; DDL, comments, checks and docs follow from it.

An entity is a pydantic class whose fields are annotated with a `Column`. The class is the contract
and the documentation; SQL generated from its columns enforces it on rows, so no Python object is
made for a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal[
    "text", "money", "price", "rate", "quantity", "integer", "instant", "date", "boolean",
    "word", "json",
]  # fmt: skip
Privacy = Literal["name", "phone", "email", "address", "id_no", "openid", "bank", "note"]

SQL_TYPES: Mapping[str, str] = {
    "text": "VARCHAR",
    "money": "DECIMAL(18,4)",
    "price": "DECIMAL(28,10)",
    "rate": "DECIMAL(18,8)",
    "quantity": "DECIMAL(18,6)",
    "integer": "BIGINT",
    "instant": "TIMESTAMPTZ",
    "date": "DATE",
    "boolean": "BOOLEAN",
    "word": "VARCHAR",
    "json": "JSON",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One field of an entity.

    `rule` is an SQL condition over the word `value` that a present value must meet (`value >= 0`),
    `rule_en`/`rule_zh` say it to people. `words` is the closed list of a `word` (without
    `unknown`, which every list has); the word as the source wrote it is kept in `<field>_raw`.
    `ref` names the entity that a `*_key` field refers to; unified rows carry the golden id in
    `resolved` (`party_id`). `natural` marks a field that is unique enough to be referred to
    (`by: code`). `privacy` is masked in what is published, unless `person_only` and the row's
    `kind` is organization.
    """

    kind: Kind
    en: str
    zh: str
    about: str = ""
    rule: str | None = None
    rule_en: str = ""
    rule_zh: str = ""
    words: tuple[str, ...] = ()
    ref: str | None = None
    resolved: str | None = None
    natural: bool = False
    privacy: Privacy | None = None
    person_only: bool = False

    @property
    def sql_type(self) -> str:
        """The column's DuckDB type."""
        return SQL_TYPES[self.kind]

    @property
    def scale(self) -> int | None:
        """Decimals kept, None for a type without decimals."""
        return {"money": 4, "price": 10, "rate": 8, "quantity": 6}.get(self.kind)


class Entity(BaseModel):
    """A thing of the canonical model, one row a source record in `source.<table>`."""

    model_config = ConfigDict(extra="forbid")

    entity: ClassVar[str]
    table: ClassVar[str]
    en: ClassVar[str]
    zh: ClassVar[str]
    about: ClassVar[str] = ""
    parent: ClassVar[str | None] = None  # the entity that owns it as a set (order_line: order)
    children: ClassVar[Mapping[str, str]] = {}  # name in a mapping's `children:` -> child entity

    @classmethod
    @cache
    def columns(cls) -> Mapping[str, Column]:
        """Return the columns by field name, in order."""
        found: dict[str, Column] = {}
        for name, info in cls.model_fields.items():
            for extra in info.metadata:
                if isinstance(extra, Column):
                    found[name] = extra
        return found
