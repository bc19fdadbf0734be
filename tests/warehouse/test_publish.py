from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from publish_parts import bring, everything, order, shown
from source_rows import MOMENT, Loader

from warehouse import golden, project_tables
from warehouse.home import Home
from warehouse.identity import golden_id
from warehouse.publish import Published, StoreFull, pointer, publish, versions
from warehouse.store import create, open_store


def test_an_order_is_published_and_found_under_every_name(home: Home) -> None:
    with open_store(home) as store:
        Loader(store.con).put("order", [order("1")])
        done = bring(store, home)
    assert done.changed
    assert done.whole
    published = publish(home, now=MOMENT)
    assert published.changed
    assert published.path.name == "unified-20260301T080000000000Z.duckdb"
    wanted = [(golden_id("order", "shop", "orders", "1"), Decimal(10))]
    for path in (published.path, home.readable):
        assert shown(path, "SELECT order_id, total FROM unified.orders") == wanted
    # DuckDB finds `unified.orders` ambiguous in a file of this name; the rest works all the same.
    assert shown(home.current, "SELECT order_id, total FROM orders") == wanted
    assert shown(home.current, "SELECT order_id, total FROM mart.orders") == wanted
    assert shown(home.current, "SELECT order_id, total FROM unified.unified.orders") == wanted
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{home.current}' AS company (READ_ONLY)")
        con.execute("CREATE TABLE main.orders AS SELECT 'not this one' AS order_id")
        assert con.execute("SELECT order_id, total FROM company.mart.orders").fetchall() == wanted


def test_files_are_of_the_old_storage_version(home: Home) -> None:
    with open_store(home) as store:
        Loader(store.con).put("order", [order("1")])
        bring(store, home)
        # Bytes 12 to 20 are the storage version: 65 is v1.2.0, a default file of 2.0 has 69.
        files = [home.store, home.public, publish(home, now=MOMENT).path]
    for file in files:
        assert int.from_bytes(file.read_bytes()[12:20], "little") <= 65, file


def test_nothing_new_is_neither_projected_nor_published(home: Home) -> None:
    with open_store(home) as store:
        Loader(store.con).put("order", [order("1")])
        bring(store, home)
        first = publish(home, now=MOMENT)
        again = bring(store, home)
        assert not again.changed
        assert not again.rows
    second = publish(home, now=MOMENT + timedelta(minutes=1))
    assert second == Published(first.path, first.version, False, first.bytes)
    assert versions(home) == [first.path]


