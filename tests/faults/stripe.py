"""Random stories of a payment account: late and doubled events, ties, deletions, gaps, cuts.

The judge compares the account at the simulator with what was landed, and at the end with the
store; it shares no code with the connector.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from connectors.stripe import sample
from connectors.stripe.lists import Lists
from tests.faults.case import Case, Result, Size
from tests.faults.oracle import Counts
from tests.support.stripe_world import STREAMS, World
from warehouse.reader import run_query

FULL, QUICK = 60, 1
ROUNDS = 9
CUTS = 3
PAGE = 7
LATE = 300


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories, each with reads that are cut off; `seeds` say the first."""
    first = next(iter(seeds), 0)
    count = FULL if size == "full" else QUICK
    return [
        Case("P", f"seed {seed}", partial(play, seed), CUTS) for seed in range(first, first + count)
    ]


def play(seed: int, root: Path) -> Result:
    """Play one story and judge it after each round."""
    world, result = World(root / "world"), Result()
    try:
        with patch.object(Lists, "size", PAGE):
            _Story(world, random.Random(seed), result).tell()
    finally:
        world.close()
    return result


class _Story:
    def __init__(self, world: World, dice: random.Random, result: Result) -> None:
        self.world, self.dice, self.result = world, dice, result

    def tell(self) -> None:
        cuts = set(self.dice.sample(range(ROUNDS), CUTS))
        gap = self.dice.randrange(2, ROUNDS)
        for _ in range(3):
            self.change()
        for number in range(ROUNDS):
            if number in cuts:
                self.cut_off()
            self.change()
            if number == gap:
                self.world.time.wait(days=32)
            self.let_time_pass()
            self.run()
            if number == gap:
                self.world.read("customers", "sweep")
            self.judge(f"after round {number}")
        self.at_the_end()

    # --- what people do ------------------------------------------------------------------------
    def change(self) -> None:
        """Make, move and remove objects; some share a second, some show late."""
        world, dice, stripe = self.world, self.dice, self.world.stripe
        during = dice.random() < 0.5
        stripe.before = self.in_between if during else lambda number: None
        for _ in range(dice.choice([0, 1, 3, 16])):
            world.charge(dice.randrange(1, 10**6), dice.choice(["usd", "jpy"]),
                         late=dice.choice([0, 0, LATE]))  # fmt: skip
        for _ in range(dice.choice([0, 1, 9])):
            world.customer(late=dice.choice([0, LATE]))
        for key in self.some("charges", 3):
            world.refund(key, 1)
        for key in self.some("charges", 2):
            record = stripe.change("charges", key, description=f"moved {dice.random()}")
            for _ in range(dice.choice([1, 2])):
                stripe.tell("charge.updated", record, at=world.second - dice.randrange(LATE),
                            late=dice.choice([0, LATE]))  # fmt: skip
        for key in self.some("customers", 2):
            stripe.change("customers", key, "customer.updated", name=f"name {dice.random()}")
        for key in self.some("customers", 1):
            stripe.delete("customers", key, "customer.deleted")
        self.intend()

    def intend(self) -> None:
        key = self.world.id("pi")
        made = sample.payment_intent(key, self.world.second, 500, "usd")
        self.world.stripe.put("payment_intents", made, "payment_intent.created")
        for key in self.some("payment_intents", 1):
            self.world.stripe.change(
                "payment_intents", key, "payment_intent.canceled", status="canceled"
            )

    def in_between(self, number: int) -> None:
        """Change the account while it is read."""
        if number % 5 == 0:
            self.world.charge(77)
        for key in self.some("customers", 1) if number % 7 == 0 else ():
            self.world.stripe.delete("customers", key, "customer.deleted")

    def some(self, name: str, most: int) -> list[str]:
        there = sorted(self.world.stripe.living(name))
        return self.dice.sample(there, min(len(there) // 4, most))

    def let_time_pass(self) -> None:
        """Wait seconds or days; entries that are due settle, and their hour passes."""
        self.world.time.wait(seconds=self.dice.choice([2, 40, LATE, 4000, 90_000, 700_000]))
        if self.dice.random() < 0.4:
            self.world.time.wait(days=3)
            self.world.settle()
            self.world.time.wait(hours=1, minutes=1)

    # --- runs and the judge --------------------------------------------------------------------
    def run(self, mode: Any = "changed") -> None:
        """Read all streams; what changes under the read itself is owed after the next one."""
        for stream in STREAMS:
            done = self.world.read(stream, mode)
            if (done.bookmark_before or {}).get("resume"):
                self.world.read(stream)
        self.world.stripe.before = lambda number: None
        self.world.time.wait(seconds=LATE + 1)  # all shows now
        for stream in STREAMS:
            done = self.world.read(stream)
            if done.read != done.landed + done.unchanged:
                self.result.counts.find("dishonest", f"read {done.read}, landed {done.landed}")

    def cut_off(self) -> None:
        """End reads as a killed process ends, at a request that the dice choose."""
        died = False
        for stream in self.dice.sample(STREAMS, len(STREAMS)):
            mode = self.dice.choice(["changed", "full"])
            died |= self.world.killed_at(self.dice.randrange(1, 5), stream, mode)
        died = died or self.world.killed_at(1, "charges", "changed")
        self.result.fired += died

    def judge(self, when: str) -> None:
        counts = Counts()
        for stream in STREAMS:
            counts.rows += len(self.world.stripe.living(stream))
        for text in self.world.judge():
            kind, _, rest = text.partition(": ")
            counts.find(kind, f"{when}: {rest}")
        self.result.counts.add(counts)

    def at_the_end(self) -> None:
        """Load what was landed and hold the store against the account."""
        world, counts = self.world, Counts()
        for outcome in world.sync_all().values():
            self.result.expect(outcome.quarantined == 0, f"{outcome.stream}: quarantine")
        world.publish()
        sql = ("select stream, source_key from source.{} where not is_deleted and kind is distinct"
               " from 'fee'")  # fmt: skip
        for stream, table in (("charges", "payments"), ("customers", "parties")):
            rows = run_query(world.space.home.current, sql.format(table)).rows
            stored = [key for name, key in rows if name == stream]
            there = set(world.stripe.living(stream))
            for key in there - set(stored):
                counts.find("lost", f"the store has no {key}")
            for key in set(stored) - there:
                counts.find("ghost", f"the store has {key}")
            if len(stored) > len(set(stored)):
                counts.find("duplicated", f"{stream} in the store")
        self.result.counts.add(counts)
