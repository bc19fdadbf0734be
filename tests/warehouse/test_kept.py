"""The marts that are tables are kept by what changed: each says what its text says of all."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from source_rows import MOMENT, Loader

from tests.bench.marts import fill
from warehouse import kept, marts, public, roles
from warehouse.home import Home
from warehouse.project import Projected, project
from warehouse.project_tables import Tables
from warehouse.store import Store, attach, connect, create, open_store
from warehouse.unify import unify

TEXTS = {m.name: m.sql for m in marts.in_order() if m.name in kept.NAMES}
"""Each in dependency order: none of them reads another."""
SKUS = ("A", "B", "C")
STEPS = 7


@pytest.fixture(autouse=True)
def no_store_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.ties.SMALL", 0)


def differs(home: Home) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home.public), read_only=True) as con:
        return [
            (name, *row)
            for name, text in TEXTS.items()
            for row in con.execute(
                f"(FROM mart.{name} EXCEPT ALL ({text})) UNION ALL "
                f"(({text}) EXCEPT ALL FROM mart.{name})"
            ).fetchall()
        ]


def rows(home: Home, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home.public), read_only=True) as con:
        return con.execute(sql).fetchall()


def publish(store: Store, home: Home, number: int, **more: Any) -> dict[str, int]:
    now = MOMENT + timedelta(hours=number)
    unify(store, now=now)
    return project(store, home, privacy="masked", key=b"0" * 32, now=now, **more).rows


def order(key: int, dice: random.Random, **more: Any) -> dict[str, Any]:
    lines = [{"key": n, "sku": sku, "quantity": dice.randrange(1, 4)} for n, sku in enumerate(SKUS)]
    return {"key": str(key), "number": f"N{key}", "currency": "CNY", "total": dice.randrange(9),
            "placed_at": MOMENT, "lines": lines, "customer_key": dice.choice([None, "c1"]),
            "status": dice.choice(["confirmed", "confirmed", "cancelled"])} | more  # fmt: skip


def shipment(key: int, dice: random.Random) -> dict[str, Any]:
    """Return a parcel of any order, its lines of the same or another one."""
    lines = [{"key": n, "sku": dice.choice(SKUS), "quantity": dice.randrange(1, 4)} for n in (1, 2)]
    if dice.random() < 0.4:
        lines[0]["order_key"] = str(dice.randrange(6))
    said = dice.choice([{"order_key": str(dice.randrange(6))}, {"order_number": number(dice)}])
    return {"key": str(key), **said, "lines": lines,
            "status": dice.choice(["shipped", "delivered", "cancelled"]),
            "shipped_at": MOMENT + timedelta(hours=dice.randrange(50)),
            "delivered_at": dice.choice([None, MOMENT + timedelta(hours=60)])}  # fmt: skip


MOVED = {"status": "succeeded", "currency": "CNY", "paid_at": MOMENT, "provider": "pay"}


def number(dice: random.Random) -> str:
    """Return what a document calls an order, or several."""
    said = f"n{dice.randrange(6)}"
    return dice.choice([said, said, said.upper(), f"{said},N{dice.randrange(6)}", "", "N77"])


def step(load: Loader, dice: random.Random) -> None:
    """Change something that an order's row may hang on."""
    what = dice.randrange(13)
    if what == 0:
        load.put("order", [order(dice.randrange(6), dice)])
    elif what in (1, 2):
        load.put("shipment", [shipment(dice.randrange(5), dice)])
    elif what == 3:
        said = {"status": dice.choice(["received", "rejected"]),
                "reason_code": dice.choice(["missing", "damaged", "other"])}  # fmt: skip
        named = dice.choice([{"order_key": str(dice.randrange(6))}, {"order_number": number(dice)}])
        load.put("return", [{"key": str(dice.randrange(3)), **named, **said}])
    elif what == 4:
        document = order(70 + dice.randrange(3), dice, platform_order_no=f"N{dice.randrange(6)}")
        load.put("order", [document], connection="erp")
    elif what == 5:
        load.delete("shipment", str(dice.randrange(5)))
    elif what in (7, 8):
        kind = dice.choice(["payment", "payment", "refund"])
        row = {
            "key": str(dice.randrange(5)),
            "kind": kind,
            "merchant_order_no": number(dice),
            "invoice_key": dice.choice([None, None, "1"]),
        }
        load.put("payment", [row | MOVED | {"amount": dice.randrange(1, 9)}], connection="gate")
    elif what in (9, 10):
        row = {
            "key": str(dice.randrange(3)),
            "order_number": number(dice),
            "currency": "CNY",
            "gross": dice.randrange(1, 9),
            "issue_date": MOMENT.date(),
            "status": "issued",
        }
        load.put("invoice", [row | {"paid_date": dice.choice([None, MOMENT.date()])}],
                 connection="gate")  # fmt: skip
    elif what == 11:
        load.put("party", [{"key": "c1", "kind": "organization", "name": f"C{dice.random()}"}])
    elif what == 12:
        place = dice.choice(
            [("shop", "order", "5"), ("gate", "payment", "1"), ("erp", "order", "70")]
        )
        load.delete(place[1], place[2], connection=place[0])
    else:
        load.delete("return", str(dice.randrange(3)))


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 10))]
)
def test_kept_by_changes_is_the_same_as_whole(tmp_path: Path, seed: int) -> None:
    dice, judged = random.Random(seed), 0
    home = Home(tmp_path).make()
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("party", [{"key": "c1", "kind": "organization", "name": "C"}])
        load.put("order", [order(key, dice, status="confirmed") for key in range(6)])
        roles.write(store, [("shop", "orders", "shop"), ("erp", "orders", "erp"),
                            ("gate", "payments", "gateway")])  # fmt: skip
        publish(store, home, 0)
        for run in range(1, STEPS):
            for _ in range(dice.randrange(1, 3)):
                step(load, dice)
            judged += publish(store, home, run)["mart.order_to_cash"]
            assert differs(home) == [], run
    assert judged > STEPS


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    """A parcel that goes over to another order changes two; the first return changes them all."""
    dice = random.Random(3)
    home = Home(tmp_path).make()
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("order", [order(key, dice, status="confirmed") for key in range(6)])
        parcel = {"key": "1", "order_key": "1", "status": "shipped", "shipped_at": MOMENT}
        load.put("shipment", [parcel])
        assert publish(store, home, 0)["mart.order_service"] == 6
        load.put("shipment", [parcel | {"order_key": "2"}])
        assert publish(store, home, 1)["mart.order_service"] == 2
        assert differs(home) == []
        load.put("return", [{"key": "1", "order_key": "3", "status": "received"}])
        assert publish(store, home, 2)["mart.order_service"] == 6
        load.put("return", [{"key": "2", "order_key": "4", "status": "received"}])
        assert publish(store, home, 3)["mart.order_service"] == 1
        assert differs(home) == []


