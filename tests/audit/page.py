"""The page for IT, docs/security.md: two blocks of it are written by the runs themselves."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"


def write_block(name: str, text: str, page: Path = PAGE) -> None:
    """Replace what stands between `<!-- name -->` and `<!-- end name -->`; raises ValueError."""
    whole = page.read_text(encoding="utf-8")
    first, last = f"<!-- {name} -->\n", f"\n<!-- end {name} -->"
    before, found, rest = whole.partition(first)
    _, ended, after = rest.partition(last)
    if not found or not ended:
        raise ValueError(f"{page.name} has no block {name}")
    page.write_text(f"{before}{first}{text}{last}{after}", encoding="utf-8")
