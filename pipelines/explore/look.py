"""What a page works with: the open version, the request's values, the words; makes tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from pipelines.explore.blocks import Block, Cell, Notice, Table
from pipelines.explore.queries import query
from pipelines.explore.shown import Shown
from pipelines.explore.words import Words
from warehouse.current import Answer, Version
from warehouse.errors import WarehouseError

PATIENCE = 40.0
"""Seconds that a page may take in all: what then lacks is told on the page."""
LEAST = 0.5
"""Seconds that a question gets although the page has used its own."""
ROWS = 200
"""Rows of a table on a page; a file of it gets all."""
Links = Mapping[str, Callable[[Mapping[str, Any]], str]]
_NUMBERS = ("DECIMAL", "BIGINT", "INTEGER", "DOUBLE", "HUGEINT", "FLOAT", "UBIGINT")


@dataclass
class Look:
    """One look at one page."""

    version: Version
    words: Words
    args: Mapping[str, str] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)

    @property
    def zone(self) -> str:
        """The company's time zone."""
        return self.version.facts.get("timezone") or "UTC"

    @cached_property
    def made_at(self) -> datetime:
        """When the published file was made."""
        said = self.version.facts.get("projected_at")
        written = datetime.fromtimestamp(self.version.stamp[1] / 1e9, UTC)
        return datetime.fromisoformat(said) if said else written

    @cached_property
    def shown(self) -> Shown:
        """How values are shown to this reader."""
        return Shown(self.words, self.zone)

    @cached_property
    def _labels(self) -> Mapping[str, str]:
        tongue = "chinese" if self.words.language == "zh" else "english"
        return {r["column_name"]: r[tongue] for r in self.records("data/labels") if r[tongue]}

    def label(self, name: str) -> str:
        """Return what a column is called: here, else in the store's own dictionary."""
        return self.words.column(name) or self._labels.get(name) or name.replace("_", " ")

    @property
    def today(self) -> date:
        """The company's day on which the published file was made."""
        return self.made_at.astimezone(self.shown.zone).date()

    def ask(self, name: str, **values: Any) -> Answer:
        """Return the answer to the question `<page>/<name>`."""
        always = {"zone": self.zone, "now": self.made_at, "most": ROWS + 1}
        left = max(LEAST, PATIENCE - (time.monotonic() - self.begun))
        return self.version.ask(query(name).sql, {**always, **values}, timeout=left)

    def records(self, name: str, **values: Any) -> list[dict[str, Any]]:
        """Return the answer's rows by column."""
        return self.ask(name, **values).records()

    def one(self, name: str, **values: Any) -> dict[str, Any]:
        """Return the first row; empty where there is none."""
        return next(iter(self.records(name, **values)), {})

    def day(self, name: str, other: date) -> date:
        """Return the day that the request names, else `other`."""
        try:
            return date.fromisoformat(self.args.get(name, ""))
        except ValueError:
            return other

    def chosen(self, name: str, among: Sequence[str]) -> str:
        """Return the request's choice, the first of `among` where it names none of them."""
        said = self.args.get(name, "")
        return said if said in among else among[0]

    def link(self, path: str, **values: object) -> str:
        """Return an address inside the workbench."""
        said = {n: v for n, v in values.items() if v not in (None, "")}
        return f"{path}?{urlencode(said)}" if said else path

    def exports(self, name: str, **values: Any) -> str:
        """Return the address of a question's whole answer as a file, without its ending."""
        return self.link(f"/export/{name}", **{
            n: values[n].isoformat() if isinstance(values.get(n), date) else values.get(n)
            for n in query(name).takes
        })  # fmt: skip

    def table(
        self, name: str, title: str, columns: Sequence[str], *, links: Links | None = None,
        looks: Links | None = None, note: str = "", empty: str = "", wide: int = 12,
        tall: bool = False, **values: Any,
    ) -> Table:  # fmt: skip
        """Return the table of a question: `columns` of it, links and looks by column."""
        answer = self.ask(name, **values)
        kinds = dict(zip(answer.columns, answer.types, strict=True))
        found = answer.records()
        rows = [
            [
                Cell(
                    self.shown.cell(r[c], c), _sort(r[c]),
                    links[c](r) if links and c in links else "",
                    looks[c](r) if looks and c in looks else _look(r[c]),
                )
                for c in columns
            ]
            for r in found[:ROWS]
        ]  # fmt: skip
        return Table(
            title, [self.label(c) for c in columns], rows,
            frozenset(n for n, c in enumerate(columns) if kinds[c].upper().startswith(_NUMBERS)),
            note, empty or self.words("table.empty"),
            self.words("table.more", rows=ROWS) if len(found) > ROWS else "",
            self.exports(name, **values), wide, tall,
        )  # fmt: skip

    def part(self, title: str, make: Callable[[], Block], wide: int = 12) -> Block:
        """Return a block, or a notice where its question cannot be answered: the page stands."""
        try:
            return make()
        except WarehouseError as error:
            return Notice(error.what, error.do, "warn", wide, title)


def _look(value: Any) -> str:
    return "when" if isinstance(value, date) else ""


def _sort(value: Any) -> str:
    """Return what the browser sorts a cell by: numbers as such, moments as text that sorts."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)
