"""docs/clients.md: its table is written by a run, the text around it by people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.audit.page import write_block

PAGE = Path(__file__).resolve().parents[2] / "docs" / "clients.md"


def write(results: Sequence[dict[str, Any]], page: Path = PAGE) -> None:
    """Replace the table of the page."""
    lines = ["| client | versions | opened | held while newer ones came | opened anew | write |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    lines += [_row(result) for result in results]
    write_block("clients", "\n".join(lines), page)


def is_expected(result: dict[str, Any]) -> bool:
    """Whether a client may fail: DuckDB before 1.2 cannot read the file's form."""
    version = str(result["versions"].get("duckdb", "9")).lstrip("v")
    return tuple(map(int, version.split(".")[:2])) < (1, 2)


def _row(result: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    if result["wrong"]:
        return f"| {result['client']} | {versions} | **no**: {_plain(result['wrong'])} | | | |"
    first, anew, again = result["first"], result["anew"], result["again"]
    torn = "" if first["torn"] is None else ", none torn"
    held = "holds none: opens the file each time"
    if again is not None:
        held = f"the same {again['orders']:,}; {result['published']} were published meanwhile"
    return (
        f"| {result['client']} | {versions} | {first['orders']:,} orders{torn} | {held} "
        f"| {anew['orders']:,} orders | {_refusal(result['refused'])} |"
    )


def _refusal(said: str) -> str:
    """Return what came of the attempt to write; most say so in DuckDB's own long sentence."""
    return "refused: read-only" if "read-only mode" in said else _plain(said)


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")[:200]
