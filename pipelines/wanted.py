"""Runs the query of a stream that needs to be told what to ask for, on the published store.

The reader is the locked one of `isthmus query`: it reads the published file and nothing else. The
rows are taken at once, because a read under a rate may last for hours and the file is renewed
meanwhile; above 8 MB they stand in a temporary file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from connectors.errors import ConfigError

if TYPE_CHECKING:
    from connectors.base import Stream
    from pipelines.connection import StreamSpec
    from warehouse.reader import Result

MOST_ROWS = 1_000_000
_IN_MEMORY = 8_000_000


@contextmanager
def wanted(
    published: Path, stream: Stream, spec: StreamSpec
) -> Iterator[Iterator[Mapping[str, str | None]]]:
    """Give the rows that `stream` declares to want; none where nothing is published yet.

    Raises ConfigError where there is no query, it does not run, or a column is missing.
    """
    if not stream.wants:
        yield iter(())
        return
    sql = spec.wants or stream.query
    if not sql:
        columns = ", ".join(stream.wants)
        raise ConfigError(
            f"the stream {stream.name} needs to be told what to ask for.",
            f'write streams: {{{stream.name}: {{wants: "select {columns} from …"}}}}.',
        )
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as kept:
        if published.exists():
            _fill(kept, published, sql, stream)
        kept.seek(0)
        yield (msgspec.json.decode(line, type=dict[str, str | None]) for line in kept)


def _fill(kept: IO[bytes], published: Path, sql: str, stream: Stream) -> None:
    from warehouse.reader import QueryError, run_query

    try:
        with closing(run_query(published, sql, limit=MOST_ROWS + 1)) as result:
            count = _write(kept, result, stream)
    except QueryError as error:
        raise ConfigError(
            f"the query of {stream.name} does not run: {error.what}", error.do, place="wants"
        ) from None
    if count > MOST_ROWS:
        raise ConfigError(
            f"the query of {stream.name} gives more than {MOST_ROWS:,} rows.",
            "ask for those that are still under way.", place="wants",
        )  # fmt: skip


def _write(kept: IO[bytes], result: Result, stream: Stream) -> int:
    missing = [name for name in stream.wants if name not in result.columns]
    if missing:
        raise ConfigError(
            f"the query of {stream.name} has no column {missing[0]}; it has "
            f"{', '.join(result.columns)}.",
            f"give it the columns {', '.join(stream.wants)}.", place="wants",
        )  # fmt: skip
    places = [result.columns.index(name) for name in stream.wants]
    encode, count = msgspec.json.Encoder().encode, 0
    for row in result.rows:
        values = {name: _text(row[at]) for name, at in zip(stream.wants, places, strict=True)}
        kept.write(encode(values) + b"\n")
        count += 1
    return count


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
