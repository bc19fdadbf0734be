"""Stories of a payment account: days, late and corrected bills, torn files, spent links, kills.

Both bills and, in every other story, the account's log in the place of the one. The judge holds
what was landed against the simulator's account after each round, and the store at the end; it
shares no code with the connector.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from connectors.alipay.simulator_bill import Style
from connectors.errors import ConnectorError
from tests.faults.case import Case, Result, Size, stories
from tests.faults.oracle import Counts, leaks
from tests.support.alipay_world import World, secrets

ROUNDS = 8
CUTS = 3
BACK = 3


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories, each with reads that are cut off; `seeds` say the first."""
    return stories("Y", size, seeds, play, rounds=(ROUNDS, 3), cuts=CUTS)


def play(seed: int, root: Path, *, rounds: int = ROUNDS) -> Result:
    """Play one story and judge it after each round."""
    log = seed % 2 == 1
    more: dict[str, Any] = {"movements": "log", "rows": 5, "window": "3d"} if log else {}
    world, result = World(root / "world", since="2026-02-24", **more), Result()
    try:
        _Story(world, random.Random(seed), result, log=log).tell(rounds)
    finally:
        world.close()
    return result


class _Story:
    def __init__(self, world: World, dice: random.Random, result: Result, *, log: bool) -> None:
        self.world, self.dice, self.result = world, dice, result
        self.money = "account_log" if log else "account_bill"
        self.log = log
        self.spoilt = 0

    def tell(self, rounds: int) -> None:
        cuts = set(self.dice.sample(range(rounds), CUTS))
        for ago in range(5, 0, -1):
            self.day(ago)
        for number in range(rounds):
            self.habits()
            if number in cuts:
                self.cut_off()
            self.run()
            self.judge(f"after round {number}")
            self.world.time.wait(days=1, hours=self.dice.choice([0, 0, 1, 3]))
            self.day(1)
            if not self.log:
                self.correct()
        self.run()
        self.at_the_end()

    # --- what happens --------------------------------------------------------------------------
    def day(self, ago: int) -> None:
        """Put the movements of one day, and what its trades' bill has of them."""
        world, dice = self.world, self.dice
        for _ in range(dice.choice([0, 1, 4, 17])):
            amount = f"{dice.randrange(1, 10**7)}.{dice.randrange(100):02d}"
            goods = dice.choice(["茶杯", "茶杯,红", 'a "b"', "一,二,三", ""])
            row = world.move(ago, amount, 商品名称=goods)
            number = row["业务流水号"]
            world.move(ago, "-0.53", 业务流水号=number, 业务类型="收费")
            world.trade(ago, amount, number=number, 商品名称=goods)
            for request in range(dice.choice([0, 0, 1, 2])):
                world.trade(ago, "-0.01", request=f"R{request}", number=number)
                world.move(ago, "-0.01", 业务流水号=number, 业务类型="交易退款")

    def correct(self) -> None:
        """Change, add and take out rows of the last days' bills, and let some come late."""
        world, dice = self.world, self.dice
        for kind, column in (("account", "发生时间"), ("trade", "完成时间")):
            edge = str(world.at(BACK).date())
            young = [k for k, r in world.system.living(kind).items() if r[column] >= edge]
            for key in dice.sample(sorted(young), min(len(young), 3)):
                row = world.system.living(kind)[key]
                mine = world.system.of_day(kind, date.fromisoformat(row[column][:10]))
                if dice.random() < 0.3 and len(mine) > 1:  # a bill does not vanish
                    world.system.delete(kind, key)
                else:
                    world.system.put(kind, row | {"备注": f"更正 {dice.random()}"})
            if dice.random() < 0.4:
                late = world.time.now() + timedelta(hours=dice.choice([2, 20, 40]))
                world.system.delayed[kind, world.at(1).date()] = late

    def habits(self) -> None:
        """Let bills look otherwise from day to day, links be spent and files be torn."""
        world, dice = self.world, self.dice
        world.system.style = Style(
            dice.random() < 0.5, dice.random() < 0.5, dice.random() < 0.5, dice.random() < 0.5
        )
        torn = 0.1 + 0.8 * dice.random()

        def spoil(kind: str, day: date, data: bytes) -> bytes:
            if dice.random() >= 0.15:
                return data
            self.spoilt += 1
            self.result.more["torn files"] += 1
            return data[: int(len(data) * torn)]

        world.system.spoil = spoil
        world.system.before = lambda number: (
            world.time.wait(seconds=31) if dice.random() < 0.05 else None
        )

    def calm(self) -> None:
        self.world.system.spoil = lambda kind, day, data: data
        self.world.system.before = lambda number: None

    # --- runs and the judge --------------------------------------------------------------------
    def run(self) -> None:
        """Read both streams; a file that was torn is an error, and owed after the next run."""
        for stream in (self.money, "trade_bill"):
            self.spoilt = 0
            failed = False
            try:
                self.world.read(stream)
            except ConnectorError:
                failed = True
            if self.spoilt and not failed:
                self.result.counts.find("dishonest", f"{stream}: a torn file, and no error")
        self.calm()
        self.world.time.wait(hours=21)  # so that the last days are read again
        for stream in (self.money, "trade_bill"):
            done = self.world.read(stream)
            if done.read != done.landed + done.unchanged:
                self.result.counts.find("dishonest", f"read {done.read}, landed {done.landed}")

    def cut_off(self) -> None:
        """End reads as a killed process ends, at a request that the dice choose."""
        died = False
        for stream in (self.money, "trade_bill"):
            mode = self.dice.choice(["changed", "full"])
            with suppress(ConnectorError):
                died |= self.world.killed_at(self.dice.randrange(1, 9), stream, mode)
        if not died:
            with suppress(ConnectorError):
                died = self.world.killed_at(1, self.money, "full")
        self.result.fired += died

    def judge(self, when: str) -> None:
        counts = Counts()
        for stream in (self.money, "trade_bill"):
            counts.rows += len(self.world.there(stream))
        for text in self.world.judge(self.money, "trade_bill"):
            kind, _, rest = text.partition(": ")
            counts.find(kind, f"{when}: {rest}")
        self.result.counts.add(counts)

    def at_the_end(self) -> None:
        """Load what was landed; hold the store's rows and sums against the account."""
        world, counts = self.world, Counts()
        world.time.wait(days=5)
        for stream in (self.money, "trade_bill"):
            done = world.sync(stream)
            self.result.expect(done.error is None, f"{stream}: {done.error}")
            self.result.expect(done.quarantined == 0, f"{stream}: quarantine")
        there = {
            key: abs(Decimal(row["收入金额（+元）"]) + Decimal(row["支出金额（-元）"]))
            for key, row in world.system.living("account").items()
        }
        refunds = [k for k in world.there("trade_bill") if "/" in k]
        with duckdb.connect(str(world.space.home.store), read_only=True) as con:
            found = con.execute(
                "select number, amount from source.payments where not is_deleted"
            ).fetchall()
            documents = con.execute(
                "select number from source.refunds where not is_deleted"
            ).fetchall()
        stored = dict(found)
        for key in there.keys() - stored.keys():
            counts.find("lost", f"the store has no {key}")
        for key in stored.keys() - there.keys():
            counts.find("ghost", f"the store has {key}")
        for key in stored.keys() & there.keys():
            if stored[key] != there[key]:
                counts.find("stale", f"the store's {key} is {stored[key]}, not {there[key]}")
        if len(found) > len(stored):
            counts.find("duplicated", "a movement stands twice")
        if sorted(key for (key,) in documents) != sorted(refunds):
            counts.find("wrong", "the refunds are not those of the bill")
        for text in leaks(world.space.home.landing.parent, list(secrets().values())):
            counts.find("leaked", text)
        self.result.counts.add(counts)
