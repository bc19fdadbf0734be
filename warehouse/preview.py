"""Maps a few records in a throwaway database, by the loader's own steps.

Nothing of landing or store is touched: the records become a batch in a temporary folder, are read
and staged in memory as a load would, and all is gone at the end.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb
import zstandard

from warehouse import intake, stage
from warehouse.batch import Batch, name_of
from warehouse.clock import iso
from warehouse.ddl import literal, quote
from warehouse.model.plan import StreamPlan
from warehouse.sidecar import Sidecar
from warehouse.stage import Staged

if TYPE_CHECKING:
    import pyarrow as pa

Records: TypeAlias = "Sequence[bytes | bytearray | memoryview] | pa.Table"
EMPTY = (None, False, "{}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that would go to quarantine: `reasons` are 'field: reason' texts."""

    position: int
    source_key: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    """The rows of one entity that the records become. Columns that are empty in all are left out.

    `child` is the name of an owned set, empty for a record's own rows; a child's first column is
    its parent's key.
    """

    entity: str
    child: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    refused: tuple[Refusal, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What a few records become; `broken` are those that cannot be read at all."""

    read: int
    mapped: tuple[Mapped, ...]
    broken: tuple[Refusal, ...]
    warnings: tuple[str, ...] = ()

    @property
    def quarantined(self) -> int:
        """How many records would go to quarantine."""
        refused = {r.position for m in self.mapped for r in m.refused}
        return len(refused | {r.position for r in self.broken})


def preview(plan: StreamPlan, records: Records, *, now: datetime) -> Preview:
    """Return the rows that `records` become under `plan`, and what would be quarantined.

    Raises MappingMismatch or LoadError where a load would.
    """
    if not len(records):
        return Preview(0, (), ())
    with (
        tempfile.TemporaryDirectory(prefix="isthmus-preview-") as folder,
        duckdb.connect() as con,
    ):
        con.execute(f"set TimeZone = {literal(plan.zone)}")
        # As in the store: an expression that fails must not be shared with one that is guarded.
        con.execute("set disabled_optimizers = 'common_subexpressions'")
        con.execute("set threads = 1")
        con.execute("set enable_progress_bar = false")
        read = intake.read(con, plan, [_batch(plan, records, Path(folder), iso(now))])
        mapped: list[Mapped] = []
        for number, target in enumerate(plan.over(read.types).targets):
            staged = stage.stage(con, target, f"staged_{number}")
            mapped.append(_own(con, staged))
            for child, (table, (entity, columns)) in zip(
                target.children, staged.children.items(), strict=True
            ):
                mapped.append(_owned(con, staged.table, table, entity, child.name, columns))
        broken = tuple(Refusal(b.position, None, (b.reason,)) for b in read.bad)
        return Preview(len(records), tuple(mapped), broken, tuple(read.warnings))


def _batch(plan: StreamPlan, records: Records, folder: Path, at: str) -> Batch:
    """Write the records as they would be landed."""
    encoding = "ndjson.zst" if isinstance(records, Sequence) else "parquet"
    data = folder / f"{name_of(1)}.{encoding}"
    if isinstance(records, Sequence):
        data.write_bytes(zstandard.compress(b"".join(bytes(r) + b"\n" for r in records)))
    else:
        import pyarrow.parquet as pq

        pq.write_table(records, data)
    raw = data.read_bytes()
    side = Sidecar.model_validate(
        {
            "connection": plan.connection, "stream": plan.stream, "sequence": 1,
            "encoding": encoding, "rows": len(records), "bytes": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(), "read": "preview", "mode": "full",
            "started_at": at, "ended_at": at, "connector": "preview",
        }
    )  # fmt: skip
    return Batch(side, folder)


def _own(con: duckdb.DuckDBPyConnection, staged: Staged) -> Mapped:
    target = staged.target
    shown = ("source_key", *(["version"] if target.has_version else ()), "deleted",
             *staged.columns, "ext")  # fmt: skip
    good, names = _rows(con, shown, staged.table, "len(errors) = 0", "of_position")
    columns, rows = _filled(names, good)
    bad = con.execute(
        f"select of_position, source_key, errors from {staged.table}"
        " where len(errors) > 0 order by of_position"
    ).fetchall()
    refused = [Refusal(position, key, tuple(errors)) for position, key, errors in bad]
    for n in staged.failed:
        place = con.execute("select position from record_paths where n = ?", [n]).fetchone()
        refused.append(Refusal(place[0] if place else n, None, (staged.reason,)))
    warnings = con.execute(
        f"select distinct unnest(warnings) as warning from {staged.table} order by 1"
    ).fetchall()
    return Mapped(target.entity, "", columns, rows, tuple(refused), tuple(w for (w,) in warnings))


def _owned(
    con: duckdb.DuckDBPyConnection,
    parent: str,
    table: str,
    entity: str,
    name: str,
    columns: Sequence[str],
) -> Mapped:
    """Return the children of the records that are good: a bad one keeps its children out."""
    joined = (
        f"{table} c join (select n, source_key as parent, of_position from {parent}"
        " where len(errors) = 0 and not deleted) using (n)"
    )
    good, names = _rows(
        con, ("parent", "line", "source_key", *columns, "ext"), joined, "true", "of_position, line"
    )
    shown, rows = _filled(names, good)
    return Mapped(entity, name, shown, rows)


def _rows(
    con: duckdb.DuckDBPyConnection, names: Sequence[str], table: str, where: str, order: str
) -> tuple[list[tuple[Any, ...]], list[str]]:
    chosen = list(dict.fromkeys(names))
    found = con.execute(
        f"select {', '.join(map(quote, chosen))} from {table} where {where} order by {order}"
    ).fetchall()
    return found, chosen


def _filled(
    names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    kept = [i for i in range(len(names)) if any(row[i] not in EMPTY for row in rows)]
    return tuple(names[i] for i in kept), tuple(tuple(row[i] for i in kept) for row in rows)
