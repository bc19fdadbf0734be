"""A7: bombs in answers and files: refused within a second, under 100 MB."""

from __future__ import annotations

import gzip
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import zstandard
from rest_parts import context

from connectors.base import Context, ReadRequest
from connectors.errors import ConnectorError
from connectors.files import FilesConnector, FilesSettings
from connectors.rest import RestConnector
from connectors.rest.settings import RestSettings
from tests.attacks.a06_json import Bytes
from tests.attacks.attempt import Attempt, Cost, Task, measured, said
from tests.attacks.workbooks import HEAD, ONE, ROW, SHEET, TAIL, blanks, book, pack, sheet

ID, TITLE = "A7", "bombs: gzip, zip, workbooks"
MEGABYTES = 100
SECONDS = 1.0


def attempts(task: Task) -> Iterator[Attempt]:
    """Read compressed answers, then files."""
    yield from _answers(task)
    yield from _files(task)


# --- answers ---------------------------------------------------------------------------------
def _press(size: int, bits: int) -> bytes:
    made = zlib.compressobj(9, zlib.DEFLATED, bits)
    parts = [made.compress(b'{"data":["')]
    parts += [made.compress(b" " * 1_000_000) for _ in range(size)]
    return b"".join([*parts, made.compress(b'"]}'), made.flush()])


