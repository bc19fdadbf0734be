"""The first records of a stream, and samples of their values for a proposed mapping."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.base import ReadRequest

if TYPE_CHECKING:
    from pipelines.connection import Connection
    from warehouse.preview import Records

SAMPLES = 10


def first_records(found: Connection, stream: str, most: int) -> Records:
    """Return up to `most` records of a stream, as the source gives them; nothing is landed."""
    taken: list[Any] = []
    with ExitStack() as stack:
        connector = stack.enter_context(closing(found.connector()))
        rows = stack.enter_context(found.wanted(connector.streams()[stream]))
        pages = connector.read(ReadRequest(stream, mode="full", limit=most, wanted=rows))
        if isinstance(pages, Generator):  # one that is left in its midst still holds its session
            stack.enter_context(closing(pages))
        for page in pages:
            if page.kind != "records" or len(page.records) == 0:
                continue
            if not isinstance(page.records, Sequence):
                return page.records.slice(0, most)  # one table is enough: the first file's rows
            taken.extend(page.records)
            if len(taken) >= most:
                break
    return taken[:most]


def samples(records: Records) -> dict[str, list[str]]:
    """Return texts by path, as a mapping spells paths: `customer.name`, `line_items[0].sku`."""
    found: dict[str, list[str]] = {}
    if not isinstance(records, Sequence):
        for name in records.column_names:
            if not name.startswith("_"):
                values = records.column(name).to_pylist()
                found[name] = [str(v) for v in values if v is not None][:SAMPLES]
        return found
    for record in records:
        for path, value in _paths(msgspec.json.decode(record), ""):
            texts = found.setdefault(path, [])
            if value is not None and len(texts) < SAMPLES:
                texts.append(value)
    return found


def _paths(value: Any, path: str) -> Iterator[tuple[str, str | None]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        if value and isinstance(value[0], dict):
            yield from _paths(value[0], f"{path}[0]")
        else:
            yield path, msgspec.json.encode(value).decode()
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    else:
        yield path, None if value is None else str(value)
