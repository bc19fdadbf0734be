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
    """Return the runbook's rows about a kind of error, as Markdown; where it stands, without them.

    Both languages stand there: nobody knows who is on call.
    """
    said = []
    for page, other, when in ((PAGE, OTHER, "Right again when: "), (TWIN, "其他", "何时算恢复：")):
        rows = _rows(page)
        shown = rows.get(kind) or rows.get(other)
        if shown is not None:
            said.append(f"{shown[1]}\n\n{when}{shown[2]}")
    return "\n\n".join([*said, f"({PAGE}, {TWIN})"])


def rows_of(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the rows of a page's tables with `COLUMNS` cells: the names in the first, the others.

    A first cell without names in backticks is itself the name.
    """
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == COLUMNS and not set(cells[0]) <= set("-| "):
            yield re.findall(r"`([^`]+)`", cells[0]) or [cells[0]], cells[1:]


@cache
def _rows(page: str) -> dict[str, list[str]]:
    try:
        text = (ROOT / page).read_text(encoding="utf-8")
    except OSError:
        return {}  # a package without its docs
    return {name: cells for names, cells in rows_of(text) for name in names}
