"""Keeps `recon.roles`: what each stream of each connection is to the company."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeAlias

from warehouse import bounds
from warehouse.recon_tables import ROLES
from warehouse.store import Store
from warehouse.temptables import fill

Row: TypeAlias = tuple[str, str, str]
"""Connection, stream, role."""


def write(store: Store, rows: Iterable[Row], *, keep: Collection[str] = ()) -> bool:
    """Make `rows` the content of `recon.roles`; returns whether they differ from what was there.

    Connections of `keep` stay as they were: a file that has a mistake today is no reason to call
    what was found in its data resolved.
    """
    was = {(str(a), str(b), str(c)) for a, b, c in store.con.execute(
        f"SELECT connection, stream, role FROM {ROLES.full}").fetchall()}  # fmt: skip
    new = {*rows, *(row for row in was if row[0] in keep)}
    if new == was:
        return False
    with bounds.transaction(store):
        fill(store.con, "roles_given", dict.fromkeys(ROLES.names, "VARCHAR"), sorted(new))
        store.con.execute(f"DELETE FROM {ROLES.full}")
        store.con.execute(f"INSERT INTO {ROLES.full} SELECT * FROM roles_given")
        store.con.execute("DROP TABLE roles_given")
    return True