def test_a_mart_that_raises_stops_nothing_and_shows_nothing_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands as a view, which raises when asked; mended data makes it a table again."""
    home, dice = Home(tmp_path).make(), random.Random(5)
    below = "(SELECT count(*) FROM source.orders WHERE total < 0)"
    odd = {
        mart.name: replace(mart, sql=f"SELECT * FROM ({mart.sql}) WHERE {below}::UTINYINT * 255 "
                                     "+ 1::UTINYINT > 0")
        for mart in marts.in_order() if mart.name == "order_service"
    }  # fmt: skip
    texts = tuple(odd.get(mart.name, mart) for mart in marts.in_order())
    monkeypatch.setattr(marts, "in_order", lambda: texts)
    order_1 = order(1, dice, status="confirmed")
    document = order_1 | {"key": "7", "number": "N7", "platform_order_no": "N1"}
    kind = "SELECT table_type FROM information_schema.tables WHERE table_name = 'order_service'"
    comments = ("SELECT comment FROM duckdb_columns() WHERE table_name = 'order_service' "
                "ORDER BY column_index")  # fmt: skip
    fact = "SELECT value FROM ops.meta WHERE name = 'mart_failed:order_service'"
    with open_store(home) as store:
        load = Loader(store.con)

        def project_at(number: int, **more: Any) -> Projected:
            now = MOMENT + timedelta(hours=number)
            unify(store, now=now)
            return project(store, home, privacy="masked", key=b"0" * 32, now=now, **more)

        load.put("order", [order_1, order(2, dice)])
        load.put("order", [document], connection="erp")
        assert project_at(0).failed == {}
        said = rows(home, comments)
        load.put("order", [document | {"total": -5}], connection="erp")
        for number in (1, 2):
            done = project_at(number)
            assert (done.failed, done.changed) == ({"order_service": "OutOfRange"}, number == 1)
        assert rows(home, "SELECT total FROM source.orders WHERE connection = 'erp'") == [(-5,)]
        assert rows(home, kind) == [("VIEW",)]
        assert rows(home, comments) == said
        assert rows(home, fact) == [("OutOfRange",)]
        with pytest.raises(duckdb.OutOfRangeException):
            rows(home, "FROM mart.kpi_perfect_order")
        assert len(rows(home, "FROM mart.orders")) == 2, "what does not read it is there"
        home.public.unlink()
        assert project_at(3).failed == {"order_service": "OutOfRange"}, "made anew, too"
        load.put("order", [document], connection="erp")
        assert project_at(4).failed == {}
        assert rows(home, kind) == [("BASE TABLE",)]
        assert rows(home, comments) == said
        assert (rows(home, fact), differs(home)) == ([], [])


def test_a_mart_for_which_memory_is_too_little_is_a_view_until_there_is_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, dice, asked = Home(tmp_path).make(), random.Random(5), list[str]()
    write = kept.KeptMarts.write

    def short(self: kept.KeptMarts, name: str) -> int:
        asked.append(name)
        if name == "order_to_cash":
            raise duckdb.OutOfMemoryException("failed to pin block")
        return write(self, name)

    monkeypatch.setattr(kept.KeptMarts, "write", short)
    kind = "SELECT table_type FROM information_schema.tables WHERE table_name = 'order_to_cash'"
    fact = "SELECT value FROM ops.meta WHERE name = 'mart_failed:order_to_cash'"
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("order", [order(1, dice)])
        publish(store, home, 0)
        assert asked.count("order_to_cash") == 3, "with little memory, with more, with all"
        for number in (1, 2):
            load.put("order", [order(number + 1, dice)])
            assert "mart.order_to_cash" not in publish(store, home, number)
            assert (rows(home, kind), rows(home, fact)) == ([("VIEW",)], [("OutOfMemory",)])
            assert len(rows(home, "FROM mart.order_to_cash")) == number + 1
        assert asked.count("order_to_cash") == 3
        monkeypatch.undo()
        home.public.unlink()
        assert publish(store, home, 3)["mart.order_to_cash"] == 3
        assert (rows(home, kind), rows(home, fact), differs(home)) == ([("BASE TABLE",)], [], [])


def test_a_mart_that_is_short_of_memory_is_made_again_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows that it is made of stand in the file by then: they are not written once more."""
    home, dice, said = Home(tmp_path).make(), random.Random(6), list[str]()
    write, sources = kept.KeptMarts.write, Tables.sources
    limit = "SELECT current_setting('memory_limit')"

    def short(self: kept.KeptMarts, name: str) -> int:
        said.append(name)
        done = write(self, name)
        if name == "orders" and self.con.execute(limit).fetchall() == [("128.0 MiB",)]:
            raise duckdb.OutOfMemoryException("failed to pin block")
        return done

    def counted(self: Tables) -> None:
        said.append("sources")
        sources(self)

    monkeypatch.setattr(kept.KeptMarts, "write", short)
    monkeypatch.setattr(Tables, "sources", counted)
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("order", [order(key, dice, status="confirmed") for key in range(4)])
        assert publish(store, home, 0)["mart.orders"] == 4
        assert store.con.execute(limit).fetchall() != [("128.0 MiB",)], "it has its own again"
    assert said.pop(0) == "sources"
    assert sorted(said) == sorted([*kept.NAMES, "orders"])
    assert differs(home) == []
    assert rows(home, "SELECT count(*) FROM ops.meta WHERE name LIKE 'mart_failed%'") == [(0,)]


