"""Runs other people's SQL on a published file: reading only, nothing outside the file, bounded.

Imports no model: a reading command must answer in under a second.
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import duckdb

from warehouse import trouble
from warehouse.errors import StoreError, WarehouseError

# Not `unified`: DuckDB would find `unified.orders` ambiguous between catalog and schema.
CATALOG = "isthmus"
MEMORY = "1GB"
THREADS = 2
TIMEOUT = 300.0
_PAGE = 1000

# Table functions that read the file or make rows; those that touch files, pointers, logs or run
# text as SQL are left out (`enable_logging` writes a file in spite of a locked configuration).
_TABLE_FUNCTIONS = frozenset({
    "range", "generate_series", "unnest", "json_each", "json_tree", "repeat", "repeat_row",
    "summary", "duckdb_columns", "duckdb_constraints", "duckdb_functions", "duckdb_keywords",
    "duckdb_schemas", "duckdb_tables", "duckdb_types", "duckdb_views", "icu_calendar_names",
    "pg_timezone_names", "pragma_collations", "pragma_database_size", "pragma_show",
    "pragma_table_info", "pragma_version",
})  # fmt: skip
AS_OF = frozenset({"orders", "order_lines", "stock_levels", "parties", "xref"})
"""Macros of the published file in the schema `unified_as_of`."""
MART = frozenset({"kpi_before_after"})
"""Macros of the published file in the schema `mart`."""
_SCALAR_REFUSED = frozenset({
    "write_log", "sleep_ms", "getenv", "getvariable", "current_setting", "setval", "nextval",
    "json_execute_serialized_sql", "stats",
})  # fmt: skip


# Views of DuckDB's own that tell of this file's form. Others tell where it lies and how the process
# is set (`duckdb_databases`, `pg_settings`); a name of that kind that is not here is refused.
_OWN_VIEWS = frozenset({
    "duckdb_columns", "duckdb_constraints", "duckdb_indexes", "duckdb_schemas", "duckdb_tables",
    "duckdb_types", "duckdb_views", "pg_attribute", "pg_class", "pg_constraint", "pg_description",
    "pg_enum", "pg_index", "pg_indexes", "pg_namespace", "pg_tables", "pg_type", "pg_views",
})  # fmt: skip
_OWN = ("duckdb_", "pragma_", "pg_")
_LENGTHENS = frozenset({"lpad", "rpad", "repeat"})
LONGEST = 10_000_000
"""Characters of a text that a query may ask for outright: DuckDB's memory limit does not hold one
value, and nothing interrupts it."""


class QueryError(WarehouseError):
    """The SQL is wrong, or its answer needs more than a reader gets."""


class QueryRefused(QueryError):
    """The SQL would do more than read the published file."""


class QueryTimeout(QueryError):
    """The answer took too long."""


class _Closed(Protocol):
    def close(self) -> None: ...


@dataclass(slots=True)
class Result:
    """An answer: `columns` and their DuckDB `types`; `rows` can be gone through once.

    The connection closes when the rows are exhausted, or by `close()`.
    """

    columns: list[str]
    types: list[str]
    rows: Iterator[tuple[Any, ...]]
    _reading: _Closed = field(repr=False)

    def close(self) -> None:
        """Let go of the file before the rows are exhausted."""
        self._reading.close()


def open_reader(
    path: Path, *, memory: str = MEMORY, threads: int = THREADS
) -> duckdb.DuckDBPyConnection:
    """Open the published file at `path` locked: no other file, no extension, no setting.

    Raises StoreError where there is no such file. Times are told in UTC.
    """
    if not path.exists():
        raise StoreError("Nothing is published yet.", "run `isthmus sync` first.", place=path.name)
    con = duckdb.connect(config={"python_enable_replacements": "false"})
    try:
        con.execute(f"ATTACH {_text(str(path))} AS {CATALOG} (READ_ONLY)")
        con.execute(f"USE {CATALOG}")
        for name, value in (
            ("memory_limit", memory),
            ("threads", str(threads)),
            ("temp_directory", str(Path(tempfile.gettempdir()) / "isthmus-reader")),
            ("TimeZone", "UTC"),
            ("enable_progress_bar", "false"),  # after two seconds it writes among the answer's rows
            ("autoinstall_known_extensions", "false"),
            ("autoload_known_extensions", "false"),
            ("allow_community_extensions", "false"),
            ("enable_external_access", "false"),
            ("lock_configuration", "true"),
        ):
            con.execute(f"SET {name} = {_text(value)}")
    except duckdb.Error as error:
        con.close()
        raise _damaged(error, path) from error
    return con


def run_query(
    path: Path, sql: str, *, limit: int | None = None, timeout: float | None = None
) -> Result:
    """Answer one SELECT (also DESCRIBE, SHOW, SUMMARIZE, EXPLAIN) on the file at `path`.

    At most `limit` rows are given. After `timeout` seconds (TIMEOUT), fetching included,
    QueryTimeout is raised; a function that computes on one row for long is not interrupted.
    Raises QueryRefused for anything that does more than read, QueryError for SQL that DuckDB does
    not take.
    """
    con = open_reader(path)
    reading = _Reading(con, path, TIMEOUT if timeout is None else timeout)
    try:
        check(con, sql)
        with reading.guarded():
            cursor = con.execute(sql)
        described = cursor.description or []
    except BaseException:
        reading.close()
        raise
    columns = [str(d[0]) for d in described]
    types = [str(d[1]) for d in described]
    return Result(columns, types, reading.rows(limit), reading)


def check(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise QueryRefused unless `sql` is one statement that only reads."""
    if "\0" in sql:  # DuckDB runs what stands before it
        raise QueryError("The SQL holds a zero character.", "take it out.")
    explained = re.match(r"\s*explain\s+(analyze\s+)?(?=\S)(?!\()", sql, re.IGNORECASE)
    body = sql[explained.end() :] if explained else sql
    row = con.execute("SELECT json_serialize_sql(?::varchar)", [body]).fetchone()
    said = json.loads(row[0]) if row else {}
    if said.get("error"):
        if said.get("error_type") == "parser":
            raise QueryError(
                f"The SQL cannot be read: {said.get('error_message')}.", "mend the spelling."
            )
        raise QueryRefused(
            "Only one SELECT may be run here.",
            "ask with SELECT, FROM, DESCRIBE, SHOW or SUMMARIZE; a PIVOT needs its values: "
            "PIVOT … ON … IN (…).",
        )
    if len(said.get("statements", ())) != 1:
        raise QueryRefused("Only one statement may be run at once.", "run them one by one.")
    for node in _nodes(said):
        view = str(node.get("table_name") or "").lower()
        if view.startswith(_OWN) and view not in _OWN_VIEWS:
            raise QueryRefused(
                f"The view {view} may not be read here.",
                "ask the tables of the published file; `show all tables` lists them.",
            )
        for kind, name in _calls(node):
            table = kind == "TABLE_FUNCTION"
            if name in _SCALAR_REFUSED or (table and name not in _TABLE_FUNCTIONS):
                raise QueryRefused(
                    f"The function {name} may not be used here.",
                    "ask the tables of the published file; `show all tables` lists them.",
                )
            if name in _LENGTHENS and any(n > LONGEST for n in _whole_numbers(node)):
                raise QueryRefused(
                    f"A text of more than {LONGEST} characters may not be made here.",
                    "make it shorter.",
                )


