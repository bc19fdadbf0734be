"""Brings a store of an older release to this one, keeping its rows.

`sql/upgrades/NNNN_what.sql` (or `.py` with `upgrade(con)`) brings a store to version NNNN; what
the model gained since (tables, columns) needs no file: it is added by generated statements. A step
that fills a column of the model makes it real first (`lazy.make_room`).
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import runpy
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from warehouse import crashpoints, ddl, identity_tables, ops_tables, recon_tables
from warehouse.ddl import Table, quote
from warehouse.errors import StoreError

FOLDER = Path(__file__).parent / "sql" / "upgrades"
FIRST_VERSION = 1


class StoreTooNew(StoreError):
    """The store was written by a newer release."""


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered upgrade."""

    number: int
    path: Path

    def run(self, con: duckdb.DuckDBPyConnection) -> None:
        """Run the upgrade inside the caller's transaction."""
        if self.path.suffix == ".sql":
            con.execute(self.path.read_text("utf-8"))
        else:
            runpy.run_path(str(self.path))["upgrade"](con)


def steps(folder: Path = FOLDER) -> list[Step]:
    """Return the numbered upgrades of `folder` in order; raises StoreError for a number twice."""
    found = sorted(
        (Step(int(p.name[:4]), p) for p in folder.glob("[0-9][0-9][0-9][0-9]_*.*")
         if p.suffix in {".sql", ".py"}),
        key=lambda s: s.number,
    )  # fmt: skip
    for before, after in itertools.pairwise(found):
        if before.number == after.number:
            raise StoreError(
                f"Two upgrades have the number {after.number}.",
                "number the later one anew.",
                place=after.path.name,
            )
    return found


def store_tables() -> Iterator[Table]:
    """Return every table of the private store."""
    yield from ddl.model_tables()
    yield from ops_tables.LINKS
    yield from ops_tables.STORE_OPS
    yield from identity_tables.IDENTITY
    yield from recon_tables.STORED
    yield ops_tables.XREF_HISTORY


@cache
def fingerprint() -> str:
    """Return a hash over all tables and comments that this release wants."""
    text = "\n".join(s for t in store_tables() for s in (ddl.create(t), *ddl.comments(t)))
    return hashlib.sha256(text.encode()).hexdigest()


def create_all(con: duckdb.DuckDBPyConnection) -> None:
    """Make every schema and table in an empty store."""
    statements = [f"CREATE SCHEMA IF NOT EXISTS {quote(s)}" for s in (*ddl.SCHEMAS, ddl.IDENTITY)]
    statements += [ddl.create(t) for t in store_tables()]
    with transaction(con):
        con.execute(";\n".join(statements))


def upgrade(con: duckdb.DuckDBPyConnection, path: Path, folder: Path = FOLDER) -> Sequence[str]:
    """Bring the open store at `path` to this release and return what was done, in words.

    Copies the file beside it first (`store-v1.duckdb`: what it was before) if anything is to be
    done. A step that fails leaves the store at the version before it. Raises StoreTooNew for a
    store that a newer release wrote.
    """
    todo = steps(folder)
    newest = max([FIRST_VERSION, *(s.number for s in todo)])
    said = dict(con.execute("SELECT name, value FROM ops.meta").fetchall())
    version = int(said.get("schema_version", FIRST_VERSION))
    if version > newest:
        raise StoreTooNew(
            f"The store has schema version {version}; this release knows {newest}.",
            "install the newer release that wrote it, or restore the copy from before its upgrade.",
            place=path.name,
        )
    wanted = fingerprint()
    if version == newest and said.get("model") == wanted:
        return []
    con.execute("CHECKPOINT")
    _back_up(path, path.with_name(f"{path.stem}-v{version}{path.suffix}"))
    crashpoints.reach("upgrade.copied")
    done: list[str] = []
    # One transaction a step: DuckDB refuses to commit rows written between two changes of a table.
    for step in todo:
        if step.number > version:
            with transaction(con):
                step.run(con)
                set_meta(con, "schema_version", str(step.number))
            done.append(step.path.stem)
    with transaction(con):
        done += _add_missing(con)
        set_meta(con, "schema_version", str(newest))
        set_meta(con, "model", wanted)
        crashpoints.reach("upgrade.written")
    con.execute("CHECKPOINT")
    return done


def _back_up(path: Path, copy: Path) -> None:
    try:
        shutil.copy2(path, copy)
    except OSError as error:
        copy.unlink(missing_ok=True)
        raise StoreError(
            f"The store must be upgraded and cannot be copied first ({error.strerror}).",
            "make room for a second store on its disk; nothing was changed.",
            place=path.name,
        ) from error


@contextlib.contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what the block wrote, or roll it back if it raises."""
    con.execute("BEGIN")
    try:
        yield
        con.execute("COMMIT")
    except BaseException:
        # A commit or statement that failed fatally has ended the transaction already.
        with contextlib.suppress(duckdb.TransactionException, duckdb.FatalException):
            con.execute("ROLLBACK")
        raise


def set_meta(con: duckdb.DuckDBPyConnection, name: str, value: str) -> None:
    """Set one fact in ops.meta."""
    con.execute("DELETE FROM ops.meta WHERE name = ?", [name])
    con.execute("INSERT INTO ops.meta (name, value) VALUES (?, ?)", [name, value])


def _add_missing(con: duckdb.DuckDBPyConnection) -> list[str]:
    there: dict[tuple[str, str], set[str]] = {}
    for schema, table, column in con.execute(
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() "
        "WHERE database_name = current_database()"
    ).fetchall():
        there.setdefault((schema, table), set()).add(column)
    done: list[str] = []
    for schema in (*ddl.SCHEMAS, ddl.IDENTITY):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
    for table in store_tables():
        columns = there.get((table.schema, table.name))
        if columns is None:
            con.execute(ddl.create(table))
            done.append(f"table {table.schema}.{table.name}")
            continue
        for field in table.fields:
            if field.name not in columns:
                con.execute(
                    f"ALTER TABLE {table.full} ADD COLUMN {quote(field.name)} {field.sql_type}"
                )
                done.append(f"column {table.schema}.{table.name}.{field.name}")
    return done
