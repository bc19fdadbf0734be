"""The form of the published file: its tables, the views of `unified` and the marts.

The views `unified.<table>_from` and the macros of `unified_as_of` hold what the company's file says
of survivorship. A macro finds its tables by the catalog that the client uses: of an attached file
it answers after `use`.

Tables of golden rows stand in `main`, views of `unified` show them. The file is published as
`unified.duckdb`, and a client that opens it so has a catalog of that name: DuckDB then refuses
`unified.orders` as ambiguous, also inside views. `orders` and `main.orders` work under any name.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeAlias

import duckdb

from warehouse import as_of, ddl, kept, marts, ops_tables, recon_tables, upgrades, winners
from warehouse.ddl import Table, columns_of, literal, quote
from warehouse.mask import public_table
from warehouse.model import ENTITIES
from warehouse.store import attach
from warehouse.survive import Priority
from warehouse.temptables import fill

_AT_ONCE = 100
HISTORY_OF = ("order", "stock_level", "party")


def golden_tables() -> Iterator[Table]:
    """Return the tables behind `unified`, as published (in schema main)."""
    for entity in ENTITIES:
        yield replace(public_table(ddl.unified_table(entity)), schema="main")
    for table in ops_tables.LINKS:
        yield replace(table, schema="main")


def source_tables() -> Iterator[Table]:
    """Return the source tables as published."""
    for entity in ENTITIES:
        yield public_table(ddl.source_table(entity))


def history_tables() -> Iterator[Table]:
    """Return the history tables that are published."""
    for entity in ddl.families(*HISTORY_OF):
        yield public_table(ddl.history_table(entity))
    yield public_table(ops_tables.XREF_HISTORY)


def unified_views() -> Iterator[Table]:
    """Return the tables of `unified` as analysts see them."""
    for table in golden_tables():
        yield replace(table, schema="unified")


def all_tables() -> Iterator[Table]:
    """Return every table of the published file (views left out)."""
    yield from golden_tables()
    yield from source_tables()
    yield from history_tables()
    yield from ops_tables.PUBLIC_OPS
    yield from recon_tables.STORED


_Frozen: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]


def form(priority: Priority) -> str:
    """Return a hash over all that the empty published file of a company is made of."""
    return _form(_frozen(priority))


def empty_file(priority: Priority) -> bytes:
    """Return an empty published file: thousands of comments are written once a process."""
    return _empty_file(_frozen(priority))


def _frozen(priority: Priority) -> _Frozen:
    return tuple((name, tuple(said)) for name, said in sorted(priority.items()))


@cache
def _form(priority: _Frozen) -> str:
    text = "\n".join([*_tables_and_views(), *_of_company(dict(priority)), *marts.texts()])
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _empty_file(priority: _Frozen) -> bytes:
    with tempfile.TemporaryDirectory(prefix="isthmus-") as folder:
        path = Path(folder) / "empty.duckdb"
        with duckdb.connect() as con:
            attach(con, path, "fresh")
        with duckdb.connect(str(path)) as con:
            _run(con, (*_tables_and_views(), *_of_company(dict(priority)), *_marts()))
            told = tuple(marts.described(con))
            _run(con, [c for mart in told for c in _mart_comments(mart)])
            _fill_dictionary(con, (*told, *marts.answers(con)))
            con.execute("CHECKPOINT")
        return path.read_bytes()


def _run(con: duckdb.DuckDBPyConnection, statements: Sequence[str]) -> None:
    """Run the statements in several transactions.

    Each comment copies what it is about, and DuckDB keeps all copies until the end of the
    transaction: 150 MB in one.
    """
    for start in range(0, len(statements), _AT_ONCE):
        with upgrades.transaction(con):
            con.execute(";\n".join(statements[start : start + _AT_ONCE]))


def _tables_and_views() -> Iterator[str]:
    for schema in ddl.SCHEMAS:
        yield f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}"
    for table in all_tables():
        yield ddl.create(table)
        yield from ddl.comments(table)
    for view in unified_views():
        behind = f"main.{quote(view.name)}"
        yield from _view(view, f"SELECT {columns_of(view.names)} FROM {behind}")


def _of_company(priority: Priority) -> Iterator[str]:
    """Yield the statements that follow from what the company's file says of survivorship."""
    for view in winners.tables():
        yield from _view(view, winners.select(str(view.entity), priority))
    yield from as_of.statements(priority)


def _view(view: Table, select: str) -> Iterator[str]:
    yield f"CREATE VIEW {view.full} AS {select}"
    yield f"COMMENT ON VIEW {view.full} IS {literal(f'{view.en} · {view.zh}')}"
    for field in view.fields:
        yield ddl.comment(view.full, field)


def mart_tables() -> tuple[Table, ...]:
    """Return the marts as analysts see them, with their types: from an empty published file."""
    with duckdb.connect() as con:
        con.execute(";\n".join([*_tables_and_views(), *_of_company({}), *_marts()]))
        return (*marts.described(con), *marts.answers(con))


def _marts() -> Iterator[str]:
    for mart in marts.in_order():
        if mart.name in kept.NAMES:
            yield f"CREATE TABLE mart.{quote(mart.name)} AS {mart.sql} LIMIT 0"
        else:
            yield f"CREATE VIEW mart.{quote(mart.name)} AS {mart.sql}"
    for macro in marts.macros():
        full = f"mart.{quote(macro.name)}"
        yield f"CREATE MACRO {full}({macro.takes}) AS TABLE {macro.sql}"
        yield f"COMMENT ON MACRO TABLE {full} IS {literal(f'{macro.en} · {macro.zh}')}"


def _mart_comments(mart: Table) -> Iterator[str]:
    said = f"{mart.en} · {mart.zh}" if mart.zh else mart.en
    kind = "TABLE" if mart.name in kept.NAMES else "VIEW"
    yield f"COMMENT ON {kind} {mart.full} IS {literal(said)}"
    for field in mart.fields:
        if field.en:
            yield ddl.comment(mart.full, field)


def _fill_dictionary(con: duckdb.DuckDBPyConnection, told: tuple[Table, ...]) -> None:
    rows: list[tuple[str | None, ...]] = [
        (schema, None, None, None, en, zh, None, None) for schema, (en, zh) in ddl.SCHEMAS.items()
    ]
    views = (*told, *unified_views(), *winners.tables(), *as_of.tables())
    for table in (*views, *source_tables(), *history_tables(), *ops_tables.PUBLIC_OPS,
                  *recon_tables.STORED):  # fmt: skip
        rows.append((table.schema, table.name, None, None, table.en, table.zh, None, None))
        rows += [
            (table.schema, table.name, f.name, f.sql_type, f.en, f.zh, f.about,
             f.model.privacy if f.model else None)
            for f in table.fields
        ]  # fmt: skip
    kinds = {field.name: field.sql_type for field in ops_tables.DICTIONARY.fields}
    fill(con, "told", kinds, rows)
    con.execute("INSERT INTO ops.dictionary SELECT * FROM temp.told; DROP TABLE temp.told")
