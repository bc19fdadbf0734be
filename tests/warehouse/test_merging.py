"""A small sync writes what changed, not the row groups beside it; they are merged now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import duckdb
import pytest
from hand_plan import land, order, order_plan
from load_parts import NOW
from publish_parts import bring

from warehouse import merging as merging_
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.merging import EVERY, MANY_ROWS, due, merging
from warehouse.rebuild import rebuild
from warehouse.store import Store, open_store


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    with open_store(home) as opened:
        yield opened


@pytest.fixture
def load(home: Home, store: Store) -> Callable[..., None]:
    landing = Landing(home.landing, now=lambda: NOW)

    def run(*records: dict) -> None:
        land(landing, *records)
        load_pending(store, landing, order_plan(), now=NOW)

    return run


def groups(con: duckdb.DuckDBPyConnection, table: str) -> int:
    (count,) = con.execute(
        f"select count(distinct row_group_id) from pragma_storage_info('{table}')"
    ).fetchone() or (0,)
    return int(count)


def test_groups_grow_with_syncs_and_are_merged_at_the_eighth(
    store: Store, load: Callable[..., None], home: Home
) -> None:
    seen: list[tuple[int, int]] = []
    for n in range(1, EVERY + 2):
        load(order(n))
        bring(store, home)
        with duckdb.connect(str(home.public), read_only=True) as con:
            seen.append((groups(store.con, "source.orders"), groups(con, "main.orders")))
    wanted = [*range(1, EVERY), 1, 2]
    assert [store_ for store_, _ in seen] == wanted
    assert [public for _, public in seen] == wanted
    count = "select count(*), count(distinct source_key) from source.orders"
    assert store.con.execute(count).fetchone() == (EVERY + 1, EVERY + 1)


def test_commits_that_write_the_file_themselves_merge_too(
    store: Store, load: Callable[..., None], home: Home
) -> None:
    store.con.execute("set wal_autocheckpoint = '1KB'")  # as if each sync wrote more than 16 MB
    for n in range(1, EVERY + 1):
        load(order(n))
        bring(store, home)
    with duckdb.connect(str(home.public), read_only=True) as con:
        assert groups(con, "main.orders") == 1
    assert groups(store.con, "source.orders") == groups(store.con, "unified.orders") == 1


def test_loads_without_a_unification_are_merged(store: Store, load: Callable[..., None]) -> None:
    for n in range(1, 2 * EVERY):
        load(order(n))
        assert groups(store.con, "source.orders") <= EVERY


def test_a_large_load_merges_at_once(
    store: Store, load: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(order(1))
    load(order(2))
    assert groups(store.con, "source.orders") == 2
    monkeypatch.setattr(merging_, "MANY_ROWS", 2)
    load(order(3), order(4))
    assert groups(store.con, "source.orders") == 1


def test_a_rebuilt_store_is_merged(home: Home) -> None:
    landing = Landing(home.landing, now=lambda: NOW)
    for n in range(3):
        land(landing, order(n), stream=f"orders{n}")
    rebuild(home, landing, lambda name, stream: replace(order_plan(), stream=stream), NOW)
    with open_store(home) as store:
        assert store.con.execute("select count(*) from source.orders").fetchone() == (3,)
        assert groups(store.con, "source.orders") == 1


def test_the_setting_is_put_back_when_the_block_fails(store: Store) -> None:
    ask = "select current_setting('max_vacuum_tasks')"
    (before,) = store.con.execute(ask).fetchone() or (None,)
    inside = []

    def fail() -> None:
        with merging(store.con, True):
            inside.append(store.con.execute(ask).fetchone())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert inside != [(before,)]
    assert store.con.execute(ask).fetchone() == (before,)


def test_what_is_due() -> None:
    assert [n for n in range(1, 3 * EVERY + 1) if due(n, 10)] == [EVERY, 2 * EVERY, 3 * EVERY]
    assert due(1, MANY_ROWS)
    assert not due(1, MANY_ROWS - 1)