@pytest.mark.slow
def test_marts_of_many_orders_fit_into_little_memory_and_stand_in_their_order(
    tmp_path: Path,
) -> None:
    """Joins and sorts go to the scratch folder; what they make is what the text says."""
    path, size = tmp_path / "published.duckdb", 20_000
    path.write_bytes(public.empty_file({}))
    with duckdb.connect(str(path)) as con:
        fill(con, size)
    create(tmp_path / "store.duckdb")
    with connect(tmp_path / "store.duckdb", memory="80MiB") as con:
        attach(con, path, "published")
        for table in ("recon.roles", "ops.meta"):
            con.execute(f"INSERT INTO {table} FROM published.{table}")
        made = kept.KeptMarts(con, "published", whole=True, run=0, since=0)
        con.execute("BEGIN")
        made.begin()
        assert [made.write(name) for name in kept.NAMES][:3] == [size, size, size]
        made.end()
        con.execute("COMMIT")
    with duckdb.connect(str(path), read_only=True) as con:
        for name, text in TEXTS.items():
            for one, other in ((f"mart.{name}", f"({text})"), (f"({text})", f"mart.{name}")):
                assert con.execute(f"FROM {one} EXCEPT ALL FROM {other}").fetchall() == []
            order = kept.NAMES[name].order
            before = f"lag({order}) OVER (ORDER BY rowid) > {order}"
            wrong = f"SELECT count(*) FROM (SELECT {before} AS is_wrong FROM mart.{name})"
            assert con.execute(f"{wrong} WHERE is_wrong").fetchall() == [(0,)]


def test_days_are_those_of_the_time_zone(tmp_path: Path) -> None:
    home = Home(tmp_path).make()
    late = MOMENT.replace(hour=20)  # four in the morning of the next day in Shanghai
    with open_store(home) as store:
        Loader(store.con).put("order", [order(1, random.Random(4), status="confirmed",
                                              placed_at=late)])  # fmt: skip
        for number, (zone, day) in enumerate(
            [("UTC", late.date()), ("Asia/Shanghai", late.date() + timedelta(days=1))]
        ):
            publish(store, home, number, timezone=zone)
            assert rows(home, "SELECT placed_on FROM mart.order_service") == [(day,)]
            assert rows(home, "SELECT value FROM ops.meta WHERE name = 'timezone'") == [(zone,)]
