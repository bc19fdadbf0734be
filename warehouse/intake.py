"""Reads landed batches into the temp table `record_paths`, the slow way where DuckDB refuses one.

One malformed line makes `read_json` refuse the whole file (and `ignore_errors` would turn it into a
row of nulls), so a batch that is refused is read line by line here: bad lines are set apart, good
ones go to a clean file. Otherwise one line would stop its stream for ever.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import zstandard

from warehouse import aside, cases, temptables
from warehouse.batch import Batch
from warehouse.errors import LoadError
from warehouse.model.plan import StreamPlan
from warehouse.packs import PackedBatch

REFUSED = (duckdb.DataError, duckdb.InvalidInputException, duckdb.BinderException)
SCRATCH = "clean-"
IN_MEMORY = ".tmp"  # DuckDB's own setting where a connection has no file
_TEXT = ("VARCHAR", "JSON")
MAX_BAD = 1_000  # malformed lines of one batch; above, the batch is not what the stream promises


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no JSON object DuckDB can read; `reason` says why without its content."""

    batch: int
    position: int
    reason: str


@dataclass(slots=True)
class Intake:
    """What was read: `record_paths` is filled, `landed_files` says which file is which batch.

    `types` are the columns of `record_paths` that are no text, for `StreamPlan.over`.
    """

    batches: list[Batch]
    bad: list[BadLine] = field(default_factory=list)
    slow: bool = False
    types: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def read(con: duckdb.DuckDBPyConnection, plan: StreamPlan, batches: Sequence[Batch]) -> Intake:
    """Fill `record_paths` from batches of one encoding, all with records.

    Raises LandingDamaged, MappingMismatch or LoadError; the caller has no transaction open.
    """
    batches = [batch.here() for batch in batches]
    for batch in {batch.data: batch for batch in batches}.values():
        batch.verify()  # several may stand in one file
    intake = Intake(list(batches))
    columns = {"file_no": "bigint", "batch": "bigint", "ended_at": "timestamptz"}
    rows = ((n, b.sequence, b.sidecar.ended_at) for n, b in enumerate(batches))
    temptables.fill(con, "landed_files", columns, rows)
    encoding = batches[0].sidecar.encoding
    if encoding == "parquet":
        for batch in batches:
            intake.warnings += cases.refuse_other_columns(plan, batch)
    try:
        _fill_from(con, plan, encoding, batches)
    except REFUSED as error:
        if encoding == "parquet":
            raise LoadError(
                f"the landed table cannot be read under this mapping ({_kind(error)}).",
                f"compare the columns that {plan.source} names with those of the file.",
                place=batches[0].label,
            ) from error
        _fill_slowly(con, plan, intake)
    intake.types = types_of(con, plan)
    intake.warnings += cases.refuse_other_spellings(con, plan, batches)
    return intake


def _fill_from(
    con: duckdb.DuckDBPyConnection, plan: StreamPlan, encoding: str, batches: Sequence[Batch]
) -> None:
    try:
        with _files(con, batches) as files:
            _fill(con, plan, encoding, files, whole=False)
    except duckdb.IOException:
        if all(batch.data.exists() for batch in batches):
            raise
        # A reader that holds no lock: they have gone into a pack since they were looked at.
        with _files(con, [batch.here() for batch in batches]) as files:
            _fill(con, plan, encoding, files, whole=False)


@contextmanager
def _files(con: duckdb.DuckDBPyConnection, batches: Sequence[Batch]) -> Iterator[list[str]]:
    """Yield a file a batch: its own, or one written for a batch that stands in a pack."""
    if not any(isinstance(batch, PackedBatch) for batch in batches):
        yield [str(batch.data) for batch in batches]
        return
    with _scratch(con, batches) as folder:
        yield [str(batch.path(folder, n)) for n, batch in enumerate(batches)]


def types_of(con: duckdb.DuckDBPyConnection, plan: StreamPlan) -> dict[str, str]:
    """Return the columns of `record_paths` that are no text, with their types."""
    names = {path.column for path in plan.paths}
    found = con.execute("describe record_paths").fetchall()
    return {name: kind for name, kind, *_ in found if name in names and kind not in _TEXT}


def _fill(
    con: duckdb.DuckDBPyConnection,
    plan: StreamPlan,
    encoding: str,
    files: Sequence[str],
    *,
    whole: bool,
) -> None:
    select = plan.paths_sql(encoding, files, whole)
    con.execute(f"create or replace temp table record_paths as {select}")


