"""Files made to harm: typed errors at once and without memory."""

from __future__ import annotations

import os
import random
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import psutil
import pytest

from connectors.base import Context, ReadRequest
from connectors.errors import ConnectorError, ContractBroken, Refused, TooLarge
from connectors.files import BadFiles, FilesConnector, FilesSettings, folder
from connectors.files.archive import MAX_ENTRIES
from connectors.files.header import letter
from connectors.files.sheetscan import inspect_sheet

HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"
ROW = b'<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row>'


def connector(folder: Path, **stream: object) -> FilesConnector:
    wanted = {"pattern": "*", "key": "id"} | stream
    settings = FilesSettings.model_validate({"folder": str(folder), "streams": {"s": wanted}})
    return FilesConnector(settings, Context("office", pause=lambda seconds: None))


def cause(folder: Path, **stream: object) -> ConnectorError:
    """Read, and return the one error that the only file gave; it must come fast and lean."""
    process = psutil.Process()
    before, start = process.memory_info().rss, time.perf_counter()
    with pytest.raises(BadFiles) as caught:
        list(connector(folder, **stream).read(ReadRequest("s")))
    assert time.perf_counter() - start < 5  # 1 s on a quiet machine
    assert process.memory_info().rss - before < 100e6
    assert len(caught.value.causes) == 1
    assert caught.value.causes[0].do
    return caught.value.causes[0]


@pytest.fixture(autouse=True)
def warm() -> None:
    """Import what reads, so that its memory is not counted."""
    from connectors.files import reading  # noqa: F401


def book(path: Path, parts: dict[str, bytes | Iterator[bytes]]) -> Path:
    """Write a workbook of one sheet, with parts of its archive replaced or added."""
    plain = openpyxl.Workbook()
    assert plain.active is not None
    plain.active.append(["id", "name"])
    plain.active.append(["1", "n"])
    plain.save(path)
    with zipfile.ZipFile(path) as archive:
        whole: dict[str, bytes | Iterator[bytes]] = {
            name: archive.read(name) for name in archive.namelist()
        }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (whole | parts).items():
            with archive.open(name, "w", force_zip64=False) as entry:
                for piece in [data] if isinstance(data, bytes) else data:
                    entry.write(piece)
    return path


SHEET = "xl/worksheets/sheet1.xml"


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    filler = (b" " * 1_000_000 for _ in range(300))
    book(tmp_path / "bomb.xlsx", {"xl/media/image1.bin": filler})
    error = cause(tmp_path)
    assert isinstance(error, TooLarge)
    assert "max_ratio" in error.what
    assert error.place == "bomb.xlsx"


def test_a_bomb_is_refused_by_its_size(tmp_path: Path) -> None:
    filler = (b" " * 1_000_000 for _ in range(60))
    book(tmp_path / "bomb.xlsx", {SHEET: filler})
    error = cause(tmp_path, max_bytes="50MB")
    assert isinstance(error, TooLarge)
    assert "max_bytes" in error.what


@pytest.mark.parametrize("part", [SHEET, "xl/sharedStrings.xml", "xl/media/image1.bin"])
def test_a_bomb_that_lies_about_its_size(tmp_path: Path, part: str) -> None:
    """The directory says 1,000 bytes, the entry unpacks to 300 MB."""
    path = book(tmp_path / "bomb.xlsx", {part: (b" " * 1_000_000 for _ in range(300))})
    raw = bytearray(path.read_bytes())
    sizes = struct.pack("<I", 300_000_000), struct.pack("<I", 1_000)
    checks = struct.pack("<I", zlib.crc32(b" " * 1_000))
    with zipfile.ZipFile(path) as archive:
        true = struct.pack("<I", archive.getinfo(part).CRC)
    assert raw.count(sizes[0]) >= 1
    path.write_bytes(raw.replace(sizes[0], sizes[1]).replace(true, checks))
    error = cause(tmp_path)
    assert isinstance(error, TooLarge | ContractBroken)
    assert "archive says" in error.what or "damaged" in error.what


@pytest.mark.parametrize("name", ["../../x.xml", "/etc/passwd", "xl\\..\\..\\x", "C:/x"])
def test_names_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    book(tmp_path / "slip.xlsx", {name: b"x"})
    assert isinstance(cause(tmp_path), Refused)


def test_too_many_entries(tmp_path: Path) -> None:
    book(tmp_path / "many.xlsx", {f"xl/media/{n}": b"" for n in range(MAX_ENTRIES + 1)})
    assert isinstance(cause(tmp_path), TooLarge)


def test_two_cells_at_opposite_corners(tmp_path: Path) -> None:
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    book(tmp_path / "wide.xlsx", {SHEET: HEAD + ROW + far + TAIL})
    error = cause(tmp_path)
    assert isinstance(error, TooLarge)
    assert "16,384 columns wide and 1,048,576 rows high" in error.what


