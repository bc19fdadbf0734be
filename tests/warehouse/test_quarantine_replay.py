from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hand_plan import ORDER, START, empty, land, order, order_plan

from warehouse import quarantine
from warehouse.checks import check_store
from warehouse.errors import DecisionError
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.quarantine import ReplayReport
from warehouse.store import Store, open_store

V1, V2, V3 = (f"2026-01-0{n}T00:00:00Z" for n in (1, 2, 3))
LATER = START + timedelta(days=1)
# A mapping that knows what to do with "12,50".
MENDED = ORDER.replace("try_cast(c2 as", "try_cast(replace(c2, ',', '.') as")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(Home(tmp_path_factory.mktemp("home")).make()) as found:
        yield found


@pytest.fixture
def store(shared: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    empty(shared)
    monkeypatch.setattr("warehouse.load.checkpoint_at_commit", lambda store: None)
    monkeypatch.setattr(Store, "checkpoint", lambda store: None)
    yield shared
    assert check_store(shared.con) == []


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing", now=lambda: START)


def load(store: Store, landing: Landing, *records: dict | bytes, **more) -> None:
    land(landing, *records)
    load_pending(store, landing, order_plan(**more), now=START)


def states(store: Store) -> list[tuple]:
    return store.con.execute(
        "select batch, position, status, load_id from ops.quarantine order by 1, 2"
    ).fetchall()


def test_entries_are_listed_and_shown_with_their_record(store: Store, landing: Landing) -> None:
    load(store, landing, order(1), order(2, total="12,50"), b"oops")
    found = quarantine.list_(store.con)
    assert [(e.id, e.rule) for e in found] == [
        ("shop/orders/1/2/order", "check"), ("shop/orders/1/3/order", "malformed"),
    ]  # fmt: skip
    assert quarantine.list_(store.con, connection="other") == []
    assert len(quarantine.list_(store.con, limit=1)) == 1
    entry, record = quarantine.show(store.con, landing, found[0].id)
    assert entry.source_key == "2"
    assert json.loads(record)["total"] == "12,50"
    assert quarantine.show(store.con, landing, found[1].id)[1] == b"oops"
    with pytest.raises(DecisionError, match="no entry"):
        quarantine.show(store.con, landing, "shop/orders/9/9/order")


def test_a_mended_mapping_takes_what_was_put_aside(store: Store, landing: Landing) -> None:
    load(store, landing, order(1), order(2, total="12,50"), order(3, total="x"))
    load(store, landing, order(4, total="1,5"))
    plan = order_plan(order_sql=MENDED)
    report = quarantine.replay(store, landing, plan, now=LATER)
    assert report == ReplayReport(replayed=2, still_broken=1)
    assert store.con.execute(
        "select source_key, total::varchar, batch, position, load_id from source.orders order by 1"
    ).fetchall() == [
        ("1", "10.5000", 1, 1, 1), ("2", "12.5000", 1, 2, 3), ("4", "1.5000", 2, 1, 3),
    ]  # fmt: skip
    assert len(store.con.execute("select * from source.order_lines").fetchall()) == 6
    assert states(store) == [
        (1, 2, "replayed", 3), (1, 3, "open", 3), (2, 1, "replayed", 3),
    ]  # fmt: skip
    ((first, last),) = store.con.execute(
        "select first_at, last_at from ops.quarantine where position = 3"
    ).fetchall()
    assert first == last == START
    assert quarantine.replay(store, landing, plan, now=LATER) == ReplayReport(still_broken=1)


def test_only_the_entries_chosen_are_replayed(store: Store, landing: Landing) -> None:
    load(store, landing, order(1, total="1,5"), order(2, total="2,5"))
    plan = order_plan(order_sql=MENDED)
    report = quarantine.replay(store, landing, plan, ["shop/orders/1/2/order"], now=LATER)
    assert report == ReplayReport(replayed=1)
    assert store.con.execute("select source_key from source.orders").fetchall() == [("2",)]
    assert quarantine.replay(store, landing, plan, [], now=LATER) == ReplayReport()


def test_a_replay_does_not_bring_back_what_was_overtaken(store: Store, landing: Landing) -> None:
    load(store, landing, order(1, V1), order(2, V2, total="2,5"))
    load(store, landing, order(1, V2, total="1,5"))
    land(landing, order(2, V3, name="newer"), order(1, V3, deleted=True))
    # The entries are closed by the newer version; one is opened again to try the guard itself.
    load_pending(store, landing, order_plan(), now=START)
    store.con.execute("update ops.quarantine set status = 'open'")
    report = quarantine.replay(store, landing, order_plan(order_sql=MENDED), now=LATER)
    assert report == ReplayReport(superseded=2)
    assert store.con.execute(
        "select source_key, number, is_deleted from source.orders order by 1"
    ).fetchall() == [("1", "#1", True), ("2", "newer", False)]


def test_a_replay_does_not_undo_an_absence(store: Store, landing: Landing) -> None:
    land(landing, order(1), order(2), mode="full", complete=True)
    land(landing, order(2, "2999-01-01T00:00:00Z", total="2,5"))
    land(landing, order(1), mode="full", complete=True)
    load_pending(store, landing, order_plan(), now=START)
    assert store.con.execute("select status from ops.quarantine").fetchall() == [("superseded",)]
    store.con.execute("update ops.quarantine set status = 'open'")
    quarantine.replay(store, landing, order_plan(order_sql=MENDED), now=LATER)
    assert store.con.execute(
        "select is_deleted from source.orders where source_key = '2'"
    ).fetchall() == [(True,)]


def test_discarding_is_a_decision_that_loads_respect(store: Store, landing: Landing) -> None:
    load(store, landing, order(1, V1))
    load(store, landing, order(1, V2, total="1,5"), order(2, total="2,5"))
    done = quarantine.discard(
        store, landing, ["shop/orders/2/1/order"], why="test order", who="ann", now=LATER
    )
    assert done == 1
    (decision,) = landing.decisions.all("discard")
    assert (decision.who, decision.why) == ("ann", "test order")
    assert "1,5" not in decision.model_dump_json()
    assert [s[2] for s in states(store)] == ["discarded", "open"]
    assert store.con.execute("select newer_in_quarantine from source.orders").fetchall() == [
        (False,)
    ]
    with pytest.raises(DecisionError, match="no open entry"):
        quarantine.discard(store, landing, ["shop/orders/2/1/order"], why="again", now=LATER)
    quarantine.replay(store, landing, order_plan(order_sql=MENDED), now=LATER)
    assert store.con.execute(
        "select source_key, version from source.orders order by 1"
    ).fetchall() == [("1", V1), ("2", V1)]


def test_a_decision_that_the_store_did_not_see_is_acted_on_at_the_next_load(
    store: Store, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(store, landing, order(2, total="2,5"))
    with monkeypatch.context() as patch:
        patch.setattr(quarantine, "discard_entries", lambda *a: 0)  # killed in between
        quarantine.discard(store, landing, ["shop/orders/1/1/order"], why="x", now=LATER)
    assert [s[2] for s in states(store)] == ["open"]
    load_pending(store, landing, order_plan(), now=START)
    assert [s[2] for s in states(store)] == ["discarded"]
