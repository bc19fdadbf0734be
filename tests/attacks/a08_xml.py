"""A8: XML that reads files, calls hosts or explodes. Only workbooks bring XML to the product."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from rest_parts import context, raw_server

from connectors.base import Context, ReadRequest
from connectors.errors import ConnectorError
from connectors.files import FilesConnector, FilesSettings
from connectors.rest import RestConnector
from connectors.rest.settings import RestSettings
from tests.attacks.a06_json import Bytes
from tests.attacks.attempt import Attempt, Task, guarded_wire, measured, said
from tests.attacks.workbooks import HEAD, ROW, SHEET, TAIL, book

ID, TITLE = "A8", "XML bombs and external entities"
ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("connectors", "mappings", "pipelines", "warehouse")
PARSERS = ("xml", "lxml", "defusedxml", "bs4", "xmltodict", "pyexpat", "html.parser", "untangle")
CANARY = "canary-read-by-xml-5d1f"
PARTS = (
    SHEET,
    "xl/sharedStrings.xml",
    "xl/workbook.xml",
    "xl/styles.xml",
    "xl/_rels/workbook.xml.rels",
    "[Content_Types].xml",
    "docProps/core.xml",
)


def documents(file: Path, url: str) -> dict[str, bytes]:
    """Return a prologue and a body with %s where a cell's text stands, by trick."""
    lol = "".join(
        f'<!ENTITY l{n} "{"".join(f"&l{n - 1};" for _ in range(10))}">' for n in range(1, 10)
    )
    return {
        name: text.encode()
        for name, text in {
            "file entity": f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{file}">]>|&e;',
            "http entity": f'<!DOCTYPE x [<!ENTITY e SYSTEM "{url}/e">]>|&e;',
            "public entity": f'<!DOCTYPE x [<!ENTITY e PUBLIC "p" "{url}/p">]>|&e;',
            "parameter entity": f'<!DOCTYPE x [<!ENTITY % p SYSTEM "{url}/d.dtd"> %p;]>|a',
            "external subset": f'<!DOCTYPE x SYSTEM "{url}/x.dtd">|a',
            "billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "lol">{lol}]>|&l9;',
            "quadratic": f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]>|{"&a;" * 10_000}',
            "endless": '<!DOCTYPE x [<!ENTITY a "&b;"><!ENTITY b "&a;">]>|&a;',
            "include": (
                '|<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" '
                f'href="file://{file}" parse="text"/>'
            ),
            "stylesheet": f'<?xml-stylesheet type="text/xsl" href="{url}/s.xsl"?>|a',
            "schema": f'|<a xsi:schemaLocation="{url} {url}/s.xsd" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>',
            "a text of 20 MB": "|" + "x" * 20_000_000,
            "an attribute of 5 MB": '|<a b="' + "x" * 5_000_000 + '"/>',
            "100,000 deep": "|" + "<a>" * 100_000 + "</a>" * 100_000,
            "UTF-7": '<?xml version="1.0" encoding="UTF-7"?>|+ADw-',
            "UTF-16 said, UTF-8 sent": '<?xml version="1.0" encoding="UTF-16"?>|a',
            "unclosed": "|<a><b>",
            "NUL": "|a\0b",
            "references beyond": "|&#x110000;&#0;",
        }.items()
    }


def attempts(task: Task) -> Iterator[Attempt]:
    """Scan the imports; put every document into parts of a workbook and into answers."""
    yield from _imports()
    outside = task.inner("outside") / "secret.txt"
    outside.write_text(CANARY)
    with raw_server(lambda con: None) as (url, arrived):
        number = 0
        for name, text in documents(outside, url).items():
            head, _, inside = text.partition(b"|")
            for part in PARTS if not task.quick else PARTS[:2]:
                number += 1
                folder = task.inner("book")
                book(folder / "a.xlsx", {part: _part(part, head, inside)})
                yield _read(f"A8.{number}", f"{name} in {part}", folder, arrived)
            number += 1
            yield _answered(f"A8.{number}", f"{name} as an answer", head + b"<a>" + inside, arrived)


