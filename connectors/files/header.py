"""Where the headings of a table stand, what its columns are called, which rows are sums.

A grid is the first rows of a file as lists of texts; None is an empty cell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.errors import ContractBroken
from connectors.files.settings import StreamSettings

LOOK_ROWS = 60  # how far down headings are looked for
META = ("_file", "_sheet", "_row", "_more", "_key")

_VALUE = re.compile(r"[-+(]?[¥$€£]?[0-9][0-9,.\s:/年月日%T)-]*|[A-Za-z]*[0-9]{5,}")
_REMARK = re.compile(r"[^()（）:：]+[:：]")  # 账号: 6222…, but not 金额(单位：元)
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Header:
    """The columns by name, how many leading rows are not data, and what was odd about them."""

    columns: tuple[str, ...]
    rows: int
    warnings: tuple[str, ...] = ()


def find_header(
    grid: Sequence[Sequence[str | None]], settings: StreamSettings, name: str, first: int = 0
) -> Header:
    """Return the header of a grid; `first` is the number of columns left of it (for letters).

    Raises ContractBroken if no row looks like headings or a row that was named does not exist.
    """
    width = max((len(row) for row in grid), default=0)
    if settings.header == "none":
        return _named(list(settings.columns), 0, width, first)
    rows: tuple[int, ...]
    if settings.header == "auto":
        found = _guess(grid)
        if found is None:
            shown = next((row for row in grid if any(row)), [])
            said = ", ".join(cell for cell in shown if cell)[:100]
            raise ContractBroken(
                f"No row of headings was found in the first {min(len(grid), LOOK_ROWS)} rows "
                f"(the first filled one holds: {said}).",
                "set `header:` to the row's number, or `header: none` and `columns: [names]`.",
                place=name,
            )
        rows = (found + 1,)
    else:
        rows = settings.header
    if max(rows) > len(grid):
        raise ContractBroken(
            f"Row {max(rows)} was to hold the headings, but the table ends at row {len(grid)}.",
            "correct `header:`.",
            place=name,
        )
    cells = _joined([grid[row - 1] for row in rows], width)
    if settings.columns:
        cells = [*settings.columns, *cells[len(settings.columns) :]]
    return _named(cells, max(rows), width, first)


def sum_pattern(words: Sequence[str]) -> str:
    """Return the RE2 pattern of a first filled cell which says that the row is a sum.

    The whole cell is one of the words, blanks inside it and a colon with more after it allowed
    (合 计: 12 rows); `word*` is met by every cell that begins so.
    """
    blank = r"[\s\x{A0}\x{3000}]*"
    forms: list[str] = []
    for word in words:
        plain = _BLANKS.sub("", word)
        begins = plain.endswith("*")
        spread = blank.join(re.escape(sign) for sign in plain.removesuffix("*"))
        forms.append(spread + (".*" if begins else f"{blank}(?:[:：].*)?"))
    return f"(?s)^{blank}(?:{'|'.join(forms)})$"


def letter(index: int) -> str:
    """Return a column's letter as Excel shows it: 0 is A, 26 is AA."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text


def _guess(grid: Sequence[Sequence[str | None]]) -> int | None:
    """Return the index of the first row that is nearly as full as the table and holds words."""
    sample = grid[:LOOK_ROWS]
    filled = [[cell for cell in row if cell] for row in sample]
    counts = sorted((len(cells) for cells in filled if cells), reverse=True)
    if not counts:
        return None
    # The width of the table: that of most rows, not of one title row full of remarks.
    usual = max(set(counts), key=lambda count: (counts.count(count), count))
    needed = 1 if usual == 1 else max(2, round(usual * 0.7))
    for index, cells in enumerate(filled):
        if len(cells) < needed or any(map(_REMARK.match, cells)):
            continue  # a title, or a line of remarks like 账号: 6222…
        values = sum(1 for cell in cells if _VALUE.fullmatch(cell.strip()))
        if values * 3 <= len(cells) and len(set(cells)) * 2 > len(cells):
            return index
        return None  # a record already: going on would take a later record for headings
    return None


def _joined(rows: Sequence[Sequence[str | None]], width: int) -> list[str | None]:
    """Join heading rows: an upper heading stands over the empty cells right of it (merged)."""
    spread: list[list[str | None]] = []
    for number, row in enumerate(rows):
        cells = [*row, *[None] * (width - len(row))]
        if number < len(rows) - 1:
            last: str | None = None
            for place, cell in enumerate(cells):
                last = cell or last
                cells[place] = last
        spread.append(cells)
    joined: list[str | None] = []
    for column in zip(*spread, strict=True):
        parts = dict.fromkeys(_BLANKS.sub(" ", cell).strip() for cell in column if cell)
        joined.append("/".join(parts) or None)
    return joined


def _named(cells: Sequence[str | None], rows: int, width: int, first: int) -> Header:
    warnings: list[str] = []
    names: list[str] = []
    taken = set(META)
    padded = [*cells, *[None] * (width - len(cells))]
    plain = {cell for cell in padded if cell}
    for index, cell in enumerate(padded):
        name = cell or letter(first + index)
        if name in taken or (not cell and name in plain):
            number = 2
            while f"{name}_{number}" in taken or f"{name}_{number}" in plain:
                number += 1
            if cell:
                warnings.append(f"the heading {name!r} stands twice: called {name}_{number}")
            name = f"{name}_{number}"
        taken.add(name)
        names.append(name)
    return Header(tuple(names), rows, tuple(warnings))
