"""Reads a folder `<connection>.csv` … with `truth.csv` as a data set.

Columns that are missing are null, others than the form's are left out. A file that cannot be read
as UTF-8 CSV, a row without key, a key met twice and a missing truth stop with file and line; rows
that truth says nothing about are matched but not judged, and counted in a warning.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from tests.eval.dataset import TAGS, DataSet
from tests.eval.party import COLUMNS, Row

TRUTH = "truth.csv"
_KINDS = {
    **dict.fromkeys(("organization", "organisation", "company", "org", "enterprise", "business",
                     "corporate", "企业", "公司", "单位", "组织", "机构", "法人",
                     "个体户", "个体工商户", "企业客户"), "organization"),
    **dict.fromkeys(("person", "individual", "people", "consumer", "natural person",
                     "个人", "自然人", "个人客户"), "person"),
}  # fmt: skip


class BadData(Exception):
    """A folder that is no data set; the text names file and line."""


def read_folder(folder: Path) -> DataSet:
    """Return the rows of every CSV in the folder, in the order of file names and lines."""
    if not folder.is_dir():
        raise BadData(f"{folder} is not a folder")
    if not (folder / TRUTH).is_file():
        raise BadData(f"{folder / TRUTH} is not there: columns connection, source_key, party")
    files = sorted(one for one in folder.glob("*.csv") if one.name != TRUTH)
    if not files:
        raise BadData(f"{folder} has no CSV beside {TRUTH}")
    rows: dict[tuple[str, str], Row] = {}
    for path in files:
        for place, values in _records(path, ("source_key",)):
            row = _row(path, values)
            if not row.key[1] or row.key in rows:
                why = f"{row.key} is there twice" if row.key[1] else "no source_key"
                raise BadData(f"{path}:{place}: {why}")
            rows[row.key] = row
    found = DataSet(folder.resolve().name, list(rows.values()))
    _judge(folder, rows, found)
    _tag(folder / TAGS, rows)
    return found


def _records(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, cells by column name) of a CSV; every line has as many cells as its head."""
    place = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            heads = [one.strip().lower() for one in next(lines, [])]
            if lost := [one for one in needed if one not in heads]:
                raise BadData(f"{path}:1: no column {', '.join(lost)}")
            for cells in lines:
                place = lines.line_num
                if not cells:
                    continue
                if len(cells) != len(heads):
                    raise BadData(f"{path}:{place}: {len(cells)} cells under {len(heads)} columns")
                yield place, dict(zip(heads, cells, strict=True))
    except csv.Error as error:
        raise BadData(f"{path}:{lines.line_num}: {error}") from error
    except UnicodeDecodeError as error:
        raise BadData(f"{path}: after line {place}: not UTF-8 ({error.reason})") from error


def _row(path: Path, values: dict[str, str]) -> Row:
    kept = {one: values.get(one, "") for one in COLUMNS}
    kept["connection"] = kept["connection"].strip() or path.stem
    kept["source_key"] = kept["source_key"].strip()
    said = kept["kind"].strip().lower()
    kept["kind"] = _KINDS.get(said, "unknown" if said else "")
    return Row(kept, "")


def _judge(folder: Path, rows: dict[tuple[str, str], Row], found: DataSet) -> None:
    strangers, path = 0, folder / TRUTH
    for place, values in _records(path, ("connection", "source_key", "party")):
        key = values["connection"].strip(), values["source_key"].strip()
        party = values["party"].strip()
        if not party:
            raise BadData(f"{path}:{place}: no party")
        if key not in rows:
            strangers += 1
            continue
        if rows[key].party not in ("", party):
            raise BadData(f"{path}:{place}: {key} is said to be two parties")
        rows[key].party = party
    silent = sum(not one.party for one in rows.values())
    if silent == len(rows):
        raise BadData(f"{path}: names none of the rows of the other files")
    if silent:
        found.warnings.append(f"{path}: says nothing of {silent} rows; they are not judged")
    if strangers:
        found.warnings.append(f"{path}: {strangers} lines name rows that no file has")


def _tag(path: Path, rows: dict[tuple[str, str], Row]) -> None:
    if path.is_file():
        for line in path.read_text("utf-8").splitlines():
            connection, key, tags = line.split("\t")
            if (connection, key) in rows:
                rows[connection, key].tags.update(tags.split())