def _fill_slowly(con: duckdb.DuckDBPyConnection, plan: StreamPlan, intake: Intake) -> None:
    """Set bad lines apart, then read whole objects (names that repeat or clash in case)."""
    intake.slow = True
    with _scratch(con, intake.batches) as folder:
        clean: list[str] = []
        nothing: list[int] = []
        moved: list[tuple[int, int, int]] = []  # (file, line of the clean file, position)
        for number, batch in enumerate(intake.batches):
            path = folder / f"{number}.ndjson.zst"
            good = _good_lines(batch, intake.bad)
            good = _readable(con, plan, path, batch, good, intake.bad)
            _write(path, [line for _, line in good])
            clean.append(str(path))
            moved += [(number, n, p) for n, (p, _) in enumerate(good, 1) if n != p]
            if not good:
                nothing.append(number)
        _fill(con, plan, "ndjson.zst", clean, whole=True)
    for number in nothing:  # DuckDB reads no empty file: one empty object stands in it
        con.execute("delete from record_paths where file_no = ?", [number])
    if moved:
        _restore_positions(con, moved)


@contextmanager
def _scratch(con: duckdb.DuckDBPyConnection, batches: Sequence[Batch]) -> Iterator[Path]:
    """Yield a folder for copies of records: in the store's own folder for temporary files.

    What killed loads left there goes. A connection in memory holds no lock, others of its kind
    work beside it: copies out of packs go into a folder of the home that `open_store` sweeps.
    """
    (said,) = con.execute("select current_setting('temp_directory')").fetchall()[0]
    packed = next((b for b in batches if isinstance(b, PackedBatch)), None)
    if said in ("", IN_MEMORY) and packed is not None:
        with aside.folder(packed.folder.parents[2]) as made:  # home/landing/connection/stream
            yield made
        return
    own = None if said in ("", IN_MEMORY) else Path(said)
    if own is not None:
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in own.glob(f"{SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=own) as folder:
        yield Path(folder)


def _good_lines(batch: Batch, bad: list[BadLine]) -> list[tuple[int, bytes]]:
    good: list[tuple[int, bytes]] = []
    found = 0
    for position, line in enumerate(batch.lines(), 1):
        reason = _fault(line)
        if reason is None:
            good.append((position, line))
        else:
            bad.append(BadLine(batch.sequence, position, reason))
            found += 1
    if found > max(MAX_BAD, batch.sidecar.rows // 2):
        raise LoadError(
            f"{found} of {batch.sidecar.rows} records are not JSON objects.",
            "look at what the system answers (`isthmus preview`): this is no list of records.",
            place=batch.label,
        )
    return good


def _fault(line: bytes) -> str | None:
    try:
        line.decode()
        value: Any = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except UnicodeDecodeError as error:
        return f"not UTF-8 at byte {error.start + 1}"
    except msgspec.ValidationError:
        return "not a JSON object"
    except msgspec.DecodeError as error:
        return f"not JSON: {error}"
    except RecursionError:
        return "nested too deep"
    return None if isinstance(value, dict) else "not a JSON object"


def _readable(
    con: duckdb.DuckDBPyConnection,
    plan: StreamPlan,
    path: Path,
    batch: Batch,
    lines: list[tuple[int, bytes]],
    bad: list[BadLine],
) -> list[tuple[int, bytes]]:
    """Return the lines that DuckDB reads too, found by halving; the others are bad."""
    if not lines:
        return []
    _write(path, [line for _, line in lines])
    try:
        _fill(con, plan, "ndjson.zst", [str(path)], whole=True)
    except REFUSED as error:
        if len(lines) == 1:
            bad.append(BadLine(batch.sequence, lines[0][0], f"not readable ({_kind(error)})"))
            if sum(b.batch == batch.sequence for b in bad) > MAX_BAD:
                raise LoadError(
                    f"more than {MAX_BAD} records cannot be read.",
                    "look at what the system answers (`isthmus preview`).", place=batch.label,
                ) from error  # fmt: skip
            return []
        half = len(lines) // 2
        return [
            *_readable(con, plan, path, batch, lines[:half], bad),
            *_readable(con, plan, path, batch, lines[half:], bad),
        ]
    return lines


def _write(path: Path, lines: Sequence[bytes]) -> None:
    plain = b"".join(line + b"\n" for line in lines or [b"{}"])
    path.write_bytes(zstandard.ZstdCompressor(level=1).compress(plain))


def _restore_positions(
    con: duckdb.DuckDBPyConnection, moved: Sequence[tuple[int, int, int]]
) -> None:
    columns = {"file_no": "bigint", "line": "bigint", "position": "bigint"}
    temptables.fill(con, "moved_lines", columns, moved)
    con.execute(
        "update record_paths as p set position = m.position from moved_lines as m"
        " where p.file_no = m.file_no and p.position = m.line"
    )


def _kind(error: Exception) -> str:
    """Return what kind of error it is; its text may quote a record."""
    return type(error).__name__
