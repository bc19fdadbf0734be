"""Random stories of a table: edits, ties, late commits, hard deletes, reads cut off anywhere.

The judge asks the database and the store with their own drivers. `tests/connectors/sql` plays the
same stories on PostgreSQL and, where one is installed, MariaDB.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.faults.case import Case, Result, Size
from tests.faults.oracle import Counts
from tests.support.sql_world import TABLE, Database, World, sqlite_database
from warehouse import crashpoints, writer
from warehouse.writer import BatchWriter

FULL, QUICK = 24, 3
ROUNDS = 9
CUTS = 3
PARTITION = 37
LOOKBACK, LAG = 600, timedelta(seconds=5)
SHANGHAI = timedelta(hours=8)
POINTS = ("extract.page", "land.data_written", "land.sidecar", "load.staged")


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories on SQLite, each with reads that are cut off; `seeds` say the first."""
    first = next(iter(seeds), 0)
    count = FULL if size == "full" else QUICK
    return [
        Case("Q", f"seed {seed}", partial(_on_sqlite, seed), CUTS)
        for seed in range(first, first + count)
    ]


def _on_sqlite(seed: int, root: Path) -> Result:
    (root / "files").mkdir()
    database = sqlite_database(root / "files")
    database.execute(TABLE["sqlite"])
    return play(root / "world", database, seed)


def play(root: Path, database: Database, seed: int) -> Result:
    """Play one story and judge it after each run that came to its end."""
    config = database.settings(changes={"since": "updated_at"}) | {"rows": PARTITION}
    world, result = World(root, database, config), Result()
    try:
        with patch.object(writer, "MAX_RECORDS", 2 * PARTITION):
            Story(world, random.Random(seed), result).tell()
    finally:
        world.space.control.close()
    return result


class Story:
    """What happens to a table and its store in one seed's run; other sources play it, too."""

    PUBLISHED = "select number, amount from payments"

    def __init__(self, world: Any, dice: random.Random, result: Result) -> None:
        self.world, self.dice, self.result = world, dice, result
        self.database = world.database
        self.next = 1
        self.stamps: dict[int, datetime] = {}
        self.mark = world.now
        """No bookmark lies above it: what comes at most the lookback before it must be found."""

    def tell(self) -> None:
        cuts = set(self.dice.sample(range(1, ROUNDS), CUTS))
        self.insert(150, self.world.now - timedelta(days=2))
        for number in range(ROUNDS):
            self.change()
            self.world.now += timedelta(minutes=self.dice.choice([1, 3, 30]))
            if number in cuts:
                self.cut_off()
                continue
            self.run(full=self.dice.random() < 0.15)
            if number - 1 in cuts:  # what changed before the place where it went on is owed now
                self.run()
            if self.dice.random() < 0.3:
                self.run(sweep=True)
                self.judge("after a sweep", deleted=True)
            self.judge(f"after run {number}")
        self.run()
        self.run()
        self.run(sweep=True)
        self.judge("at the end", deleted=True)
        found = self.world.published(self.PUBLISHED)
        there = {key: Decimal(str(amount)) for key, amount in found}
        self.result.expect(there == self.source(), "what is published is not the source")

    # --- what people do ------------------------------------------------------------------------
    def change(self) -> None:
        now, dice = self.world.now, self.dice
        young = now + timedelta(seconds=dice.randrange(50))
        self.insert(dice.choice([0, 1, 5, 120]), young)  # 120 rows in one stamp: a tie
        self.edit(dice.sample(sorted(self.stamps), min(len(self.stamps), 4)), young)
        late = self.mark - timedelta(seconds=dice.randrange(LOOKBACK + 1))
        self.insert(dice.choice([0, 2, 60]), late)
        older = [key for key, at in self.stamps.items() if at < late - timedelta(seconds=1)]
        self.edit(dice.sample(older, min(len(older), 3)), late)
        gone = dice.sample(sorted(self.stamps), min(len(self.stamps) // 60, 3))
        for key in gone:
            self.delete(key)
            del self.stamps[key]

    def insert(self, count: int, at: datetime) -> None:
        keys = range(self.next, self.next + count)
        self.next += count
        self.stamps |= dict.fromkeys(keys, at)
        rows = [(key, self.amount(), f"p{key}", self.said(at)) for key in keys]
        self.database.many("insert into payments values (?, ?, ?, ?)", rows)

    def edit(self, keys: Sequence[int], at: datetime) -> None:
        rows = [(self.amount(), self.said(at), key) for key in keys if self.stamps[key] <= at]
        self.stamps |= {key: at for _, _, key in rows}
        self.database.many("update payments set amount = ?, updated_at = ? where id = ?", rows)

    def delete(self, key: int) -> None:
        self.database.execute(f"delete from payments where id = {key}")

    def amount(self) -> str:
        return f"{self.dice.randrange(1, 10**6)}.{self.dice.randrange(100):02d}"

    def said(self, at: datetime) -> str:
        if self.database.name == "postgresql":
            return at.isoformat()
        return (at + SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")

    # --- runs and the judge --------------------------------------------------------------------
    def run(self, **how: Any) -> None:
        done = self.world.sync(**how)
        self.result.expect(done.error is None, f"{how}: {done.error}")
        self.see()
        if done.read != done.landed + done.unchanged and not how.get("sweep"):
            self.result.counts.find("dishonest", f"read {done.read}, landed {done.landed}")

    def cut_off(self) -> None:
        """End a run as a killed process ends, at a place that the dice choose."""
        self.insert(60, self.world.now)  # so that each point is reached
        point = self.dice.choice(POINTS)
        arrival = self.dice.randrange(1, 3) if point == POINTS[0] else 1
        full = self.dice.random() < 0.7
        for place in ((point, arrival), (POINTS[0], 1)):
            with _death(*place) as died:
                self.world.sync(full=full)
            self.see()
            if died:  # else the read was too short to come by
                self.result.fired += 1
                return

    def see(self) -> None:
        """Take note of how far a run that ends now may have moved the bookmark."""
        seen = [at for at in self.stamps.values() if at <= self.world.now - LAG]
        self.mark = max(self.mark, *seen)

    def source(self) -> dict[str, Decimal]:
        found = self.database.rows("select id, amount from payments")
        return {str(key): Decimal(str(amount)) for key, amount in found}

    def judge(self, when: str, *, deleted: bool = False) -> None:
        want, counts = self.source(), Counts()
        counts.rows = len(want)
        found: dict[str, Decimal] = {}
        for key, amount, _ in self.world.stored():
            if key in found:
                counts.find("duplicated", f"{when}: {key}")
            found[key] = Decimal(amount)
        for key in want.keys() - found.keys():
            counts.find("lost", f"{when}: {key}")
        for key in found.keys() - want.keys() if deleted else ():
            counts.find("ghost", f"{when}: {key}")
        for key in want.keys() & found.keys():
            if found[key] != want[key]:
                counts.find("stale", f"{when}: {key}")
        self.result.counts.add(counts)


@contextmanager
def _death(point: str, arrival: int) -> Iterator[list[str]]:
    """Raise at a crash point's n-th arrival; what was not landed by then is not landed."""
    died: list[str] = []
    seen = 0

    def reach(name: str) -> None:
        nonlocal seen
        seen += name == point
        if name == point and seen == arrival:
            died.append(name)
            raise RuntimeError(f"died at {name}")

    with (
        patch.object(crashpoints, "told", reach),
        patch.object(BatchWriter, "close", BatchWriter.abandon),
    ):
        yield died
