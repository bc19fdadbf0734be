"""Random stories of parcels: shipped, moved, re-ordered, late; runs cut off, quotas, bad answers.

The judge remembers what the simulated account served, and holds the store against it after each
run; it shares no code with the connector. What was served to a run that was killed may have been
landed or not, but never by half.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import duckdb

from connectors.kuaidi100.sample import HERE, Record, event
from connectors.kuaidi100.simulator import Kuaidi100Simulator, Line
from pipelines.outcome import StreamOutcome
from tests.faults.case import Case, Result, Size, stories
from tests.faults.oracle import Counts
from tests.support.cut_off import killed_at
from tests.support.kuaidi100_world import CUSTOMER, KEY, Network, World

ROUNDS, QUICK_ROUNDS = 9, 2
CUTS = 2
DAILY = 40
SENDER = "13700137000"
Key: TypeAlias = tuple[str, str]
Version: TypeAlias = tuple[str, frozenset[tuple[datetime, str, str, int]]]
STATES = {"1": "shipped", "0": "in_transit", "2": "exception", "5": "out_for_delivery",
          "6": "exception", "3": "delivered", "301": "delivered", "4": "returned"}  # fmt: skip
LAST = ("3", "301", "4")
NAMES = {"yuantong": ("圆通", "YTO", "圆通速递"), "zhongtong": ("中通快递", "zto"),
         "shunfeng": ("SF", "顺丰速运", "S.F. Express"), None: ("某某专线", "")}  # fmt: skip
STORED = """
    select s.carrier_code, s.tracking_number, s.status, e.occurred_at, e.description, e.code
    from source.shipments s left join source.shipment_events e
        on e.connection = s.connection and e.stream = s.stream and e.parent_key = s.source_key
    where s.connection = 'post' and not s.is_deleted
"""


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return stories, each with runs that are cut off; `seeds` say the first."""
    return stories("W", size, seeds, play, rounds=(ROUNDS, QUICK_ROUNDS), cuts=CUTS)


def play(seed: int, root: Path, *, rounds: int) -> Result:
    """Play one story of so many rounds; it judges itself after each run."""
    result = Result()
    settings = {"daily_quota": str(DAILY), "page": "4", "sender_phone": SENDER}
    world = World(root / "world", **settings, workers=str(1 + seed % 3))
    try:
        _Story(world, random.Random(seed), result).tell(rounds)
    finally:
        world.close()
    return result


class Served(Kuaidi100Simulator):
    """The account, which remembers the whole parcels that it gave out."""

    def __init__(self, world: World) -> None:
        super().__init__(CUSTOMER, KEY, now=world.time.now)
        self.served: list[tuple[Key, Record]] = []

    def _found(self, com: str, num: str, asked: Record) -> Record:
        made = super()._found(com, num, asked)
        self.served.append(((com, num), made))
        return made


