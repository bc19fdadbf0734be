"""What a workbook is, looked at before anything unpacks it: signature, entries, sizes, sheets.

A few kilobytes of ZIP can unpack to gigabytes, and two cells at opposite corners make a reader set
aside memory for all between. So sizes are proved by unpacking in small pieces under a cap, and the
cells of a sheet are counted, before a library that trusts the file sees it.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from connectors.errors import ConnectorError, ContractBroken, Refused, TooLarge

Kind = Literal["workbook", "old", "text"]

MAX_ENTRIES = 10_000
MAX_CELLS = 20_000_000  # width times height: about 32 bytes each once the sheet is open
MAX_COLUMNS = 2_000
SMALL = 20_000_000  # below this unpacked size a high ratio harms nobody
_PIECE = 1 << 20
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_AS_XLSX = "open the file in Excel and save it as .xlsx"

_CELL = re.compile(
    rb"""\br\s*=\s*["']\$?([A-Za-z]{1,9})\$?([0-9]{1,12})["']((?:\s+[a-z:]+="[^"<>]*")*\s*/>)?"""
)
_BARE = re.compile(rb"<(?:\w+:)?c(?:\s+(?!r\s*=)[\w:]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
_ROW = re.compile(rb"""<(?:\w+:)?row\s[^>]*?\br\s*=\s*["']([0-9]{1,12})["']""")
_UNCOMPUTED = re.compile(
    rb"""<c\s[^>]*?\br="([A-Z]+[0-9]+)"[^>]*><f[^>]*?(?:/>|>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>"""
)
_BROKEN = re.compile(rb"""<c\s(?=[^>]*\st="e")[^>]*?\br="([A-Z]+[0-9]+)\"""")
_SHARED = re.compile(rb"""<c\s[^>]*?t="s"[^>]*>\s*<v>([0-9]{1,9})</v>""")
_SHEET = re.compile(rb"""<(?:\w+:)?sheet\s[^>]*?\w+:id\s*=\s*["']([^"']+)["']""")
_LINK = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb"""\b(Id|Target)\s*=\s*["']([^"']*)["']""")


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


def kind_of(path: Path, name: str) -> Kind:
    """Return what the file is by its bytes, whatever its name says.

    Raises Refused for an encrypted workbook, ContractBroken for what is none of them (HTML saved
    as .xls is a habit of web systems).
    """
    with path.open("rb") as handle:
        head = handle.read(4096)
        if head.startswith(b"PK\x03\x04"):
            return "workbook"
        if head.startswith(_OLE):
            rest = head + handle.read(4 * _PIECE)
            if "EncryptedPackage".encode("utf-16-le") in rest:
                raise Refused(
                    "The workbook is protected by a password.",
                    "save it without a password (File, Info, Protect), or keep it out.",
                    place=name,
                )
            return "old"
    if name.lower().endswith((".xlsx", ".xlsm", ".xlsb", ".ods")):
        raise ContractBroken(
            "The file is named like a workbook and is none (its first bytes are wrong).",
            f"{_AS_XLSX}; if it was copied over a network, copy it again.",
            place=name,
        )
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if start.startswith((b"<html", b"<!doctype html", b"<?xml", b"<table", b"<meta")):
        raise ContractBroken(
            "The file holds a web page or XML, not a table.", f"{_AS_XLSX}.", place=name
        )
    return "text"


