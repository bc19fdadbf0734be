"""The statements, as SQLAlchemy Core expressions: columns, bounds, keyset, counts.

One form serves every database: (stamp, key) > (s, k) is written out as ORs, because SQL Server and
Oracle know no comparison of rows; names are quoted by the dialect, values are always parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause, Select

from connectors.sql.types import Shape

Element = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read. `encoding` is set where its bytes are decoded by us."""

    name: str
    shape: Shape
    encoding: str = ""
    is_rowversion: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A table or query: what is selected from, its columns, its key, and what moves.

    `moving` are the columns of the stamp (several: the first that is not null), or the one of the
    growing number; () for a snapshot.
    """

    database: str
    clause: FromClause
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    moving: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """Return the column called `name`."""
        return next(column for column in self.columns if column.name == name)

    def value(self, name: str) -> Element:
        """Return a column as it is compared and ordered."""
        column = self.column(name)
        # Named with its table: a bare name in ORDER BY would mean what is selected under it.
        bare: Element = self.clause.c[name]
        if column.is_rowversion and self.database == "mssql":
            return sa.func.convert(sa.literal_column("bigint"), bare)
        if column.shape.name == "instant" and self.database == "oracle":
            return sa.func.sys_extract_utc(bare)
        return bare

    @property
    def move(self) -> Element:
        """The stamp or number by which changes are found."""
        found = [self.value(name) for name in self.moving]
        return found[0] if len(found) == 1 else sa.func.coalesce(*found)

    def order(self, *, by_move: bool) -> list[Element]:
        """Return what rows are ordered by: key, or stamp and key."""
        keys = [self.value(name) for name in self.key]
        return [self.move, *keys] if by_move else keys


def table_clause(name: str, schema: str | None, columns: Iterable[str] = ()) -> FromClause:
    """Return a table by its name and the names of its columns."""
    return sa.table(name, *map(sa.column, columns), schema=schema).alias("t")


def query_clause(text: str, columns: Iterable[str] = ()) -> FromClause:
    """Return a user's query as a subquery; `:` and what follows is its own, no parameter."""
    # The line break ends a comment that the query may end with.
    escaped = re.sub(":", r"\\:", f"{text}\n")
    return sa.text(escaped).columns(*map(sa.column, columns)).subquery("q")


def selected(source: Source, column: Column) -> Element:
    """Return a column as it is selected: in a form that lands exactly."""
    bare = source.value(column.name)
    if column.encoding:
        chosen = _as_bytes(bare, column, source.database)
    elif source.database == "postgresql":
        chosen = _postgres(bare, column.shape)
    else:
        chosen = bare
    return chosen.label(column.name)


def _postgres(bare: Element, shape: Shape) -> Element:
    """Return what COPY writes exactly: types that Arrow does not have as text."""
    if shape.name == "bytes":
        return sa.func.encode(bare, sa.literal_column("'hex'"))
    if shape.name == "any" or (shape.name == "text" and not shape.fixed):
        return sa.cast(bare, sa.Text)
    return bare


def _as_bytes(bare: Element, column: Column, database: str) -> Element:
    """Return the bytes of a text whose encoding the database labels wrongly."""
    if column.shape.name == "bytes":
        return (
            sa.func.encode(bare, sa.literal_column("'hex'")) if database == "postgresql" else bare
        )
    if database == "postgresql":
        raw = sa.func.convert_to(bare, sa.literal_column("'SQL_ASCII'"))
        return sa.func.encode(raw, sa.literal_column("'hex'"))
    if database == "oracle":
        return sa.func.utl_raw.cast_to_raw(bare)
    if database == "mssql":
        return sa.cast(bare, sa.VARBINARY(8000))
    return sa.cast(bare, sa.LargeBinary)


def rows(
    source: Source,
    *,
    by_move: bool = False,
    low: Any = None,
    high: Any = None,
    beyond: Any = None,
    after: Sequence[Any] = (),
    limit: int | None = None,
) -> Select[Any]:
    """Return the select of rows in a stable order.

    `low` and `high` bound the stamp, both inclusive; rows whose stamp lies above `beyond` (the
    future) come too, so that none is out of reach for ever. `after` is where an interrupted read
    goes on: the values of the order's elements in the last row that came.
    """
    statement = sa.select(*(selected(source, column) for column in source.columns))
    return _bounded(statement, source, by_move, low, high, beyond, after, limit)


def keys(source: Source) -> Select[Any]:
    """Return the select of all keys, for a sweep."""
    named = [selected(source, source.column(name)) for name in source.key]
    return sa.select(*named).select_from(source.clause).order_by(*source.order(by_move=False))


def _bounded(
    statement: Select[Any],
    source: Source,
    by_move: bool,
    low: Any,
    high: Any,
    beyond: Any,
    after: Sequence[Any],
    limit: int | None,
) -> Select[Any]:
    statement = statement.select_from(source.clause)
    if low is not None:
        statement = statement.where(source.move >= low)
    if high is not None:
        upper = source.move <= high
        statement = statement.where(upper if beyond is None else upper | (source.move > beyond))
    order = source.order(by_move=by_move)
    if after:
        statement = statement.where(order[0] >= after[0])
        statement = statement.where(later(order, after))
    statement = statement.order_by(*order)
    return statement if limit is None else statement.limit(limit)


def later(order: Sequence[Element], after: Sequence[Any]) -> Element:
    """Return (a, b, …) > (x, y, …) written out: a > x or (a = x and (b > y or …))."""
    (first, *rest), (value, *values) = order, after
    above: Element = first > value
    return above | ((first == value) & later(rest, values)) if rest else above


def count(source: Source) -> Select[Any]:
    """Return the select of how many rows there are."""
    return sa.select(sa.func.count()).select_from(source.clause)


def greatest(source: Source) -> Select[Any]:
    """Return the select of the greatest stamp or number.

    PostgreSQL's stamps come as text: infinity, which may be the greatest, is no Python datetime.
    """
    top: Element = sa.func.max(source.move)
    shapes = {source.column(name).shape.name for name in source.moving}
    if source.database == "postgresql" and shapes & {"naive", "instant", "date"}:
        top = sa.cast(top, sa.Text)
    return sa.select(top).select_from(source.clause)


def active_rowversion() -> Select[Any]:
    """Return the select of SQL Server's last rowversion below which nothing is uncommitted."""
    lowest = sa.func.convert(sa.literal_column("bigint"), sa.func.min_active_rowversion())
    return sa.select(lowest - 1)


def repeated(source: Source) -> Select[Any]:
    """Return the select of one key that several rows carry, or nothing."""
    named = [source.value(name) for name in source.key]
    some = sa.select(*named).select_from(source.clause).group_by(*named)
    return some.having(sa.func.count() > 1).limit(1)


CLOCKS = {
    "postgresql": "clock_timestamp()",
    "mysql": "utc_timestamp(6)",
    "mssql": "sysutcdatetime()",
    "oracle": "sys_extract_utc(systimestamp)",
}
"""What each database says that the time is, in UTC or with its zone."""


def clock(database: str) -> Select[Any] | None:
    """Return the select of the database's clock; None where it is this machine's."""
    spelled = CLOCKS.get(database)
    return None if spelled is None else sa.select(sa.literal_column(spelled))