class _Story:
    def __init__(self, world: World, dice: random.Random, result: Result) -> None:
        self.world, self.dice, self.result = world, dice, result
        self.post = world.post = Served(world)
        world.network = Network(self.post)
        self.next = 1
        self.events: dict[Key, list[Record]] = {}
        self.kept: dict[Key, Version] = {}
        self.maybe: dict[Key, list[Version]] = {}
        self.ended: set[Key] = set()

    def tell(self, rounds: int) -> None:
        cuts = set(self.dice.sample(range(rounds), CUTS))
        for number in range(rounds):
            if number in cuts:  # there must be something to cut off: new parcels, a new day
                self.ship(6)
                self.world.time.wait(hours=25)
            self.ship(self.dice.choice([2, 5, 12]))
            for _ in range(self.dice.randrange(12)):
                self.move()
            self.world.sync_shop()
            self.learn()
            if number in cuts:
                self.cut_off()
            else:
                self.run(self.dice.choice(["", "", "between", "quota", "bad", "busy"]))
            self.judge(f"after run {number}")
            self.world.time.wait(minutes=self.dice.choice([5, 61, 300, 1500]))
        self.quiesce()

    # --- what happens on the road -----------------------------------------------------------------
    def ship(self, count: int) -> None:
        """Let parcels leave; some rows are doubled in other words, some name nobody's carrier."""
        for _ in range(count):
            number, self.next = self.next, self.next + 1
            com = self.dice.choice(["yuantong", "yuantong", "zhongtong", "shunfeng", None])
            num = f"{'SF' if com == 'shunfeng' else ''}{770000000 + number % 40}{number // 40}"
            for twin in range(self.dice.choice([1, 1, 2])):
                name = self.dice.choice(NAMES[com])
                phone = self.dice.choice([SENDER, None])  # the settings have it, too
                self.world.ship(f"{number}-{twin}", num, name, phone=phone)
            if com is not None:
                self.events[com, num] = []
                self.move((com, num), late=self.dice.choice([0, 0, 1800]))

    def move(self, key: Key | None = None, late: float = 0) -> None:
        """Let one more thing happen to a parcel; its carrier may tell all of it in another way."""
        open_ones = [one for one, told in self.events.items() if not told or not _is_last(told)]
        if key is None and not open_ones:
            return
        key = key or self.dice.choice(open_ones)
        told = self.events[key]
        code = self.dice.choice(["0", "0", "5", "2", "6", "3", "301", "4"]) if told else "1"
        at = self.world.time.now() - timedelta(seconds=self.dice.choice([0, 0, 600]))
        told.insert(0, event(at, f"{key[1]} {code} {len(told)}", code, "上海"))
        if self.dice.random() < 0.3:  # a scan that is told late, with the time of another
            told.insert(1, dict(self.dice.choice(told), context=f"late {len(told)}"))
        if self.dice.random() < 0.2:
            told.append(dict(told[-1]))  # the very same once more
        if self.dice.random() < 0.3:
            told[1:] = self.dice.sample(told[1:], len(told) - 1)
        told[1:] = [one for one in told[1:] if one["time"] <= told[0]["time"]]
        self.post.put(*key, told, phone=SENDER, late=late)

    # --- runs -------------------------------------------------------------------------------------
    def run(self, how: str = "") -> None:
        post = self.post
        before = {"between": lambda number: number % 3 or self.move()}
        post.before = before.get(how, lambda number: None)
        day = self.world.time.now().astimezone(HERE).date().isoformat()
        post.quota = post.billed[day] + self.dice.randrange(6) if how == "quota" else None
        post.faults = {"bad": [200 + 799], "busy": [502, 501, 500, 408]}.get(how, [])
        served, lines = len(post.served), len(self.lines())
        done = self.world.sync()
        post.before, post.quota, post.faults = lambda number: None, None, []
        for key, record in post.served[served:]:
            self.kept[key] = _version(record)
            self.maybe.pop(key, None)
        self.honest(how, done, self.lines()[lines:])

    def lines(self) -> list[Line]:
        return [one for one in self.post.journal if one.kind == "request"]

    def honest(self, how: str, done: StreamOutcome, lines: list[Line]) -> None:
        """Hold what the run tells against the account's journal."""
        codes = Counter(one.code for one in lines)
        counts, tally = self.result.counts, done.tally
        if tally.get("found", 0) != codes["200"] or done.read != codes["200"]:
            counts.find("dishonest", f"{how}: {codes} came, told {tally}, read {done.read}")
        if done.read != done.landed + done.unchanged:
            counts.find("dishonest", f"read {done.read}, landed {done.landed}")
        if (done.quota is not None) != (done.status == "partial"):
            counts.find("dishonest", f"{done.status} with quota {done.quota}")
        if done.error is not None and how != "bad":
            self.result.problems.append(f"{how}: {done.error}")
        if KEY in str(done):
            counts.find("leaked", "the outcome tells the key")
        again = {(one.com, one.num) for one in lines} & self.ended
        self.result.expect(not again, f"asked for again though at their end: {sorted(again)[:3]}")
        self.result.expect(not self.post.hurried, f"asked too often: {self.post.hurried[:3]}")

    def cut_off(self) -> None:
        """End a run as a killed process ends; what it was served may be landed or not."""
        served = len(self.post.served)
        for place in (self.dice.randrange(1, 7), 1):
            died = killed_at(self.post, place, self.world.sync)
            if died:
                break
        self.result.fired += died
        for key, record in self.post.served[served:]:
            self.maybe.setdefault(key, []).append(_version(record))

    def learn(self) -> None:
        """Note which parcels the published store says are at their end."""
        rows = self.world.ask(
            "select carrier_code, tracking_number from unified.shipments"
            " where connection = 'post' and status in ('delivered', 'returned')"
        )
        self.ended = {(com, num) for com, num in rows}

    def quiesce(self) -> None:
        """Ask until every parcel was asked for, on days of their own; then all is as it is."""
        for _ in range(2 + len(self.events) // DAILY):
            self.world.time.wait(hours=25)
            self.world.publish()
            self.learn()
            self.run()
            self.judge("at the end")
        there = {key: _version(record) for key, record in self.post.living().items()}
        stored = self.stored()
        for key in there.keys() - stored.keys():
            self.result.counts.find("lost", f"at the end: {key}")
        for key in there.keys() & stored.keys():
            if stored[key] != there[key]:
                self.result.counts.find("stale", f"at the end: {key}")

    # --- the judge --------------------------------------------------------------------------------
    def stored(self) -> dict[Key, Version]:
        path = self.world.space.home.store
        found: dict[Key, tuple[str, Counter[Any]]] = {}
        with duckdb.connect(str(path), read_only=True) as con:
            for com, num, status, at, said, code in con.execute(STORED).fetchall():
                events = found.setdefault((com, num), (status, Counter()))[1]
                events[at.astimezone(HERE), said, code] += 1
            twice = con.execute(
                "select source_key from source.shipments where connection = 'post'"
                " group by 1 having count(*) > 1"
            ).fetchall()
        for (key,) in twice:
            self.result.counts.find("duplicated", str(key))
        return {key: (status, _set(events)) for key, (status, events) in found.items()}

    def judge(self, when: str) -> None:
        counts, stored = Counts(), self.stored()
        counts.rows = len(stored)
        for key in self.kept.keys() - stored.keys() - self.maybe.keys():
            counts.find("lost", f"{when}: {key}")
        for key, version in stored.items():
            may = [*([self.kept[key]] if key in self.kept else []), *self.maybe.get(key, ())]
            if not may:
                counts.find("ghost", f"{when}: {key}")
            elif version not in may:
                known = {events for _, events in may}
                counts.find("stale" if version[1] in known else "torn", f"{when}: {key}")
        self.result.counts.add(counts)


def _is_last(told: list[Record]) -> bool:
    return told[0]["statusCode"] in LAST


def _version(record: Record) -> Version:
    events: Counter[Any] = Counter()
    for one in record["data"]:
        at = datetime.fromisoformat(one["time"]).replace(tzinfo=HERE)
        events[at, one["context"], one["statusCode"]] += 1
    return STATES[record["state"]], _set(events)


def _set(events: Counter[Any]) -> frozenset[Any]:
    return frozenset((*one, count) for one, count in events.items())
