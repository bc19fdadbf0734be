"""Rows of files as Arrow pages: text columns, the place of each row, keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import ContractBroken, TooLarge
from connectors.files.header import sum_pattern
from connectors.files.settings import StreamSettings

PAGE_ROWS = 50_000


@dataclass(slots=True)
class Chunk:
    """Some rows of one sheet: text columns by heading, their row numbers (from 1), surplus cells.

    `more` is None where rows cannot be longer than the headings (Excel).
    """

    table: pa.Table
    rows: npt.NDArray[np.int64]
    sheet: str | None = None
    more: Mapping[int, Sequence[str]] | None = None


@dataclass(slots=True)
class Notes:
    """What was odd in a file, counted; `lines` makes warnings of it."""

    sums: int = 0
    long: list[int] = field(default_factory=list)
    short: list[int] = field(default_factory=list)
    long_count: int = 0
    short_count: int = 0
    other: list[str] = field(default_factory=list)
    read_as: list[str] = field(default_factory=list)  # how the file was understood, for `check`

    def row(self, number: int, *, long: bool) -> None:
        """Remember that a row has more or fewer cells than the headings."""
        listed = self.long if long else self.short
        if len(listed) < 3:
            listed.append(number)
        if long:
            self.long_count += 1
        else:
            self.short_count += 1

    def lines(self, name: str) -> tuple[str, ...]:
        """Return the warnings of the file called `name`."""
        said = list(self.other)
        if self.sums:
            said.append(f"{self.sums} rows of sums left out")
        if self.long_count:
            said.append(
                f"{self.long_count} rows have more cells than headings (row {_few(self.long)}): "
                "the surplus is in _more"
            )
        if self.short_count:
            said.append(
                f"{self.short_count} rows have fewer cells than headings "
                f"(row {_few(self.short)}): the rest is empty"
            )
        return tuple(f"{name}: {line}" for line in said)


class Rows:
    """Turns the chunks of one file into tables of at most 50,000 rows and watches their keys."""

    def __init__(self, name: str, settings: StreamSettings, notes: Notes) -> None:
        self.name = name
        self.settings = settings
        self.notes = notes
        self.count = 0
        self._hashes: list[npt.NDArray[np.int64]] = []

    def tables(self, chunks: Iterator[Chunk]) -> Iterator[pa.Table]:
        """Yield finished tables; raises ContractBroken and TooLarge."""
        waiting: list[pa.Table] = []
        size = 0
        for chunk in chunks:
            table = self._finish(chunk)
            self.count += table.num_rows
            if self.count > self.settings.max_rows:
                raise TooLarge(
                    f"The file has more than max_rows ({self.settings.max_rows:,}) rows.",
                    "split the file or raise `max_rows`.",
                    place=self.name,
                )
            if waiting and waiting[0].schema != table.schema:  # the next sheet has other columns
                yield pa.concat_tables(waiting)
                waiting, size = [], 0
            waiting.append(table)
            size += table.num_rows
            if size >= PAGE_ROWS:
                whole = pa.concat_tables(waiting)
                for start in range(0, size - size % PAGE_ROWS, PAGE_ROWS):
                    yield whole.slice(start, PAGE_ROWS)
                rest = whole.slice(size - size % PAGE_ROWS)
                waiting, size = ([rest], rest.num_rows) if rest.num_rows else ([], 0)
        if waiting and (size or not self.count):
            yield pa.concat_tables(waiting)

    def keys(self, table: pa.Table) -> list[str | None]:
        """Return the key of each row, parts joined with '/', None where a part is empty."""
        columns = ("_key",) if self.settings.by_position else self.settings.key
        if missing := [column for column in columns if column not in table.column_names]:
            shown = ", ".join(name for name in table.column_names if not name.startswith("_"))
            raise ContractBroken(
                f"The key column {missing[0]!r} is not in the file; its columns are: {shown}.",
                "correct `key:` or `header:`, or the heading in the file.",
                place=self.name,
            )
        joined = pc.binary_join_element_wise(*[table[column] for column in columns], "/")
        keys: list[str | None] = joined.to_pylist()
        if not self.settings.by_position:
            # 8 bytes a row, so that a file of millions of rows stays small in memory
            named = [key for key in keys if key is not None] if joined.null_count else keys
            self._hashes.append(np.fromiter(map(hash, named), np.int64, len(named)))
        return keys

    def repeated(self) -> int:
        """Return how many rows carry a key that an earlier row of the file carries."""
        if not self._hashes:
            return 0
        whole = np.concatenate(self._hashes)
        whole.sort()
        return int(np.count_nonzero(whole[1:] == whole[:-1]))

    def _finish(self, chunk: Chunk) -> pa.Table:
        table, rows = chunk.table, chunk.rows
        is_csv = chunk.more is not None
        columns = [_clean(column, self.settings.trim, is_csv) for column in table.columns]
        first = pc.coalesce(*columns)  # the first filled cell of each row
        keep = pc.is_valid(first)
        if chunk.more:
            keep = pc.or_(keep, pa.array(np.isin(rows, list(chunk.more))))
        if self.settings.skip:
            found = pc.match_substring_regex(
                first, pattern=sum_pattern(self.settings.skip), ignore_case=True
            )
            hit = pc.and_(keep, pc.fill_null(found, False))
            if sums := pc.sum(hit).as_py() or 0:
                self.notes.sums += sums
                keep = pc.and_not(keep, hit)
        names = list(table.column_names)
        size = table.num_rows
        sheet = pa.scalar(chunk.sheet, pa.string())
        columns += [
            pa.repeat(pa.scalar(self.name, pa.string()), size),
            pa.repeat(sheet, size) if chunk.sheet is not None else pa.nulls(size, pa.string()),
            pc.cast(pa.array(rows), pa.string()),
        ]
        names += ["_file", "_sheet", "_row"]
        if chunk.more is not None:
            columns.append(_surplus(rows, chunk.more))
            names.append("_more")
        if self.settings.by_position:
            place = self.name if chunk.sheet is None else f"{self.name}/{chunk.sheet}"
            columns.append(pc.binary_join_element_wise(place, columns[len(table.columns) + 2], "/"))
            names.append("_key")
        return pa.table(columns, names=names).filter(keep)


def _surplus(rows: npt.NDArray[np.int64], more: Mapping[int, Sequence[str]]) -> pa.Array:
    if not more:
        return pa.nulls(len(rows), pa.string())
    cells = [more.get(row) for row in rows.tolist()]
    said = [json.dumps(list(each), ensure_ascii=False) if each else None for each in cells]
    return pa.array(said, pa.string())


# The apostrophe that exports put before what a spreadsheet would run (warehouse/export.py).
_GUARD = (
    r"^'([\pZ\s'\"`\x{1c}-\x{1f}\x{85}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}\x{2066}-\x{2069}\x{feff}]*"
    r"[=+\-@＝＋－＠﹦﹢﹣﹫]|'*[\t\r\n\v\f\x{fffd}])"
)


def _clean(column: pa.ChunkedArray, trim: bool, is_csv: bool) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if is_csv and pc.any(pc.starts_with(whole, "'")).as_py():
        whole = pc.replace_substring_regex(whole, pattern=_GUARD, replacement=r"\1")
    if trim:
        whole = pc.utf8_trim_whitespace(whole)
    return pc.if_else(pc.equal(whole, ""), pa.scalar(None, pa.string()), whole)


def _few(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows)) + (" …" if len(rows) == 3 else "")
