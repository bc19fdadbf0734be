"""Sheets of a workbook as chunks of text. Formulas and macros are never run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import python_calamine as calamine

from connectors.errors import ConnectorError, ContractBroken, Refused, TooLarge
from connectors.files import archive, sheetscan
from connectors.files.cells import cell_text, column_text
from connectors.files.header import LOOK_ROWS, find_header
from connectors.files.settings import StreamSettings
from connectors.files.tables import Chunk, Notes

CHUNK_ROWS = 10_000
MAX_OLD_BYTES = 100_000_000


def read_workbook(
    path: Path, name: str, settings: StreamSettings, notes: Notes, *, old: bool
) -> Iterator[Chunk]:
    """Yield the rows of the sheet (or sheets) that the settings name.

    The workbook is looked at before it is opened (`archive`); `old` is the format of .xls. Raises
    ContractBroken, TooLarge and Refused.
    """
    facts: dict[str, sheetscan.SheetFacts] = {}
    if old and path.stat().st_size > MAX_OLD_BYTES:
        raise TooLarge(
            f"The old .xls file is larger than {MAX_OLD_BYTES:,} bytes.",
            "save it as .xlsx.",
            place=name,
        )
    with _guarded(name, lambda: _open(path, name, settings, facts, old)) as book:
        for sheet_name in _chosen(book, settings.sheet, name):
            fact = facts.get(sheet_name)
            if fact is not None:
                _note_cells(fact, sheet_name, notes)
            yield from _read_sheet(book, sheet_name, name, settings, notes)


def _open(
    path: Path,
    name: str,
    settings: StreamSettings,
    facts: dict[str, sheetscan.SheetFacts],
    old: bool,
) -> Any:
    if old:
        return calamine.CalamineWorkbook.from_path(str(path))
    with archive.open_archive(
        path, name, max_bytes=settings.max_bytes, max_ratio=settings.max_ratio
    ) as opened:
        entries = archive.sheet_entries(opened, name)
        archive.prove(opened, name, set(entries))
        book = calamine.CalamineWorkbook.from_path(str(path))
        wanted = set(_chosen(book, settings.sheet, name))
        # Sheets and archive entries are both in the workbook's order; if they do not pair up,
        # every sheet is looked at, because nothing may be opened unseen.
        paired = len(entries) == len(book.sheet_names)
        seen: dict[str, sheetscan.SheetFacts] = {}
        for number, entry in enumerate(entries):
            title = book.sheet_names[number] if paired else f"#{number}"
            if entry and (title in wanted or not paired):
                facts[title] = seen[entry] = sheetscan.inspect_sheet(opened, entry, name)
        sheetscan.check_texts(opened, seen, name, settings.max_bytes)
        return book


def _guarded(name: str, call: Callable[[], Any]) -> Any:
    """Run a call into the reader library and turn each of its failures into a typed error."""
    try:
        return call()
    except ConnectorError:
        raise
    except calamine.PasswordError:
        raise Refused(
            "The workbook is protected by a password.", "save it without one.", place=name
        ) from None
    except (calamine.CalamineError, OSError, ValueError, TypeError, OverflowError) as error:
        text = " ".join(str(error).split())[:200]
        raise ContractBroken(
            f"The workbook cannot be read ({text}).",
            "open it in Excel and save it again as .xlsx.",
            place=name,
        ) from None
    except BaseException as error:
        # A Rust panic arrives as an exception that is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise ContractBroken(
            "The workbook is damaged: the reader gave up.",
            "open it in Excel and save it again as .xlsx.",
            place=name,
        ) from None


def _chosen(book: Any, wanted: str, name: str) -> list[str]:
    """Return the sheets to read; a name goes before a number (from 1)."""
    names: list[str] = list(book.sheet_names)
    visible = [
        meta.name
        for meta in book.sheets_metadata
        if meta.typ == calamine.SheetTypeEnum.WorkSheet
        and meta.visible == calamine.SheetVisibleEnum.Visible
    ]
    if wanted in names:
        return [wanted]
    if wanted == "*":
        return visible
    if not wanted and (visible or names):
        return (visible or names)[:1]
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return [names[int(wanted) - 1]]
    raise ContractBroken(
        f"The workbook has no sheet {wanted!r}; it has: {', '.join(names)[:300]}.",
        "correct `sheet:`.",
        place=name,
    )


def _note_cells(fact: sheetscan.SheetFacts, sheet: str, notes: Notes) -> None:
    if fact.uncomputed_count:
        notes.other.append(
            f"{fact.uncomputed_count} formulas of {sheet} have no computed value "
            f"({', '.join(fact.uncomputed)}) and are read as empty: open and save it in Excel"
        )
    if fact.broken_count:
        notes.other.append(
            f"{fact.broken_count} cells of {sheet} hold an error like #N/A "
            f"({', '.join(fact.broken)}) and are read as empty"
        )


def _read_sheet(
    book: Any, sheet_name: str, name: str, settings: StreamSettings, notes: Notes
) -> Iterator[Chunk]:
    place = f"{name} [{sheet_name}]"
    sheet = _guarded(place, lambda: book.get_sheet_by_name(sheet_name))
    if sheet.start is None:
        if settings.sheet == "*":
            return
        raise ContractBroken("The sheet is empty.", "choose another `sheet:`.", place=place)
    if sheet.width > sheetscan.MAX_COLUMNS:
        raise TooLarge(
            f"The sheet is {sheet.width:,} columns wide.", "delete the stray cells.", place=place
        )
    first = int(sheet.start[1])
    rows: Iterator[list[Any]] = iter(sheet.iter_rows())
    sample = list(itertools.islice(rows, LOOK_ROWS))
    grid = [[cell_text(cell) for cell in row] for row in sample]
    header = find_header(grid, settings, place, first)
    notes.other += header.warnings
    notes.read_as.append(f"sheet {sheet_name}, headings in row {header.rows}")
    long = (v for row in sample for v in row if isinstance(v, float) and 1e15 <= abs(v) < 1e30)
    for value in itertools.islice(long, 1):
        notes.other.append(
            f"{cell_text(value)} has more digits than Excel keeps in a number: store ids as text"
        )
    columns, width = header.columns, len(header.columns)
    number = header.rows + 1
    yield _chunk([], number, columns, sheet_name)  # the columns, even if no row follows
    block = sample[header.rows :]
    block += itertools.islice(rows, CHUNK_ROWS - len(block))
    while block:
        fitted = [row if len(row) == width else (row + [None] * width)[:width] for row in block]
        yield _chunk(fitted, number, columns, sheet_name)
        number += len(block)
        block = list(itertools.islice(rows, CHUNK_ROWS))


def _chunk(rows: Sequence[Sequence[Any]], number: int, columns: Sequence[str], sheet: str) -> Chunk:
    across: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(columns)
    table = pa.table([column_text(cells) for cells in across], names=list(columns))
    return Chunk(table, np.arange(number, number + len(rows), dtype=np.int64), sheet)
