"""Judging the private store between two steps, with the oracle's own eyes."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import Any

import duckdb

from tests.faults import oracle
from tests.faults.oracle import Counts


def living_rows(store: Path) -> dict[str, Any]:
    """Return the living orders of the store with their lines, by key."""
    if not store.exists():
        return {}
    with duckdb.connect(str(store), read_only=True) as con:
        return dict(oracle._stored(con, "source", "orders"))


def judge_store(journal: Path, store: Path, *, unowed: Set[str] = frozenset()) -> Counts:
    """Judge the orders of the store as a changed read owes them: all but what is gone.

    `unowed` are keys whose last version such a read cannot find.
    """
    counts = Counts()
    records = oracle.read_journal(journal).records.get("orders", {})
    with duckdb.connect(str(store), read_only=True) as con:
        found = oracle._stored(con, "source", "orders")
        waiting = {
            (stream, key)
            for stream, key in con.execute(
                "select stream, source_key from ops.quarantine where status = 'open'"
            ).fetchall()
        }
    for key, record in records.items():
        if not record.gone and key not in unowed:
            rows = found.get(key, [])
            oracle._judge_record("orders", key, record, rows, waiting, counts)
    for key in found.keys() - records.keys():
        counts.find("ghost", f"orders {key} was never at the source")
    return counts
