"""The loader as a state machine, against a plain model of what the forms promise.

Batches of new, changed, repeated, older and broken records and of deletions are landed and loaded,
together or one by one, by processes that are killed; people discard and replay; the store is made
anew. After each step rows, lines, tombstones, history, quarantine and the counts of the batches are
the model's. `ISTHMUS_HYPOTHESIS=full` plays many longer runs.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import hypothesis.strategies as st
from hand_plan import land, order, order_plan
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from loader_model import Model

from warehouse import quarantine
from warehouse.checks import check_store
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.rebuild import rebuild
from warehouse.store import open_store

FULL = os.environ.get("ISTHMUS_HYPOTHESIS") == "full"
PLACE = ("shop", "orders")
PLAN = order_plan()
START = datetime(2026, 3, 1, tzinfo=UTC)
KILLS = ("load.begun", "load.staged", "load.written", "load.committed", "load.checkpointed")
REBUILD_KILLS = ("rebuild.filled", "rebuild.swapping", "load.written")
LAND_KILLS = ("land.data_written", "land.data_renamed", "land.sidecar")
COUNTED = ("inserted", "updated", "unchanged", "quarantined", "deleted", "refused")

KEYS = st.integers(1, 4)
VERSIONS = (
    "2026-01-01T00:00:00+00:00", "2026-01-01T08:00:00+08:00", "2026-01-02T00:00:00+00:00",
    "2026-01-02T00:00:00+00:00", "2026-01-03T00:00:00+00:00", None,
)  # fmt: skip
LINES = (
    [], [("1", "A", 1)], [("1", "A", 2), ("2", "B", 1)], [("2", "B", 1)], [("2", "B", 1)],
    [("1", "A", 1), ("1", "C", 1)], [("1", "A", "few")],
)  # fmt: skip


def some_records(seed: int, most: int) -> list[dict[str, Any]]:
    """Return up to `most` records of few keys, versions and contents, so that they often meet.

    From a seed, because Hypothesis begins with examples that are too plain to meet.
    """
    chance = random.Random(seed)
    return [
        order(
            chance.choice((1, 1, 2, 2, 3, 3, 4, None)),
            chance.choice(VERSIONS),
            name=chance.choice("ab"),
            total=chance.choice(("10.50", "10.50", "10.50", "10.50", "x")),
            deleted=chance.random() < 0.15,
            lines=[
                dict(zip(("id", "sku", "quantity"), line, strict=True))
                for line in chance.choice(LINES)
            ],
        )
        for _ in range(chance.randint(1, most))
    ]


SEEDS = st.integers(0, 2**32 - 1)


class LoaderMachine(RuleBasedStateMachine):
    """One stream's landing, its store, and the model of it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.home = Home(Path(self.folder.name)).make()
        ticks = itertools.count()
        self.landing = Landing(
            self.home.landing, now=lambda: START + timedelta(seconds=next(ticks))
        )
        self.model = Model()
        self.applied = 0

    @initialize(seed=SEEDS)
    def live(self, seed: int) -> None:
        """Begin with a past: short runs would else compare empty stores."""
        for number in range(9):
            land(self.landing, *some_records(seed + number, 4), grouped=True)
            if number == 3:
                self.load_killed("load.written", trust=False)
                self.delete(["1", "2"])
            if number in (4, 6):
                self.load(trust=number == 6)
        self.load()
        if self.waiting():
            self.discard(seed, is_killed=False)

    # --- what is landed ----------------------------------------------------------------------

    @rule(seed=SEEDS, most=st.sampled_from((6, 3, 1)), is_loaded=st.sampled_from((True, False)))
    def land(self, seed: int, most: int, is_loaded: bool) -> None:
        for number in range(2):
            land(self.landing, *some_records(seed + number, most), grouped=True)
        if is_loaded:
            self.load()

    @rule(seed=SEEDS, point=st.sampled_from(LAND_KILLS))
    def land_killed(self, seed: int, point: str) -> None:
        records = some_records(seed, 3)
        self.killed(point, lambda: land(self.landing, *records, grouped=True))

    @rule(keys=st.lists(KEYS.map(str), min_size=1, max_size=2, unique=True))
    def delete(self, keys: list[str]) -> None:
        with self.landing.writer(
            *PLACE, mode="feed", read="r", connector="rest@1", started=START
        ) as writer:
            writer.add([], keys, {"n": 0}, kind="deletions")

    # --- what is loaded ----------------------------------------------------------------------

    @rule(trust=st.sampled_from([False, False, True]))
    def load(self, trust: bool = False) -> None:
        self._load(trust)
        self.follow()
        self.compare()

    @rule(point=st.sampled_from(KILLS), trust=st.sampled_from([False, False, True]))
    def load_killed(self, point: str, trust: bool) -> None:
        self.killed(point, lambda: self._load(trust))
        self.follow()
        self.compare()

    def _load(self, trust: bool = False) -> None:
        with open_store(self.home) as store:
            load_pending(store, self.landing, PLAN, now=self.landing.now, trust_source=trust)

    # --- what people do ----------------------------------------------------------------------

    @precondition(lambda self: self.waiting())
    @rule(pick=st.integers(0, 100), is_killed=st.booleans())
    def discard(self, pick: int, is_killed: bool) -> None:
        waiting = self.waiting()
        batch, position = waiting[pick % len(waiting)]

        def decide() -> None:
            with open_store(self.home) as store:
                id_ = f"shop/orders/{batch}/{position}/order"
                quarantine.discard(store, self.landing, [id_], why="t", now=self.landing.now)

        if is_killed:
            self.killed("decide.written", decide)
            self._load()
            self.follow()
        else:
            decide()
        self.model.discard((batch, position))
        self.compare()

    @rule()
    def replay(self) -> None:
        """Under the same mapping nothing comes of it."""
        with open_store(self.home) as store:
            quarantine.replay(store, self.landing, PLAN, now=self.landing.now)
        self.compare()

    @rule(point=st.sampled_from(("", "", *REBUILD_KILLS)))
    def rebuild(self, point: str) -> None:
        def make() -> None:
            rebuild(self.home, self.landing, lambda *_: PLAN, self.landing.now)

        if point:
            self.killed(point, make)
            self.compare_if_there()
        make()
        self.follow()
        self.compare()

    # --- the model ---------------------------------------------------------------------------

    def killed(self, point: str, work: Callable[[], None]) -> None:
        """Do `work` in a child that dies at `point`; it may end before it gets there."""
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.environ["ISTHMUS_CRASH_AT"] = point
                work()
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)

    def waiting(self) -> list[tuple[int, int]]:
        """Return where the open records of the quarantine stand."""
        return sorted(p for p, (_, status) in self.model.quarantine.items() if status == "open")

    def follow(self) -> None:
        """Apply to the model what the store says it has applied: a run of whole batches."""
        if not self.home.store.exists():
            return
        with duckdb.connect(str(self.home.store)) as con:
            done = [
                n for (n,) in con.execute("select batch from ops.batches order by 1").fetchall()
            ]
        assert done == list(range(1, len(done) + 1))
        trusted = {n.batch for n in self.landing.decisions.named(*PLACE, "trust_source")}
        for number in done[self.applied :]:
            batch = self.landing.batch(*PLACE, number)
            ended = datetime.fromisoformat(batch.sidecar.ended_at)
            if batch.sidecar.content == "deletions":
                self.model.deletions(number, [k for k, _ in batch.deletions()], ended)
            else:
                self.model.records(number, batch.lines(), ended, trusted=number in trusted)
        self.applied = len(done)

    def compare_if_there(self) -> None:
        self.follow()
        if self.home.store.exists():
            self.compare()

    def compare(self) -> None:
        """Hold the store against the model, table by table."""
        if not self.home.store.exists():
            assert not self.model.rows
            return
        with duckdb.connect(str(self.home.store)) as con:
            con.execute("set TimeZone = 'UTC'")

            def rows(sql: str) -> list[tuple[Any, ...]]:
                return con.execute(sql).fetchall()

            assert check_store(con) == []
            model = self.model
            assert rows(
                "select source_key, version, number, total, is_deleted, newer_in_quarantine, batch,"
                " position, synced_at, delete_reason is distinct from 'source_flag' and is_deleted"
                " from source.orders order by 1"
            ) == [
                (key, r.said.version, r.said.number, r.said.total, r.deleted, r.flagged, *r.place,
                 r.since, r.absent)
                for key, r in sorted(model.rows.items())
            ]  # fmt: skip
            assert rows(
                "select parent_key, source_key, sku, quantity from source.order_lines"
                " order by parent_key, line"
            ) == [
                (key, *line)
                for key, r in sorted(model.rows.items())
                if not r.deleted
                for line in r.said.lines
            ]
            assert rows(
                "select source_key, valid_from, valid_to, version, is_deleted"
                " from history.orders order by 1, 2, 3"
            ) == sorted(model.history, key=lambda h: h[:3])
            assert rows(
                "select batch, position, source_key, status from ops.quarantine order by 1, 2"
            ) == [(*place, *said) for place, said in sorted(model.quarantine.items())]
            assert rows(f"select batch, {', '.join(COUNTED)} from ops.batches order by 1") == [
                (batch, *(count[name] for name in COUNTED))
                for batch, count in sorted(model.counts.items())
            ]
            assert (
                rows(
                    "select a.source_key from history.orders a join history.orders b"
                    " on b.source_key = a.source_key and b.rowid > a.rowid"
                    " where a.valid_from < b.valid_to and b.valid_from < a.valid_to"
                )
                == []
            )

    def teardown(self) -> None:
        try:
            self.load()
            self.rebuild("")
        finally:
            self.folder.cleanup()


TestLoader = LoaderMachine.TestCase
TestLoader.settings = settings(
    max_examples=150 if FULL else 3, stateful_step_count=25 if FULL else 8, deadline=None,
    database=None, derandomize=not FULL, phases=[Phase.generate, Phase.shrink] if FULL else
    [Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
