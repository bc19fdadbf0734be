"""Writes an answer to a file: CSV, JSON, Parquet, Excel. Text never becomes a formula.

A cell that begins with one of `= + - @`, also in their full-width forms and behind blanks or
quotes, or with a tab, line break or zero, may be run as a formula by spreadsheet programs (OWASP,
CSV injection; ASVS 1.2.10): such a text gets one apostrophe before it in CSV, a text that has one
already another; in Excel it is written as a string cell, which is never run.
"""

from __future__ import annotations

import csv
import itertools
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from warehouse.errors import WarehouseError
from warehouse.reader import Result

_FORMULA = tuple("=+-@＝＋－＠﹦﹢﹣﹫")
_STARTS = tuple("\t\r\n\v\f\0\ufffd")
_BEFORE = (  # what programs skip before they look: blanks, quotes, signs without width
    " \t\r\n\v\f\0\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u202f\u205f"
    "\u2060\u2066\u2067\u2068\u2069\u3000\ufeff'\"`"
)
SHEET_ROWS = 1_048_576
"""Rows of an Excel sheet, its header among them."""
_CELL_TEXT = 32_767
_CHUNK = 10_000


class ExportError(WarehouseError):
    """The answer does not fit the file's form."""


def write_csv(result: Result, file: Path) -> int:
    """Write UTF-8 with a byte order mark, as Excel needs it for Chinese; returns the rows."""

    def write(target: Path) -> int:
        with target.open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.writer(out)
            writer.writerow([_safe(c) for c in result.columns])
            count = 0
            for row in result.rows:
                writer.writerow([_csv_cell(v) for v in row])
                count += 1
            return count

    return whole(file, write)


def write_json(result: Result, file: Path) -> int:
    """Write a list of objects; decimals stay exact as text, instants are ISO-8601 in UTC."""

    def write(target: Path) -> int:
        count = 0
        with target.open("w", encoding="utf-8") as out:
            out.write("[")
            for row in result.rows:
                out.write(",\n " if count else "\n ")
                said = dict(zip(result.columns, row, strict=True))
                out.write(json.dumps(said, ensure_ascii=False, default=_plain))
                count += 1
            out.write("\n]\n" if count else "]\n")
        return count

    return whole(file, write)


