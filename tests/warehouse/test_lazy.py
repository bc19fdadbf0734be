"""Columns that nothing fills: seen by every client, carried by no row, real once filled."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
from publish_parts import bring, order, shown
from source_rows import MOMENT, Loader

from warehouse import ddl, lazy
from warehouse.home import Home
from warehouse.model import ENTITIES
from warehouse.store import Store, connect, open_store
from warehouse.unify import unify

ORDERS = ddl.source_table("order")
GOLDEN = ddl.unified_table("order")


def put(store: Store, key: str, **values: object) -> None:
    with store.transaction():
        Loader(store.con).put("order", [{**order(key), **values}])


def test_only_what_is_filled_is_real_and_all_is_seen(home: Home) -> None:
    with open_store(home) as store:
        put(store, "1", customer_key="c")
        unify(store, now=MOMENT)
        real = lazy.real_columns(store.con, ORDERS.full)
        assert {"customer_key", "total", "version", "deleted_at"} <= real
        assert not {"shop_name", "customer_name", "ship_to_city"} & real
        golden = lazy.real_columns(store.con, GOLDEN.full)
        assert {"customer_key", "party_id", "total"} <= golden
        assert "shop_name" not in golden
        seen = store.con.execute(f"DESCRIBE {ORDERS.full}").fetchall()
        assert [(name, kind.split(" ")[0]) for name, kind, *_ in seen] == [
            (f.name, f.sql_type.replace("TIMESTAMPTZ", "TIMESTAMP")) for f in ORDERS.fields
        ]
        rows = store.con.execute(f"SELECT shop_name, customer_key FROM {ORDERS.full}").fetchall()
        assert rows == [(None, "c")]


def test_a_later_column_becomes_real_and_the_rows_before_are_null_in_it(home: Home) -> None:
    with open_store(home) as store:
        put(store, "1", customer_key="c")
        bring(store, home)
        put(store, "2", shop_name="north")
        put(store, "1", total=Decimal(7))
        assert not bring(store, home).whole
        for name in (ORDERS.full, GOLDEN.full):
            assert "shop_name" in lazy.real_columns(store.con, name)
            said = f"SELECT source_key, shop_name, total FROM {name} ORDER BY 1"
            assert store.con.execute(said).fetchall() == [
                ("1", None, Decimal(7)), ("2", "north", Decimal(10)),
            ]  # fmt: skip
    said = "SELECT source_key, shop_name, customer_name FROM unified.orders ORDER BY 1"
    assert shown(home.public, said) == [("1", None, None), ("2", "north", None)]
    with duckdb.connect(str(home.public), read_only=True) as con:
        published = lazy.real_columns(con, 'main."orders"')
        assert "shop_name" in published
        assert "customer_name_hash" not in published
        assert "customer_name" not in published


def test_a_killed_process_leaves_a_log_that_is_played(home: Home, tmp_path: Path) -> None:
    """The store is copied with its log before any checkpoint, as a kill leaves it."""
    copy = tmp_path / "copy.duckdb"
    with open_store(home) as store:
        store.con.execute("SET wal_autocheckpoint = '1TB'")
        for entity, cls in ENTITIES.items():
            if cls.parent is None:
                with store.transaction():
                    Loader(store.con).put(entity, [{"key": "1"}])
        put(store, "2")
        every = {f.name for f in ORDERS.fields}
        with store.transaction():
            lazy.make_room(store.con, ORDERS, every)
        put(store, "3", shop_name="north")
        wal = home.store.with_name(home.store.name + ".wal")
        shutil.copy(home.store, copy)
        shutil.copy(wal, copy.with_name(copy.name + ".wal"))
        expected = store.con.execute(f"SELECT * FROM {ORDERS.full} ORDER BY source_key").fetchall()
    con = connect(copy)
    assert con.execute(f"SELECT * FROM {ORDERS.full} ORDER BY source_key").fetchall() == expected
    assert lazy.real_columns(con, ORDERS.full) == every
    con.close()


def test_columns_without_rows_are_not_kept_real(home: Home) -> None:
    """A load whose records are all broken leaves the table as empty as before."""
    with open_store(home) as store:
        for names in ({"number"}, {"number", "total"}, {"total"}):
            lazy.make_room(store.con, ORDERS, names)
            real = lazy.real_columns(store.con, ORDERS.full)
            assert {f.name for f in ORDERS.fields if f.lazy} & real == names
        lazy.make_room(store.con, ORDERS, set())
        Loader(store.con).put("order", [order("1")])
        before = lazy.real_columns(store.con, ORDERS.full)
        lazy.make_room(store.con, ORDERS, set())
        assert lazy.real_columns(store.con, ORDERS.full) == before


def test_json_is_never_virtual() -> None:
    """DuckDB 1.5 and 2.0 cannot replay a log that alters a table with such a column."""
    for entity in ENTITIES:
        for table in (ddl.source_table(entity), ddl.unified_table(entity)):
            assert not [f.name for f in table.fields if f.lazy and f.sql_type == "JSON"]
