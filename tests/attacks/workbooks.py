"""Workbooks and archives made to harm, written part by part."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import openpyxl

HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"
ROW = b'<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row>'
ONE = b'<row r="2"><c r="A2" t="inlineStr"><is><t>7</t></is></c></row>'
SHEET = "xl/worksheets/sheet1.xml"
Part = bytes | Iterator[bytes]


def book(path: Path, parts: Mapping[str, Part], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a workbook of one sheet (id, name; 1, n), parts of its archive replaced or added."""
    plain, kept = openpyxl.Workbook(), io.BytesIO()
    assert plain.active is not None
    plain.active.append(["id", "name"])
    plain.active.append(["1", "n"])
    plain.save(kept)
    with zipfile.ZipFile(kept) as archive:
        whole: dict[str, Part] = {name: archive.read(name) for name in archive.namelist()}
    return pack(path, whole | dict(parts), method=method)


def pack(path: Path, parts: Mapping[str, Part], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a ZIP archive."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in parts.items():
            with archive.open(name, "w", force_zip64=False) as entry:
                for piece in [data] if isinstance(data, bytes) else data:
                    entry.write(piece)
    return path


def blanks(megabytes: int) -> Iterator[bytes]:
    """Yield so many megabytes of one sign."""
    return (b" " * 1_000_000 for _ in range(megabytes))


def sheet(rows: bytes) -> bytes:
    """Return a sheet with a heading and `rows`."""
    return HEAD + ROW + rows + TAIL
