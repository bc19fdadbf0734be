"""History has every column that was filled, however late, though empty ones are not read."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from warehouse import ddl, history
from warehouse.home import Home
from warehouse.store import Store, open_store


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    with open_store(home) as found:
        yield found


def put(con: duckdb.DuckDBPyConnection, key: str, **values: str) -> None:
    row = {"connection": "shop", "stream": "orders", "source_key": key, **values}
    con.execute(
        f"insert into source.orders ({', '.join(row)}) values ({', '.join('?' * len(row))})",
        list(row.values()),
    )


def keep(con: duckdb.DuckDBPyConnection) -> dict[str, tuple]:
    con.execute(
        "create or replace temp table change as select rowid as old, source_key, synced_at,"
        " now() as ended_at from source.orders"
    )
    history.keep(con, "order", "connection = 'shop' and stream = 'orders'", "true")
    found = con.execute("select source_key, channel, shop_name from history.orders").fetchall()
    con.execute("delete from history.orders")
    return {key: tuple(rest) for key, *rest in found}


def test_a_column_counts_from_its_first_value_on(store: Store) -> None:
    con = store.con
    assert keep(con) == {}
    put(con, "1")
    assert keep(con) == {"1": (None, None)}
    store.checkpoint()
    put(con, "2", channel="web")
    assert keep(con) == {"1": (None, None), "2": ("web", None)}
    with store.transaction():
        con.execute("update source.orders set shop_name = 'north' where source_key = '1'")
        assert keep(con) == {"1": (None, "north"), "2": ("web", None)}
    store.checkpoint()
    assert keep(con) == {"1": (None, "north"), "2": ("web", None)}


def test_no_column_that_holds_something_is_passed_over(store: Store) -> None:
    table = ddl.source_table("order")
    put(store.con, "1", channel="web")
    store.con.execute("update source.orders set is_deleted = false")
    filled = set(history._filled(store.con, table))
    assert {"connection", "stream", "source_key", "channel", "is_deleted"} <= filled
    assert "shop_name" not in filled
