"""CSV files as chunks of text: encoding and delimiter found, parsed by Arrow in bounded memory."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from connectors.errors import ContractBroken
from connectors.files.header import LOOK_ROWS, Header, find_header
from connectors.files.settings import StreamSettings
from connectors.files.tables import Chunk, Notes

BLOCK = 8 << 20  # bytes of the longest record
STEP = 1 << 20  # bytes parsed at a time where rows are shorter: Arrow holds a dozen such blocks
SAMPLE = 256 << 10
_PIECE = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True, slots=True)
class Text:
    """How a file's bytes become text: the codec and how many bytes of mark precede it."""

    codec: str
    skip: int


@dataclass(frozen=True, slots=True)
class Failure:
    """The first byte (from 1) that does not decode, and its line (from 1)."""

    byte: int
    line: int
    value: int

    def __str__(self) -> str:
        said = f"0x{self.value:02X}" if self.value else "NUL (UTF-16 without a mark, or no text)"
        return f"byte {self.byte} (line {self.line}) is {said}"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file's text becomes rows; `offset` is where the data begins, in characters."""

    delimiter: str
    header: Header
    offset: int


def find_text(path: Path, name: str, wanted: str) -> Text:
    """Return the encoding of the whole file, strictly checked; raises ContractBroken.

    UTF-8 before GB18030, because GB18030 accepts nearly anything: what decodes by it into rare
    characters only is refused, not guessed (Big5 and Latin-1 would become nonsense silently).
    """
    with path.open("rb") as handle:
        head = handle.read(4)
    for mark, codec in _MARKS:
        if head.startswith(mark) and wanted in ("auto", codec, "utf-8-sig", "utf-16", "utf-8"):
            return _proved(path, name, Text(codec, len(mark)))
    if wanted != "auto":
        return _proved(path, name, Text(wanted, 0))
    western = _failure(path, Text("utf-8", 0))
    if western is None:
        return Text("utf-8", 0)
    chinese = Text("gb18030", 0)
    eastern = _failure(path, chinese)
    if eastern is None and not _plausible(path):
        said = f"not UTF-8: {western}; as GB18030 it would be rare signs without sense"
    elif eastern is None:
        return chinese
    elif eastern.byte > western.byte:
        said = f"neither UTF-8 (byte {western.byte}) nor GB18030: {eastern}"
    else:
        said = f"neither GB18030 (byte {eastern.byte}) nor UTF-8: {western}"
    raise ContractBroken(
        f"The file is {said}.",
        "save it as UTF-8 (Excel: CSV UTF-8), or set `encoding:` if it is another one.",
        place=name,
    )


def find_layout(path: Path, name: str, text: Text, settings: StreamSettings) -> Layout:
    """Return delimiter, headings and where the data begins; raises ContractBroken."""
    with path.open("rb") as handle:
        handle.seek(text.skip)
        raw = handle.read(SAMPLE)
    whole = len(raw) < SAMPLE
    sample = codecs.getincrementaldecoder(text.codec)("strict").decode(raw, final=False)
    lines = list(io.StringIO(sample, newline=""))
    if not whole and len(lines) > 1:
        lines = lines[:-1]  # cut in its middle
    delimiter = settings.delimiter
    if delimiter == "auto":
        delimiter = max(_DELIMITERS, key=lambda sign: _evenness(lines, sign))
    grid: list[list[str | None]] = []
    ends: list[int] = []
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for row in reader:
            grid.append([cell.strip() or None for cell in row])
            ends.append(reader.line_num)
            if len(grid) >= LOOK_ROWS:
                break
    except csv.Error as error:
        raise ContractBroken(
            f"Line {reader.line_num} cannot be read ({error}).",
            "check its quotes and `delimiter:`.",
            place=name,
        ) from None
    header = find_header(grid, settings, name)
    # Longer data rows would widen the table: what has no heading goes to _more.
    used = header.columns
    if header.rows and not settings.columns:
        used = used[: max(len(grid[header.rows - 1]), 1)]
    elif settings.columns:
        used = used[: max(len(settings.columns), len(grid[header.rows - 1]) if header.rows else 0)]
    offset = sum(len(line) for line in lines[: ends[header.rows - 1]]) if header.rows else 0
    return Layout(delimiter, Header(used, header.rows, header.warnings), offset)