def _answers(task: Task) -> Iterator[Attempt]:
    size = 100 if task.quick else 500
    bomb = _press(size, 31)
    flat = _press(size, 15)
    good = gzip.compress(b'{"data":[{"id":"1"}]}')
    members = gzip.compress(b" " * 5_000_000) * 40
    tricks: dict[str, tuple[str, bytes]] = {
        f"gzip of {size} MB": ("gzip", bomb),
        "x-gzip": ("x-gzip", bomb),
        "gzip in capitals": ("GZIP", bomb),
        "zlib as deflate": ("deflate", flat),
        "raw deflate": ("deflate", _press(size, -15)),
        "deflate said gzip": ("gzip", flat),
        "gzip in gzip": ("gzip", gzip.compress(bomb)),
        "two layers named": ("gzip, gzip", gzip.compress(bomb)),
        "three layers named": ("gzip, gzip, gzip", gzip.compress(gzip.compress(bomb))),
        "many members": ("gzip", members),
        "br": ("br", b"\x0b\x02\x80" * 1000),
        "zstd": ("zstd", zstandard.ZstdCompressor().compress(b" " * 50_000_000)),
        "compress": ("compress", b"\x1f\x9d\x90"),
        "unknown": ("x-evil", bomb),
        "identity, packed all the same": ("identity", bomb),
        "blank": (" ", bomb),
        "gzip cut": ("gzip", bomb[: len(bomb) // 2]),
        "gzip flipped": ("gzip", _flipped(bomb)),
        "garbage behind": ("gzip", good + b"garbage" * 100),
        "bomb behind a good member": ("gzip", good + bomb),
        "empty members without end": ("gzip", gzip.compress(b"") * 200_000),
        "huge file name in the head": ("gzip", b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"n" * 30_000_000),
        "list of 200 layers": (", ".join(["gzip"] * 200), bomb),
    }
    for number, (name, (encoding, data)) in enumerate(tricks.items()):
        sent = [data[at : at + 65536] for at in range(0, len(data), 65536)]
        transport = Bytes(lambda sent=sent: iter(sent), {"content-encoding": encoding})
        settings = {
            "base_url": "http://shop.example",
            "allow_plain_http": "true",
            "attempts": "1",
            "streams": {"o": {"path": "/o", "records": "data", "key": "id"}},
        }
        one = RestConnector(RestSettings.model_validate(settings), context(transport=transport))
        yield _judged(f"A7.{number}", f"answer: {name}", lambda one=one: _rows(one, "o"))


def _flipped(data: bytes) -> bytes:
    harmed = bytearray(data)
    harmed[len(harmed) // 3] ^= 0xFF
    return bytes(harmed)


def _rows(one: RestConnector | FilesConnector, stream: str) -> int:
    return sum(len(page.keys) for page in one.read(ReadRequest(stream)))


def _judged(
    number: str, name: str, act: Callable[[], int], *, most: int = 10, plain: float = 0.0
) -> Attempt:
    """Judge what reading cost; `plain` megabytes, which are not packed, take time of their own."""
    with measured() as cost:
        try:
            rows = act()
            result, detail = "handled", f"{rows} rows"
        except ConnectorError as error:
            causes = getattr(error, "causes", [error])
            rows, result, detail = 0, "refused", said(causes[0])
        except Exception as error:
            rows, result, detail = 0, "succeeded", f"crashed: {said(error)}"
    detail += f"; {cost.megabytes:.0f} MB, {cost.seconds:.2f} s ({cost.cpu:.2f} s of its own)"
    if rows > most or _is_dear(cost, plain):
        return Attempt(number, name, "succeeded", f"not bounded: {detail}")
    return Attempt(number, name, result, detail)  # type: ignore[arg-type]


def _is_dear(cost: Cost, plain: float) -> bool:
    return cost.megabytes > MEGABYTES or cost.cpu > SECONDS + plain / 10


# --- files -----------------------------------------------------------------------------------
def tricks(task: Task) -> dict[str, Callable[[Path], object]]:
    """Return what writes each hostile file into a folder."""
    size = 100 if task.quick else 300
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    texts = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
    cells = b"".join(
        b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(1, 20_000)
    )
    wide = b'<row r="2">' + b"".join(b"<c><v>1</v></c>" for _ in range(16_384)) + b"</row>"
    rel = b'<Relationship Id="rId99" Type="x" Target="%s" TargetMode="External"/></Relationships>'
    found: dict[str, Callable[[Path], object]] = {
        "picture bomb": lambda f: book(f / "a.xlsx", {"xl/media/i.bin": blanks(size)}),
        "sheet bomb": lambda f: book(f / "a.xlsx", {SHEET: blanks(size)}),
        "texts bomb": lambda f: book(f / "a.xlsx", {"xl/sharedStrings.xml": blanks(size)}),
        "styles bomb": lambda f: book(f / "a.xlsx", {"xl/styles.xml": blanks(size)}),
        "links bomb": lambda f: book(f / "a.xlsx", {"xl/_rels/workbook.xml.rels": blanks(size)}),
        "book bomb": lambda f: book(f / "a.xlsx", {"xl/workbook.xml": blanks(size)}),
        "zip in zip": lambda f: book(
            f / "a.xlsx", {"xl/e.zip": pack(f / "in", {"x": blanks(size)}).read_bytes()}
        ),
        "lie of the size, sheet": lambda f: _lying(
            book(f / "a.xlsx", {SHEET: blanks(size)}), SHEET, size
        ),
        "lie of the size, texts": lambda f: _lying(
            book(f / "a.xlsx", {"xl/sharedStrings.xml": blanks(size)}), "xl/sharedStrings.xml", size
        ),
        "lie of the size, styles": lambda f: _lying(
            book(f / "a.xlsx", {"xl/styles.xml": blanks(size)}), "xl/styles.xml", size
        ),
        "lie of the size, book": lambda f: _lying(
            book(f / "a.xlsx", {"xl/workbook.xml": blanks(size)}), "xl/workbook.xml", size
        ),
        "lie of the size, types": lambda f: _lying(
            book(f / "a.xlsx", {"[Content_Types].xml": blanks(size)}), "[Content_Types].xml", size
        ),
        "100,000 entries": lambda f: book(f / "a.xlsx", {f"xl/m/{n}": b"" for n in range(20_000)}),
        "two entries of one name": lambda f: _doubled(f / "a.xlsx"),
        "bzip2": lambda f: book(f / "a.xlsx", {SHEET: blanks(size)}, method=zipfile.ZIP_BZIP2),
        "lzma": lambda f: book(f / "a.xlsx", {SHEET: blanks(30)}, method=zipfile.ZIP_LZMA),
        "corners": lambda f: book(f / "a.xlsx", {SHEET: sheet(far)}),
        "16,384 columns": lambda f: book(f / "a.xlsx", {SHEET: sheet(wide)}),
        "1e6 rows by number": lambda f: book(
            f / "a.xlsx", {SHEET: sheet(b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>')}
        ),
        "a row beyond the sheet": lambda f: book(
            f / "a.xlsx",
            {SHEET: sheet(b'<row r="4294967295"><c r="A4294967295"><v>1</v></c></row>')},
        ),
        "columns beyond the sheet": lambda f: book(
            f / "a.xlsx", {SHEET: sheet(b'<row r="2"><c r="ZZZZZZZ2"><v>1</v></c></row>')}
        ),
        "dimension that lies": lambda f: book(
            f / "a.xlsx",
            {
                SHEET: HEAD.replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>')
                + ROW
                + ONE
                + TAIL
            },
        ),
        "1e6 merged cells": lambda f: book(
            f / "a.xlsx",
            {
                SHEET: HEAD
                + ROW
                + ONE
                + b"</sheetData><mergeCells>"
                + b"".join(b'<mergeCell ref="A%d:XFD%d"/>' % (n, n) for n in range(1, 20_000))
                + b"</mergeCells></worksheet>"
            },
        ),
        "one text, many cells": lambda f: book(
            f / "a.xlsx",
            {
                SHEET: HEAD + cells + TAIL,
                "xl/sharedStrings.xml": texts % random.Random(7).randbytes(50_000).hex().encode(),
            },
        ),
        "index beyond the texts": lambda f: book(
            f / "a.xlsx", {SHEET: sheet(b'<row r="2"><c r="A2" t="s"><v>999999999</v></c></row>')}
        ),
        "negative index": lambda f: book(
            f / "a.xlsx", {SHEET: sheet(b'<row r="2"><c r="A2" t="s"><v>-1</v></c></row>')}
        ),
        "external link": lambda f: book(
            f / "a.xlsx",
            {
                "xl/externalLinks/externalLink1.xml": b"<externalLink/>",
                "xl/_rels/workbook.xml.rels": _rels(rel % b"file:///etc/passwd"),
            },
        ),
        "sheet outside": lambda f: book(
            f / "a.xlsx",
            {
                "xl/_rels/workbook.xml.rels": b'<Relationships><Relationship Id="rId1" '
                b'Target="../../../../etc/passwd"/></Relationships>'
            },
        ),
        "sheet by URL": lambda f: book(
            f / "a.xlsx",
            {
                "xl/_rels/workbook.xml.rels": b'<Relationships><Relationship Id="rId1" Target="http://127.0.0.1:9/s.xml"/></Relationships>'
            },
        ),
        "macros": lambda f: book(f / "a.xlsm", {"xl/vbaProject.bin": b"macro"}),
        "encrypted": lambda f: (f / "a.xlsx").write_bytes(
            bytes.fromhex("d0cf11e0a1b11ae1")
            + b"\0" * 1500
            + "EncryptedPackage".encode("utf-16-le")
            + b"\0" * 5000
        ),
        "encrypted entry": lambda f: _flagged(book(f / "a.xlsx", {})),
        "xlsb": lambda f: pack(
            f / "a.xlsb", {"xl/workbook.bin": b"x", "[Content_Types].xml": b"<x/>"}
        ),
        "ods": lambda f: pack(f / "a.ods", {"content.xml": blanks(size), "mimetype": b"x"}),
        "plain zip": lambda f: pack(f / "a.csv", {"a.csv": b"id,name\n1,a\n"}),
        "zip named csv, bomb": lambda f: pack(f / "a.csv", {"a.csv": blanks(size)}),
        "gzip named csv": lambda f: (f / "a.csv").write_bytes(
            gzip.compress(b"id,name\n" + b"1,a\n" * 5_000_000)
        ),
        "one line of 200 MB": lambda f: (f / "a.csv").write_bytes(
            b"id,name\n1," + b"x" * (size * 1_000_000)
        ),
        "a quote that never ends": lambda f: (f / "a.csv").write_bytes(
            b'id,name\n1,"' + b"x\n" * (size * 250_000)
        ),
        "100,000 columns": lambda f: (f / "a.csv").write_text(
            "id" + ",c" * 100_000 + "\n1" + ",1" * 100_000
        ),
        "noise": lambda f: (f / "a.csv").write_bytes(random.Random(1).randbytes(3_000_000)),
        "old format, torn": lambda f: (f / "a.xls").write_bytes(
            bytes.fromhex("d0cf11e0a1b11ae1") + random.Random(2).randbytes(100_000)
        ),
    }
    slips = (
        "../../x.xml",
        "/etc/passwd",
        "xl\\..\\..\\x",
        "C:/x",
        "..\\x",
        "xl/../../x",
        "//host/x",
        "xl/\0../x",
        "....//x/../../y",
    )
    for name in slips:
        found[f"slip {name!r}"] = lambda f, name=name: book(f / "a.xlsx", {name: b"x"})
    return found


def _files(task: Task) -> Iterator[Attempt]:
    from connectors.files import reading  # noqa: F401 - its own memory is not the file's

    for number, (name, write) in enumerate(tricks(task).items()):
        if task.quick and number % 5:
            continue
        folder = task.inner(f"files{number}")
        write(folder)
        inner = folder / "in"
        inner.unlink(missing_ok=True)
        settings = {
            "folder": str(folder),
            "streams": {"s": {"pattern": "*.*", "key": "id", "max_bytes": "200MB"}},
        }
        one = FilesConnector(
            FilesSettings.model_validate(settings), Context("o", pause=lambda seconds: None)
        )
        size = sum(p.stat().st_size for p in folder.iterdir()) / 1e6
        yield _judged(f"A7.f{number}", f"file: {name}", lambda one=one: _rows(one, "s"), plain=size)
        left = [p.name for p in folder.iterdir() if not p.name.startswith("a.")]
        if left:
            yield Attempt(f"A7.f{number}", name, "succeeded", f"it wrote {left}")
        for path in folder.iterdir():
            path.unlink()


def _rels(more: bytes) -> bytes:
    return (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        b'<Relationship Id="rId1" Type="x" Target="worksheets/sheet1.xml"/>' + more
    )


def _lying(path: Path, part: str, size: int) -> None:
    """Make the archive say that the part unpacks to 1,000 bytes."""
    with zipfile.ZipFile(path) as archive:
        true = archive.getinfo(part).CRC
    raw = path.read_bytes().replace(struct.pack("<I", size * 1_000_000), struct.pack("<I", 1000))
    path.write_bytes(
        raw.replace(struct.pack("<I", true), struct.pack("<I", zlib.crc32(b" " * 1000)))
    )


def _doubled(path: Path) -> None:
    book(path, {"xl/worksheets/sheetX.xml": sheet(ONE)})
    path.write_bytes(path.read_bytes().replace(b"sheetX.xml", b"sheet1.xml"))


def _flagged(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    at = raw.find(b"PK\x01\x02")
    while at >= 0:
        raw[at + 8] |= 1
        at = raw.find(b"PK\x01\x02", at + 4)
    path.write_bytes(raw)
