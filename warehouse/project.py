"""Keeps `public.duckdb`, the masked projection of the store, by changed keys.

It is a pure function of store, privacy and key: when one of these or its form changes it is made
anew in a new file, since a deletion leaves the old bytes in the old one.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from warehouse import ddl, handed, lock, mask, ops_tables, public, trouble
from warehouse.crashpoints import reach
from warehouse.ddl import Table, columns_of, literal, quote
from warehouse.errors import StoreDamaged
from warehouse.home import Home
from warehouse.mask import PrivacyMode
from warehouse.model import ENTITIES, HEADERS
from warehouse.store import STORAGE_VERSION, Store, attach

DATABASE = "published"
_LOCK_WAIT = 600.0
_COMPARED = (ops_tables.QUARANTINE, ops_tables.REFS)  # small: whole, by their digests


@dataclass(slots=True)
class Projected:
    """What a projection did: `rows` written by table, `number` of the projection.

    `changed` is false when the projection is already what the store says; `whole` when the file
    was made anew.
    """

    number: int
    changed: bool = False
    whole: bool = False
    rows: dict[str, int] = field(default_factory=dict)


def public_lock(home: Home) -> Path:
    """Return the lock of public.duckdb: who writes or copies it holds it."""
    return home.public.with_name("public.lock")


def project(
    store: Store,
    home: Home,
    *,
    privacy: PrivacyMode,
    key: bytes,
    runs: Sequence[Mapping[str, Any]] = (),
    freshness: Sequence[Mapping[str, Any]] = (),
    now: datetime,
) -> Projected:
    """Bring public.duckdb up to the store. `runs` and `freshness` replace ops.runs, ops.freshness.

    They alone are a change only an hour after the last one: each sync leaves a run behind. Members
    of a run or freshness row that are no column are left out. Raises ValueError for a key under 16
    bytes and StoreBusy when another process copies the projection for ten minutes.
    """
    con = store.con
    mask.use_key(con, key)
    try:
        with lock.hold(public_lock(home), wait=_LOCK_WAIT, now=lambda: now):
            wanted = _form(store, privacy, key)
            state = _state(con, home.public) if home.public.exists() else {}
            if state.get("form") != wanted or not _follows(store, state):
                state = {}

            def write(state: Mapping[str, str]) -> Projected:
                whole = not state
                file = home.public.with_name("public.duckdb.new") if whole else home.public
                if whole:
                    _fresh(file)
                attach(con, file, DATABASE)
                try:
                    done = _Projection(store, state, privacy, whole).run(
                        runs, freshness, wanted, now
                    )
                finally:
                    con.execute(f"DETACH {DATABASE}")
                if whole:
                    home.public.with_name("public.duckdb.wal").unlink(missing_ok=True)
                    file.replace(home.public)
                return done

            try:
                done = write(state)
            except duckdb.Error as error:
                found = trouble.said(error, home.public)
                if not state or not isinstance(found, StoreDamaged):
                    raise
                done = write({})  # a projection that turns out to be damaged is made anew
    finally:
        mask.forget_key(con)
    if done.changed:
        # What is projected need not be remembered any longer; unify drops it.
        store.set_meta("projected_run", str(int(store.meta("unified_run") or 0)))
        store.checkpoint()
    return done


def _form(store: Store, privacy: PrivacyMode, key: bytes) -> str:
    """Return what the file is made of, without telling the key."""
    said = f"{public.form()}/{privacy}/{store.meta('store_id')}/{STORAGE_VERSION}/{mask.VERSION}"
    return hmac.digest(key, said.encode(), "sha256").hex()


def _state(con: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    try:
        attach(con, path, DATABASE)
    except duckdb.Error:
        return {}  # a damaged projection is made anew
    try:
        return dict(con.execute(f"SELECT name, value FROM {DATABASE}.ops.meta").fetchall())
    except duckdb.CatalogException:
        return {}
    finally:
        con.execute(f"DETACH {DATABASE}")


def _follows(store: Store, state: Mapping[str, str]) -> bool:
    """Whether what changed since the projection is still known to the store."""
    run, load = int(state.get("unified_run", -1)), int(state.get("load_id", -1))
    return int(store.meta("projected_run") or 0) <= run <= int(
        store.meta("unified_run") or 0
    ) and load <= _newest(store.con)


def _fresh(path: Path) -> None:
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(public.empty_file())


def _newest(con: duckdb.DuckDBPyConnection) -> int:
    parts = [f"SELECT max(load_id) AS load_id FROM {ddl.source_table(e).full}" for e in HEADERS]
    parts.append("SELECT max(load_id) FROM ops.batches")
    row = con.execute(f"SELECT coalesce(max(load_id), 0) FROM ({' UNION ALL '.join(parts)})")
    return int((row.fetchone() or (0,))[0])


class _Projection:
    """One run over the attached file."""

    def __init__(
        self, store: Store, state: Mapping[str, str], privacy: PrivacyMode, whole: bool
    ) -> None:
        self.con = store.con
        self.state = state
        self.privacy = privacy
        self.whole = whole
        self.last_load = int(state.get("load_id", 0))
        self.last_run = int(state.get("unified_run", 0))
        self.run_number = int(store.meta("unified_run") or 0)
        self.unified_at = store.meta("unified_at") or ""
        self.done = Projected(int(state.get("projection", 0)), whole=whole)

    def run(
        self,
        runs: Sequence[Mapping[str, Any]],
        freshness: Sequence[Mapping[str, Any]],
        form: str,
        now: datetime,
    ) -> Projected:
        upto = _newest(self.con)
        digests = self._digests(runs, freshness)
        same = {n: self.state.get(n) == d for n, d in digests.items()}
        if (
            not self.whole
            and upto == self.last_load
            and self.run_number == self.last_run
            and all(same[table.name] for table in _COMPARED)
            and (all(same.values()) or not handed.is_stale(self.state.get("projected_at"), now))
        ):
            return self.done
        self.con.execute("BEGIN")
        try:
            if self.whole or upto > self.last_load:
                self._sources()
                self._insert(ops_tables.BATCHES, f"t.load_id > {self.last_load}")
            if self.whole or self.run_number > self.last_run:
                self._golden()
            for table in _COMPARED:
                if not same[table.name]:
                    self._replace(table)
            for table, rows in handed.tables(runs, freshness):
                if not same[table.name]:
                    handed.replace(self.con, DATABASE, table, rows, self.privacy)
            self.done.number += 1
            self.done.changed = True
            self._tell(
                digests
                | {
                    "form": form,
                    "load_id": str(upto),
                    "unified_run": str(self.run_number),
                    "unified_at": self.unified_at,
                    "projection": str(self.done.number),
                    "projected_at": now.isoformat(),
                    "privacy": self.privacy,
                }
            )
            reach("project.written")
            self.con.execute("COMMIT")
        except BaseException:
            # A commit that a full disk failed has ended the transaction already.
            with suppress(duckdb.TransactionException, duckdb.FatalException):
                self.con.execute("ROLLBACK")
            raise
        reach("project.committed")
        self.con.execute(f"CHECKPOINT {DATABASE}")
        return self.done

    def _digests(
        self, runs: Sequence[Mapping[str, Any]], freshness: Sequence[Mapping[str, Any]]
    ) -> dict[str, str]:
        found: dict[str, str] = {}
        for table in _COMPARED:
            row = self.con.execute(
                f"SELECT count(*), bit_xor(hash({columns_of(table.names)})) FROM {table.full}"
            ).fetchone()
            found[table.name] = str(row)
        return found | {t.name: handed.digest(rows) for t, rows in handed.tables(runs, freshness)}

    def _sources(self) -> None:
        for header in HEADERS:
            source = ddl.source_table(header)
            keys = f"project_keys_{header}"
            published = dict(zip(source.names, _values(source, self.privacy), strict=True))
            self.con.execute(
                f"CREATE OR REPLACE TEMP TABLE {keys} AS SELECT t.connection, t.stream, "
                f"t.source_key, {published['source_key']} AS shown FROM {source.full} t "
                f"WHERE t.load_id > {self.last_load}"
            )
            if self._any(keys):
                for entity in ddl.families(header):
                    self._by_keys(ddl.source_table(entity), keys)
                    if header in public.HISTORY_OF:
                        self._by_keys(ddl.history_table(entity), keys)
            self.con.execute(f"DROP TABLE {keys}")

    def _by_keys(self, table: Table, keys: str) -> None:
        name = "parent_key" if "parent_key" in table.names else "source_key"
        if not self.whole:
            self.con.execute(
                f"DELETE FROM {_there(table)} t USING {keys} k WHERE t.connection = k.connection "
                f"AND t.stream = k.stream AND t.{name} = k.shown"
            )
        if self.whole:
            self._insert(table)
        elif table.schema == "history":
            self._insert(table, _among(keys, name))
        else:
            new = f"t.load_id > {self.last_load}"
            self._insert(table, new)
            if name == "parent_key":
                self._untouched_children(table, keys, new)

    def _untouched_children(self, table: Table, keys: str, new: str) -> None:
        """Add the children of owners that were loaded again without them (a version moved)."""
        touched, among = f"{keys}_touched", _among(f"{keys}_touched", "parent_key")
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE {touched} AS SELECT k.* FROM {keys} k WHERE NOT EXISTS "
            f"(SELECT 1 FROM {table.full} t WHERE {new} AND t.connection = k.connection "
            "AND t.stream = k.stream AND t.parent_key = k.source_key)"
        )
        if self._any(touched) and self._any(f"{table.full} t WHERE {among}"):
            self._insert(table, among)
        self.con.execute(f"DROP TABLE {touched}")

    def _golden(self) -> None:
        for entity in ENTITIES:
            self._by_ids(ddl.unified_table(entity), entity, f"{entity}_id")
        for table, entity, column in (
            (ops_tables.ORDER_DOCUMENTS, "order", "order_id"),
            (ops_tables.PAYMENT_EVIDENCE, "payment", "payment_id"),
        ):
            self._by_ids(table, entity, column)
        for entity in HEADERS:
            self._by_ids(ops_tables.XREF, entity, "golden_id", f"t.entity = {literal(entity)}")

    def _by_ids(self, table: Table, entity: str, column: str, also: str = "") -> None:
        ids = (
            f"SELECT id FROM ops.changes WHERE entity = {literal(entity)} AND run > {self.last_run}"
        )
        every = self.whole
        if not every:
            row = self.con.execute(f"SELECT count(*), count(id) FROM ({ids})").fetchone()
            if row is None or row[0] == 0:
                return
            every = row[0] != row[1]
        gone = "" if every else f"t.{quote(column)} IN ({ids})"
        condition = " AND ".join(w for w in (also, gone) if w)
        if not self.whole:
            self.con.execute(
                f"DELETE FROM {_there(table, 'main')} t"
                + (f" WHERE {condition}" if condition else "")
            )
        if table.entity and not every:
            condition = f"t.unify_run > {self.last_run}"
        self._insert(table, condition, "main")

    def _insert(self, table: Table, where: str = "", schema: str | None = None) -> None:
        """Insert what of the private table meets `where` (alias t), as published."""
        shown = mask.public_table(table)
        owner, kind = _owner(table)
        rows = table.full
        if where and not self.whole:
            # Apart first: else the masks' conditions are tried on every row of the table.
            rows = "project_rows"
            self.con.execute(
                f"CREATE OR REPLACE TEMP TABLE {rows} AS SELECT t.* FROM {table.full} t "
                f"WHERE {where}"
            )
            where = ""
        into = f"INSERT INTO {_there(table, schema)} ({columns_of(shown.names)})"
        suspect = mask.suspect_sql(table)
        total, count = self._count(f"{rows} t" + (f" WHERE {where}" if where else "")), 0
        # Nearly every row is free of what the untagged columns are looked through for.
        for condition, is_suspect in ((f"NOT {suspect}", False), (suspect, True)):
            if count == total:
                break  # a plan of all masks costs far more than this question
            if self.privacy == "clear":
                condition = "true"
            chosen = " AND ".join(c for c in (condition, where) if c)
            values = mask.select_list(table, self.privacy, kind, suspect=is_suspect)
            row = self.con.execute(
                f"{into} SELECT {', '.join(values)} FROM {rows} t {owner} WHERE {chosen}"
            ).fetchone()
            count += int(row[0]) if row else 0
        name = f"{schema or table.schema}.{table.name}"
        self.done.rows[name] = self.done.rows.get(name, 0) + count

    def _count(self, source: str) -> int:
        row = self.con.execute(f"SELECT count(*) FROM {source}").fetchone()
        return int(row[0]) if row else 0

    def _any(self, source: str) -> bool:
        return self.con.execute(f"SELECT 1 FROM {source} LIMIT 1").fetchone() is not None

    def _replace(self, table: Table) -> None:
        self.con.execute(f"DELETE FROM {_there(table)}")
        self._insert(table)

    def _tell(self, facts: Mapping[str, str]) -> None:
        self.con.execute(f"DELETE FROM {DATABASE}.ops.meta")
        for name, value in facts.items():
            self.con.execute(f"INSERT INTO {DATABASE}.ops.meta VALUES (?, ?)", [name, value])


def _among(keys: str, name: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM {keys} k WHERE k.connection = t.connection "
        f"AND k.stream = t.stream AND k.source_key = t.{name})"
    )


def _there(table: Table, schema: str | None = None) -> str:
    return f"{DATABASE}.{quote(schema or table.schema)}.{quote(table.name)}"


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
