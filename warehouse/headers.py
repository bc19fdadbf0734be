"""The comment lines that an SQL model begins with: its grain, its texts, its columns.

    -- grain: one row an order
    -- en: What each order is worth.
    -- zh: 每张订单的金额。
    --   A line indented by three spaces goes on with the one before.
    -- of order: number, total as order_total
    -- column: open_amount | Open amount | 未付金额 | Total less what was paid

`of` takes label and meaning of columns from an entity of the model, `column` says its own: name,
English, Chinese and, where the labels do not say it all, what it means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from warehouse import ddl
from warehouse.ddl import Field
from warehouse.errors import StoreError
from warehouse.model import ENTITIES

_LINE = re.compile(r"-- ([a-z-]+(?: [a-z_]+)?): (.*)")
_MORE = "--   "


@dataclass(frozen=True, slots=True)
class Header:
    """What a model's file says of it; `said` by word, `columns` without their types."""

    said: Mapping[str, str]
    columns: tuple[Field, ...]
    sql: str


def read(text: str, place: str) -> Header:
    """Read a model's file. Raises StoreError for a line that means nothing or a word twice."""
    said: dict[str, str] = {}
    columns: list[Field] = []
    lines, body = _lines(text)
    for word, value in lines:
        if word == "column":
            columns.append(_column(value, place))
        elif word.startswith("of "):
            columns += _of_entity(word.removeprefix("of "), value, place)
        elif word in said:
            raise StoreError(f"The file says `{word}` twice.", "say it once.", place=place)
        else:
            said[word] = value
    names = [c.name for c in columns]
    for name in names:
        if names.count(name) > 1:
            raise StoreError(f"The column {name} is told twice.", "tell it once.", place=place)
    return Header(said, tuple(columns), body.strip().rstrip(";"))


def _lines(text: str) -> tuple[list[tuple[str, str]], str]:
    """Return the header's (word, value) and what is behind it; the first other line ends it."""
    found: list[tuple[str, str]] = []
    lines = text.splitlines(keepends=True)
    at = 0
    for at, line in enumerate(lines):  # noqa: B007 - where it ends is asked below
        match = _LINE.match(line)
        if match:
            found.append((match[1], match[2].strip()))
        elif found and line.startswith(_MORE):
            word, value = found[-1]
            # No space between two Chinese signs: the line ends where the editor did.
            gap = "" if ord(value[-1:] or " ") > 0x2E7F else " "
            found[-1] = (word, f"{value}{gap}{line.removeprefix(_MORE).strip()}")
        else:
            break
    return found, "".join(lines[at:])


def _column(value: str, place: str) -> Field:
    parts = [p.strip() for p in value.split("|")]
    if len(parts) not in (3, 4) or not all(parts):
        raise StoreError(
            f"The line of a column says `{value}`.",
            "write `-- column: name | English | 中文`, and ` | what it means` where it needs it.",
            place=place,
        )
    return Field(parts[0], "", parts[1], parts[2], parts[3] if len(parts) > 3 else "")


def _of_entity(entity: str, value: str, place: str) -> Iterator[Field]:
    if entity not in ENTITIES:
        raise StoreError(f"`{entity}` is no entity of the model.", "name one.", place=place)
    known = {f.name: f for f in ddl.unified_table(entity).fields}
    for said in value.split(","):
        name, _, other = (p.strip() for p in said.partition(" as "))
        if name not in known:
            raise StoreError(
                f"`{entity}` has no column `{name}`.", "write a `-- column:` line.", place=place
            )
        field = known[name]
        yield Field(other or name, "", field.en, field.zh, field.about, field.model)
