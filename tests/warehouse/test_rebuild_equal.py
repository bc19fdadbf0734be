"""The store made anew from landing and decisions has the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hand_plan import ORDER, START, land, order, order_plan
from unified_rows import unified_rows

from warehouse import completeness, quarantine
from warehouse.checks import check_store
from warehouse.ddl import columns_of, families, history_table, source_table
from warehouse.errors import DecisionError, KeyChanged, LandingDamaged
from warehouse.holds import accept, list_holds
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.model.plan import StreamPlan
from warehouse.project import project
from warehouse.rebuild import Rebuilt, rebuild
from warehouse.session import next_load
from warehouse.store import Store, open_store
from warehouse.unify import unify

V1, V2, V3, V4 = (f"2026-01-0{n}T00:00:00Z" for n in (1, 2, 3, 4))
PLAN = order_plan(payments=True)
NOT_COMPARED = {"load_id"}  # how many batches a transaction took is no matter of content


def plan_for(connection: str, stream: str) -> StreamPlan | None:
    return PLAN if (connection, stream) == ("shop", "orders") else None


def content(path: Path) -> dict[str, list[tuple]]:
    found: dict[str, list[tuple]] = {}
    with duckdb.connect(str(path), read_only=True) as con:
        for entity in families("order", "payment"):
            for table in (source_table(entity), history_table(entity)):
                names = columns_of(n for n in table.names if n not in NOT_COMPARED)
                found[table.full] = con.execute(
                    f"select {names} from {table.full} order by all"
                ).fetchall()
        found["quarantine"] = con.execute(
            "select id, source_key, field, rule, reason, status, first_at from ops.quarantine"
            " order by id"
        ).fetchall()
        found["made"] = con.execute(
            "select target, entity, record_key, source_key from ops.made order by all"
        ).fetchall()
        found["batches"] = con.execute(
            "select batch, rows, loaded, inserted, updated, unchanged, quarantined, deleted,"
            " refused from ops.batches order by all"
        ).fetchall()
    return found


@pytest.fixture
def clock() -> Iterator[list[datetime]]:
    return [START]


@pytest.fixture
def landing(home: Home, clock: list[datetime]) -> Landing:
    def now() -> datetime:
        clock[0] += timedelta(seconds=1)
        return clock[0]

    return Landing(home.landing, now=now)


def live(home: Home, landing: Landing) -> None:
    """Live through all that a store may see, one load a step but for some."""

    def load() -> None:
        with open_store(home) as store:
            load_pending(store, landing, PLAN, now=landing.now)

    land(landing, *(order(n, V1, paid="3") for n in range(100)), mode="full", complete=True)
    load()
    land(landing, order(1, V2, name="two"), order(2, V2, total="x"), order(500, V1, total="y"))
    land(landing, order(1, V3, lines=[]), order(3, V2, deleted=True))
    load()
    land(landing, order(4, V2), order(1, V2, name="late"), b"oops", order(None))
    land(landing, *(order(n, V1, paid="3") for n in range(5, 99)), mode="full", complete=True)
    load()
    land(landing, *(order(n, V1, paid="3") for n in range(5, 20)), mode="full", complete=True)
    load()
    with open_store(home) as store:
        quarantine.discard(store, landing, ["shop/orders/4/3/order"], why="a test", now=landing.now)
    land(landing, order(30, V4, name="here again"))
    load()
    (hold,) = list_holds(landing)
    accept(landing, "shop", "orders", hold.batch, why="sold", now=landing.now)
    land(landing, order(40, V1, paid="3"), order(31, V2))
    load()
    land(landing, order(5, "2025-01-01T00:00:00Z", name="restored"), trust_source=True)
    load()


def test_a_rebuilt_store_is_equal(home: Home, landing: Landing) -> None:
    live(home, landing)
    before = content(home.store)
    assert len(before['"source"."orders"']) == 100
    assert len(before['"history"."orders"']) == 90
    assert {r[5] for r in before["quarantine"]} >= {"open", "superseded", "discarded"}
    with duckdb.connect(str(home.store), read_only=True) as con:
        (last,) = con.execute("select max(load_id) from ops.batches").fetchone() or (0,)
    report = rebuild(home, landing, plan_for, landing.now)
    assert (report.streams, report.left_out) == (1, [])
    assert report.rows == {"orders": 100, "payments": 100}
    assert "orders 100" in str(report)
    after = content(home.store)
    for name in before:
        assert after[name] == before[name], name
    with open_store(home) as store:
        assert check_store(store.con) == []
        (first,) = store.con.execute("select min(load_id) from ops.batches").fetchone() or (0,)
        assert first > last, "what consumes loads by number must see these as new"
        assert load_pending(store, landing, PLAN, now=landing.now).batches == 0
    assert not [p for p in home.store.parent.iterdir() if p.name.startswith("rebuilt")]


def test_what_was_counted_at_the_source_is_kept(home: Home, landing: Landing) -> None:
    """No record tells of it; a store of a release without the table gives what else it has."""
    land(landing, order(1, V1))
    counted = {"source_count": 2, "store_count": 1, "status": "missing", "checked_at": START,
               "summed": "total", "source_sum": "2.5", "message": "one is lost"}  # fmt: skip
    with open_store(home) as store:
        load_pending(store, landing, PLAN, now=landing.now)
        completeness.replace(store, "shop", "orders", [counted])
        before = store.con.execute("from ops.completeness").fetchall()
    rebuild(home, landing, plan_for, landing.now)
    with open_store(home) as store:
        assert before
        assert store.con.execute("from ops.completeness").fetchall() == before
        store.con.execute("drop table recon.breaks")
    rebuild(home, landing, plan_for, landing.now)
    with open_store(home) as store:
        assert store.con.execute("from ops.completeness").fetchall() == before


def test_a_store_that_is_lost_or_damaged_is_made_again(home: Home, landing: Landing) -> None:
    land(landing, order(1), order(2))
    with open_store(home) as store:
        load_pending(store, landing, PLAN, now=landing.now)
    before = content(home.store)
    home.store.write_bytes(b"no database")
    home.store.with_name(home.store.name + ".wal").write_bytes(b"an old log")
    rebuild(home, landing, plan_for, landing.now())
    assert content(home.store) == before
    home.store.unlink()
    rebuild(home, landing, plan_for, landing.now())
    assert content(home.store) == before


def test_a_rebuild_that_fails_leaves_the_store(home: Home, landing: Landing) -> None:
    land(landing, order(1))
    with open_store(home) as store:
        load_pending(store, landing, PLAN, now=landing.now)
    before = content(home.store)
    land(landing, order(2))
    landing.batches("shop", "orders")[1].data.write_bytes(b"damaged")
    with pytest.raises(LandingDamaged):
        rebuild(home, landing, plan_for, landing.now())
    assert content(home.store) == before


def two_connections(home: Home, landing: Landing) -> StreamPlan:
    """Let two connections of one form stand in the store; return the plan of the second."""
    mall = replace(PLAN, connection="mall")
    live(home, landing)
    with landing.writer(
        "mall", "orders", mode="changed", read="r", connector="rest@1", started=START
    ) as writer:
        writer.add([json.dumps(order(n, paid="4")).encode() for n in range(9)],
                   [str(n) for n in range(9)], {})  # fmt: skip
    with open_store(home) as store:
        load_pending(store, landing, mall, now=landing.now)
        unify(store, now=START)
    return mall


def test_one_connection_is_made_anew_and_the_others_are_not_touched(
    home: Home, landing: Landing
) -> None:
    mall = two_connections(home, landing)
    before = content(home.store)

    def rows(name: str) -> list[tuple]:
        with duckdb.connect(str(home.store), read_only=True) as con:
            return con.execute(
                "select * from source.orders where connection = ? order by all", [name]
            ).fetchall()

    untouched = rows("mall")
    with open_store(home) as store:
        last = next_load(store.con)
        store.con.execute("delete from source.orders where connection = 'shop' and total > 0")
        store.con.execute("delete from history.order_lines where connection = 'shop'")
        golden = unified_rows(store)
    plans = {"shop": PLAN, "mall": mall}
    (home.landing / "mall" / "orders" / "000000000001.ndjson.zst").write_bytes(b"not even read")
    report = rebuild(home, landing, lambda c, _: plans[c], landing.now, connection="shop")
    assert (report.streams, report.rows) == (1, {"orders": 100, "payments": 100})
    assert content(home.store) == before
    assert rows("mall") == untouched
    with open_store(home) as store:
        assert check_store(store.con) == []
        assert min(row[0] for row in loads_of(store, "shop")) >= last
        assert unify(store, now=START).run == 2
        assert unified_rows(store) == golden


def loads_of(store: Store, connection: str) -> list[tuple]:
    return store.con.execute(
        "select load_id from ops.batches where connection = ?", [connection]
    ).fetchall()


def test_one_connection_that_cannot_be_made_anew_leaves_the_store(
    home: Home, landing: Landing
) -> None:
    mall = two_connections(home, landing)
    before = home.store.read_bytes()
    landing.batches("shop", "orders")[0].data.write_bytes(b"damaged")
    with pytest.raises(LandingDamaged):
        rebuild(home, landing, lambda *_: PLAN, landing.now, connection="shop")
    assert home.store.read_bytes() == before
    rebuild(home, landing, lambda *_: mall, landing.now, connection="mall")


def test_streams_without_a_mapping_are_named(home: Home, landing: Landing) -> None:
    with landing.writer(
        "shop", "old", mode="changed", read="r", connector="rest@1", started=START
    ) as writer:
        writer.add([b"{}"], ["1"], {})
    report = rebuild(home, landing, plan_for, landing.now())
    assert report == Rebuilt(left_out=["shop/old"])


def test_a_mended_mapping_applies_to_all_that_was_landed(home: Home, landing: Landing) -> None:
    land(landing, order(1, total="1,5"))
    with open_store(home) as store:
        load_pending(store, landing, order_plan(), now=landing.now)
        mended = order_plan(
            order_sql=ORDER.replace("try_cast(c2 as", "try_cast(replace(c2, ',', '.') as")
        )
        quarantine.replay(store, landing, mended, now=landing.now)
        before = store.con.execute("select * exclude (load_id) from source.orders").fetchall()
    rebuild(home, landing, lambda *_: mended, landing.now())
    with open_store(home) as store:
        after = store.con.execute("select * exclude (load_id) from source.orders").fetchall()
        assert store.con.execute("select * from ops.quarantine").fetchall() == []
    assert after == before


@pytest.mark.parametrize("how", ["accept", "discard", "trust"])
def test_the_last_decision_gone_is_noticed_by_the_next_load(
    home: Home, landing: Landing, how: str
) -> None:
    with open_store(home) as store:
        land(landing, *(order(n) for n in range(100)), order(None), mode="full", complete=True)
        load_pending(store, landing, PLAN, now=landing.now, trust_source=how == "trust")
        if how == "accept":
            land(landing, *(order(n) for n in range(20)), mode="full", complete=True)
            load_pending(store, landing, PLAN, now=landing.now)
            (hold,) = list_holds(landing)
            accept(landing, "shop", "orders", hold.batch, why="sold", now=landing.now)
            load_pending(store, landing, PLAN, now=landing.now)
        if how == "discard":
            (one,) = quarantine.list_(store.con)
            quarantine.discard(store, landing, [one.id], why="a test", now=landing.now)
        (landing.decisions.folder / "000000000001.json").unlink()
        with pytest.raises(DecisionError, match="decision 1 is missing"):
            load_pending(store, landing, PLAN, now=landing.now)
        with pytest.raises(DecisionError, match="decision 1 is missing"):
            quarantine.discard(store, landing, [], why="takes its number", now=landing.now)
    before = home.store.read_bytes()
    with pytest.raises(DecisionError, match="decision 1 is missing"):
        rebuild(home, landing, plan_for, landing.now)
    assert home.store.read_bytes() == before
    rebuild(home, landing, plan_for, landing.now, accept_loss=True)
    with open_store(home) as store:
        load_pending(store, landing, PLAN, now=landing.now)


@pytest.mark.parametrize("damage", ["none", "store", "projection"])
def test_a_rebuild_does_not_forget_which_key_masked(
    home: Home, landing: Landing, damage: str
) -> None:
    def masked(key: bytes, *, new: bool = False) -> None:
        with open_store(home) as store:
            project(store, home, privacy="masked", key=key, new_key=new, now=START)

    land(landing, order(1))
    with open_store(home) as store:
        load_pending(store, landing, PLAN, now=landing.now)
    masked(b"k" * 32)
    if damage == "store":
        home.store.write_bytes(b"no database")
    if damage == "projection":
        home.public.unlink()
    rebuild(home, landing, plan_for, landing.now)
    with pytest.raises(KeyChanged, match="--new-key"):
        masked(b"n" * 32)
    masked(b"k" * 32)
    masked(b"n" * 32, new=True)
    masked(b"n" * 32)
    with pytest.raises(KeyChanged):
        masked(b"k" * 32)
