"""Rows of a query put together: values get their names, rows that repeat a head one document.

The answer is a list of lists in the order of the fields (ExecuteBillQuery) or a list of objects
(BillQuery). Values are taken as the server wrote them, byte by byte, so numbers stay exact.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby

import msgspec

from connectors.body import Body, scalar_text
from connectors.errors import ContractBroken

Row = list[msgspec.Raw]
_lists = msgspec.json.Decoder(list[list[msgspec.Raw]])
_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_NULL = msgspec.Raw(b"null")


def rows_of(body: Body, asked: Sequence[str]) -> list[Row]:
    """Return the rows of an answer, each with a value for every field that was asked for.

    Raises ContractBroken.
    """
    start = body.data.lstrip()[:2]
    try:
        if start == b"[{":
            found = _objects.decode(body.data)
            if any(name not in row for row in found for name in asked):
                raise _broken(body, "an object lacks fields that were asked for")
            return [[row[name] for name in asked] for row in found]
        rows = _lists.decode(body.data)
    except msgspec.DecodeError:
        raise _broken(body, "it is no list of rows") from None
    for row in rows:
        if len(row) != len(asked):
            raise _broken(body, f"a row has {len(row)} values where {len(asked)} were asked for")
    return rows


def _broken(body: Body, what: str) -> ContractBroken:
    return ContractBroken(
        f"The answer is not what the API promises: {what}.",
        "does another program stand between? Else ask the vendor.", place=body.place,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """How a row is cut: `head` and `line` are names of the record, the first of each is its key.

    The columns of a row are those of the head, then those of the line; a document without lines
    has none of these. `listed` is what the list of lines is called. `stamp` is a place in the row,
    or None.
    """

    head: tuple[str, ...]
    line: tuple[str, ...] = ()
    listed: str = "lines"
    stamp: int | None = None


@dataclass(slots=True)
class Document:
    """Rows of one head. `key` and `line` are the texts of its key and of its last line's key."""

    key: str
    rows: list[Row] = field(default_factory=list)

    def stamps(self, shape: Shape) -> list[str | None]:
        """Return the stamps of its rows, once each."""
        if shape.stamp is None:
            return []
        return list({scalar_text(row[shape.stamp]): None for row in self.rows})

    def line(self, shape: Shape) -> str | None:
        """Return the key of its last line, None where it has none."""
        return line_key(self.rows[-1], shape)

    def record(self, shape: Shape) -> bytes:
        """Return the document as a JSON object: members of the head, and the list of lines."""
        wide = len(shape.head)
        head = _members(shape.head, self.rows[0][:wide])
        if not shape.line:
            return b"{" + head + b"}"
        lines = [
            b"{" + _members(shape.line, row[wide:]) + b"}"
            for row in self.rows
            if line_key(row, shape) is not None
        ]
        listed = json.dumps(shape.listed).encode()
        return b"{" + head + b"," + listed + b":[" + b",".join(lines) + b"]}"


def line_key(row: Row, shape: Shape) -> str | None:
    """Return the key of a row's line; null and 0 are no line, the head stands alone."""
    if not shape.line:
        return None
    text = scalar_text(row[len(shape.head)])
    return None if text in (None, "0", "", " ") else text


def _members(names: tuple[str, ...], values: Sequence[msgspec.Raw]) -> bytes:
    pairs = zip(_written(names), values, strict=True)
    return b",".join([name + bytes(value) for name, value in pairs])


@lru_cache(maxsize=256)
def _written(names: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(json.dumps(name).encode() + b":" for name in names)


def documents(rows: Sequence[Row]) -> list[Document]:
    """Put together the rows that stand behind each other with one key; raises ContractBroken."""
    made = []
    for key, several in groupby(rows, key=lambda row: scalar_text(row[0])):
        if key is None or not key.strip():
            raise ContractBroken("A row has no key.", "ask the vendor.")
        made.append(Document(key, list(several)))
    return made