def write_parquet(result: Result, file: Path) -> int:
    """Write typed columns: decimals, instants and dates keep their types; returns the rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = [_arrow_type(pa, t) for t in result.types]
    schema = pa.schema(list(zip(_unique(result.columns), kinds, strict=True)))

    def write(target: Path) -> int:
        count = 0
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            while chunk := list(itertools.islice(result.rows, _CHUNK)):
                columns = list(zip(*chunk, strict=True))
                arrays = [
                    pa.array([_arrow_value(v, k, pa) for v in values], type=k)
                    for values, k in zip(columns, kinds, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
                count += len(chunk)
        return count

    return whole(file, write)


def write_xlsx(result: Result, file: Path, *, about: Sequence[Sequence[str]] = ()) -> int:
    """Write one sheet; numbers of more than 15 digits stay text, as Excel would round them.

    The rows of text `about` stand on a second sheet of that name. Raises ExportError for more rows
    than a sheet holds.
    """
    import xlsxwriter

    def write(target: Path) -> int:
        options = {
            "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
            "strings_to_numbers": False, "nan_inf_to_errors": True,
            "default_date_format": "yyyy-mm-dd hh:mm:ss",
        }  # fmt: skip
        with xlsxwriter.Workbook(str(target), options) as book:
            sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
            for place, name in enumerate(result.columns):
                sheet.write_string(0, place, name[:_CELL_TEXT])
            sheet.freeze_panes(1, 0)
            if about:
                sheet.set_column(0, max(len(result.columns) - 1, 0), 18)
            count = 0
            for count, row in enumerate(result.rows, 1):
                if count >= SHEET_ROWS:
                    raise ExportError(
                        f"An Excel sheet holds {SHEET_ROWS:,} rows; the answer has more.",
                        "write CSV or Parquet, or ask for fewer rows.",
                    )
                for place, value in enumerate(row):
                    _excel_cell(sheet, day, count, place, value)
            if about:
                _about(book, about)
        return count

    return whole(file, write)


def _about(book: Any, rows: Sequence[Sequence[str]]) -> None:
    sheet = book.add_worksheet("About")
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 2, 60)
    for line, texts in enumerate(rows):
        for place, text in enumerate(texts):
            sheet.write_string(line, place, text[:_CELL_TEXT])


def whole(file: Path, write: Callable[[Path], int]) -> int:
    """Write under another name first, so that a file of that name is always whole."""
    new = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        new.touch()
        count = write(new)
        new.replace(file)
    except OSError as error:
        raise ExportError(
            f"The file cannot be written ({error.strerror or error}).",
            "name a folder that exists and may be written.",
            place=str(file),
        ) from error
    finally:
        new.unlink(missing_ok=True)
    return count


def _safe(text: str) -> str:
    risky = text.lstrip("'").startswith(_STARTS) or text.lstrip(_BEFORE).startswith(_FORMULA)
    # Programs end a cell at a zero; our own importer takes it for a sign of another encoding.
    return (f"'{text}" if risky else text).replace("\0", "\ufffd")


def _csv_cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str):
        return _safe(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else value
    said = _plain(value)
    return _safe(
        said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, default=_plain)
    )


def _excel_cell(sheet: Any, day: Any, row: int, place: int, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, int | float | Decimal) and len(_digits(value)) <= 15:
        sheet.write_number(row, place, value)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, place, value.replace(tzinfo=None))
    elif isinstance(value, date):
        sheet.write_datetime(row, place, value, day)
    else:
        said = value if isinstance(value, str) else _csv_cell(value)
        sheet.write_string(row, place, str(said)[:_CELL_TEXT])


def _digits(value: float | Decimal) -> str:
    if isinstance(value, float):
        return ""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0")
    return text.strip("-").replace(".", "").lstrip("0")


def _plain(value: Any) -> Any:
    """Return `value` as JSON writes it: text for what JSON has no form for."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, timedelta | uuid.UUID):
        return str(value)
    if isinstance(value, list | tuple | set):
        return list(value)
    return value if isinstance(value, dict) else str(value)


def _unique(names: list[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for name in names:
        count = seen[name] = seen.get(name, 0) + 1
        yield name if count == 1 else f"{name}_{count}"


def _arrow_type(pa: Any, said: str) -> Any:
    """Return the Arrow type of a DuckDB type; what has none of its own becomes text."""
    upper = said.upper()
    if upper.startswith("DECIMAL("):
        width, scale = upper.removeprefix("DECIMAL(").removesuffix(")").split(",")
        return pa.decimal128(int(width), int(scale))
    known = {
        "BOOLEAN": pa.bool_(), "TINYINT": pa.int8(), "SMALLINT": pa.int16(),
        "INTEGER": pa.int32(), "BIGINT": pa.int64(), "UTINYINT": pa.uint8(),
        "USMALLINT": pa.uint16(), "UINTEGER": pa.uint32(), "UBIGINT": pa.uint64(),
        "HUGEINT": pa.decimal256(39, 0), "FLOAT": pa.float32(), "DOUBLE": pa.float64(),
        "DATE": pa.date32(), "TIME": pa.time64("us"), "TIMESTAMP": pa.timestamp("us"),
        "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"), "BLOB": pa.binary(),
    }  # fmt: skip
    return known.get(upper, pa.string())


def _arrow_value(value: Any, kind: Any, pa: Any) -> Any:
    if value is None:
        return None
    if kind == pa.string() and not isinstance(value, str):
        said = _plain(value)
        return (
            said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, default=_plain)
        )
    if pa.types.is_decimal256(kind):
        return Decimal(value)
    return value
