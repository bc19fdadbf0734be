"""Writes the published tables out of the store's: all of them, or the changed keys in slices."""

from __future__ import annotations

import duckdb

from warehouse import ddl, lazy, mask, ops_tables, public
from warehouse.ddl import Table, columns_of, literal, quote
from warehouse.mask import PrivacyMode
from warehouse.model import ENTITIES, HEADERS

SLICE = 50_000
"""Source keys or golden ids whose published rows are replaced in one go."""


class Tables:
    """The tables of the attached file `database`, brought up to the store's in one transaction.

    `load` and `run` are the load and the unification that the file knows, `whole` says that it is
    empty. `rows` counts what was written, by table.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        database: str,
        privacy: PrivacyMode,
        *,
        whole: bool,
        load: int,
        run: int,
    ) -> None:
        self.con = con
        self.database = database
        self.privacy = privacy
        self.whole = whole
        self.load = load
        self.run = run
        self.rows: dict[str, int] = {}

    def make_room(self) -> None:
        """Make the columns real that the store fills; inside a transaction of its own."""
        for entity in ENTITIES:
            for table, schema in (
                (ddl.source_table(entity), "source"), (ddl.unified_table(entity), "main"),
            ):  # fmt: skip
                if self._any(table.full):
                    filled = lazy.real_columns(self.con, table.full)
                    filled |= {f"{name}_hash" for name in filled}
                    shown = mask.public_table(table)
                    there = self._there(table, schema)
                    lazy.make_room(self.con, shown, filled, into=there, comments=True)

    def sources(self) -> None:
        """Bring source and history tables up to date, and the batches."""
        for header in HEADERS:
            if self.whole:
                for table in _of_source(header):
                    self._insert(table)
            else:
                self._changed_sources(header)
        self._insert(ops_tables.BATCHES, f"t.load_id > {self.load}")

    def golden(self) -> None:
        """Bring the golden rows and their links up to date."""
        for entity in ENTITIES:
            self._by_ids(ddl.unified_table(entity), entity, f"{entity}_id")
        for table, entity, column in (
            (ops_tables.ORDER_DOCUMENTS, "order", "order_id"),
            (ops_tables.PAYMENT_EVIDENCE, "payment", "payment_id"),
        ):
            self._by_ids(table, entity, column)
        for table in (ops_tables.XREF, ops_tables.FORWARDINGS):
            for entity in HEADERS:
                self._by_ids(table, entity, "golden_id", f"t.entity = {literal(entity)}")
        self._insert(ops_tables.XREF_HISTORY, f"t.unify_run > {self.run}")
        self._insert(ops_tables.UNIFICATIONS, f"t.run > {self.run}")

    def replace(self, table: Table) -> None:
        """Write a small table anew."""
        self.con.execute(f"DELETE FROM {self._there(table)}")
        self._insert(table)

    def _changed_sources(self, header: str) -> None:
        source = ddl.source_table(header)
        shown = dict(zip(source.names, _values(source, self.privacy), strict=True))["source_key"]
        changed = f"{source.full} t WHERE t.load_id > {self.load}"
        if not self._any(changed):
            return
        count = self._number(
            f"SELECT t.connection, t.stream, t.source_key, {shown} AS shown FROM {changed}"
        )
        for start in range(0, count, SLICE):
            self._slice(start)
            for table in _of_source(header):
                self._by_keys(table)

    def _by_keys(self, table: Table) -> None:
        name = "parent_key" if "parent_key" in table.names else "source_key"
        self.con.execute(
            f"DELETE FROM {self._there(table)} t WHERE (t.connection, t.stream, t.{name}) IN "
            "(SELECT (connection, stream, shown) FROM project_slice)"
        )
        if table.schema == "history":
            self._insert(table, _among("project_slice", name))
            return
        new = f"t.load_id > {self.load}"
        self._insert(table, f"{new} AND {_among('project_slice', name)}")
        if name != "parent_key":
            return
        # Owners that were loaded again without their children: only a version moved.
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE project_touched AS SELECT k.* FROM project_slice k "
            f"WHERE NOT EXISTS (SELECT 1 FROM {table.full} t WHERE {new} "
            "AND t.connection = k.connection AND t.stream = k.stream "
            "AND t.parent_key = k.source_key)"
        )
        among = _among("project_touched", name)
        if self._any("project_touched") and self._any(f"{table.full} t WHERE {among}"):
            self._insert(table, among)

    def _by_ids(self, table: Table, entity: str, column: str, also: str = "") -> None:
        if self.whole:
            self._insert(table, also, "main")
            return
        said = f"ops.changes WHERE entity = {literal(entity)} AND run > {self.run}"
        if not self._any(said):
            return
        there = self._there(table, "main")
        if self._any(f"{said} AND id IS NULL"):
            self.con.execute(f"DELETE FROM {there} t" + (f" WHERE {also}" if also else ""))
            self._insert(table, also, "main", apart=False)
            return
        count = self._number(f"SELECT DISTINCT id FROM {said}")
        among = f"t.{quote(column)} IN (SELECT id FROM project_slice)"
        chosen = f"{also} AND {among}" if also else among
        new = f"t.unify_run > {self.run} AND {among}" if table.entity else chosen
        for start in range(0, count, SLICE):
            self._slice(start)
            self.con.execute(f"DELETE FROM {there} t WHERE {chosen}")
            self._insert(table, new, "main")

    def _number(self, keys: str) -> int:
        """Keep what the SELECT `keys` finds, numbered from 1; returns how many."""
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE project_keys AS "
            f"SELECT *, row_number() OVER () AS number FROM ({keys})"
        )
        return self._count("project_keys")

    def _slice(self, start: int) -> None:
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE project_slice AS SELECT * FROM project_keys "
            f"WHERE number > {start} AND number <= {start + SLICE}"
        )

    def _insert(
        self, table: Table, where: str = "", schema: str | None = None, *, apart: bool = True
    ) -> None:
        """Insert what of the private table meets `where` (alias t), as published.

        `apart` collects the rows first: else the masks' conditions are tried on every row.
        """
        rows = table.full
        if where and apart and not self.whole:
            rows = "project_rows"
            self.con.execute(
                f"CREATE OR REPLACE TEMP TABLE {rows} AS SELECT t.* FROM {table.full} t "
                f"WHERE {where}"
            )
            where = ""
        total, done = self._count(f"{rows} t" + (f" WHERE {where}" if where else "")), 0
        if not total:
            return  # most tables of most companies: each statement of masks takes long to plan
        there = self._there(table, schema)
        real = lazy.real_columns(self.con, there)
        shown = mask.public_table(table).names
        owner, kind = _owner(table)
        into = f"INSERT INTO {there} ({columns_of(n for n in shown if n in real)})"
        suspect = mask.suspect_sql(table)
        # Nearly every row is free of what the untagged columns are looked through for.
        for condition, is_suspect in ((f"NOT {suspect}", False), (suspect, True)):
            if done == total:
                break  # a plan of all masks costs far more than this question
            if self.privacy == "clear":
                condition = "true"
            chosen = " AND ".join(c for c in (condition, where) if c)
            values = mask.select_list(table, self.privacy, kind, suspect=is_suspect)
            said = ", ".join(v for n, v in zip(shown, values, strict=True) if n in real)
            row = self.con.execute(
                f"{into} SELECT {said} FROM {rows} t {owner} WHERE {chosen}"
            ).fetchone()
            done += int(row[0]) if row else 0
        name = f"{schema or table.schema}.{table.name}"
        self.rows[name] = self.rows.get(name, 0) + done

    def _there(self, table: Table, schema: str | None = None) -> str:
        return f"{self.database}.{quote(schema or table.schema)}.{quote(table.name)}"

    def _count(self, source: str) -> int:
        row = self.con.execute(f"SELECT count(*) FROM {source}").fetchone()
        return int(row[0]) if row else 0

    def _any(self, source: str) -> bool:
        return self.con.execute(f"SELECT 1 FROM {source} LIMIT 1").fetchone() is not None


def drop(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the temp tables of a projection."""
    for name in ("keys", "slice", "touched", "rows"):
        con.execute(f"DROP TABLE IF EXISTS temp.project_{name}")


