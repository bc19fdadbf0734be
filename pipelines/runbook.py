"""The runbook's rows: what a failure shows of docs/runbook.md beside its own text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PAGE = "docs/runbook.md"
TWIN = "docs/runbook.zh.md"
ROOT = Path(__file__).resolve().parent.parent
OTHER = "any other"
COLUMNS = 4
"""Name, what is shown, what to do, when it is right again."""


def entry(kind: str) -> str:
    """Return the runbook's row about a kind of error, as Markdown; where it stands, without one."""
    rows = _rows()
    shown = rows.get(kind) or rows.get(OTHER)
    if shown is None:
        return PAGE
    _, do, right = shown
    return f"{do}\n\nRight again when: {right}\n\n({PAGE}, {TWIN})"


def rows_of(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the rows of a page's tables with `COLUMNS` cells: the names in the first, the others.

    A first cell without names in backticks is itself the name.
    """
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == COLUMNS and not set(cells[0]) <= set("-| "):
            yield re.findall(r"`([^`]+)`", cells[0]) or [cells[0]], cells[1:]


@cache
def _rows() -> dict[str, list[str]]:
    try:
        text = (ROOT / PAGE).read_text(encoding="utf-8")
    except OSError:
        return {}  # a package without its docs
    return {name: cells for names, cells in rows_of(text) for name in names}
