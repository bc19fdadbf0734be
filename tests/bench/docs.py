"""Write the last run's figures into docs/benchmarks.md, between its markers."""

from __future__ import annotations

import json
from pathlib import Path

from tests.bench.run import ROOT
from tests.bench.table import as_markdown

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def write_docs(source: Path, page: Path = ROOT / "docs" / "benchmarks.md") -> None:
    """Replace what stands between the markers; raises ValueError where a marker is missing."""
    said = json.loads(source.read_text())
    heads = [f"- {name}: {value}" for name, value in said.items() if name != "lines"]
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no markers {BEGIN} … {END}")
    body = "\n".join([*heads, "", as_markdown(said["lines"])])
    page.write_text(f"{before}{BEGIN}\n{body}\n{END}{after}", encoding="utf-8")
