"""The questions of the pages: one SELECT a file under `sql/`, values bound by name.

The first line says the grain. `-- takes: day date, q text` declares what a reader may choose, with
its type; `$zone` (the company's time zone), `$now` (when the file was made) and `$most` (rows at
most) are there for every question. Nothing that a reader typed ever becomes SQL text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

FOLDER = Path(__file__).with_name("sql")
LONGEST = 200
"""Signs of a text that a reader may hand in."""
_NAME = re.compile(r"[a-z]+/[a-z_]+")


class BadValue(ValueError):
    """A value of a request is not of its type."""


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT and what it takes: name to type (text, date, number, id)."""

    name: str
    sql: str
    takes: Mapping[str, str]

    def read(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of a request by name, of their types; raises BadValue."""
        return {name: _typed(kind, given.get(name, "")) for name, kind in self.takes.items()}


@cache
def query(name: str) -> Query:
    """Return the question `<page>/<name>`; KeyError where there is none."""
    file = FOLDER / f"{name}.sql"
    if not _NAME.fullmatch(name) or not file.is_file():
        raise KeyError(name)
    sql = file.read_text("utf-8")
    found = re.search(r"^-- takes: (.+)$", sql, re.MULTILINE)
    pairs = (part.split() for part in found[1].split(",")) if found else ()
    return Query(name, sql, {pair[0]: pair[1] for pair in pairs})


def names() -> list[str]:
    """Return all questions."""
    return sorted(f"{f.parent.name}/{f.stem}" for f in FOLDER.glob("*/*.sql"))


def _typed(kind: str, text: str) -> Any:
    text = text.strip().replace("\0", "")
    if kind == "text":
        return text[:LONGEST]
    if not text:
        return None
    try:
        if kind == "date":
            return date.fromisoformat(text)
        if kind == "number":
            return max(-(10**6), min(10**6, int(text)))
        return UUID(text)
    except ValueError:
        raise BadValue(text[:LONGEST]) from None