def _part(part: str, head: bytes, inside: bytes) -> bytes:
    if part == SHEET:
        cell = b'<row r="2"><c r="A2" t="inlineStr"><is><t>%s</t></is></c></row>' % inside
        return head + HEAD + ROW + cell + TAIL
    if part == "xl/sharedStrings.xml":
        return (
            head + b"<sst><si><t>id</t></si><si><t>name</t></si><si><t>%s</t></si></sst>" % inside
        )
    if part == "xl/workbook.xml":
        return head + (
            b'<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
            b'<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets>' + inside + b"</workbook>"
        )
    if part.endswith(".rels"):
        target = b'<Relationship Id="rId1" Type="x" Target="worksheets/sheet1.xml"/>'
        return head + b"<Relationships>" + target + inside + b"</Relationships>"
    return head + b"<x>" + inside + b"</x>"


def _read(number: str, name: str, folder: Path, arrived: list[bytes]) -> Attempt:
    settings = {"folder": str(folder), "streams": {"s": {"pattern": "*.xlsx", "key": "id"}}}
    one = FilesConnector(FilesSettings.model_validate(settings), Context("o"))
    before = len(arrived)
    seen = ""
    with measured() as cost, guarded_wire() as wire:
        try:
            pages = list(one.read(ReadRequest("s")))
            seen = str(
                [page.records.to_pylist() for page in pages if hasattr(page.records, "to_pylist")]
            )
            result, detail = "handled", f"{len(seen)} signs of rows"
        except ConnectorError as error:
            seen = str(getattr(error, "causes", error))
            result, detail = "refused", said(getattr(error, "causes", [error])[0])
        except Exception as error:
            result, detail = "succeeded", f"crashed: {said(error)}"
    detail += f"; {cost.megabytes:.0f} MB, {cost.seconds:.1f} s"
    if CANARY in seen or len(arrived) > before or wire.reached:
        return Attempt(number, name, "succeeded", f"it read outside: {wire.reached}")
    if cost.megabytes > 250 or cost.cpu > 20:
        return Attempt(number, name, "succeeded", f"not bounded: {detail}")
    return Attempt(number, name, result, detail)  # type: ignore[arg-type]


def _answered(number: str, name: str, body: bytes, arrived: list[bytes]) -> Attempt:
    settings = {
        "base_url": "http://shop.example",
        "allow_plain_http": "true",
        "attempts": "1",
        "streams": {"o": {"path": "/o", "records": "", "key": "id"}},
    }
    transport = Bytes(lambda: iter([body]), {"content-type": "application/xml"})
    one = RestConnector(RestSettings.model_validate(settings), context(transport=transport))
    before = len(arrived)
    try:
        list(one.read(ReadRequest("o")))
    except ConnectorError as error:
        ok = len(arrived) == before and CANARY not in str(error)
        return Attempt(number, name, "refused" if ok else "succeeded", said(error))
    except Exception as error:
        return Attempt(number, name, "succeeded", f"crashed: {said(error)}")
    return Attempt(number, name, "succeeded", "XML was taken for records")


def _imports() -> Iterator[Attempt]:
    """Prove by every import of the product that it holds no XML parser of its own."""
    for room in ROOMS:
        found = [
            f"{path.relative_to(ROOT)}: {name}"
            for path in sorted((ROOT / room).rglob("*.py"))
            for name in imported(path.read_text(encoding="utf-8"))
            if name.split(".")[0] in PARSERS or name in PARSERS
        ]
        yield Attempt(
            f"A8.{room}",
            f"an XML parser imported in {room}/",
            "succeeded" if found else "refused",
            "; ".join(found),
        )


def imported(text: str) -> Iterator[str]:
    """Yield the modules that a source text imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
