"""Looks for values in the bytes of every file, plain and decompressed.

Decompressed are zstd, gzip, zip and Parquet; the tables of DuckDB and SQLite are asked as well.
"""

from __future__ import annotations

import gzip
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from warehouse.ddl import literal, quote
from warehouse.erase.words import Value, needles

_CHUNK = 1 << 22
_SQLITE = b"SQLite format 3\0"
_DUCKDB = b"DUCK"


@dataclass(slots=True)
class Proof:
    """What was searched, and where a value was found: file -> number of values that stand in it.

    `unread` are files that could not be read; they prove nothing.
    """

    files: int = 0
    bytes: int = 0
    hits: dict[str, int] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found, and everything could be read."""
        return not self.hits and not self.unread


def prove(root: Path, values: Sequence[Value], leave_out: Sequence[Path] = ()) -> Proof:
    """Search every file under `root`, links not followed."""
    proof = Proof()
    words = {v: needles(v) for v in values}
    seen: set[tuple[int, int]] = set()  # one file may have several names
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file() or path in leave_out:
            continue
        proof.files += 1
        name = str(path.relative_to(root))
        try:
            said = path.stat()
            if (said.st_dev, said.st_ino) in seen:
                continue
            seen.add((said.st_dev, said.st_ino))
            proof.bytes += said.st_size
            found = found_in(path, words)
        except FileNotFoundError:
            continue  # a journal that went while we looked
        except (OSError, zstandard.ZstdError, duckdb.Error, sqlite3.Error, pa.ArrowException,
                zipfile.BadZipFile, EOFError, zlib.error):  # fmt: skip
            proof.unread.append(name)
            continue
        if found:
            proof.hits[name] = len(found)
    return proof


def found_in(path: Path, words: Mapping[Value, Sequence[bytes]]) -> set[Value]:
    """Return the values that stand in a file, plain or in what it holds."""
    with path.open("rb") as file:
        found = _search(file, words)
        file.seek(0)
        head = file.read(16)
    if path.suffix == ".zst":
        with (
            path.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as plain,
        ):
            found |= _search(cast("IO[bytes]", plain), words)
    elif path.suffix == ".gz":
        with gzip.open(path) as plain_gz:
            found |= _search(cast("IO[bytes]", plain_gz), words)
    elif head[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                with archive.open(member) as inner:
                    found |= _search(inner, words)
    elif head[:4] == b"PAR1":
        found |= _said_in(_cells(path), words)
    elif head == _SQLITE:
        found |= _said_in(_sqlite_texts(path), words)
    elif head[8:12] == _DUCKDB:
        found |= _in_duckdb(path, words)
    return found


def _search(file: IO[bytes], words: Mapping[Value, Sequence[bytes]]) -> set[Value]:
    found: set[Value] = set()
    longest = max((len(w) for some in words.values() for w in some), default=1)
    rest = b""
    while chunk := file.read(_CHUNK):
        text = rest + chunk
        found |= {v for v, some in words.items() if v not in found and any(w in text for w in some)}
        rest = text[-longest:]
    return found


def _said_in(texts: Iterator[str], words: Mapping[Value, Sequence[bytes]]) -> set[Value]:
    found: set[Value] = set()
    for text in texts:
        plain = text.encode("utf-8", "replace")
        found |= {
            v for v, some in words.items() if v not in found and any(w in plain for w in some)
        }
    return found


def _cells(path: Path) -> Iterator[str]:
    file = pq.ParquetFile(path)
    for batch in file.iter_batches():
        for column in batch.columns:
            yield "\n".join(str(v) for v in column.to_pylist() if v is not None)


def _sqlite_texts(path: Path) -> Iterator[str]:
    """Yield the texts of all tables: a long one stands in pieces in the file's pages."""
    with closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
    ) as db:
        db.text_factory = lambda raw: raw.decode("utf-8", "replace")
        names = [r[0] for r in db.execute("select name from sqlite_master where type = 'table'")]
        for name in names:
            for row in db.execute(f"select * from {quote(name)}"):
                yield "\n".join(
                    v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v)
                    for v in row if v is not None
                )  # fmt: skip


def _in_duckdb(path: Path, words: Mapping[Value, Sequence[bytes]]) -> set[Value]:
    """Ask every text column of every table: texts are compressed in the file."""
    found: set[Value] = set()
    said = {
        v: sorted({w.decode("utf-8") for w in some if _is_text(w)}) for v, some in words.items()
    }
    with closing(duckdb.connect(str(path), read_only=True)) as con:
        columns = con.execute(
            "SELECT c.schema_name, c.table_name, c.column_name FROM duckdb_columns() c "
            "JOIN duckdb_tables() t USING (database_name, schema_name, table_name) "
            "WHERE c.database_name = current_database() AND (c.data_type IN ('VARCHAR', 'JSON') "
            "OR contains(c.data_type, 'VARCHAR'))"
        ).fetchall()
        tables: dict[str, list[str]] = {}
        for schema, table, column in columns:
            tables.setdefault(f"{quote(schema)}.{quote(table)}", []).append(column)
        for full, names in tables.items():
            text = ", ".join(f"{quote(n)}::VARCHAR" for n in names)
            asked = [(v, w) for v, some in said.items() if v not in found for w in some]
            tests = ", ".join(f"bool_or(contains(t, {literal(w)}))" for _, w in asked)
            if not asked:
                break
            row = con.execute(
                f"SELECT {tests} FROM (SELECT concat_ws(chr(10), {text}) AS t FROM {full})"
            ).fetchall()[0]
            found |= {v for (v, _), hit in zip(asked, row, strict=True) if hit}
    return found


def _is_text(word: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        return "\0" not in word.decode("utf-8")
    return False
