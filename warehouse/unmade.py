"""A mart kept as a table that raises on odd data: it stands as a view until it can be made again.

What is stale is not shown as if it were true, and nothing else waits for it. Whoever asks the view
for what raises gets the error; that it could not be made is a fact of the published file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb

from warehouse import marts
from warehouse.ddl import literal, quote

FACT = "mart_failed:"
"""In ops.meta, before the mart's name; the value is the kind of its error."""


SHORT = "OutOfMemory"


class MartFailed(Exception):
    """A mart's text raised on what the store holds. `why` is the kind of error.

    Its words may hold values of records, and what is told of a mart is published.
    """

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"mart.{name}: {why}")
        self.name, self.why = name, why


def tried(name: str, work: Callable[[], int], *, is_last: bool = False) -> int:
    """Return what `work` returns; raises MartFailed where data made it raise.

    So does too little memory where this `is_last`: there is no more of it.
    """
    try:
        return work()
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        raise MartFailed(name, type(error).__name__.removesuffix("Exception")) from error
    except duckdb.OutOfMemoryException as error:
        if not is_last:
            raise
        raise MartFailed(name, SHORT) from error


def facts(failed: Mapping[str, str]) -> dict[str, str]:
    """Return marts that could not be made as facts of the published file."""
    return {f"{FACT}{name}": why for name, why in failed.items()}


def told(state: Mapping[str, str]) -> dict[str, str]:
    """Return the marts that could not be made, from the facts of a published file."""
    return {n.removeprefix(FACT): why for n, why in state.items() if n.startswith(FACT)}


def short(state: Mapping[str, str]) -> dict[str, str]:
    """Return those of `told` that were short of memory."""
    return {name: why for name, why in told(state).items() if why == SHORT}


def standing_on(name: str) -> list[str]:
    """Return the marts that read `name`, directly or through others."""
    found: list[str] = []
    for mart in marts.in_order():
        if not {name, *found}.isdisjoint(mart.needs):
            found.append(mart.name)
    return found


def as_view(con: duckdb.DuckDBPyConnection, database: str, name: str) -> None:
    """Put a view in the place of the mart's table in the attached file; inside a transaction."""
    _put(con, database, name, "TABLE", "VIEW", "")


def as_table(con: duckdb.DuckDBPyConnection, database: str, name: str) -> None:
    """Put an empty table in the place of the mart's view again."""
    _put(con, database, name, "VIEW", "TABLE", "LIMIT 0")


def _put(
    con: duckdb.DuckDBPyConnection, database: str, name: str, was: str, kind: str, rows: str
) -> None:
    place = f"{quote(database)}.mart.{quote(name)}"
    ((here, there),) = con.execute(
        f"SELECT current_database(), EXISTS (SELECT 1 FROM duckdb_{was.lower()}s() WHERE "
        f"database_name = {literal(database)} AND schema_name = 'mart' "
        f"AND {was.lower()}_name = {literal(name)})"
    ).fetchall()
    if not there:
        return  # it stands so already
    comments = list(_comments(con, database, name, was, kind))
    sql = next(mart.sql for mart in marts.in_order() if mart.name == name)
    con.execute(f"DROP {was} {place}")
    # Its text names tables by their schema alone: whoever opens the file has them in its catalog.
    con.execute(f"USE {quote(database)}")
    try:
        con.execute(f"CREATE {kind} mart.{quote(name)} AS {sql} {rows}")
    finally:
        con.execute(f"USE {quote(here)}")
    for comment in comments:
        con.execute(comment)


def _comments(
    con: duckdb.DuckDBPyConnection, database: str, name: str, was: str, kind: str
) -> list[str]:
    place = f"{quote(database)}.mart.{quote(name)}"
    mine = f"database_name = {literal(database)} AND schema_name = 'mart'"
    (whole,) = con.execute(
        f"SELECT comment FROM duckdb_{was.lower()}s() "
        f"WHERE {mine} AND {was.lower()}_name = {literal(name)}"
    ).fetchall()
    columns = con.execute(
        f"SELECT column_name, comment FROM duckdb_columns() WHERE {mine} "
        f"AND table_name = {literal(name)} AND comment IS NOT NULL"
    ).fetchall()
    said = [f"COMMENT ON {kind} {place} IS {literal(whole[0])}"] if whole[0] else []
    return said + [
        f"COMMENT ON COLUMN {place}.{quote(column)} IS {literal(text)}" for column, text in columns
    ]
