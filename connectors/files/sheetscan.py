"""How large a sheet is and which of its cells hold no value, read from its XML in pieces.

A reader sets aside memory for the rectangle that the cells' references span, so the references are
read here first, all of them. Sheets as Excel and the usual programs write them are scanned by numpy
at the speed of the unpacking; any other spelling goes the slow way, by regular expressions.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from connectors.errors import TooLarge
from connectors.files.archive import AS_XLSX, inflate
from connectors.zips import PIECE

MAX_CELLS = 20_000_000  # width times height: about 32 bytes each once the sheet is open
MAX_COLUMNS = 2_000

_CELL = re.compile(
    rb"""\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']((?:\s+[a-z:]+="[^"<>]*")*\s*/>)?"""
)
_EMPTY = re.compile(rb"""<c r="[A-Z0-9]+"(?:\s+[a-z:]+="[^"<>]*")*\s*/>""")
_BARE = re.compile(rb"<(?:\w+:)?c(?:\s+(?!r\s*=)[\w:]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
_ROW = re.compile(rb"""<(?:\w+:)?row\s[^>]*?\br\s*=\s*["']([0-9]{1,7})["']""")
_PLAIN_ROW = re.compile(rb"""<row r="([0-9]{1,7})\"""")
_PREFIXED = re.compile(rb":(?:c|row)[\s/>]")
# A reader takes these for A1, for row 5 and for a column beyond the last, and lays them out.
_ODD = re.compile(
    rb"""<(?:\w+:)?(?:c\s[^<]*?\br\s*=\s*["'](?![A-Z]{1,3}[0-9]{1,7}["'])"""
    rb"""|row\s[^<]*?\br\s*=\s*["'](?![0-9]{1,7}["']))"""
)
_UNCOMPUTED = re.compile(
    rb"""<c\s[^>]*?\br="([A-Z]+[0-9]+)"[^>]*><f[^>]*?(?:/>|>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>"""
)
_BROKEN = re.compile(rb"""<c\s(?=[^>]*\st="e")[^>]*?\br="([A-Z]+[0-9]+)\"""")
_SHARED = re.compile(rb"""<c\s[^>]*?t="s"[^>]*>\s*<v>([0-9]{1,9})</v>""")
_LONGEST = 24  # bytes of the longest `<c r="XFD1048576"`, and some
_AFTER_NAME = np.isin(np.arange(256), np.frombuffer(b" \t\r\n/>", np.uint8))


@dataclass(slots=True)
class SheetFacts:
    """What a sheet holds: size as a reader would lay it out, and cells that hold no value."""

    columns: int = 0
    rows: int = 0
    cells: int = 0
    uncomputed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    uncomputed_count: int = 0
    broken_count: int = 0
    shared: int = 0  # cells that point into the table of shared texts
    named_row: int = 0
    row_tags: int = 0
    open_run: int = 0  # cells without a reference since the last row began
    longest_run: int = 0
    plain: bool = True  # every cell so far began `<c r="A1"`, every row `<row r="1"`


def inspect_sheet(archive: zipfile.ZipFile, entry_name: str, name: str) -> SheetFacts:
    """Read a sheet's XML in pieces and say how large it is.

    Raises TooLarge above the caps, and for references that no spreadsheet writes.
    """
    facts = SheetFacts()
    entry = archive.getinfo(entry_name)
    rest = b""
    for piece in inflate(archive, entry, name):
        text = rest + piece
        cut = text.rfind(b"</c>") + 4
        if cut < 4 or len(text) - cut > PIECE:
            cut = max(text.rfind(b"<"), 0) or len(text)
        rest, text = text[cut:], text[:cut]
        _count(text, facts, name)
    _count(rest, facts, name)
    facts.columns = max(facts.columns, facts.longest_run)
    if facts.longest_run:  # a row without a number comes after the one before it
        facts.rows = max(facts.rows, facts.named_row + facts.row_tags)
    area = facts.columns * facts.rows
    if facts.columns > MAX_COLUMNS or area > MAX_CELLS or area > 1_000_000 + 200 * facts.cells:
        raise TooLarge(
            f"A sheet is {facts.columns:,} columns wide and {facts.rows:,} rows high "
            f"with {facts.cells:,} filled cells.",
            "delete the stray cells right of and below the table, or split the sheet.",
            place=name,
        )
    return facts


def check_texts(
    archive: zipfile.ZipFile, sheets: dict[str, SheetFacts], name: str, max_bytes: int
) -> None:
    """Raise TooLarge if the texts of the sheets (facts by archive entry), laid out, pass the cap.

    A workbook keeps a text once and points to it from any number of cells; a reader copies it.
    """
    shared = next((e for e in archive.infolist() if e.filename == "xl/sharedStrings.xml"), None)
    cells = sum(facts.shared for facts in sheets.values())
    if shared is None or not cells:
        return
    sizes = [0]
    for piece in inflate(archive, shared, name):
        first, *others = piece.split(b"<si")
        sizes[-1] += len(first)
        sizes += map(len, others)
    sizes = sizes[1:]
    if max(sizes, default=0) * cells <= max_bytes:
        return
    total = 0
    for entry_name in sheets:
        rest = b""
        for piece in inflate(archive, archive.getinfo(entry_name), name):
            text = rest + piece
            cut = text.rfind(b"<c ") if b"<c " in text else len(text)
            rest = text[cut:]
            for number in _SHARED.findall(text[:cut]):
                total += sizes[int(number)] if int(number) < len(sizes) else 0
        if total > max_bytes:
            raise TooLarge(
                f"The texts of the workbook take more than max_bytes ({max_bytes:,}).",
                "do not open it unless you know who made it.",
                place=name,
            )


def _count(text: bytes, facts: SheetFacts, name: str) -> None:
    # Once odd, always odd: a piece may begin inside a tag whose beginning was odd.
    facts.plain = facts.plain and _count_plain(text, facts)
    if not facts.plain:
        _count_any(text, facts, name)
    facts.shared += text.count(b't="s"')
    if b"<f" in text:
        places = _UNCOMPUTED.findall(text)
        facts.uncomputed_count += len(places)
        facts.uncomputed += [cell.decode() for cell in places[: 3 - len(facts.uncomputed)]]
    if b't="e"' in text:
        places = _BROKEN.findall(text)
        facts.broken_count += len(places)
        facts.broken += [cell.decode() for cell in places[: 3 - len(facts.broken)]]


def _count_plain(text: bytes, facts: SheetFacts) -> bool:
    """Count a piece in which every cell begins `<c r="A1"` and every row `<row r="1"`, or say no.

    Nothing is counted then.
    """
    rows = _PLAIN_ROW.findall(text)
    tags = text.count(b"<row")
    if len(rows) != tags or _PREFIXED.search(text):
        return False
    signs = np.frombuffer(text + bytes(_LONGEST), np.uint8)
    opened = np.flatnonzero(signs[:-_LONGEST] == ord("<"))
    cells = opened[(signs[opened + 1] == ord("c")) & _AFTER_NAME[signs[opened + 2]]]
    if cells.size:
        read = _references(signs, cells)
        if read is None:
            return False
        filled = ~_are_empty(text, signs, cells)
        columns, numbers = read[0][filled], read[1][filled]
        if columns.size:
            facts.columns = max(facts.columns, int(columns.max()))
            facts.rows = max(facts.rows, int(numbers.max()))
            facts.cells += int(columns.size)
    facts.named_row = max([facts.named_row, *map(int, rows)])
    facts.row_tags += tags
    facts.open_run *= tags == 0
    return True


def _references(
    signs: npt.NDArray[np.uint8], cells: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
    """Return column and row (from 1) of the cells that begin at these places, None if one is odd.

    Each must read `<c r="`, one to three capital letters, one to seven digits, `"`.
    """
    for offset, sign in enumerate(b' r="', 2):
        if (signs[cells + offset] != sign).any():
            return None
    at = cells + 6
    columns = np.zeros(cells.size, np.int64)
    rows = np.zeros(cells.size, np.int64)
    going = np.ones(cells.size, bool)
    letters = np.zeros(cells.size, np.int64)
    for _ in range(3):
        found = signs[at].astype(np.int64) - 64
        going &= (found >= 1) & (found <= 26)
        columns = np.where(going, columns * 26 + found, columns)
        letters += going
        at += going
    going[:] = True
    digits = np.zeros(cells.size, np.int64)
    for _ in range(7):
        found = signs[at].astype(np.int64) - 48
        going &= (found >= 0) & (found <= 9)
        if not going.any():
            break
        rows = np.where(going, rows * 10 + found, rows)
        digits += going
        at += going
    if not (letters.all() and digits.all() and (signs[at] == ord('"')).all()):
        return None
    return columns, rows


def _are_empty(
    text: bytes, signs: npt.NDArray[np.uint8], cells: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Say which cells are tags without content, which a reader passes over."""
    closed = np.flatnonzero(signs == ord(">"))
    if not closed.size:
        return np.zeros(cells.size, bool)
    ends = closed[np.minimum(np.searchsorted(closed, cells), closed.size - 1)]
    empty: npt.NDArray[np.bool_] = signs[ends - 1] == ord("/")
    for place in np.flatnonzero(empty):  # `/>` may stand inside an attribute
        empty[place] = _EMPTY.match(text, int(cells[place])) is not None
    return empty


def _count_any(text: bytes, facts: SheetFacts, name: str) -> None:
    """Count a piece however its tags are written."""
    if _ODD.search(text):
        raise TooLarge(
            "A cell or row is numbered beyond the sheet, or in a way that no spreadsheet writes.",
            f"do not open it unless you know who made it; then {AS_XLSX}.",
            place=name,
        )
    columns = set[bytes]()
    for letters, row, empty in _CELL.findall(text):
        if not empty:
            columns.add(letters)
            facts.cells += 1
            facts.rows = max(facts.rows, int(row))
    facts.columns = max([facts.columns, *map(_number, columns)])
    facts.named_row = max([facts.named_row, *map(int, _ROW.findall(text))])
    if _BARE.search(text) is None:
        found = text.count(b"<row")
        facts.row_tags += found
        facts.open_run *= found == 0
        return
    # Cells that do not say where they stand follow the cell before them.
    for number, segment in enumerate(text.split(b"<row")):
        facts.row_tags += number > 0
        run = len(_BARE.findall(segment))
        facts.open_run = run if number else facts.open_run + run
        facts.longest_run = max(facts.longest_run, facts.open_run)
        facts.cells += run


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
