"""Takes a person out of the store: affected rows are made anew from the landing as it is now.

The streams concerned are loaded into a store of their own, from the landing without the person; the
rows of the records concerned are then taken from there. So they are what `rebuild` would make, and
all other rows stay as they were. The file is copied afterwards: DuckDB keeps deleted bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

import duckdb

from warehouse import anew, crashpoints, ddl, lazy, recon_part, store, temptables
from warehouse.ddl import columns_of, literal, quote
from warehouse.erase.rewrite import StreamWork
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.model import HEADERS, children_of
from warehouse.model.plan import StreamPlan
from warehouse.ops_tables import MADE, QUARANTINE
from warehouse.session import Now, next_load
from warehouse.store import Store

_KEY = "connection, stream, source_key"
_ANEW = "anew"


def edit(
    live: Store,
    landing: Landing,
    work: Sequence[StreamWork],
    plans: Mapping[tuple[str, str], StreamPlan],
    ids: Sequence[UUID],
    words: Sequence[str],
    now: Now,
) -> dict[str, int]:
    """Make the rows of the records concerned anew, in one transaction; may be called again.

    `ids` are those that the party's records founded, `words` the values, for texts of evidence.
    Returns the rows that went, by table. `unify` as a whole and `copy_anew` have to follow.
    """
    con = live.con
    scratch = live.path.with_name("rebuilt.duckdb.scratch")
    _load(scratch, landing, [plans[w.connection, w.stream] for w in work
                             if (w.connection, w.stream) in plans], now)  # fmt: skip
    store.attach(con, scratch, _ANEW, read_only=True)
    try:
        _begin(con, work)
        for entity in _concerned(con):
            _make_room(live, entity)
        with live.transaction():
            gone = _rows(con, next_load(con))
            _sums(con, landing, work)
            _identity(con, [str(i) for i in ids], words)
            crashpoints.reach("erase.store_edited")
    finally:
        con.execute(f"DETACH {_ANEW}")
        _remove(scratch)
    live.checkpoint()
    return {name: count for name, count in gone.items() if count}


def _load(path: Path, landing: Landing, plans: Sequence[StreamPlan], now: Now) -> None:
    """Load whole streams into a new store at `path`."""
    _remove(path)
    store.create(path)
    made = Store(path, store.connect(path))
    try:
        for plan in plans:
            load_pending(made, landing, plan, now=now)
        made.checkpoint()
    finally:
        made.con.close()


def _remove(path: Path) -> None:
    for file in (path, path.with_name(path.name + ".wal")):
        file.unlink(missing_ok=True)


def _begin(con: duckdb.DuckDBPyConnection, work: Sequence[StreamWork]) -> None:
    """Make temp tables of the places concerned, and of the rows that were or are made of them."""
    temptables.fill(
        con, "erase_places",
        {"connection": "VARCHAR", "stream": "VARCHAR", "batch": "BIGINT", "position": "BIGINT"},
        ((w.connection, w.stream, *place[:2]) for w in work for place in w.places),
    )  # fmt: skip
    parts = [
        f"SELECT {literal(entity)} AS entity, {_KEY}, record_key FROM {database}{table.full} "
        "SEMI JOIN erase_places USING (connection, stream, batch, position)"
        for entity in HEADERS
        for table in (ddl.source_table(entity), ddl.history_table(entity))
        for database in ("", f"{_ANEW}.")
    ]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE erase_keys AS "
        f"SELECT DISTINCT entity, {_KEY}, record_key FROM ({' UNION ALL '.join(parts)})"
    )


def _concerned(con: duckdb.DuckDBPyConnection) -> list[str]:
    rows = con.execute("SELECT DISTINCT entity FROM erase_keys ORDER BY 1").fetchall()
    return [str(entity) for (entity,) in rows]


def _make_room(live: Store, entity: str) -> None:
    """Make the columns real that the new rows fill."""
    for table in _family(entity):
        names = lazy.real_columns(live.con, f"{_ANEW}.{table.full}")
        if live.con.execute(f"SELECT 1 FROM {table.full} LIMIT 1").fetchall():
            with live.transaction():
                lazy.make_room(live.con, table, names)


def _family(entity: str) -> list[ddl.Table]:
    return [ddl.source_table(e) for e in (entity, *(c.entity for c in children_of(entity)))]


def _rows(con: duckdb.DuckDBPyConnection, load_id: int) -> dict[str, int]:
    """Replace rows, children and history of the keys concerned; returns how many went."""
    gone: dict[str, int] = {}
    for entity in _concerned(con):
        for child in (entity, *(c.entity for c in children_of(entity))):
            key = "source_key" if child == entity else "parent_key"
            mine = (
                f"(connection, stream, {key}) IN (SELECT ({_KEY}) FROM erase_keys "
                f"WHERE entity = {literal(entity)})"
            )
            for table in (ddl.source_table(child), ddl.history_table(child)):
                gone[f"{table.schema}.{table.name}"] = _replace(con, table, mine, load_id)
    by_key = (
        "((connection, stream, entity, source_key) IN "
        "(SELECT (connection, stream, entity, source_key) FROM erase_keys) OR "
        "(connection, stream, record_key) IN "
        "(SELECT (connection, stream, record_key) FROM erase_keys))"
    )
    gone["ops.made"] = _replace(con, MADE, by_key, load_id)
    by_place = (
        "(connection, stream, batch, position) IN "
        "(SELECT (connection, stream, batch, position) FROM erase_places)"
    )
    gone["ops.quarantine"] = _replace(con, QUARANTINE, by_place, load_id)
    return gone


def _replace(con: duckdb.DuckDBPyConnection, table: ddl.Table, where: str, load_id: int) -> int:
    there = f"{_ANEW}.{table.full}"
    real = lazy.real_columns(con, table.full) & lazy.real_columns(con, there)
    names = [n for n in table.names if n in real]
    (before,) = con.execute(f"DELETE FROM {table.full} WHERE {where}").fetchall()[0]
    said = ", ".join(str(load_id) if n == "load_id" else quote(n) for n in names)
    (after,) = con.execute(
        f"INSERT INTO {table.full} ({columns_of(names)}) SELECT {said} FROM {there} WHERE {where}"
    ).fetchall()[0]
    return int(before) - int(after)


def _sums(con: duckdb.DuckDBPyConnection, landing: Landing, work: Sequence[StreamWork]) -> None:
    """Let ops.batches name the files as they are now."""
    for stream in work:
        place = (stream.connection, stream.stream)
        for number in stream.sums:
            con.execute(
                "UPDATE ops.batches SET sha256 = ? "
                "WHERE connection = ? AND stream = ? AND batch = ?",
                [landing.batch(*place, number).sidecar.sha256, *place, number],
            )


def _identity(con: duckdb.DuckDBPyConnection, ids: Sequence[str], words: Sequence[str]) -> None:
    """Forget what the records were part of, and what evidence says of them."""
    mine = f"(SELECT unnest([{', '.join(literal(i) for i in ids)}]::UUID[]))"
    for table, columns in (
        ("unified.xref", ("own_id", "golden_id")),
        ("history.xref", ("own_id",)),
        ("unified.forwardings", ("old_id", "golden_id")),
        ("ops.suggestions", ("a_id", "b_id")),
        ("identity.links", ("id", "golden_id")),
    ):
        test = " OR ".join(f"{c} IN {mine}" for c in columns)
        con.execute(f"DELETE FROM {table} WHERE {test}")
    for table, column in (
        ("history.xref", "evidence"), ("unified.xref", "evidence"), ("identity.links", "evidence"),
        ("ops.suggestions", "evidence"), ("ops.quarantine", "reason"),
    ):  # fmt: skip
        for word in words:
            con.execute(f"UPDATE {table} SET {column} = NULL WHERE contains({column}, ?)", [word])


def copy_anew(live: Store) -> None:
    """Put a copy without deleted bytes in the place of the open store, which is closed then."""
    recon_part.erase(live.con)  # what is kept of marts and steps is made anew of what is left
    anew.copy(live, "erase.store_copied")
