"""Brings ops.quarantine in line with what people decided to discard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from warehouse import bounds
from warehouse.ddl import source_table
from warehouse.landing import Landing
from warehouse.model import ENTITIES
from warehouse.session import next_load
from warehouse.store import Store

_COPIED = ("id", "batch", "position", "entity", "source_key", "field", "rule", "reason", "mapping")


LAST = "last_decision"
"""The fact of ops.meta that holds the number of the last decision that the store has seen."""


def expect_decisions(store: Store, landing: Landing) -> None:
    """Raise DecisionError where the last decisions are gone that the store has seen."""
    known = int(store.meta(LAST) or 0)
    newest = landing.decisions.expect(known)
    if newest > known:
        store.set_meta(LAST, str(newest))


def discard_entries(
    store: Store, connection: str, stream: str, records: Sequence[Mapping[str, Any]], at: datetime
) -> int:
    """Mark quarantined records as discarded, or enter them so where a rebuild left them out.

    Returns how many entries changed: the others are so already, or their batch is not loaded.
    """
    con = store.con
    done = {
        i
        for (i,) in con.execute(
            "select id from ops.quarantine where connection = ? and stream = ?"
            " and status = 'discarded'",
            [connection, stream],
        ).fetchall()
    }
    applied = {
        n
        for (n,) in con.execute(
            "select batch from ops.batches where connection = ? and stream = ?",
            [connection, stream],
        ).fetchall()
    }
    new = [r for r in records if r["id"] not in done and r["batch"] in applied]
    if not new:
        return 0
    with bounds.transaction(store):
        load_id = next_load(con)
        for record in new:
            con.execute("delete from ops.quarantine where id = ?", [record["id"]])
            con.execute(
                f"insert into ops.quarantine (connection, stream, {', '.join(_COPIED)}, first_at,"
                f" last_at, status, load_id) values ({', '.join('?' * (len(_COPIED) + 6))})",
                [
                    connection, stream, *(record[name] for name in _COPIED), record["first_at"],
                    at, "discarded", load_id,
                ],
            )  # fmt: skip
        for entity in sorted({r["entity"] for r in new} & set(ENTITIES)):
            _unflag(store, connection, stream, entity, load_id)
    return len(new)


def _unflag(store: Store, connection: str, stream: str, entity: str, load_id: int) -> None:
    """Take the flag from rows of which no newer version waits in quarantine any more."""
    store.con.execute(
        f"""
        update {source_table(entity).full} as o
        set newer_in_quarantine = false, load_id = {load_id}
        where o.connection = ? and o.stream = ? and o.newer_in_quarantine
            and o.source_key not in (
                select source_key from ops.quarantine
                where connection = ? and stream = ? and entity = ? and status = 'open'
                    and source_key is not null)
        """,
        [connection, stream, connection, stream, entity],
    )