def read_csv(path: Path, name: str, settings: StreamSettings, notes: Notes) -> Iterator[Chunk]:
    """Yield the rows of a CSV file in file order; raises ContractBroken naming the place."""
    csv.field_size_limit(BLOCK)  # a long note, in the first rows or in one of another length
    text = find_text(path, name, settings.encoding)
    layout = find_layout(path, name, text, settings)
    notes.other += layout.header.warnings
    sign = {"\t": "tab"}.get(layout.delimiter, layout.delimiter)
    notes.read_as.append(f"{text.codec}, delimiter {sign}, headings in row {layout.header.rows}")
    columns = layout.header.columns
    odd: dict[int, list[str]] = {}

    def keep_odd(row: arrow_csv.InvalidRow) -> str:
        number = int(row.number or 0) + layout.header.rows
        odd[number] = next(csv.reader(io.StringIO(row.text, newline=""), _like(layout)), [])
        return "skip"

    yield Chunk(_table([], columns), np.empty(0, np.int64), more={})
    with path.open("rb") as handle:
        handle.seek(text.skip)
        stream = _Utf8(handle, text.codec, layout.offset)
        if not stream.more():
            return
        try:
            reader = arrow_csv.open_csv(
                pa.PythonFile(stream, mode="r"),
                read_options=arrow_csv.ReadOptions(
                    column_names=list(columns), use_threads=False, block_size=BLOCK
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=layout.delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=keep_odd,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types={column: pa.string() for column in columns},
                    check_utf8=False,
                    strings_can_be_null=True,
                    null_values=[""],
                ),
            )
            last = layout.header.rows
            for batch in reader:
                chunk = _with_odd(pa.Table.from_batches([batch]), last, odd, notes)
                last = int(chunk.rows[-1]) if len(chunk.rows) else last
                yield chunk
            if odd:  # nothing but odd rows at the end
                yield _with_odd(_table([], columns), last, odd, notes, rest=True)
        except pa.ArrowInvalid as error:
            raise ContractBroken(
                f"The rows cannot be told apart: {' '.join(str(error).split())[:200]}",
                "look for a quote that is not closed, or set `delimiter:`.",
                place=name,
            ) from None
        except UnicodeDecodeError:
            raise ContractBroken(
                "The file changed while it was read.", "run again.", place=name
            ) from None


class _Utf8(io.RawIOBase):
    """A file as UTF-8, from the character where its data begins."""

    def __init__(self, handle: BinaryIO, codec: str, offset: int) -> None:
        self._handle = handle
        self._decode = codecs.getincrementaldecoder(codec)("strict").decode
        self._skip = offset
        self._ready = bytearray()
        self._ended = False

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def more(self) -> bool:
        """Return whether anything is left."""
        return bool(self._ready) or self._fill(1)

    def read(self, size: int = -1) -> bytes:
        """Return whole rows of about STEP bytes of UTF-8; raises UnicodeDecodeError.

        Arrow takes each answer for a block of its own and finds a record in two of them at most. So
        an answer ends between two rows; where none ends it has `size` bytes, fewer at the end.
        """
        most = size if size >= 0 else BLOCK
        step = min(STEP, most)
        while True:
            self._fill(step)
            there = len(self._ready)
            end = there if there < step else _end_of_rows(self._ready, step)
            if end or not self._ready or step == most:
                break
            step = min(2 * step, most)
        end = end or min(step, len(self._ready))
        found = bytes(self._ready[:end])
        del self._ready[:end]
        return found

    def _fill(self, size: int) -> bool:
        while len(self._ready) < size and not self._ended:
            raw = self._handle.read(_PIECE)
            self._ended = not raw
            text = self._decode(raw, final=self._ended)
            if self._skip:
                cut = min(self._skip, len(text))
                self._skip -= cut
                text = text[cut:]
            self._ready += text.encode()
        return bool(self._ready)


def _end_of_rows(text: bytearray, size: int) -> int:
    """Return where the last row ends in the first `size` bytes of a text that begins with a row."""
    at = text.rfind(b"\n", 0, size)
    quotes = text.count(b'"', 0, at + 1)
    while at >= 0 and quotes % 2:
        before = text.rfind(b"\n", 0, at)
        quotes -= text.count(b'"', before + 1, at + 1)
        at = before
    return at + 1


