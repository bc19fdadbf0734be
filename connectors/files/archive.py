"""What a workbook is, looked at before anything unpacks it: signature, entries, sizes.

A few kilobytes of ZIP can unpack to gigabytes, and two cells at opposite corners make a reader set
aside memory for all between. So sizes are proved by unpacking in small pieces under a cap, and the
cells of a sheet are counted (`sheetscan`), before a library that trusts the file sees it.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from connectors.errors import ConnectorError, ContractBroken, Refused, TooLarge

Kind = Literal["workbook", "old", "text"]

MAX_ENTRIES = 10_000
SMALL = 20_000_000  # below this unpacked size a high ratio harms nobody
PIECE = 1 << 20
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
AS_XLSX = "open the file in Excel and save it as .xlsx"

_SHEET = re.compile(rb"""<(?:\w+:)?sheet\s[^>]*?\w+:id\s*=\s*["']([^"']+)["']""")
_LINK = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb"""\b(Id|Target)\s*=\s*["']([^"']*)["']""")


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
            rest = head + handle.read(4 * PIECE)
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
            f"{AS_XLSX}; if it was copied over a network, copy it again.",
            place=name,
        )
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if start.startswith((b"<html", b"<!doctype html", b"<?xml", b"<table", b"<meta")):
        raise ContractBroken(
            "The file holds a web page or XML, not a table.", f"{AS_XLSX}.", place=name
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
            f"{AS_XLSX} without pictures.",
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
        raise Refused("Two entries of the workbook have one name.", f"{AS_XLSX}.", place=name)
    if "xl/workbook.xml" not in names:
        raise ContractBroken(
            "The file is a ZIP archive but not an .xlsx or .xlsm workbook.",
            f"{AS_XLSX} (.xlsb and .ods are not read).",
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
        raise Refused("The workbook is packed in an unusual way.", f"{AS_XLSX}.", place=name)
    unpack = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0:
        block = handle.read(min(left, PIECE // 4))
        if not block:
            raise _damaged(name, entry)
        left -= len(block)
        while block:
            try:
                piece = unpack.decompress(block, PIECE) if unpack else block
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
