"""Keeps `public.duckdb`, the masked projection of the store, by changed keys.

It is a pure function of store, privacy and key: when one of these or its form changes it is made
anew in a new file, since a deletion leaves the old bytes in the old one.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from warehouse import (
    bounds,
    ddl,
    handed,
    keyprint,
    lock,
    mask,
    ops_tables,
    public,
    recon_tables,
    ties,
    trouble,
    unmade,
)
from warehouse.bounds import sparingly
from warehouse.crashpoints import reach
from warehouse.ddl import Table, columns_of
from warehouse.errors import StoreDamaged
from warehouse.home import Home
from warehouse.kept import NAMES, KeptMarts
from warehouse.mask import PrivacyMode
from warehouse.model import HEADERS
from warehouse.project_tables import Tables, drop
from warehouse.session import checkpoint_at_commit
from warehouse.store import STORAGE_VERSION, Store, attach
from warehouse.survive import Priority

DATABASE = "published"
_LOCK_WAIT = 600.0
_COMPARED = (
    ops_tables.QUARANTINE,
    ops_tables.REFS,
    ops_tables.SUGGESTIONS,
    *recon_tables.STORED,
    ops_tables.COMPLETENESS,
)  # small: whole, by their digests


@dataclass(slots=True)
class Projected:
    """What a projection did: `rows` written by table, `number` of the projection.

    `changed` is false when the projection is already what the store says; `whole` when the file
    was made anew. `failed` are marts that could not be made, and the kind of error: they are views.
    """

    number: int
    changed: bool = False
    whole: bool = False
    rows: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def public_lock(home: Home) -> Path:
    """Return the lock of public.duckdb: who writes or copies it holds it."""
    return home.public.with_name("public.lock")


def project(
    store: Store,
    home: Home,
    *,
    privacy: PrivacyMode,
    key: bytes,
    priority: Priority | None = None,
    runs: Sequence[Mapping[str, Any]] = (),
    freshness: Sequence[Mapping[str, Any]] = (),
    new_key: bool = False,
    timezone: str = "UTC",
    now: datetime,
) -> Projected:
    """Bring public.duckdb up to the store. `runs` and `freshness` replace ops.runs, ops.freshness.

    They alone are a change only an hour after the last one: each sync leaves a run behind. Members
    of a run or freshness row that are no column are left out. `priority` is the company's, as
    given to `unify`: the views `unified.<table>_from` follow it; `timezone` is that of the days of
    the marts. Raises ValueError for a key under
    16 bytes, KeyChanged for another one than before unless it is said to be a `new_key`, and
    StoreBusy when another process copies the projection for ten minutes.
    """
    con = store.con
    form, wins = _form(store, privacy, key, priority or {}, timezone), priority or {}

    def write() -> Projected:
        store.set_meta("timezone", timezone)
        state = _state(con, home.public) if home.public.exists() else {}
        keyprint.expect(store, key, state, new=new_key)
        if state.get("form") != form or not _follows(store, state):
            state = {}
        given = handed.tables(runs, freshness)
        try:
            return _write(store, home, state, form, privacy, wins, given, now)
        except duckdb.Error as error:
            if not state or not isinstance(trouble.said(error, home.public), StoreDamaged):
                raise
            # A projection that turns out to be damaged is made anew.
            return _write(store, home, {}, form, privacy, wins, given, now)

    mask.use_key(con, key)
    try:
        with lock.hold(public_lock(home), wait=_LOCK_WAIT, now=lambda: now):
            done = sparingly(store, write)
    finally:
        mask.forget_key(con)
    if done.changed:
        # What is projected need not be remembered any longer; unify drops it.
        store.set_meta("projected_run", str(int(store.meta("unified_run") or 0)))
        store.checkpoint()
    return done


def _write(
    store: Store,
    home: Home,
    state: Mapping[str, str],
    form: str,
    privacy: PrivacyMode,
    priority: Priority,
    given: tuple[tuple[Table, handed.Rows], ...],
    now: datetime,
) -> Projected:
    """Write what changed since `state` into the file, or without one the whole into another."""
    con, whole = store.con, not state
    file = home.public.with_name("public.duckdb.new") if whole else home.public
    without = {} if whole else unmade.short(state)
    while True:
        if whole:
            _fresh(file, priority)
        attach(con, file, DATABASE)
        try:
            one = _Projection(store, state, privacy, priority, whole, without)
            done = one.run(given, form, now)
            break
        except unmade.MartFailed as failed:
            without[failed.name] = failed.why  # all the rest goes on without it
        finally:
            con.execute(f"DETACH {DATABASE}")
    if whole:
        home.public.with_name("public.duckdb.wal").unlink(missing_ok=True)
        file.replace(home.public)
    return done


def _form(store: Store, privacy: PrivacyMode, key: bytes, priority: Priority, timezone: str) -> str:
    """Return what the file is made of, without telling the key."""
    form = public.form(priority)
    said = f"{form}/{privacy}/{store.meta('store_id')}/{STORAGE_VERSION}/{mask.VERSION}/{timezone}"
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


def _fresh(path: Path, priority: Priority) -> None:
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(public.empty_file(priority))


def _newest(con: duckdb.DuckDBPyConnection) -> int:
    parts = [f"SELECT max(load_id) AS load_id FROM {ddl.source_table(e).full}" for e in HEADERS]
    parts.append("SELECT max(load_id) FROM ops.batches")
    row = con.execute(f"SELECT coalesce(max(load_id), 0) FROM ({' UNION ALL '.join(parts)})")
    return int((row.fetchone() or (0,))[0])


class _Projection:
    """One run over the attached file."""

    def __init__(
        self,
        store: Store,
        state: Mapping[str, str],
        privacy: PrivacyMode,
        priority: Priority,
        whole: bool,
        without: Mapping[str, str],
    ) -> None:
        self.without = dict(without)
        self.store = store
        self.con = store.con
        self.state = state
        self.privacy = privacy
        self.priority = json.dumps({name: list(said) for name, said in priority.items()})
        self.tables = Tables(
            store.con,
            DATABASE,
            privacy,
            whole=whole,
            load=int(state.get("load_id", 0)),
            run=int(state.get("unified_run", 0)),
        )
        is_told = store.meta(ties.FORM) == ties.form(store.con)
        self.kept = KeptMarts(
            store.con, DATABASE, whole=whole or not is_told, run=self.tables.run,
            since=int(store.meta(ties.SINCE) or 0),
            anew=unmade.told(state), without=self.without,
        )  # fmt: skip
        self.run_number = int(store.meta("unified_run") or 0)
        self.unified_at = store.meta("unified_at") or ""
        self.mask_key = store.meta(keyprint.NAME) or ""
        self.done = Projected(
            int(state.get("projection", 0)), whole=whole, failed=unmade.told(state)
        )

    def run(
        self, given: tuple[tuple[Table, handed.Rows], ...], form: str, now: datetime
    ) -> Projected:
        tables, upto = self.tables, _newest(self.con)
        digests = self._digests(given)
        same = {n: self.state.get(n) == d for n, d in digests.items()}
        if (
            not tables.whole
            and upto == tables.load
            and self.run_number == tables.run
            and all(same[table.name] for table in _COMPARED)
            and (all(same.values()) or not handed.is_stale(self.state.get("projected_at"), now))
        ):
            return self.done
        with bounds.transaction(self.store):
            tables.make_room()
        pair = contextlib.nullcontext() if tables.whole else bounds.paired(self.store)
        with pair, bounds.transaction(self.store):
            self._begin_marts()
            if tables.whole or upto > tables.load:
                tables.sources()
            if tables.whole or self.run_number > tables.run:
                tables.golden()
            for table in _COMPARED:
                if not same[table.name]:
                    tables.replace(table)
            for table, rows in given:
                if not same[table.name]:
                    handed.replace(self.con, DATABASE, table, rows, self.privacy)
            self.done.rows = tables.rows
            self.done.number += 1
            self.done.changed = True
            self._tell(
                digests
                | unmade.facts(self.without)
                | {
                    "form": form,
                    keyprint.NAME: self.mask_key,
                    "load_id": str(upto),
                    "unified_run": str(self.run_number),
                    "unified_at": self.unified_at,
                    "projection": str(self.done.number),
                    # A projection made anew counts from 1 again.
                    "made": self.state.get("made") or uuid.uuid4().hex,
                    "projected_at": now.isoformat(),
                    "privacy": self.privacy,
                    "priority": self.priority,
                    "timezone": self.store.meta("timezone") or "UTC",
                }
            )
            # Behind the facts of the file: its days are those of the time zone that stands there.
            if not tables.whole:
                self._keep_marts()
            reach("project.written")
            checkpoint_at_commit(self.store)  # log and file would take as long as all else here
        if tables.whole:
            # Of a new file, which nobody sees yet: over rows that are not committed DuckDB plans
            # joins of everything with everything.
            with bounds.paired(self.store):
                self._keep_marts_of_new()
        self.con.execute("RESET wal_autocheckpoint")
        reach("project.committed")
        drop(self.con)
        bounds.checkpoint(self.store, DATABASE)
        self.done.failed = self.without
        return self.done

    def _begin_marts(self) -> None:
        for name in NAMES:
            put = unmade.as_view if name in self.without else unmade.as_table
            put(self.con, DATABASE, name)
        self.kept.before()

    def _keep_marts_of_new(self) -> None:
        """Make the marts of a new file one by one: what is short of memory is made again alone."""

        def alone(name: str) -> None:
            with bounds.transaction(self.store):
                self._keep(name)
                checkpoint_at_commit(self.store)

        bounds.with_more(self.store, self._begin_kept)
        for name in self.kept.names:
            bounds.with_more(self.store, partial(alone, name))
        self.kept.end()

    def _keep_marts(self) -> None:
        self._begin_kept()
        for name in self.kept.names:
            self._keep(name)
        self.kept.end()

    def _begin_kept(self) -> None:
        # What is short of all memory there is, is not tried again until there is a new file.
        self.kept.begin(is_last=bounds.has_all(self.store))

    def _keep(self, name: str) -> None:
        ends = bounds.has_all(self.store)
        rows = unmade.tried(name, partial(self.kept.write, name), is_last=ends)
        self.done.rows[f"mart.{name}"] = rows

    def _digests(self, given: tuple[tuple[Table, handed.Rows], ...]) -> dict[str, str]:
        found: dict[str, str] = {}
        for table in _COMPARED:
            row = self.con.execute(
                f"SELECT count(*), bit_xor(hash({columns_of(table.names)})) FROM {table.full}"
            ).fetchone()
            found[table.name] = str(row)
        return found | {t.name: handed.digest(rows) for t, rows in given}

    def _tell(self, facts: Mapping[str, str]) -> None:
        self.con.execute(f"DELETE FROM {DATABASE}.ops.meta")
        for name, value in facts.items():
            self.con.execute(f"INSERT INTO {DATABASE}.ops.meta VALUES (?, ?)", [name, value])
