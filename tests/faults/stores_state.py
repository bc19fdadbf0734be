"""What a store holds, for a comparison of before and after; rebuilding as the command does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

from tests.faults.world import World
from warehouse.ddl import columns_of, families, history_table, source_table, unified_table
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.rebuild import rebuild

NOT_COMPARED = frozenset({"load_id", "unify_run"})
"""Numbers of loads: how many batches a transaction took is no matter of content."""
Content = dict[str, list[tuple[object, ...]]]


def content(path: Path) -> Content:
    """Return the rows of source, history, unified and the ids, by table, as they stand."""
    found: Content = {}
    with duckdb.connect(str(path)) as con:
        for entity in families("order", "party"):
            for table in (source_table(entity), history_table(entity), unified_table(entity)):
                names = columns_of(n for n in table.names if n not in NOT_COMPARED)
                found[table.full] = con.execute(
                    f"select {names} from {table.full} order by all"
                ).fetchall()
        found["ids"] = con.execute(
            "select entity, connection, stream, source_key, golden_id from unified.xref"
            " order by all"
        ).fetchall()
        found["quarantine"] = con.execute(
            "select id, source_key, rule, status from ops.quarantine order by id"
        ).fetchall()
    return found


def differences(before: Content, after: Content) -> list[str]:
    """Return the tables whose rows differ, with how many were and are there."""
    return [
        f"{name}: {len(before[name])} rows before, {len(after.get(name, []))} after"
        for name in before
        if before[name] != after.get(name)
    ]


def lived(made: World) -> None:
    """Give the world a history: changes, deletions, a record in quarantine, all published."""
    for stream in ("customers", "orders"):
        made.sync(stream)
    made.wait(60)
    for number in range(1, 11):
        made.put(number)
    made.put_broken(11)
    made.delete(12)
    made.sync("orders", full=True)
    made.wait(60)
    for number in (1, 2, 40, 41):
        made.put(number)
    made.sync("orders")
    made.publish(keep=False)


def rebuild_store(made: World) -> None:
    """Do what `isthmus rebuild` does; raises what it raises."""
    space = made.space
    rebuild(
        space.home,
        Landing(space.home.landing, now=made.clock.now),
        lambda name, stream: space.connection(name).plan(stream),
        made.clock.now,
    )
    made.publish(keep=False)


def put_back(made: World, whole: Path) -> Home:
    """Make the home again what `whole` holds; returns it."""
    made.space.control.close()
    shutil.rmtree(made.home, ignore_errors=True)
    shutil.copytree(whole, made.home, symlinks=True)
    made.space = made.discover()
    return made.space.home


def flip(path: Path, places: Sequence[float]) -> None:
    """Turn a bit in the bytes at `places` (shares of the length, 0 to 1)."""
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    for place in places:
        content[min(len(content) - 1, int(place * len(content)))] ^= 0x40
    path.write_bytes(content)


def cut(path: Path, place: float) -> None:
    """Cut the file at a share of its length."""
    path.chmod(0o600)
    os.truncate(path, int(place * path.stat().st_size))
