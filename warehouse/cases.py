"""Finds paths of a mapping that are absent from every record while another spelling is there.

A name of other case is an error. So is a column of a table that is not there while one that the
mapping does not use reads nearly the same: its values would be overwritten by nothing. Members of
JSON records come and go, so there the near name is a warning.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import duckdb
import msgspec

from warehouse.batch import Batch
from warehouse.ddl import quote
from warehouse.errors import MappingMismatch
from warehouse.model.plan import PathColumn, StreamPlan

NEAR = 0.6  # likeness of two names, 0 to 1
_WORDS = re.compile(r"[A-Z]?[^\W_A-Z]+|[A-Z]+")
SAMPLE = 2_000  # records looked at: names are a matter of the source's form, not of the record


def refuse_other_spellings(
    con: duckdb.DuckDBPyConnection, plan: StreamPlan, batches: Sequence[Batch]
) -> list[str]:
    """Raise MappingMismatch for a path null in all records that is there in other case.

    Returns warnings about paths that no record has while another has nearly their name.
    """
    if not plan.paths or batches[0].sidecar.encoding == "parquet":
        return []  # a table's columns were looked at: `refuse_other_columns`
    counts = ", ".join(f"count({quote(p.column)})" for p in plan.paths)
    found = con.execute(f"select count(*), {counts} from record_paths").fetchone() or (0,)
    silent = [p for p, n in zip(plan.paths, found[1:], strict=True) if n == 0]
    if not found[0] or not silent:
        return []
    sample = list(islice(_records(batches), SAMPLE))
    _compare(plan, silent, sample, batches[0].label)
    names = {name for record in sample if isinstance(record, dict) for name in record}
    return [
        f"`{p.spelled}` is in no record; did you mean `{near}`? ({p.place or plan.source})"
        for p in silent
        if p.members[:1]
        and p.members[0] not in names
        and (near := _near(plan, p, [n for n in names if reads_alike(str(p.members[0]), n)]))
    ]


def refuse_other_columns(plan: StreamPlan, batch: Batch) -> list[str]:
    """Raise MappingMismatch where a table lacks a column that it has nearly under that name.

    Returns warnings about columns that are simply not there.
    """
    names = {name: "" for name in batch.columns()}
    absent = [p for p in plan.paths if p.members and p.members[0] not in names]
    _compare(plan, [_first(p) for p in absent], [names], batch.label)
    for path in absent:
        if near := _near(plan, path, names):
            place = path.place or plan.source
            raise MappingMismatch(
                f"`{path.spelled}` is no column of the table, but `{near}` is, and the mapping"
                " does not use it.",
                f"write `{_as_path(near)}` in {place}, or name it under extra:.",
                place=batch.label,
            )
    return [f"`{p.spelled}` is no column of the table ({p.place or plan.source})" for p in absent]


def _near(plan: StreamPlan, path: PathColumn, names: Iterable[str]) -> str | None:
    """Return the name most like the path's first member that the mapping does not use."""
    used = {str(p.members[0]) for p in plan.paths if p.members}
    free = [name for name in names if name not in used and not name.startswith("_")]
    wanted = str(path.members[0])
    near = difflib.get_close_matches(wanted, free, n=1, cutoff=NEAR)
    # Short names are unlike their longer forms: 金额 and 金额(元), qty and qty_total.
    near += [name for name in sorted(free, key=len) if len(wanted) > 1 and name.startswith(wanted)]
    return near[0] if near else None


def reads_alike(one: str, other: str) -> bool:
    """Say whether two names differ by no whole word: order_staus is status's, lock_status is not.

    Members of JSON come and go, so most that are missing are simply not there, and the words that
    names share (status, type, id) say nothing of what they mean.
    """
    mine, theirs = ([w.casefold() for w in _WORDS.findall(name)] for name in (one, other))
    while mine and theirs and mine[0] == theirs[0]:
        del mine[0], theirs[0]
    while mine and theirs and mine[-1] == theirs[-1]:
        del mine[-1], theirs[-1]
    left, right = "".join(mine), "".join(theirs)
    is_longer = other.startswith(one)  # 金额 and 金额(元)
    return is_longer or difflib.SequenceMatcher(None, left, right).ratio() >= NEAR


def _as_path(name: str) -> str:
    """Return how a mapping's YAML names this one member."""
    return name if name.isidentifier() else "'\"" + name.replace('"', '""') + "\"'"


def _first(path: PathColumn) -> PathColumn:
    return PathColumn(path.column, path.spelled, path.members[:1], path.place)


def _compare(
    plan: StreamPlan, silent: Iterable[PathColumn], sample: Sequence[Any], label: str
) -> None:
    for path in silent:
        other = None
        for record in sample:
            spelled = _spelling(record, path.members)
            if spelled == path.members:
                break
            other = other or spelled
        else:
            if other is not None:
                meant = ".".join(map(str, other))
                raise MappingMismatch(
                    f"`{path.spelled}` is in no record, but `{meant}` is: case matters.",
                    f"write `{meant}` in {path.place or plan.source}.", place=label,
                )  # fmt: skip


def _spelling(record: Any, members: Sequence[str | int]) -> tuple[str | int, ...] | None:
    """Return the members as the record spells them, None where the path is not there."""
    found: list[str | int] = []
    for member in members:
        if isinstance(member, int):
            if not isinstance(record, list) or not -len(record) <= member < len(record):
                return None
            name: str | int = member
        elif not isinstance(record, dict):
            return None
        elif member in record:
            name = member
        else:
            folded = member.casefold()
            same = [n for n in record if n.casefold() == folded]
            if not same:
                return None
            name = same[0]
        found.append(name)
        record = record[name]
    return tuple(found)


def _records(batches: Sequence[Batch]) -> Iterable[Any]:
    for batch in batches:
        if batch.sidecar.encoding == "ndjson.zst" and batch.sidecar.rows:
            for line in batch.lines():
                try:
                    yield msgspec.json.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    continue  # a broken line names nothing; the slow path deals with it
