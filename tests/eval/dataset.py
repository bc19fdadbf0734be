"""A data set with truth in memory, and how it is written as a folder."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.eval.party import COLUMNS, Row

TAGS = "tags.tsv"
"""Beside the CSVs of a written set: what was done to each row, for `--explain`; not needed."""


@dataclass(slots=True)
class DataSet:
    """Rows of any number of connections; a row without truth has an empty party.

    `columns` are those of COLUMNS, and whatever more of the matcher's a loader can fill.
    `warnings` are sentences about what a folder left to be desired.
    """

    name: str
    rows: list[Row]
    columns: tuple[str, ...] = COLUMNS
    warnings: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Write `<connection>.csv` files, `truth.csv` and the tags, in UTF-8."""
        folder.mkdir(parents=True, exist_ok=True)
        files = defaultdict(list)
        for row in self.rows:
            files[row.values["connection"]].append([row.values[one] for one in self.columns])
        for connection, rows in files.items():
            _write(folder / f"{connection}.csv", self.columns, rows)
        _write(folder / "truth.csv", ("connection", "source_key", "party"),
               [[*row.key, row.party] for row in self.rows])  # fmt: skip
        lines = ["\t".join((*row.key, " ".join(sorted(row.tags)))) for row in self.rows]
        (folder / TAGS).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write(path: Path, heads: tuple[str, ...], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(heads)
        out.writerows(rows)