def _with_odd(
    table: pa.Table, last: int, odd: dict[int, list[str]], notes: Notes, *, rest: bool = False
) -> Chunk:
    """Put rows of another length back among the others; `odd` is emptied of what was used."""
    size = table.num_rows
    if not odd:
        return Chunk(table, np.arange(last + 1, last + 1 + size, dtype=np.int64), more={})
    aside = np.array(sorted(odd), dtype=np.int64)
    numbers = np.arange(last + 1, last + 1 + size + aside.size, dtype=np.int64)
    numbers = numbers[~np.isin(numbers, aside)][:size]
    end = int(aside[-1]) if rest else int(numbers[-1]) if size else last
    used = [int(number) for number in aside if number <= end]
    width = table.num_columns
    rows: list[list[str | None]] = []
    more: dict[int, list[str]] = {}
    for number in used:
        cells = odd.pop(number)
        if len(cells) > width:
            surplus = cells[width:]
            if any(cell.strip() for cell in surplus):
                more[number] = surplus
                notes.row(number, long=True)
        elif any(cells):
            notes.row(number, long=False)
        rows.append([cell or None for cell in (cells + [""] * width)[:width]])
    if not rows:
        return Chunk(table, numbers, more={})
    whole = pa.concat_tables([table, _table(rows, table.column_names)])
    places = np.concatenate([numbers, np.array(used, dtype=np.int64)])
    order = np.argsort(places, kind="stable")
    return Chunk(whole.take(pa.array(order)), places[order], more=more)


def _table(rows: Sequence[Sequence[str | None]], columns: Sequence[str]) -> pa.Table:
    across: Sequence[Sequence[str | None]] = list(zip(*rows, strict=True)) or [[]] * len(columns)
    return pa.table([pa.array(column, pa.string()) for column in across], names=list(columns))


def _like(layout: Layout) -> type[csv.Dialect]:
    class Like(csv.excel):
        delimiter = layout.delimiter

    return Like


def _evenness(lines: Sequence[str], sign: str) -> float:
    """Score a delimiter: how many cells most rows have, and how many rows agree on that."""
    counts: dict[int, int] = {}
    rows = 0
    try:
        for row in csv.reader(lines[:200], delimiter=sign):
            if any(row):
                rows += 1
                counts[len(row)] = counts.get(len(row), 0) + 1
    except csv.Error:
        return 0.0
    if not rows:
        return 0.0
    usual, agree = max(counts.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
    return (agree / rows) * (1 + min(usual, 50) / 50) if usual > 1 else 0.0


def _proved(path: Path, name: str, text: Text) -> Text:
    failure = _failure(path, text)
    if failure is None:
        return text
    raise ContractBroken(
        f"The file is not {text.codec}: {failure}.",
        "correct `encoding:` (auto finds UTF-8 and GB18030), or save the file again.",
        place=name,
    )


def _failure(path: Path, text: Text) -> Failure | None:
    """Decode the whole file strictly; return where and why it fails."""
    decoder = codecs.getincrementaldecoder(text.codec)("strict")
    wide = text.codec.startswith(("utf-16", "utf-32"))
    with path.open("rb") as handle:
        handle.seek(text.skip)
        done, line = text.skip, 1
        while True:
            raw = handle.read(_PIECE)
            pending = decoder.getstate()[0]
            try:
                decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                at = error.start - len(pending)
                line += raw[: max(at, 0)].count(b"\n")
                return Failure(done + at + 1, line, error.object[error.start])
            if not wide and (at := raw.find(b"\0")) >= 0:
                line += raw[:at].count(b"\n")
                return Failure(done + at + 1, line, 0)
            if not raw:
                return None
            line += raw.count(b"\n")
            done += len(raw)


def _plausible(path: Path) -> bool:
    """Return whether what GB18030 makes of the file is mostly everyday Chinese (GB2312)."""
    decoder = codecs.getincrementaldecoder("gb18030")("strict")
    usual = seen = 0
    with path.open("rb") as handle:
        while seen < 20_000 and (raw := handle.read(_PIECE)):
            signs = [sign for sign in decoder.decode(raw) if ord(sign) > 127][:20_000]
            seen += len(signs)
            usual += len("".join(signs).encode("gb2312", "ignore")) // 2
    return seen > 0 and usual / seen >= 0.8
