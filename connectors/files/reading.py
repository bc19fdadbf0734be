"""One file as pages, and what `check` says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from connectors.base import Finding, Page, ReadRequest
from connectors.errors import ConnectorError, ContractBroken, TooLarge
from connectors.files import archive, csvs, excel, folder
from connectors.files.folder import Found, Moved
from connectors.files.settings import StreamSettings
from connectors.files.tables import Chunk, Notes, Rows


def pages(
    file: Found,
    settings: StreamSettings,
    marks: dict[str, Any],
    mark: Mapping[str, Any],
    request: ReadRequest,
) -> Iterator[Page]:
    """Yield the pages of one file; `marks` learns of it with the last. Raises Moved."""
    notes = Notes()
    rows = Rows(file.name, settings, notes)
    last: tuple[pa.Table, list[str | None]] | None = None
    for table in rows.tables(chunks(file, settings, notes)):
        keys = rows.keys(table)
        if last is not None:
            yield _page(last, file.name, marks)
        last = (table, keys)
    if folder.changed(file):
        raise Moved
    if repeated := rows.repeated():
        notes.other.append(
            f"{repeated} rows carry a key that an earlier row has: the last one wins"
        )
    if last is not None:
        marks[file.name] = dict(mark)
        yield _page(
            last, file.name, marks,
            complete=request.limit is None, warnings=notes.lines(file.name),
        )  # fmt: skip


def check(stream: str, file: Found, settings: StreamSettings) -> Iterator[Finding]:
    """Read one file and say what was understood of it: place of the headings, rows, key."""
    subject = f"{stream}: {file.name}"
    notes = Notes()
    rows = Rows(file.name, settings, notes)
    empty = 0
    columns: list[str] = []
    try:
        for table in rows.tables(chunks(file, settings, notes)):
            columns = [name for name in table.column_names if not name.startswith("_")]
            empty += sum(key is None for key in rows.keys(table))
    except ConnectorError as error:
        yield Finding(subject, False, error.what, error.do)
        return
    said = f"{rows.count:,} rows; {'; '.join(notes.read_as)}; columns: {', '.join(columns)}"
    yield Finding(subject, True, said)
    repeated = rows.repeated()
    if repeated or empty:
        yield Finding(
            subject,
            False,
            f"the key {'/'.join(settings.key)} is empty in {empty} and repeated in {repeated} rows",
            "name more columns under `key:` (of rows with one key the last one wins)",
        )
    elif not settings.by_position:
        yield Finding(subject, True, f"the key {'/'.join(settings.key)} is unique")
    for line in notes.lines(file.name):
        yield Finding(subject, None, line.removeprefix(f"{file.name}: "))


def chunks(file: Found, settings: StreamSettings, notes: Notes) -> Iterator[Chunk]:
    """Yield the chunks of a file by what it is, whatever its name says."""
    if file.size == 0:
        raise ContractBroken(
            "The file is empty (0 bytes).",
            "write it again with its headings; its rows of before are kept.",
            place=file.name,
        )
    if file.size > settings.max_bytes:
        raise TooLarge(
            f"The file has {file.size:,} bytes, more than max_bytes ({settings.max_bytes:,}).",
            "split it, or raise `max_bytes`.",
            place=file.name,
        )
    path = file.path
    try:
        kind = archive.kind_of(path, file.name)
        if kind == "text":
            yield from csvs.read_csv(path, file.name, settings, notes)
        else:
            yield from excel.read_workbook(path, file.name, settings, notes, old=kind == "old")
    except OSError as error:
        raise ContractBroken(
            f"The file cannot be read ({error.strerror or error}).",
            "check its rights and the drive, then run again.",
            place=file.name,
        ) from None


def _page(
    rows: tuple[pa.Table, list[str | None]],
    part: str,
    marks: Mapping[str, Any],
    *,
    complete: bool = False,
    warnings: tuple[str, ...] = (),
) -> Page:
    table, keys = rows
    bookmark = {"files": dict(marks)}
    return Page(table, keys, bookmark, part=part, complete=complete, warnings=warnings)


def cut(page: Page, rows: int) -> Page:
    """Return the first `rows` rows of a page, which then is not complete."""
    records = page.records[:rows] if not isinstance(page.records, pa.Table) else page.records.slice(
        0, rows
    )  # fmt: skip
    return Page(records, page.keys[:rows], page.bookmark, part=page.part, warnings=page.warnings)
