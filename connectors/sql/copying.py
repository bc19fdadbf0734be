"""PostgreSQL's COPY as Arrow: the server writes CSV, Arrow reads it, no Python object a cell.

As fast as a driver made for Arrow (docs/decisions/0008) and over the same session: its snapshot,
its rights, its address.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from connectors.sql.cells import Odd, decoded
from connectors.sql.engine import knows_no_encoding, text_of
from connectors.sql.statements import Column

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from connectors.sql.engine import Watch


def statement_text(select: Select[Any], *, standard_strings: bool = True) -> str:
    """Return the statement with its values written out: COPY takes no parameters."""
    from sqlalchemy.dialects.postgresql.base import PGDialect

    # Other styles of parameters double each per cent sign.
    dialect = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]
    dialect._backslash_escapes = not standard_strings
    return str(select.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def copied(
    connection: Connection,
    select: Select[Any],
    columns: Sequence[Column],
    odd: Odd,
    watch: Watch,
    encoding: str,
    *,
    most_rows: int,
    most_bytes: int,
) -> Iterator[pa.Table]:
    """Yield tables of about `most_bytes` of CSV, at most about `most_rows` rows each.

    `encoding` is that of texts which are not UTF-8 in a database that knows no encoding.
    """
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101
    standard = driver.pgconn.parameter_status(b"standard_conforming_strings") != b"off"
    text = statement_text(select, standard_strings=standard)
    is_raw = knows_no_encoding(driver)
    form = "FORMAT csv, ENCODING 'SQL_ASCII'" if is_raw else "FORMAT csv"
    with ExitStack() as stack:
        cursor = stack.enter_context(driver.cursor())
        # A COPY is one statement, however long we take to land its rows: the watch is on each part.
        cursor.execute("SET LOCAL statement_timeout = 0")
        copying = cursor.copy(f"COPY ({text}) TO STDOUT ({form})".encode(driver.info.encoding))
        with watch.limit():  # a lock on the table is waited for here
            stack.enter_context(copying)
        while True:
            part = _block(driver.pgconn, most_rows, most_bytes, encoding if is_raw else None)
            with watch.limit():
                block, rows = driver.wait(part)
            if rows:
                yield decoded(_parsed(bytes(block), columns, odd), columns, odd)
            if rows < most_rows and len(block) < most_bytes:
                return


def _block(
    pgconn: Any, most_rows: int, most_bytes: int, encoding: str | None
) -> Generator[Any, Any, tuple[bytearray, int]]:
    """Return the next rows (the server sends each by itself) and how many they are.

    For `Connection.wait`. psycopg's own `Copy.read` makes generators and a wait for each row, which
    cost more than the row; here the socket is waited for when libpq has no row left.
    """
    from psycopg.waiting import Wait

    block, rows = bytearray(), 0
    while rows < most_rows and len(block) < most_bytes:
        size, row = pgconn.get_copy_data(1)
        if size > 0:
            block += row if encoding is None else text_of(bytes(row), encoding).encode()
            rows += 1
        elif size == 0:
            while not (yield Wait.R):
                pass
            pgconn.consume_input()
        else:
            yield from _end(pgconn)
            break
    return block, rows


def _end(pgconn: Any) -> Generator[Any, Any, None]:
    """Take the server's last word on the COPY; raises its error."""
    from psycopg.errors import error_from_result
    from psycopg.generators import fetch_many
    from psycopg.pq import ExecStatus

    result, *_ = yield from fetch_many(pgconn)
    if result.status != ExecStatus.COMMAND_OK:
        raise error_from_result(result)


def _parsed(block: bytes, columns: Sequence[Column], odd: Odd) -> pa.Table:
    wanted = {c.name: pa.string() if c.encoding else c.shape.arrow() for c in columns}
    try:
        return _read(block, wanted)
    except pa.ArrowInvalid:
        # A value that Arrow's type does not hold: infinity, the year 20000.
        texts = _read(block, dict.fromkeys(wanted, pa.string()))
    arrays = []
    for name, kind in wanted.items():
        cells = texts[name]
        try:
            arrays.append(_bools(cells) if kind == pa.bool_() else pc.cast(cells, kind))
        except pa.ArrowInvalid:
            odd.as_text[name] += 1
            arrays.append(cells)
    return pa.table(arrays, names=list(wanted))


def _bools(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.is_valid(cells), pc.equal(cells, "t"), None)


def _read(block: bytes, wanted: dict[str, pa.DataType]) -> pa.Table:
    return pyarrow.csv.read_csv(
        pa.py_buffer(block),
        read_options=pyarrow.csv.ReadOptions(
            column_names=list(wanted), block_size=max(len(block), 1) + 1
        ),
        parse_options=pyarrow.csv.ParseOptions(
            newlines_in_values=True,
            ignore_empty_lines=False,  # of a single column, an empty line is a null
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=wanted,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,  # "" is an empty text, nothing is null
            true_values=["t"],
            false_values=["f"],
        ),
    )
