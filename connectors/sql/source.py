"""Looks at the database's own description of a table or query: columns, types, what was meant."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError, SAWarning

from connectors.errors import ConfigError
from connectors.sql.statements import Column, Source, query_clause, table_clause
from connectors.sql.streams import StreamSettings
from connectors.sql.types import Shape, shape_of, shape_said

AS_KEY = ("int", "text", "any", "date")


def find_source(
    connection: sa.Connection, spec: StreamSettings, database: str, schema: str | None
) -> Source:
    """Return what a stream reads; raises ConfigError with the names that may be meant."""
    schema = spec.schema_ or schema
    if spec.query is not None:
        known = _of_query(connection, query_clause(spec.query), database)
        clause = query_clause(spec.query, known)
    else:
        assert spec.table is not None  # noqa: S101
        known = _of_table(connection, spec.table, schema, database)
        clause = table_clause(spec.table, schema, known)
    for name in (*spec.needed, *spec.skip):
        if name not in known:
            raise ConfigError(
                f"There is no column {name}{meant(name, known)}",
                "write the name as the database has it; "
                f"the columns are: {', '.join(list(known)[:40])}.",
            )
    chosen = {*spec.columns, *spec.needed} if spec.columns else set(known) - set(spec.skip)
    chosen |= set(spec.needed)
    changes = spec.changes
    rowversion = changes.rowversion if changes is not None else None
    columns = tuple(
        _column(name, shape, spec, is_rowversion=name == rowversion and database == "mssql")
        for name, shape in known.items()
        if name in chosen
    )
    moving: tuple[str, ...] = ()
    if changes is not None:
        moving = changes.since or tuple(n for n in (changes.number, rowversion) if n)
        if len({shape.name for name, shape in known.items() if name in moving}) > 1:
            raise ConfigError(
                f"The columns {', '.join(moving)} are of different types.",
                "name stamps of one type under `since:`, or bring them to one in a `query:`.",
            )
    return Source(database, clause, columns, spec.key, moving)


def _column(name: str, shape: Shape, spec: StreamSettings, *, is_rowversion: bool) -> Column:
    if is_rowversion:
        return Column(name, Shape("int"), is_rowversion=True)
    if name in spec.key and not (
        shape.name in AS_KEY or (shape.name == "decimal" and shape.scale == 0)
    ):
        shape = Shape("any")  # as text, so that here and in the store the key reads the same
    return Column(name, shape, spec.decode.get(name, ""))


def _of_table(
    connection: sa.Connection, table: str, schema: str | None, database: str
) -> dict[str, Shape]:
    look = sa.inspect(connection)
    try:
        with quiet():
            found = look.get_columns(table, schema)
    except NoSuchTableError:
        found = []
    if not found:
        names = tables(connection, schema)
        inside = f" in the schema {schema}" if schema else ""
        raise ConfigError(
            f"There is no table {table}{inside} that the account sees{meant(table, names)}",
            "write its name as the database has it, with `schema:` where it is another's; "
            "or grant SELECT on it.",
        )
    return {str(each["name"]): shape_of(each["type"], database) for each in found}


def _of_query(connection: sa.Connection, clause: sa.FromClause, database: str) -> dict[str, Shape]:
    nothing: sa.Select[Any] = (
        sa.select(sa.literal_column("*")).select_from(clause).where(sa.literal(1) == 0)
    )
    with connection.execute(nothing) as result:
        names = list(result.keys())
        said = result.cursor.description if result.cursor is not None else ()
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ConfigError(
                f"The query has two columns named {twice}.", "give one another name with AS."
            )
        return {n: shape_said(each, database) for n, each in zip(names, said, strict=True)}


def tables(connection: sa.Connection, schema: str | None) -> list[str]:
    """Return the names of all tables and views that the account sees in a schema."""
    look = sa.inspect(connection)
    with quiet():
        return [*look.get_table_names(schema), *look.get_view_names(schema)]


def unique_keys(connection: sa.Connection, table: str, schema: str | None) -> list[list[str]]:
    """Return the primary key and the unique keys of a table, each as its columns."""
    look = sa.inspect(connection)
    found: list[list[str]] = []
    with quiet():
        try:
            found.append(list(look.get_pk_constraint(table, schema)["constrained_columns"]))
            found += [list(u["column_names"]) for u in look.get_unique_constraints(table, schema)]
        except (NoSuchTableError, NotImplementedError):  # a view
            pass
        found += [i for i, unique in indexes(connection, table, schema) if unique]
    return [columns for columns in found if columns]


def indexes(
    connection: sa.Connection, table: str, schema: str | None
) -> Iterable[tuple[list[str], bool]]:
    """Return the columns of each index of a table, and whether it is unique."""
    try:
        with quiet():
            found: list[Any] = list(sa.inspect(connection).get_indexes(table, schema))
    except (NoSuchTableError, NotImplementedError):
        return []
    return [([n for n in i["column_names"] if n], bool(i["unique"])) for i in found]


def meant(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence: the name that may be meant, or a full stop."""
    names = list(known)
    folded = {each.casefold(): each for each in names}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f". Did you mean {folded[close[0]]}?" if close else "."


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back SQLAlchemy's warnings of types that it does not know: they land as text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        yield
