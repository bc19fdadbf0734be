"""Finds paths of a mapping that are absent from every record while another spelling is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import duckdb
import msgspec

from warehouse.batch import Batch
from warehouse.ddl import quote
from warehouse.errors import MappingMismatch
from warehouse.model.plan import PathColumn, StreamPlan

SAMPLE = 2_000  # records looked at: names are a matter of the source's form, not of the record


def refuse_other_spellings(
    con: duckdb.DuckDBPyConnection, plan: StreamPlan, batches: Sequence[Batch]
) -> None:
    """Raise MappingMismatch for a path null in all records that is there in other case."""
    if not plan.paths:
        return
    counts = ", ".join(f"count({quote(p.column)})" for p in plan.paths)
    found = con.execute(f"select count(*), {counts} from record_paths").fetchone() or (0,)
    silent = [p for p, n in zip(plan.paths, found[1:], strict=True) if n == 0]
    if found[0] and silent:
        _compare(plan, silent, list(islice(_records(batches), SAMPLE)), batches[0].label)


def refuse_other_columns(plan: StreamPlan, batch: Batch) -> None:
    """Raise MappingMismatch where a parquet batch lacks a column that it has in other case."""
    import pyarrow.parquet as pq

    names = {name: "" for name in pq.read_schema(batch.data).names}
    absent = [p for p in plan.paths if p.members and p.members[0] not in names]
    _compare(plan, [_first(p) for p in absent], [names], batch.label)


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
