"""What a workbook is, looked at before anything unpacks it: signature, entries, sizes.

A few kilobytes of ZIP can unpack to gigabytes, and two cells at opposite corners make a reader set
aside memory for all between. So sizes are proved by unpacking in small pieces under a cap, and the
cells of a sheet are counted (`sheetscan`), before a library that trusts the file sees it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from connectors import zips
from connectors.errors import ConnectorError, ContractBroken, Refused
from connectors.zips import PIECE, SMALL

Kind = Literal["workbook", "old", "text"]

MAX_ENTRIES = 10_000
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
AS_XLSX = "open the file in Excel and save it as .xlsx"
WORKBOOK = zips.Words(
    "The workbook",
    again="copy or save it again",
    anew=AS_XLSX,
    smaller=f"{AS_XLSX} without pictures",
    split="split it, or raise `max_bytes` if you trust it",
)

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
    zips.check_entries(
        archive, name, WORKBOOK, packed=path.stat().st_size, max_entries=MAX_ENTRIES,
        max_bytes=max_bytes, max_ratio=max_ratio,
    )  # fmt: skip
    if "xl/workbook.xml" not in archive.namelist():
        raise ContractBroken(
            "The file is a ZIP archive but not an .xlsx or .xlsm workbook.",
            f"{AS_XLSX} (.xlsb and .ods are not read).",
            place=name,
        )


def inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    """Yield the unpacked bytes of a workbook's entry; see `zips.inflate`."""
    return zips.inflate(archive, entry, name, WORKBOOK)


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