def test_cells_that_do_not_say_where_they_stand(tmp_path: Path) -> None:
    wide = b"<row>" + b"<c/>" * 16_000 + b"<c><v>1</v></c></row>"
    high = b'<row r="1048570"><c><v>1</v></c></row>'
    book(tmp_path / "wide.xlsx", {SHEET: HEAD + ROW + high + wide + TAIL})
    assert isinstance(cause(tmp_path), TooLarge)


@pytest.mark.parametrize(
    "trick",
    [
        b'<row r="1048576"><c r="XFD1048576" x="/>"><v>1</v></c></row>',
        b"<row r='1048576'><c t='n' r='XFD1048576'><v>1</v></c></row>",
        b'<row r="1048576"><c\n r = "XFD1048576"\n><v>1</v></c></row>',
    ],
)
def test_spelling_does_not_hide_a_far_cell(tmp_path: Path, trick: bytes) -> None:
    book(tmp_path / "wide.xlsx", {SHEET: HEAD + ROW + trick + TAIL})
    assert isinstance(cause(tmp_path), TooLarge)


@pytest.mark.parametrize("place", ["ZZZZZZZ2", "A4294967295", "xfd1048576", "$XFD$1048576"])
def test_a_place_beyond_the_sheet_is_refused_before_a_reader_sets_memory_aside(
    tmp_path: Path, place: str
) -> None:
    """The library ended the whole process: it asked for 137 GB."""
    cell = f'<row r="2"><c r="{place}"><v>1</v></c></row>'.encode()
    book(tmp_path / "far.xlsx", {SHEET: HEAD + ROW + cell + TAIL})
    assert isinstance(cause(tmp_path), TooLarge)


def test_far_cells_that_are_only_coloured_do_no_harm(tmp_path: Path) -> None:
    styled = (
        b'<row r="2"><c r="A2" t="inlineStr"><is><t>7</t></is></c></row>'
        b'<row r="1048576"><c r="XFD1048576" s="0"/></row>'
    )
    book(tmp_path / "styled.xlsx", {SHEET: HEAD + ROW + styled + TAIL})
    pages = list(connector(tmp_path).read(ReadRequest("s")))
    assert pages[-1].keys == ["7"]


def test_one_long_text_in_very_many_cells(tmp_path: Path) -> None:
    count = 20_000
    cells = b"".join(
        b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(1, count)
    )
    noise = random.Random(7).randbytes(50_000).hex().encode()
    texts = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
    book(
        tmp_path / "copy.xlsx", {SHEET: HEAD + cells + TAIL, "xl/sharedStrings.xml": texts % noise}
    )
    error = cause(tmp_path, max_bytes="200MB")
    assert isinstance(error, TooLarge)
    assert "texts" in error.what


