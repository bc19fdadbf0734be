"""What a page is made of. Blocks hold data and finished texts; `templates/blocks.html` draws them.

`wide` is how many of the page's twelve columns a block takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure: its name, its lines, a remark, `tone` ok | warn | bad.

    A line is a figure, or (figure, unit): one a currency, amounts of two are never added.
    """

    label: str
    lines: Sequence[str | tuple[str, str]]
    note: str = ""
    tone: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Tiles:
    """Figures in a row."""

    kind: ClassVar[str] = "tiles"
    tiles: Sequence[Tile]
    title: str = ""
    wide: int = 12


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with a title that says what is drawn, and what its colours mean."""

    kind: ClassVar[str] = "chart"
    title: str
    svg: Markup
    legend: Sequence[tuple[str, str]] = ()
    note: str = ""
    wide: int = 6
    exports: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its text, what it sorts by, where it leads, and how it looks."""

    text: str
    sort: str = ""
    link: str = ""
    look: str = ""
    markup: Markup | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings. `right` are the places of columns of numbers, `more` what is left out.

    `exports` is the address of the same rows as a file, without its ending.
    """

    kind: ClassVar[str] = "table"
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    right: frozenset[int] = frozenset()
    note: str = ""
    empty: str = ""
    more: str = ""
    exports: str = ""
    wide: int = 12
    tall: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A station of an order: done, waiting, or wrong (`tone`)."""

    label: str
    when: str
    who: str
    tone: str


@dataclass(frozen=True, slots=True)
class Steps:
    """The stations of an order in a row."""

    kind: ClassVar[str] = "steps"
    steps: Sequence[Step]
    title: str = ""
    wide: int = 12


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values of one thing; a fact without a name is a sentence."""

    kind: ClassVar[str] = "facts"
    title: str
    facts: Sequence[tuple[str, str]]
    note: str = ""
    wide: int = 6
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two records that are held against each other; no `place` where it is missing."""

    heading: str
    place: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Sides:
    """Two records side by side: field, left, right, and whether they differ."""

    kind: ClassVar[str] = "sides"
    title: str
    left: Side
    right: Side
    fields: Sequence[tuple[str, str, str, bool]]
    rest: Sequence[tuple[str, str, str, bool]] = ()
    note: str = ""
    wide: int = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to pick or to type in a form: `options` are (value, text)."""

    name: str
    label: str
    value: str
    options: Sequence[tuple[str, str]] = ()
    type: str = "select"
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Choices that lead back to the page with other values."""

    kind: ClassVar[str] = "form"
    choices: Sequence[Choice]
    button: str
    wide: int = 12
    title: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence instead of what could not be shown, or about it."""

    kind: ClassVar[str] = "notice"
    text: str
    do: str = ""
    tone: str = ""
    wide: int = 12
    title: str = ""


Block = Tiles | Chart | Table | Steps | Facts | Sides | Form | Notice


@dataclass(slots=True)
class Page:
    """A page: its title, a line below it, its blocks in their order."""

    title: str
    lead: str = ""
    blocks: list[Block] = field(default_factory=list)
    back: tuple[str, str] | None = None
    form: Form | None = None
    links: Sequence[tuple[str, str]] = ()