def _of_source(header: str) -> list[Table]:
    found: list[Table] = []
    for entity in ddl.families(header):
        found.append(ddl.source_table(entity))
        if header in public.HISTORY_OF:
            found.append(ddl.history_table(entity))
    return found


def _among(keys: str, name: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM {keys} k WHERE k.connection = t.connection "
        f"AND k.stream = t.stream AND k.source_key = t.{name})"
    )


def _values(table: Table, privacy: PrivacyMode) -> list[str]:
    """Return the published expressions of the private columns alone, without hashes."""
    shown = mask.public_table(table).names
    values = dict(zip(shown, mask.select_list(table, privacy), strict=True))
    return [values[n] for n in table.names]


def _owner(table: Table) -> tuple[str, str | None]:
    """Return the join that gives the kind of a child's owner, and the kind's SQL."""
    if table.entity is None or ENTITIES[table.entity].parent != "party":
        return "", None
    if table.schema == "unified":
        return "LEFT JOIN unified.parties o ON o.party_id = t.party_id", "o.kind"
    if table.schema == "source":
        return (
            "LEFT JOIN source.parties o ON o.connection = t.connection AND o.stream = t.stream "
            "AND o.source_key = t.parent_key",
            "o.kind",
        )
    return "", None  # which version of the owner stood then is not asked: it counts as a person
