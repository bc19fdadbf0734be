"""What the cases of data over time share: a sync that must make the store right, and queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from connectors.rest.simulator import Collection
from pipelines.outcome import StreamOutcome
from tests.faults.case import Case, Result, settle
from tests.faults.data_checks import judge_store
from tests.faults.journal import JournalledSimulator
from tests.faults.world import World

Play = Callable[..., None]


def case(row: str, name: str, play: Play, planned: int, **how: Any) -> Case:
    """Return a case whose `play(world, result, **how)` is followed by the end of all cases.

    `style`, `orders` and `customers` go to the world.
    """
    return Case(row, name, partial(_run, play, how), planned)


def _run(play: Play, how: dict[str, Any], folder: Path) -> Result:
    how = dict(how)
    world_how = {n: how.pop(n) for n in ("style", "orders", "customers") if n in how}
    result = Result()
    made = World(folder, **world_how)
    try:
        play(made, result, **how)
        settle(made, result)
    finally:
        made.close()
    return result


def store_of(world: World) -> Path:
    """Return the private store's file."""
    return world.home / "store" / "store.duckdb"


def right(world: World, result: Result, say: str, **how: Any) -> StreamOutcome:
    """Sync the orders; it must be ok and leave the store right (what is gone may still stand)."""
    outcome = world.sync(**how)
    result.expect(outcome.status == "ok", f"{say}: {outcome.error}")
    counts = judge_store(world.journal.path, store_of(world), unowed=set())
    result.counts.rows += counts.rows
    result.expect(counts.is_clean, f"{say}: {counts.details[:3]}")
    return outcome


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return what a file answers, instants in UTC."""
    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        return con.execute(sql).fetchall()


def living(world: World) -> set[str]:
    """Return the keys of the living orders in the store."""
    found = rows(store_of(world), "select source_key from source.orders where not is_deleted")
    return {key for (key,) in found}


def quarantined(world: World) -> dict[str, str]:
    """Return the open quarantine of the orders: field and reason by key."""
    found = rows(
        store_of(world),
        "select source_key, field || ': ' || reason from ops.quarantine where status = 'open'",
    )
    return dict(found)


def edit(world: World, name: str, *changes: tuple[str, str]) -> None:
    """Change a user's file: each text must stand there, and is replaced by the other."""
    path = world.folder / name
    text = path.read_text("utf-8")
    for old, new in changes:
        if old not in text:
            raise ValueError(f"{name} has no {old!r}")
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    world.space.control.close()
    world.space = world.discover()


def warned(outcome: StreamOutcome, word: str) -> bool:
    """Say whether the outcome warns of something that has `word` in it."""
    return any(word in text for text in outcome.warnings)


class LenientShop(JournalledSimulator):
    """A shop that holds records with stamps that are none; its filters always let them pass."""

    @staticmethod
    def _stamp(spec: Collection, record: dict[str, Any]) -> datetime | None:
        try:
            return JournalledSimulator._stamp(spec, record)
        except (ValueError, OverflowError):
            return None