def _whole_numbers(call: Mapping[str, Any]) -> Iterator[int]:
    """Yield the whole numbers among a call's arguments, as DuckDB 1 or 2 writes them."""
    given = call.get("children") or [one["expression"] for one in call.get("arguments", ())]
    for one in given:
        match one:
            case {"value": {"value": int(number)}}:
                yield number
            case {"literal": {"kind": "INTEGER", "text": str(digits)}}:
                yield int(digits)


class _Reading:
    """A connection whose statement is interrupted when its time is over."""

    def __init__(self, con: duckdb.DuckDBPyConnection, path: Path, timeout: float) -> None:
        self.con = con
        self.path = path
        self.timeout = timeout
        self.expired = False
        self.timer = threading.Timer(timeout, self._expire)
        self.timer.daemon = True
        self.timer.start()

    def _expire(self) -> None:
        self.expired = True
        self.con.interrupt()

    def close(self) -> None:
        self.timer.cancel()
        self.con.close()

    def guarded(self) -> _Guard:
        return _Guard(self)

    def rows(self, limit: int | None) -> Iterator[tuple[Any, ...]]:
        left = limit
        with closing(self):
            while left is None or left > 0:
                with self.guarded():
                    page = self.con.fetchmany(_PAGE if left is None else min(_PAGE, left))
                if not page:
                    return
                if left is not None:
                    left -= len(page)
                yield from page


class _Guard:
    """Turns DuckDB's errors into ours."""

    def __init__(self, reading: _Reading) -> None:
        self.reading = reading

    def __enter__(self) -> None:
        if self.reading.expired:
            self._late()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, duckdb.InterruptException) and self.reading.expired:
            self._late()
        if isinstance(error, duckdb.OutOfMemoryException):
            raise QueryError(
                f"The answer needs more memory than a reader gets ({MEMORY}).",
                "ask for fewer rows or columns, or aggregate first.",
            ) from None
        if isinstance(error, duckdb.Error) and trouble.is_damage(error):
            raise _damaged(error, self.reading.path) from None
        if isinstance(error, duckdb.PermissionException):
            raise QueryRefused(
                _first_line(error), "ask the tables of the published file only."
            ) from None
        if isinstance(error, duckdb.Error) and not isinstance(error, duckdb.InterruptException):
            raise QueryError(
                _first_line(error), "mend the SQL; `show all tables` lists what is there."
            ) from None

    def _late(self) -> None:
        raise QueryTimeout(
            f"The answer took longer than {self.reading.timeout:g} s and was stopped.",
            "narrow the question, or open the published file with a client of your own.",
        ) from None


def _nodes(said: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every object of a serialised statement, outer ones first."""
    left = [said]  # no recursion: a query may be nested deeper than Python's stack
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield one
            left += reversed(one.values())
        elif isinstance(one, list):
            left += reversed(one)


def _calls(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (kind, name) of the functions that an object of a serialised statement names."""
    if node.get("type") == "TABLE_FUNCTION" and isinstance(node.get("function"), dict):
        name = str(node["function"].get("function_name", "")).lower()
        schema = str(node["function"].get("schema", "")).lower()
        if name not in {"unified_as_of": AS_OF, "mart": MART}.get(schema, ()):
            yield "TABLE_FUNCTION", name
    if "function_name" in node:
        yield "FUNCTION", str(node["function_name"]).lower()


def _damaged(error: duckdb.Error, path: Path) -> StoreError:
    return StoreError(
        f"The published file cannot be read ({_first_line(error)}).",
        "delete the versions beside it (`unified-2*.duckdb`) and run `isthmus publish`.",
        place=path.name,
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:300] if lines else type(error).__name__
