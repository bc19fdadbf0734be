"""Maps a few records in a throwaway database: nothing of landing or store is touched."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb
import zstandard

from warehouse.model.plan import ChildPlan, StreamPlan, TargetPlan

if TYPE_CHECKING:
    import pyarrow as pa

Records: TypeAlias = "Sequence[bytes | bytearray | memoryview] | pa.Table"
FRAME = ("n", "source_key", "errors", "warnings")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that would go to quarantine: `reasons` are 'field: reason' texts."""

    position: int
    source_key: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    """The rows of one entity that the records become. Columns that are null in all are left out."""

    entity: str
    child: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    refused: tuple[Refusal, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a few records become; `read` is how many there were."""

    read: int
    mapped: tuple[Mapped, ...] = field(default_factory=tuple)

    @property
    def quarantined(self) -> int:
        """How many records would go to quarantine."""
        return len({r.position for m in self.mapped for r in m.refused})


def preview(plan: StreamPlan, records: Records) -> Preview:
    """Return the rows that `records` become under `plan`, and what would be quarantined."""
    with tempfile.TemporaryDirectory(prefix="isthmus-preview-") as folder:
        encoding, file = write(records, Path(folder))
        with duckdb.connect() as con:
            con.execute("SET TimeZone = ?", [plan.zone])
            # One expression that fails must not be shared with another that is guarded.
            con.execute("SET disabled_optimizers = 'common_subexpressions'")
            con.execute("SET threads = 1")
            con.execute(
                f"CREATE TEMP TABLE record_paths AS {plan.paths_sql(encoding, [str(file)], False)}"
            )
            positions: dict[int, int] = dict(
                con.execute("SELECT n, position FROM record_paths").fetchall()
            )
            mapped: list[Mapped] = []
            for target in plan.targets:
                mapped.append(_target(con, target, positions))
                mapped += (_child(con, child, positions) for child in target.children)
            return Preview(len(records), tuple(mapped))


def write(records: Records, folder: Path) -> tuple[str, Path]:
    """Write records as they would be landed; return encoding and file."""
    if not isinstance(records, Sequence):
        import pyarrow.parquet as pq

        file = folder / "1.parquet"
        pq.write_table(records, file)
        return "parquet", file
    file = folder / "1.ndjson.zst"
    file.write_bytes(zstandard.compress(b"".join(bytes(r) + b"\n" for r in records)))
    return "ndjson.zst", file


def _target(con: duckdb.DuckDBPyConnection, plan: TargetPlan, positions: dict[int, int]) -> Mapped:
    shown = ("source_key", *(["version"] if plan.has_version else ()), "deleted", *plan.columns)
    return _mapped(con, plan.select, plan.entity, "", (*shown, "ext"), positions)


def _child(con: duckdb.DuckDBPyConnection, plan: ChildPlan, positions: dict[int, int]) -> Mapped:
    shown = ("source_key", "line", *plan.columns, "ext")
    return _mapped(con, plan.select, plan.entity, plan.name, shown, positions)


def _mapped(
    con: duckdb.DuckDBPyConnection,
    select: str,
    entity: str,
    child: str,
    shown: Sequence[str],
    positions: dict[int, int],
) -> Mapped:
    result = con.execute(f"SELECT * FROM ({select}) ORDER BY n")
    names = [d[0] for d in result.description]
    found = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    good = [row for row in found if not row["errors"]]
    columns = tuple(
        name for name in shown
        if name in names and any(row[name] not in (None, False, "{}") for row in good)
    )  # fmt: skip
    refused = tuple(
        Refusal(positions.get(row["n"], row["n"]), row["source_key"], tuple(row["errors"]))
        for row in found if row["errors"]
    )  # fmt: skip
    warnings = tuple(dict.fromkeys(w for row in found for w in row["warnings"] or ()))
    rows = tuple(tuple(row[name] for name in columns) for row in good)
    return Mapped(entity, child, columns, rows, refused, warnings)
