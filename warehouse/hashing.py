"""A record's content in 64 bits, to tell whether it equals the last landed one."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

Record: TypeAlias = bytes | bytearray | memoryview

PLACES = ("_file", "_row")
"""Columns that say where a row stands, not what it holds."""
POSITION_KEY = "_key"
"""The column of a stream whose key is the position: there the place is what a row is."""


def of_records(records: Sequence[Record]) -> list[int]:
    """Return a signed 64-bit hash of each record's bytes."""
    one = int.from_bytes
    return [one(blake2b(r, digest_size=8).digest(), "big", signed=True) for r in records]


class RowHasher:
    """Hashes the rows of a read's tables, in one DuckDB: to open one costs as much as a page."""

    def __init__(self) -> None:
        self._con: duckdb.DuckDBPyConnection | None = None

    def of_rows(self, table: pa.Table) -> list[int]:
        """Return a signed 64-bit hash of each row's values; the order of the columns is no matter.

        A row that moved to another line is the same row: PLACES are left out, except where the
        position is the key. The sheet stays in: mappings take warehouses and months from its name.
        """
        import duckdb

        by_position = POSITION_KEY in table.column_names
        names = sorted(n for n in table.column_names if by_position or n not in PLACES)
        if not names:
            return [0] * table.num_rows
        salt = of_records(["\n".join(names).encode()])[0]
        plain = table.select(names).rename_columns([f"c{n}" for n in range(len(names))])
        columns = ", ".join(plain.column_names)
        if self._con is None:
            self._con = duckdb.connect(":memory:", config={"threads": 1})
        self._con.register("page", plain)
        found = self._con.execute(
            f"select (hash({salt}, {columns})::hugeint - 9223372036854775808)::bigint as h"
            " from page"
        ).fetchnumpy()
        self._con.unregister("page")
        hashes: list[int] = found["h"].tolist()
        return hashes

    def close(self) -> None:
        """Give the DuckDB back."""
        if self._con is not None:
            self._con.close()
            self._con = None
