"""Writes marts of the published file as Excel and Parquet files for people without DuckDB.

Everything of one handout is of one version: the file is opened once, however often a newer one is
published meanwhile. Each file appears whole under its name or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeAlias

import duckdb

from warehouse import export, reader
from warehouse.ddl import literal, quote
from warehouse.export import SHEET_ROWS, ExportError
from warehouse.reader import CATALOG, QueryError, Result

Format: TypeAlias = Literal["xlsx", "parquet"]
FORMATS: tuple[Format, ...] = ("xlsx", "parquet")
MARTS = Path(__file__).parent / "sql" / "mart"
_KEPT = "temp.handed_out"
_PAGE = 2_000
_BATCH = 50_000
_LEFT = re.compile(r"\.[a-z0-9_]+\.(?:xlsx|parquet)\.[0-9a-f]{32}")


@dataclass(slots=True)
class Handed:
    """What became of one mart: its rows, and the files by format.

    `left_out` says of a format why it has no file, `failed` why one could not be written.
    """

    mart: str
    rows: int = 0
    files: dict[Format, Path] = field(default_factory=dict)
    left_out: dict[Format, str] = field(default_factory=dict)
    failed: dict[Format, str] = field(default_factory=dict)


def names() -> list[str]:
    """Return the marts there are, without reading them."""
    return sorted(path.stem for path in MARTS.glob("*.sql"))


class Handout:
    """One version of the published file, open to be handed out."""

    def __init__(self, published: Path, *, timezone: str) -> None:
        self.con = reader.open_reader(published)
        self.timezone = timezone

    def __enter__(self) -> Handout:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.con.close()

    def meta(self, name: str) -> str:
        """Return a fact of the file (`ops.meta`), empty where it is not there."""
        rows = self._ask(f"SELECT value FROM ops.meta WHERE name = {literal(name)}")
        return str(rows[0][0] or "") if rows else ""

    def write(self, mart: str, folder: Path, formats: Sequence[Format]) -> Handed:
        """Write one mart into `folder`; a format that fails does not stop the others."""
        done = Handed(mart)
        try:
            # Kept while it is written: a KPI over a million orders is worth asking once.
            self._ask(f"CREATE OR REPLACE TEMP TABLE {_KEPT} AS FROM {CATALOG}.mart.{quote(mart)}")
            done.rows = int(self._ask(f"SELECT count(*) FROM {_KEPT}")[0][0])
        except QueryError as error:
            done.failed = dict.fromkeys(formats, str(error))
            return done
        for kind in formats:
            file = folder / f"{mart}.{kind}"
            if kind == "xlsx" and done.rows >= SHEET_ROWS:
                done.left_out[kind] = f"a sheet holds {SHEET_ROWS:,} rows with its header"
                file.unlink(missing_ok=True)  # one of an earlier night would pass for today's
                continue
            try:
                if kind == "xlsx":
                    about = [("Column", "Meaning", "含义"), *self._columns(mart)]
                    export.write_xlsx(self._rows(), file, about=about)
                else:
                    self._parquet(file)
                file.chmod(0o644)  # a service's umask would keep it to itself
                done.files[kind] = file
            except (ExportError, QueryError) as error:
                done.failed[kind] = str(error)
            except OSError as error:
                done.failed[kind] = error.strerror or str(error)
        self._ask(f"DROP TABLE {_KEPT}")
        return done

    def _columns(self, mart: str) -> list[tuple[str, str, str]]:
        return [
            (name, f"{en}: {about}" if about else en, zh)
            for name, en, zh, about in self._ask(
                "SELECT column_name, coalesce(english, ''), coalesce(chinese, ''), about "
                "FROM ops.dictionary WHERE schema_name = 'mart' AND column_name IS NOT NULL "
                f"AND table_name = {literal(mart)}"
            )
        ]

    def _rows(self) -> Result:
        """Return the kept mart's rows, instants as clocks of the company's zone show them."""
        described = self._ask(f"DESCRIBE {_KEPT}")
        zone = literal(self.timezone)
        said = ", ".join(
            f"{quote(name)} AT TIME ZONE {zone} AS {quote(name)}"
            if kind == "TIMESTAMP WITH TIME ZONE" else quote(name)
            for name, kind, *_ in described
        )  # fmt: skip
        columns, types = [str(row[0]) for row in described], [str(row[1]) for row in described]
        sql = f"SELECT {said} FROM {_KEPT}"
        return Result(columns, types, self._pages(sql), self.con)

    def _pages(self, sql: str) -> Iterator[tuple[Any, ...]]:
        with _ours():
            self.con.execute(sql)
        while True:
            with _ours():
                page = self.con.fetchmany(_PAGE)
            if not page:
                return
            yield from page

    def _parquet(self, file: Path) -> None:
        """Write the kept mart column by column: types stay what they are, instants in UTC."""
        import pyarrow.parquet as pq

        with _ours():
            batches = self.con.sql(f"FROM {_KEPT}").to_arrow_reader(_BATCH)

        def write(target: Path) -> int:
            count = 0
            with pq.ParquetWriter(target, batches.schema, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch)
                    count += batch.num_rows
            return count

        export.whole(file, write)

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        with _ours():
            return list(self.con.execute(sql).fetchall())


@contextmanager
def _ours() -> Iterator[None]:
    """Turn DuckDB's errors into ours: the mart is named by what is said of it."""
    try:
        yield
    except duckdb.Error as error:
        text = " ".join(str(error).split())[:300]
        raise QueryError(text, "see whether `isthmus query` answers the same.") from None


def sweep(folder: Path) -> None:
    """Remove what a killed handout left behind; nobody else may be writing there."""
    for left in folder.iterdir():
        if _LEFT.fullmatch(left.name):
            left.unlink(missing_ok=True)


def readme(
    done: Sequence[Handed],
    *,
    made_at: datetime,
    published: datetime | None,
    timezone: str,
    privacy: str,
) -> str:
    """Return what stands beside the files: of when they are, what each is, what is missing."""
    of = f"{published:%Y-%m-%d %H:%M %Z}" if published else "?"
    lines = [
        "Isthmus: marts of the unified store / 统一数据集市", "",
        f"Data of / 数据截至: {of}",
        f"Written / 导出时间: {made_at:%Y-%m-%d %H:%M %Z}",
        f"Times in Excel / Excel 中的时间: {timezone}; in Parquet / Parquet 中: UTC",
        f"Personal data / 个人数据: {privacy}", "",
        "Columns are explained on the sheet `About`. / 各列含义见 About 表。", "",
    ]  # fmt: skip
    for one in done:
        kinds = ", ".join(one.files) or "-"
        lines.append(f"{one.mart}: {one.rows:,} rows / 行 ({kinds})")
        lines += [f"    {kind} left out / 未导出: {why}" for kind, why in one.left_out.items()]
        lines += [f"    {kind} FAILED / 失败: {why}" for kind, why in one.failed.items()]
    return "\n".join(lines) + "\n"