def test_a_projection_made_anew_is_not_taken_for_the_published_one(home: Home) -> None:
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("order", [order("1")])
        bring(store, home)
        publish(home, now=MOMENT)
        home.public.unlink()
        load.put("order", [order("1", total=Decimal(11))])
        bring(store, home)
    assert publish(home, now=MOMENT + timedelta(minutes=1)).changed
    assert shown(home.current, "SELECT total FROM orders") == [(Decimal(11),)]


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(1, marks=pytest.mark.slow),
        2,
        pytest.param(7, marks=pytest.mark.slow),
        project_tables.SLICE,
    ],
)
def test_stepwise_projection_equals_one_made_anew(
    home: Home, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make test` plays slices of two and the product's; `make test-all` other sizes too."""
    monkeypatch.setattr(project_tables, "SLICE", size)
    monkeypatch.setattr(golden, "SLICE", size)
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("order", [order("1", customer_key="c"), order("2", ship_to_phone="13800138000")])
        bring(store, home)
        load.put("party", [{"key": "c", "kind": "organization", "name": "明远", "addresses":
                            [{"key": 1, "line1": "科技园路 1 号", "city": "深圳市"}]}])  # fmt: skip
        load.put("payment", [{"key": "p", "order_key": "1", "amount": 10, "status": "succeeded"}])
        bring(store, home)
        load.put("order", [order("2", lines=[]), order("3", total=Decimal(3))])
        bring(store, home)
        load.touch("order", "3")
        load.put("party", [{"key": "13912345678", "kind": "person", "name": "王小明"}])
        store.con.execute(
            "INSERT INTO history.orders BY NAME SELECT o.*, now() AS valid_from, "
            "now() AS valid_to FROM source.orders o WHERE source_key <> '2'"
        )
        load.delete("order", "1")
        store.con.execute(
            "INSERT INTO ops.quarantine (id, connection, stream, batch, position, entity, field, "
            "reason, status) VALUES ('x', 'shop', 'orders', 1, 1, 'order', 'total', 'bad', 'open')"
        )
        step = bring(store, home)
        assert not step.whole
        assert step.rows["main.orders"] == step.rows["main.order_lines"] == 1
        # A gone order takes its payment's reference along, in what is published too.
        assert shown(home.public, "SELECT order_key, order_id FROM payments") == [("1", None)]
        stepwise = everything(home.public)
        home.public.unlink()
        assert bring(store, home).whole
    assert everything(home.public) == stepwise
    assert stepwise["history.orders"]
    assert len(stepwise["main.party_identifiers"]) == 0
    assert len(stepwise["main.addresses"]) == 1


@pytest.mark.parametrize(
    "change",
    [{"privacy": "clear"}, {"key": b"another key of 32 bytes ........", "new_key": True}],
)
def test_another_privacy_or_key_makes_the_file_anew(home: Home, change: Mapping[str, Any]) -> None:
    with open_store(home) as store:
        Loader(store.con).put("order", [order("1", ship_to_phone="13800138000")])
        bring(store, home)
        before = home.public.stat().st_ino
        done = bring(store, home, **change)
        assert done.whole
        assert home.public.stat().st_ino != before
        assert not bring(store, home, **change).changed


def test_another_store_makes_the_file_anew(home: Home) -> None:
    with open_store(home) as store:
        Loader(store.con).put("order", [order("1")])
        bring(store, home)
    home.store.unlink()
    create(home.store)  # as a rebuild does: where something is published none is made by itself
    with open_store(home) as store:
        Loader(store.con).put("order", [order("2")])
        assert bring(store, home).whole
    assert shown(home.public, "SELECT source_key FROM orders") == [("2",)]


def test_a_projection_that_turns_out_damaged_is_made_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB reads a block when it is needed, and only then sees that it is damaged."""
    from warehouse import project

    write = project._Projection.run

    def damaged(self: project._Projection, *given: object) -> project.Projected:
        if not self.tables.whole:
            raise duckdb.IOException("IO Error: Corrupt database file: computed checksum 1 …")
        return write(self, *given)  # type: ignore[arg-type]

    with open_store(home) as store:
        Loader(store.con).put("order", [order("1")])
        bring(store, home)
        Loader(store.con).put("order", [order("2")])
        monkeypatch.setattr(project._Projection, "run", damaged)
        assert bring(store, home).whole
    assert shown(home.public, "SELECT source_key FROM orders ORDER BY 1") == [("1",), ("2",)]


def test_runs_and_freshness_are_handed_in(home: Home) -> None:
    runs = [{"run": "r1", "connection": "shop", "stream": "orders", "status": "ok",
             "started_at": MOMENT, "read": 3, "bookmark": {"stamp": "x"}}]  # fmt: skip
    with open_store(home) as store:
        assert bring(store, home, runs=runs).changed
        assert not bring(store, home, runs=runs).changed
        later = MOMENT + timedelta(hours=1)
        fresh = [{"connection": "shop", "is_kept": True}]
        assert bring(store, home, freshness=fresh, now=later).changed
    assert shown(home.public, "SELECT connection, is_kept FROM ops.freshness") == [("shop", True)]
    assert shown(home.public, "SELECT count(*) FROM ops.runs") == [(0,)]


def test_runs_and_freshness_alone_are_no_news_for_an_hour(home: Home) -> None:
    """They go along with the next change, else every sync would copy the whole file."""
    asked = "SELECT run FROM ops.runs"
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("order", [order("1")])
        bring(store, home, runs=[{"run": "1"}])
        soon, late = MOMENT + timedelta(minutes=59), MOMENT + timedelta(minutes=60)
        assert not bring(store, home, runs=[{"run": "2"}], now=soon).changed
        assert shown(home.public, asked) == [("1",)]
        assert bring(store, home, runs=[{"run": "2"}], now=late).changed
        assert shown(home.public, asked) == [("2",)]
        load.put("order", [order("2")])
        assert bring(store, home, runs=[{"run": "3"}], now=late).changed
        assert shown(home.public, asked) == [("3",)]
        # Nothing at all is new: no age makes it news.
        assert not bring(store, home, runs=[{"run": "3"}], now=late + timedelta(days=9)).changed


def test_a_version_cannot_be_written_and_a_reader_is_undisturbed(home: Home) -> None:
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("order", [order("1")])
        bring(store, home)
        first = publish(home, now=MOMENT, keep=2)
        assert first.path.stat().st_mode & 0o777 == 0o444
        reader = subprocess.Popen(
            [sys.executable, "-c",
             "import duckdb, sys\n"
             f"con = duckdb.connect({str(home.current)!r}, read_only=True)\n"
             "print(con.execute('SELECT count(*) FROM orders').fetchone()[0], flush=True)\n"
             "sys.stdin.readline()\n"
             "print(con.execute('SELECT count(*) FROM mart.orders').fetchone()[0], flush=True)"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert reader.stdout is not None
        assert reader.stdout.readline() == "1\n"
        for number in range(2, 5):
            load.put("order", [order(str(number))])
            bring(store, home)
            publish(home, now=MOMENT, keep=2)
    assert reader.communicate("go on\n", timeout=20)[0] == "1\n"
    assert shown(home.current, "SELECT count(*) FROM orders") == [(4,)]
    names = sorted(p.name for p in versions(home))
    assert len(names) == 2
    assert names[-1] == pointer(home)["file"]
    assert not first.path.exists()


def test_a_clock_set_back_still_gives_a_newer_name(home: Home) -> None:
    with open_store(home) as store:
        bring(store, home, runs=[{"run": "1"}])
        first = publish(home, now=MOMENT)
        bring(store, home, runs=[{"run": "2"}], now=MOMENT - timedelta(days=3))
        second = publish(home, now=MOMENT - timedelta(days=3))
    assert second.path.name > first.path.name
    assert home.current.samefile(second.path)


def test_too_little_room_is_refused_before_anything_is_written(home: Home) -> None:
    with open_store(home) as store:
        bring(store, home)
        first = publish(home, now=MOMENT)
        Loader(store.con).put("order", [order("1")])
        bring(store, home)
    with pytest.raises(StoreFull, match="must stay free"):
        publish(home, now=MOMENT, min_free=1 << 60)
    assert home.current.samefile(first.path)
    assert sorted(p.name for p in home.published.iterdir()) == sorted(
        [first.path.name, "unified.duckdb", "isthmus.duckdb", "current.json"]
    )


def test_every_table_has_its_comments(home: Home) -> None:
    with open_store(home) as store:
        Loader(store.con).put("order", [order("1")])
        bring(store, home)
        Loader(store.con).put("order", [order("2", shop_name="north")])
        assert not bring(store, home).whole
    assert shown(
        home.public,
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() "
        "WHERE comment IS NULL AND NOT internal AND schema_name <> 'mart'",
    ) == []  # fmt: skip
    assert shown(
        home.public,
        "SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL",
    ) == []  # fmt: skip
    assert shown(
        home.public,
        "SELECT english, chinese FROM ops.dictionary "
        "WHERE table_name = 'orders' AND column_name = 'placed_at' AND schema_name = 'unified'",
    ) == [("Placed at", "下单时间")]