def open_archive(path: Path, name: str, *, max_bytes: int, max_ratio: int) -> zipfile.ZipFile:
    """Open a workbook whose entries keep the caps; raises TooLarge, Refused, ContractBroken.

    Only names and sizes are looked at: nothing is unpacked here.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ContractBroken(
            f"The workbook is damaged ({error}).", "copy or save it again.", place=name
        ) from None
    try:
        _check_entries(archive, path, name, max_bytes, max_ratio)
    except ConnectorError:
        archive.close()
        raise
    return archive


def _check_entries(
    archive: zipfile.ZipFile, path: Path, name: str, max_bytes: int, max_ratio: int
) -> None:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise TooLarge(
            f"The workbook has {len(entries)} entries, more than {MAX_ENTRIES}.",
            f"{_AS_XLSX} without pictures.",
            place=name,
        )
    names = [entry.filename for entry in entries]
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in entry.orig_filename:
            raise Refused(
                f"An entry of the workbook is named {entry.filename[:80]!r}.",
                "do not open this file: it was made to write outside its folder.",
                place=name,
            )
        if entry.flag_bits & 0x1:
            raise Refused("The workbook is encrypted.", "save it without a password.", place=name)
    if len(set(names)) != len(names):
        raise Refused("Two entries of the workbook have one name.", f"{_AS_XLSX}.", place=name)
    if "xl/workbook.xml" not in names:
        raise ContractBroken(
            "The file is a ZIP archive but not an .xlsx or .xlsm workbook.",
            f"{_AS_XLSX} (.xlsb and .ods are not read).",
            place=name,
        )
    packed = max(path.stat().st_size, 1)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max_bytes:
        raise TooLarge(
            f"The workbook unpacks to {unpacked:,} bytes, more than max_bytes ({max_bytes:,}).",
            "split it, or raise `max_bytes` if you trust it.",
            place=name,
        )
    if unpacked > SMALL and unpacked / packed > max_ratio:
        raise TooLarge(
            f"The workbook unpacks to {unpacked / packed:,.0f} times its size, more than "
            f"max_ratio ({max_ratio}).",
            "do not open it unless you know who made it; then raise `max_ratio`.",
            place=name,
        )


def inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    """Yield the unpacked bytes of an entry in pieces of at most 1 MB.

    The size that the archive declares is not believed: one byte more and it is TooLarge.
    """
    handle = archive.fp
    if handle is None:
        raise ContractBroken("The workbook was closed.", "run again.", place=name)
    handle.seek(entry.header_offset)
    head = handle.read(30)
    if len(head) < 30 or not head.startswith(b"PK\x03\x04"):
        raise _damaged(name, entry)
    handle.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
    left, seen = entry.compress_size, 0
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("The workbook is packed in an unusual way.", f"{_AS_XLSX}.", place=name)
    unpack = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0:
        block = handle.read(min(left, _PIECE // 4))
        if not block:
            raise _damaged(name, entry)
        left -= len(block)
        while block:
            try:
                piece = unpack.decompress(block, _PIECE) if unpack else block
            except zlib.error:
                raise _damaged(name, entry) from None
            block = unpack.unconsumed_tail if unpack else b""
            seen += len(piece)
            if seen > entry.file_size:
                raise TooLarge(
                    f"{entry.filename} unpacks to more than the archive says.",
                    "do not open it: it was made to fill the memory.",
                    place=name,
                )
            yield piece
    if seen != entry.file_size:
        raise _damaged(name, entry)


def _damaged(name: str, entry: zipfile.ZipInfo) -> ContractBroken:
    return ContractBroken(
        f"The workbook is damaged in {entry.filename}.", "copy or save it again.", place=name
    )


def prove(archive: zipfile.ZipFile, name: str, used: set[str]) -> None:
    """Unpack, in pieces and to nowhere, every entry that is not in `used`, to prove its size."""
    for entry in archive.infolist():
        # Deflate makes at most 1,032 bytes of one: what is small enough cannot lie dangerously.
        if entry.filename not in used and entry.compress_size * 1032 > SMALL:
            for _ in inflate(archive, entry, name):
                pass


def sheet_entries(archive: zipfile.ZipFile, name: str) -> list[str]:
    """Return the archive's entry of each sheet in the workbook's order ('' where not found)."""
    entries = {entry.filename: entry for entry in archive.infolist()}
    book = b"".join(inflate(archive, entries["xl/workbook.xml"], name))
    links: dict[bytes, str] = {}
    if (rels := entries.get("xl/_rels/workbook.xml.rels")) is not None:
        for tag in _LINK.findall(b"".join(inflate(archive, rels, name))):
            found = dict(_ATTRIBUTE.findall(tag))
            target = found.get(b"Target", b"").decode("utf-8", "replace")
            inside = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            links[found.get(b"Id", b"")] = inside if inside in entries else ""
    return [links.get(number, "") for number in _SHEET.findall(book)]


def inspect_sheet(archive: zipfile.ZipFile, entry_name: str, name: str) -> SheetFacts:
    """Read a sheet's XML in pieces and say how large it is; raises TooLarge above the caps."""
    facts = SheetFacts()
    entry = archive.getinfo(entry_name)
    rest, columns = b"", set[bytes]()
    for piece in inflate(archive, entry, name):
        text = rest + piece
        cut = text.rfind(b"</c>") + 4
        if cut < 4 or len(text) - cut > _PIECE:
            cut = max(text.rfind(b"<"), 0) or len(text)
        rest, text = text[cut:], text[:cut]
        _count(text, facts, columns)
    _count(rest, facts, columns)
    facts.columns = max([*map(_number, columns), facts.longest_run])
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


def _count(text: bytes, facts: SheetFacts, columns: set[bytes]) -> None:
    for letters, row, empty in _CELL.findall(text):
        if not empty:
            columns.add(letters)
            facts.cells += 1
            facts.rows = max(facts.rows, int(row))
    facts.named_row = max([facts.named_row, *map(int, _ROW.findall(text))])
    if _BARE.search(text) is None:
        found = text.count(b"<row")
        facts.row_tags += found
        facts.open_run *= found == 0
    else:
        _count_bare(text, facts)
    facts.shared += text.count(b't="s"')
    if b"<f" in text:
        places = _UNCOMPUTED.findall(text)
        facts.uncomputed_count += len(places)
        facts.uncomputed += [cell.decode() for cell in places[: 3 - len(facts.uncomputed)]]
    if b't="e"' in text:
        places = _BROKEN.findall(text)
        facts.broken_count += len(places)
        facts.broken += [cell.decode() for cell in places[: 3 - len(facts.broken)]]


def _count_bare(text: bytes, facts: SheetFacts) -> None:
    """Count cells that do not say where they stand: they follow the cell before them."""
    for number, segment in enumerate(text.split(b"<row")):
        facts.row_tags += number > 0
        run = len(_BARE.findall(segment))
        facts.open_run = run if number else facts.open_run + run
        facts.longest_run = max(facts.longest_run, facts.open_run)
        facts.cells += run


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
