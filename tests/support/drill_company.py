"""A company with a past on a served shop and a folder of files, for the restore drill."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import office_files

from connectors.rest.serve import serve
from pipelines.cli import main
from pipelines.sync import sync_stream
from tests.faults import shop
from tests.faults.journal import Journal, JournalledSimulator
from tests.faults.world import START, World
from tests.support.surroundings import at
from warehouse.ddl import columns_of, history_table, source_table, unified_table
from warehouse.model import ENTITIES

Rows = dict[str, list[tuple[object, ...]]]
NOT_COMPARED = frozenset({"load_id", "unify_run"})
"""Numbers of runs: a rebuild takes other transactions, and its numbers go on growing."""
LEFT_OUT = {"xref": frozenset({"valid_to"})}
"""A rebuild knows when a record died, no longer when that was unified."""
ROWS = "sku,qty\nA1,5\nB2,7\n0012,8\nC3,none\n"


class Company(World):
    """A world whose home is `var`, as on the page, with a folder of files beside the shop."""

    @property
    def home(self) -> Path:
        """The folder of landing, store and published files."""
        return self.folder / "var"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that name this company to a command line."""
        return {"ISTHMUS_DEFS": str(self.folder / "defs"), "ISTHMUS_HOME": str(self.home)}

    def read(self, stream: str = "orders", *, full: bool = False) -> None:
        """Sync a stream; it must go well, or end with deletions that are held."""
        outcome = self.sync(stream, full=full)
        assert outcome.error is None, outcome.error

    def office(self) -> None:
        """Sync the folder of files."""
        outcome = sync_stream(self.space, "office", "stock", now=self.clock.now)
        assert outcome.error is None, outcome.error

    def isthmus(self, *words: str) -> str:
        """Run a command in this process, as of now; returns what it printed."""
        out = io.StringIO()
        self.space.control.close()
        with (
            at(self.folder, {"ISTHMUS_LANG": "en", **self.environment}),
            contextlib.redirect_stdout(out),
        ):
            code = main(list(words))
        self.space = self.discover()
        assert code == 0, (words, out.getvalue())
        return out.getvalue()

    def live(self) -> None:
        """Changes, deletions, quarantine, a deletion that a person accepted, one discarded."""
        self.read("customers")
        self.read()
        self.office()
        self.wait(60)
        for number in range(1, 11):
            self.put(number)
        self.put_broken(11)
        self.delete(12)
        self.read(full=True)
        for number in range(20, 75):
            self.delete(number)
        self.wait(60)
        self.read(full=True)
        self.publish(keep=False)
        (held,) = json.loads(self.isthmus("deletions", "list", "--json"))
        self.isthmus("deletions", "accept", "shop", "orders", str(held["batch"]), "--why", "sold")
        listed = json.loads(self.isthmus("quarantine", "list", "office", "--json"))
        self.isthmus("quarantine", "discard", listed[0]["id"], "--why", "a test")
        self.wait(60)
        for number in (1, 2, 75):
            self.put(number)
        self.put_broken(13)
        self.read()
        self.publish(keep=False)


@contextmanager
def company(folder: Path) -> Iterator[Company]:
    """Make the company in `folder`, with its past; its shop is served until the end."""
    with served(folder, office_files.files(ROWS), orders=80) as made:
        made.live()
        made.space.control.close()
        yield made


@contextmanager
def served(folder: Path, files: dict[str, str], *, orders: int) -> Iterator[Company]:
    """Make a company of `orders` orders in `folder` with `files` beside the shop's own."""
    folder.mkdir(parents=True)
    assert main(["init", str(folder)]) == 0
    key = (folder / ".env").read_text("utf-8")
    shop_ = JournalledSimulator(
        shop.collections("cursor"), Journal(folder / "journal.ndjson"), token=shop.TOKEN
    )
    with serve(shop_) as url:
        made = Company(folder, orders=orders, url=url, simulator=shop_)
        shop_.now = made.clock.now
        office_files.write(folder, files)
        with (folder / ".env").open("a", encoding="utf-8") as env:
            env.write(key)  # the world wrote its secrets in its place
        os.utime(folder / "inbox/stock.csv", (START.timestamp(),) * 2)
        made.space = made.discover()
        yield made
        made.space.control.close()


def stored(store: Path) -> Rows:
    """Return the rows of source, history, unified, ids, quarantine and batches of a store."""
    found: Rows = {}
    with duckdb.connect(str(store)) as con:
        for entity in ENTITIES:
            for table in (source_table(entity), history_table(entity), unified_table(entity)):
                names = columns_of(n for n in table.names if n not in NOT_COMPARED)
                sql = f"select {names} from {table.full} order by all"
                found[table.full] = con.execute(sql).fetchall()
        for name, left in {
            "unified.xref": "",
            "ops.quarantine": "load_id, last_at",
            "ops.made": "",
            "ops.batches": "load_id, loaded_at",
        }.items():
            what = f"* exclude ({left})" if left else "*"
            found[name] = con.execute(f"select {what} from {name} order by all").fetchall()
    return found


def published(home: Path) -> Rows:
    """Return the rows that analysts see of source, unified, history and quarantine."""
    found: Rows = {}
    with duckdb.connect(str(home / "published/isthmus.duckdb"), read_only=True) as con:
        tables = con.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where schema_name in ('source', 'main', 'history') order by all"
        ).fetchall()
        for schema, name in tables:
            columns = [
                c for (c,) in con.execute(
                    "select column_name from duckdb_columns() where schema_name = ?"
                    " and table_name = ? order by column_index", [schema, name]
                ).fetchall() if c not in NOT_COMPARED | LEFT_OUT.get(name, frozenset())
            ]  # fmt: skip
            sql = f'select {columns_of(columns)} from "{schema}"."{name}" order by all'
            found[f"{schema}.{name}"] = con.execute(sql).fetchall()
    return found


def put_back(made: Company, whole: Path) -> None:
    """Make the home again what `whole` holds."""
    shutil.rmtree(made.home, ignore_errors=True)
    shutil.copytree(whole, made.home, symlinks=True)


def differences(before: Rows, after: Rows) -> list[str]:
    """Return the tables whose rows differ, with the first row on each side."""
    found = []
    for name in before.keys() | after.keys():
        one, other = before.get(name, []), after.get(name, [])
        if one != other:
            gone = [r for r in one if r not in other][:1]
            new = [r for r in other if r not in one][:1]
            found.append(f"{name}: {len(one)} before, {len(other)} after: {gone} {new}")
    return sorted(found)
