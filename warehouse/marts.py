"""The SQL models of `mart`: one file a view, in dependency order.

A file begins with what it is: its grain on the first line, then texts and columns in English and
Chinese (`headers.py`). Beside them stand macros that answer with a table; `-- takes:` says what
they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import duckdb

from warehouse import headers
from warehouse.ddl import Field, Table
from warehouse.errors import StoreError

FOLDER = Path(__file__).parent / "sql" / "mart"
MACROS = Path(__file__).parent / "sql" / "macro"
_REMARK = re.compile(r"--[^\n]*")
_TABLE = re.compile(r"\b(main|source|mart|recon|ops|history|unified)\.(\w+)")


@dataclass(frozen=True, slots=True)
class Mart:
    """One model. `needs` are the other marts it reads, `reads` every table with its schema.

    `en` and `zh` say what it is, `columns` what its columns mean, without their types. `takes` are
    the parameters of a macro; `key` are the columns of which no two rows have the same values.
    """

    name: str
    grain: str
    sql: str
    reads: tuple[str, ...]
    needs: tuple[str, ...]
    en: str = ""
    zh: str = ""
    columns: tuple[Field, ...] = ()
    takes: str = ""
    key: tuple[str, ...] = ()


@cache
def in_order(folder: Path = FOLDER) -> tuple[Mart, ...]:
    """Return the marts of `folder`, each behind those it reads.

    Raises StoreError for a file without its grain, or for marts that read each other.
    """
    known = {m.name: m for m in (_read(p) for p in sorted(folder.glob("*.sql")))}
    for mart in known.values():
        unknown = set(mart.needs) - known.keys()
        if unknown or mart.name in mart.needs:
            raise StoreError(
                f"The mart reads {', '.join(sorted(unknown or {mart.name}))}, which is no "
                "other mart.",
                "name a mart that has a file.",
                place=f"{mart.name}.sql",
            )
    needs = {name: set(mart.needs) for name, mart in known.items()}
    return tuple(known[name] for name in ordered(needs, "marts"))


def ordered(needs: Mapping[str, Collection[str]], what: str) -> list[str]:
    """Return the names, each behind those it needs, else by name; raises StoreError for a circle.

    `what` they are is said in the error.
    """
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = ", ".join(sorted(set(error.args[1])))
        raise StoreError(f"The {what} {circle} read each other.", "break the circle.") from None
    found: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        found += ready
        sorter.done(*ready)
    return found


@cache
def macros(folder: Path = MACROS) -> tuple[Mart, ...]:
    """Return the macros of `folder`, each of which may read any mart."""
    return tuple(_read(p) for p in sorted(folder.glob("*.sql")))


def texts(*folders: Path) -> list[str]:
    """Return the files of `folders` (all by default) as they stand, by name."""
    chosen = folders or (FOLDER, MACROS)
    return [f"{p.name}\n{p.read_text('utf-8')}" for f in chosen for p in sorted(f.glob("*.sql"))]


def described(con: duckdb.DuckDBPyConnection, folder: Path = FOLDER) -> Iterator[Table]:
    """Return the marts that stand in `con` as tables: each column's type, labels and meaning."""
    types: dict[str, dict[str, str]] = {}
    for name, column, sql_type in con.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE schema_name = 'mart' AND database_name = current_database() "
        "ORDER BY table_name, column_index"
    ).fetchall():
        types.setdefault(name, {})[column] = sql_type
    for mart in in_order(folder):
        yield _table(mart, types[mart.name])


def answers(con: duckdb.DuckDBPyConnection, folder: Path = MACROS) -> Iterator[Table]:
    """Return the macros that stand in `con` as tables: what each answers."""
    for macro in macros(folder):
        names = [said.partition(":=")[0].strip() for said in macro.takes.split(",")]
        asked = ", ".join("NULL" for name in names)
        rows = con.execute(f"DESCRIBE SELECT * FROM mart.{macro.name}({asked})").fetchall()
        yield _table(macro, {row[0]: row[1] for row in rows})


def _table(mart: Mart, types: Mapping[str, str]) -> Table:
    told = {f.name: f for f in mart.columns}
    fields = (
        replace(told.get(name, Field(name, "", "", "")), sql_type=sql_type)
        for name, sql_type in types.items()
    )
    return Table("mart", mart.name, mart.en or mart.grain, mart.zh, tuple(fields))


def _read(path: Path) -> Mart:
    text = path.read_text("utf-8")
    if not text.startswith("-- grain: "):
        raise StoreError(
            "The first line does not say the grain.",
            "begin the file with `-- grain: one row …`.",
            place=path.name,
        )
    header = headers.read(text, path.name)
    # Not parsed: every publication reads these files, and a parser takes half a second for them.
    sql = _REMARK.sub("", header.sql)
    tables = sorted({f"{schema}.{table}" for schema, table in _TABLE.findall(sql)})
    needs = tuple(t.removeprefix("mart.") for t in tables if t.startswith("mart."))
    said = header.said
    return Mart(
        path.stem, f"grain: {said['grain']}", header.sql, tuple(tables), needs,
        said.get("en", ""), said.get("zh", ""), header.columns, said.get("takes", ""),
        tuple(name.strip() for name in said.get("key", "").split(",") if name.strip()),
    )  # fmt: skip