def test_an_encrypted_workbook_is_refused(tmp_path: Path) -> None:
    name = "EncryptedPackage".encode("utf-16-le")
    raw = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 1500 + name + b"\0" * 5000
    (tmp_path / "secret.xlsx").write_bytes(raw)
    error = cause(tmp_path)
    assert isinstance(error, Refused)
    assert "password" in error.what


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        pytest.param("a.xlsx", b"hello", "named like a workbook", id="text-named-xlsx"),
        pytest.param("a.xls", b"<html><table>", "web page", id="html-named-xls"),
        pytest.param(
            "a.xls", bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "read", id="torn-xls"
        ),
        pytest.param("a.xlsx", b"PK\x03\x04" + b"x" * 600, "damaged", id="torn-xlsx"),
        pytest.param("a.csv", bytes(range(256)) * 20, "neither", id="noise"),
        pytest.param("a.csv", b"", "0 bytes", id="empty"),
    ],
)
def test_what_is_no_table_is_said(tmp_path: Path, name: str, raw: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(raw)
    error = cause(tmp_path)
    assert said in error.what
    assert error.place == name


def test_torn_and_flipped_workbooks_never_crash(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", {})
    raw = path.read_bytes()
    dice = random.Random(11)
    typed = 0
    for _ in range(150):
        harmed = bytearray(raw)
        for _ in range(dice.randrange(1, 6)):
            harmed[dice.randrange(len(harmed))] = dice.randrange(256)
        path.write_bytes(harmed[: dice.randrange(100, len(raw))] if dice.random() < 0.3 else harmed)
        try:
            list(connector(tmp_path).read(ReadRequest("s")))
        except BadFiles:
            typed += 1
    assert typed > 50


def test_macros_are_not_run_and_do_not_stop_the_rows(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", {"xl/vbaProject.bin": b"macro"})
    path.rename(tmp_path / "a.xlsm")
    pages = list(connector(tmp_path).read(ReadRequest("s")))
    assert pages[-1].keys == ["1"]


@pytest.mark.parametrize(
    "pattern", ["../x.csv", "/etc/passwd", "a/../../x", "~/x.csv", "C:/x.csv", "..\\x.csv"]
)
def test_a_pattern_may_not_leave_the_folder(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(ValueError, match="inside the folder"):
        connector(tmp_path, pattern=pattern)


def test_links_that_lead_outside_are_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.csv").write_text("id,name\n666,x\n")
    (inside / "good.csv").write_text("id,name\n1,x\n")
    (inside / "link.csv").symlink_to(outside / "secret.csv")
    (inside / "folder.csv").symlink_to(outside)
    (inside / "alias.csv").symlink_to(inside / "good.csv")
    (inside / "loop.csv").symlink_to(inside / "loop.csv")
    (inside / "gone.csv").symlink_to(inside / "none.csv")
    pages = []
    with pytest.raises(BadFiles) as caught:
        pages.extend(connector(inside, pattern="**/*.csv").read(ReadRequest("s")))
    named = {error.place: type(error) for error in caught.value.causes}
    assert named["link.csv"] is Refused
    assert named["folder.csv"] is Refused
    assert "666" not in str(caught.value)
    findings = [f.subject for f in connector(inside).check() if f.ok is False]
    assert "s: link.csv" in findings


def test_a_file_that_is_swapped_for_a_link_while_it_is_read_is_not_taken(tmp_path: Path) -> None:
    """By somebody who may write into the folder but not read the other file."""
    secret, inbox = tmp_path / "secret.csv", tmp_path / "in"
    secret.write_text("id,name\n666,x\n")
    inbox.mkdir()
    path = inbox / "a.csv"
    path.write_text("id,name\n111,y\n")
    moment = secret.stat().st_mtime_ns
    os.utime(path, ns=(moment, moment))
    found, _, _ = folder.find(inbox, "*.csv")
    path.unlink()
    path.symlink_to(secret)
    assert secret.stat().st_size == found[0].size
    assert folder.changed(found[0])


def test_a_pipe_is_refused_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert isinstance(cause(tmp_path), Refused)


def with_cells(path: Path, cells: str) -> None:
    """Put a workbook at `path` whose one sheet has one row with these cells, as XML."""
    book = openpyxl.Workbook()
    book.save(path)
    with zipfile.ZipFile(path) as old:
        entries = {name: old.read(name) for name in old.namelist()}
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    entries["xl/worksheets/sheet1.xml"] = (
        f'<worksheet xmlns="{main}"><sheetData><row r="1">{cells}</row></sheetData></worksheet>'
    ).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in entries.items():
            new.writestr(name, content)


@pytest.mark.parametrize(
    "far",
    [
        '<c r="XFD1048576"><v>1</v></c>',
        '<c r="xfd1048576"><v>1</v></c>',
        '<c r="XFD0000001048576"><v>1</v></c>',
        '<c r="AAAA9"><v>1</v></c>',
        '<c s="0" r="xfd1048576"><v>1</v></c>',
        '<c x="</c>" r="XFD1048576"><v>1</v></c>',
        '<c x="/>" r="XFD1048576"><v>1</v></c>',
        '<c r="XFD1048576" x="/>"><v>1</v></c>',
        '<c r="A2" x="/>"/><c r=\'XFD1048576\'><v>1</v></c>',
        '</row><row r="0000001048570"><c r="XFD1048576"><v>1</v></c>',
        '</row><row r="0000001048570"><c><v>1</v></c>' + "<c><v>1</v></c>" * 40,
    ],
    ids=lambda far: far[:44],
)
def test_a_far_cell_is_seen_however_it_is_written(tmp_path: Path, far: str) -> None:
    path = tmp_path / "far.xlsx"
    with_cells(path, f'<c r="A1" t="str"><v>id</v></c>{far}')
    with zipfile.ZipFile(path) as opened, pytest.raises((TooLarge, ContractBroken)):
        inspect_sheet(opened, "xl/worksheets/sheet1.xml", "far.xlsx")


def test_plain_and_any_spelling_count_the_same(tmp_path: Path) -> None:
    plain = "".join(
        f'<c r="{letter(n)}1" t="s"><v>{n}</v></c>' if n % 3 else f'<c r="{letter(n)}1" s="2"/>'
        for n in range(60)
    )
    found = []
    for cells in (plain, plain.replace("<c r=", "<c  r=")):
        with_cells(tmp_path / "one.xlsx", cells)
        with zipfile.ZipFile(tmp_path / "one.xlsx") as opened:
            facts = inspect_sheet(opened, "xl/worksheets/sheet1.xml", "one.xlsx")
        found.append((facts.plain, facts.columns, facts.rows, facts.cells, facts.shared))
    assert found == [(True, 60, 1, 40, 40), (False, 60, 1, 40, 40)]
