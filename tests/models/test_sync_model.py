"""A sync as a state machine: whatever a source does and wherever a run dies, nothing is missed.

Beside the end (store = source) two things hold at every moment: a row never goes back to an older
version, and the bookmark never passes a committed record that no read has brought, as long as it
was committed within the lookback. `ISTHMUS_HYPOTHESIS=full` plays many longer runs.
"""

from __future__ import annotations

import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.faults import oracle, shop
from tests.faults.case import Result, settle
from tests.faults.data_checks import judge_store, living_rows
from tests.faults.world import IN_PROCESS, START, World
from warehouse.crashpoints import POINTS
from warehouse.landing import Landing

FULL = os.environ.get("ISTHMUS_HYPOTHESIS") == "full"
LOOKBACK = timedelta(minutes=10)
LIMIT = 5
EXTRACT = [p for p in POINTS if p.startswith(("extract", "land", "load"))]
PICKS = st.integers(0, 10_000)
FAULTS = st.sampled_from(["status", "html", "reset", "truncated", "hang", "repeat", "foreign_next"])
DETAIL: dict[str, dict[str, Any]] = {
    "status": {"status": 503},
    "foreign_next": {"url": "http://10.0.0.1/x"},
}


class SyncMachine(RuleBasedStateMachine):
    """The source, the clock and the runs of one stream."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world: World | None = None
        self.stamps: dict[int, datetime] = {}
        self.living: set[int] = set()
        self.latest = START
        self.stood: dict[str, int] = {}
        self.looked = False

    @initialize(style=st.sampled_from(shop.STYLES), orders=st.integers(0, 12))
    def begin(self, style: shop.Style, orders: int) -> None:
        self.world = World(Path(self.folder.name) / "w", style=style, orders=0, customers=0)
        self.world.write_files(IN_PROCESS, limit=LIMIT)
        for number in range(1, orders + 1):
            self.commit(number, START - timedelta(seconds=orders - number))

    @property
    def made(self) -> World:
        assert self.world is not None
        return self.world

    def commit(self, number: int, at: datetime) -> None:
        """Commit no earlier than the record's last stamp, and than the lookback allows."""
        at = max(at, self.stamps.get(number, at), self.latest - LOOKBACK + timedelta(seconds=1))
        self.stamps[number] = at
        self.living.add(number)
        self.made.put(number, at=at)

    def some(self, pick: int) -> int:
        return sorted(self.living)[pick % len(self.living)]

    # --- the source --------------------------------------------------------------------------
    @rule(seconds=st.sampled_from([1, 6, 100, 700, 90_000, -60, -590]))
    def clock_moves(self, seconds: int) -> None:
        self.made.wait(seconds)
        self.latest = max(self.latest, self.made.clock.at)

    @rule(late=st.integers(0, 600))
    def insert(self, late: int) -> None:
        at = self.made.clock.at - timedelta(seconds=late)
        self.commit(max(self.stamps, default=0) + 1, at)

    @precondition(lambda self: self.living)
    @rule(pick=PICKS, late=st.sampled_from([0, 0, 5, 599]))
    def update(self, pick: int, late: int) -> None:
        self.commit(self.some(pick), self.made.clock.at - timedelta(seconds=late))

    @precondition(lambda self: self.living)
    @rule(pick=PICKS)
    def delete(self, pick: int) -> None:
        number = self.some(pick)
        self.made.delete(number)
        self.living.discard(number)

    @rule()
    def schema_grows(self) -> None:
        path = self.made.folder / "mappings" / "shop" / "orders.yaml"
        text = path.read_text("utf-8")
        if "extra:" not in text:
            path.write_text(f"{text}extra: [name]\n", "utf-8")

    # --- the runs ----------------------------------------------------------------------------
    @rule(full=st.booleans())
    def sync(self, full: bool) -> None:
        outcome = self.made.sync(full=full)
        assert outcome.status == "ok", outcome.error
        if not (outcome.bookmark_before or {}).get("resume"):
            counts = judge_store(self.made.journal.path, self.store, unowed=set())
            assert counts.is_clean, counts.details
        self.looked = False

    @rule(fault=FAULTS, request=st.integers(1, 4), times=st.sampled_from([1, 30]))
    def fails(self, fault: str, request: int, times: int) -> None:
        self.made.shop.fault(fault, request=request, times=times, **DETAIL.get(fault, {}))
        self.made.sync()
        self.made.shop.faults.clear()
        self.looked = False

    @rule(point=st.sampled_from(EXTRACT), arrival=st.integers(1, 2), full=st.booleans())
    def dies(self, point: str, arrival: int, full: bool) -> None:
        code = self.made.in_child(
            lambda: self.made.sync(full=full), crash_at=f"{point}:{arrival}"
        )  # fmt: skip
        assert code in (0, -9)
        self.looked = False

    @precondition(lambda self: FULL)
    @rule()
    def publish(self) -> None:
        assert self.made.publish().status == "ok"

    # --- what holds ----------------------------------------------------------------------------
    @property
    def store(self) -> Path:
        return self.made.home / "store" / "store.duckdb"

    @invariant()
    def nothing_goes_back_and_nothing_is_passed(self) -> None:
        if self.world is None or self.looked or not self.made.journal.path.exists():
            return
        self.looked = True
        records = oracle.read_journal(self.made.journal.path).records.get("orders", {})
        rows = living_rows(self.store)
        unread = set()
        for key, record in records.items():
            if key not in rows:
                unread |= set() if record.gone else {key}
                continue
            (row,) = rows[key]
            place = record.versions.index(row)
            assert place >= self.stood.get(key, 0), f"{key} went back to version {place}"
            self.stood[key] = place
            if place < len(record.versions) - 1 and not record.gone:
                unread.add(key)
        said = Landing(self.made.home / "landing").bookmark("shop", "orders") or {}
        if said.get("stamp"):
            floor = datetime.fromisoformat(said["stamp"]) - LOOKBACK
            landed = self._landed()
            passed = [k for k in unread if self.stamps[int(k)] < floor and k not in landed]
            assert not passed, f"the bookmark {said['stamp']} passed {passed}"

    def _landed(self) -> set[str]:
        """Return the keys that wait in the landing: a killed load's batches are not loaded yet."""
        waiting = not self.store.exists() or self._batches() < len(
            list(self.made.home.glob("landing/shop/orders/[0-9]*.json"))
        )
        return {str(n) for n in self.stamps} if waiting else set()

    def _batches(self) -> int:
        with duckdb.connect(str(self.store), read_only=True) as con:
            (count,) = con.execute("select count(*) from ops.batches").fetchone() or (0,)
        return int(count)

    def teardown(self) -> None:
        if self.world is None:
            return
        try:
            result = settle(self.world, Result())
            assert result.survived, [*result.problems, *result.counts.details]
        finally:
            self.world.close()
            self.folder.cleanup()


TestSync = SyncMachine.TestCase
TestSync.settings = settings(
    max_examples=60 if FULL else 3, stateful_step_count=25 if FULL else 10, deadline=None,
    database=None, derandomize=not FULL, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
