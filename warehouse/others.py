"""What a rebuild of one connection begins with: the store as it is, without that connection."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from warehouse import ddl, ops_tables, store, unify, upgrades
from warehouse.ddl import literal
from warehouse.errors import StoreDamaged, StoreFull
from warehouse.home import Home
from warehouse.store import Store

OF_LOADS = (ops_tables.BATCHES, ops_tables.QUARANTINE, ops_tables.REFS, ops_tables.MADE)
"""The tables beside source and history that the loads of a connection fill."""


def begin(home: Home, new: Path, connection: str, wait: float, kept: dict[str, str]) -> Store:
    """Copy the store to `new`, take the connection out of the copy, and return that open.

    The caller holds the store's lock. `kept` are facts to set: the number of the last load is one,
    for the next ones go on from there. Raises StoreDamaged where there is no store to copy, and
    StoreFull where there is no room for a second one.
    """
    if not home.store.exists():
        raise StoreDamaged(
            "There is no store whose other connections could be kept.",
            "run `isthmus rebuild` without a connection.",
            place=home.store.name,
        )
    size, free = home.store.stat().st_size, shutil.disk_usage(home.store.parent).free
    if free < 2 * size:
        raise StoreFull(
            f"a rebuild takes room for a second store ({size / 1e9:.1f} GB) and for its work; "
            f"{free / 1e9:.1f} GB are free.",
            "free space and run it again; nothing was changed.",
            place=str(home.root),
        )
    old = store.connect(home.store, wait=wait)
    try:
        upgrades.upgrade(old, home.store)
        old.execute("CHECKPOINT")  # all of it is in the file then
    finally:
        old.close()
    with home.store.open("rb") as source, os.fdopen(
        os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
    ) as copy:  # fmt: skip
        shutil.copyfileobj(source, copy, 1 << 20)
    made = Store(new, store.connect(new))
    _take_out(made, connection, kept)
    return made


def _take_out(made: Store, connection: str, kept: dict[str, str]) -> None:
    tables = [t for t in ddl.model_tables() if t.schema in ("source", "history")]
    with made.transaction() as con:
        for table in (*tables, *OF_LOADS):
            con.execute(f"delete from {table.full} where connection = {literal(connection)}")
        for name, value in kept.items():
            made.set_meta(name, value)
        # Tells the projection that this is another store than the one it was made of, and the
        # next unification that all of it is to be looked at.
        made.set_meta("store_id", str(uuid.uuid4()))
        made.set_meta(unify.LAST_FORM, "")
