"""Fixtures of the loader's tests: one emptied store, a landing with its own clock, one call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hand_plan import empty, land, order_plan
from load_parts import NOW, Load

from warehouse.checks import check_store
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import LoadReport, load_pending
from warehouse.model.plan import StreamPlan
from warehouse.store import Store, open_store


@pytest.fixture
def landing(home: Home) -> Landing:
    ticks = iter(range(10_000))
    return Landing(home.landing, now=lambda: NOW + timedelta(seconds=next(ticks)))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(Home(tmp_path_factory.mktemp("home")).make()) as found:
        yield found


@pytest.fixture
def store(shared: Store) -> Iterator[Store]:
    """Making a store takes a second: one serves all, emptied."""
    empty(shared)
    yield shared
    assert check_store(shared.con) == []


@pytest.fixture
def _no_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of a small load is its checkpoint; test_load_kills has them."""
    monkeypatch.setattr("warehouse.load.checkpoint_at_commit", lambda store: None)
    monkeypatch.setattr(Store, "checkpoint", lambda store: None)


@pytest.fixture
def load(_no_checkpoints: None, landing: Landing, store: Store) -> Load:
    def run(*records: dict | bytes, plan: StreamPlan | None = None, **more) -> LoadReport:
        trust = more.pop("trust_source", False)
        if records:
            land(landing, *records, **more)
        return load_pending(store, landing, plan or order_plan(), now=NOW, trust_source=trust)

    return run
