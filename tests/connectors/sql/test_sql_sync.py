"""SQLite and PostgreSQL through to the published store, judged by the databases' own drivers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sql_world import START, Database, World, connector, ids, pages, world

INSERT = "insert into payments values (?, ?, ?, ?)"
Row = tuple[int, str, str, str]


def stamp(database: Database, at: datetime) -> str:
    """Return an instant as the table's column has it: naive ones are in Shanghai's time."""
    if database.name != "postgresql":
        return (at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    return at.isoformat()


def rows(database: Database, first: int, last: int, at: datetime) -> list[Row]:
    said = stamp(database, at)
    return [(n, f"{n}.2500", f"payer {n}", said) for n in range(first, last + 1)]


def at_the_source(database: Database) -> dict[str, Decimal]:
    return {str(k): Decimal(a) for k, a in database.rows("select id, amount from payments")}


def in_the_store(found: list[tuple[Any, ...]]) -> dict[str, Decimal]:
    assert len({key for key, *_ in found}) == len(found), "a key stands there twice"
    return {key: Decimal(amount) for key, amount, _ in found}


def change(database: Database, at: datetime, where: str, amount: str = "7.0000") -> None:
    mark = "?" if database.name == "sqlite" else "%s"
    sql = f"update payments set amount = {mark}, updated_at = {mark} where {where}"
    database.execute((sql, (amount, stamp(database, at))))


@pytest.fixture
def erp(database: Database, tmp_path: Path) -> Iterator[World]:
    config = database.settings(changes={"since": "updated_at"}) | {"rows": 400}
    with world(tmp_path / "world", database, config) as made:
        yield made


def test_first_load_then_nothing_then_only_what_changed(erp: World) -> None:
    database = erp.database
    database.many(INSERT, rows(database, 1, 1000, START - timedelta(days=2)))
    database.many(INSERT, rows(database, 1001, 1500, START - timedelta(hours=2)))
    first = erp.sync()
    assert (first.error, first.read, first.landed, first.inserted) == (None, 1500, 1500, 1500)
    assert in_the_store(erp.published()) == at_the_source(database)
    nothing = erp.sync()
    assert (nothing.error, nothing.read, nothing.landed) == (None, 500, 0), "the last stamp's rows"
    change(database, START, "id in (3, 900, 1400)")
    database.many(INSERT, rows(database, 1501, 1502, START))
    third = erp.sync(wait=timedelta(minutes=5))
    assert (third.error, third.landed, third.inserted, third.updated) == (None, 5, 2, 3)
    assert third.bookmark_after == {"stamp": START.isoformat()}
    assert in_the_store(erp.published()) == at_the_source(database)


def test_a_row_committed_late_inside_the_lookback_is_found(erp: World) -> None:
    database = erp.database
    database.many(INSERT, rows(database, 1, 3, START))
    erp.sync()
    database.many(INSERT, rows(database, 4, 4, START - timedelta(minutes=9)))
    database.many(INSERT, rows(database, 5, 5, START - timedelta(minutes=11)))
    assert erp.sync().inserted == 1
    assert set(in_the_store(erp.stored())) == {"1", "2", "3", "4"}
    assert erp.sync(full=True).inserted == 1, "beyond the lookback a full read finds it"


def test_rows_younger_than_the_lag_are_left_for_the_next_run(erp: World) -> None:
    database = erp.database
    database.many(INSERT, rows(database, 1, 3, START - timedelta(days=1)))
    erp.sync()
    at = erp.now + timedelta(seconds=58)
    database.many(INSERT, rows(database, 4, 4, at))
    assert erp.sync().inserted == 0, "two seconds old, the lag is five"
    assert erp.sync().inserted == 1


def test_ties_of_a_thousand_rows_across_partitions(erp: World) -> None:
    database = erp.database
    database.many(INSERT, rows(database, 1, 10, START - timedelta(days=1)))
    erp.sync()
    database.many(INSERT, rows(database, 11, 1110, START))  # 1,100 in one stamp, 400 a partition
    done = erp.sync(wait=timedelta(hours=1))
    assert (done.error, done.inserted) == (None, 1100)
    change(database, START, "id > 10", "8.0000")  # the stamp does not move, the rows do
    assert erp.sync().updated == 1100
    assert in_the_store(erp.published()) == at_the_source(database)


def test_a_stamp_of_2999_moves_no_bookmark_and_is_read(erp: World) -> None:
    database = erp.database
    database.many(INSERT, rows(database, 1, 3, START))
    erp.sync()
    database.many(INSERT, rows(database, 4, 4, datetime(2999, 1, 1, tzinfo=UTC)))
    done = erp.sync()
    assert done.inserted == 1
    assert any("more than a day ahead (greatest 2999" in line for line in done.warnings)
    database.many(INSERT, rows(database, 5, 5, erp.now))
    assert erp.sync().inserted == 1
    assert in_the_store(erp.stored()) == at_the_source(database)


def test_rows_without_a_stamp_come_with_a_full_read(erp: World) -> None:
    database = erp.database
    database.many(INSERT, rows(database, 1, 3, START))
    database.execute("insert into payments (id, amount) values (4, '4.2500')")
    done = erp.sync()
    assert done.inserted == 4
    assert any("1 records have no readable updated_at" in line for line in done.warnings)
    database.execute("update payments set amount = '5.0000' where id = 4")
    assert erp.sync().updated == 0
    assert erp.sync(full=True).updated == 1


def test_hard_deletes_are_found_by_a_sweep_and_by_a_full_read(erp: World) -> None:
    database = erp.database
    database.many(INSERT, rows(database, 1, 900, START))
    erp.sync()
    database.execute("delete from payments where id in (1, 450, 900)")
    assert erp.sync().deleted == 0
    swept = erp.sync(sweep=True)
    assert (swept.error, swept.read, swept.deleted) == (None, 897, 3)
    assert in_the_store(erp.published()) == at_the_source(database)
    database.execute("delete from payments where id = 2")
    assert erp.sync(full=True).deleted == 1
    assert erp.sync(full=True).deleted == 0
    database.many(INSERT, rows(database, 1, 1, START))
    assert erp.sync(full=True).landed == 1, "one that comes back"
    assert in_the_store(erp.published()) == at_the_source(database)


def test_an_emptied_table_waits_for_a_person(erp: World) -> None:
    database = erp.database
    database.many(INSERT, rows(database, 1, 900, START))
    erp.sync()
    database.execute("delete from payments")
    done = erp.sync(sweep=True)
    assert (done.deleted, done.held) == (0, 900)
    assert len(erp.stored()) == 900


def test_a_source_that_was_restored_is_told(erp: World) -> None:
    database = erp.database
    database.many(INSERT, rows(database, 1, 3, START))
    erp.sync()
    change(database, START - timedelta(days=3), "id > 0")
    done = erp.sync()
    assert any("is behind the bookmark" in line for line in done.warnings)
    assert erp.sync(full=True, trust_source=True).updated == 3


def test_the_newest_row_changing_again_is_no_restore(erp: World) -> None:
    database = erp.database
    database.many(INSERT, rows(database, 1, 2, START - timedelta(days=1)))
    database.many(INSERT, rows(database, 3, 3, START))
    erp.sync()
    change(database, erp.now + timedelta(seconds=58), "id = 3")  # younger than the lag
    assert erp.sync().warnings == {}


def test_the_newest_stamp_ahead_of_our_clock_is_no_restore_but_told(erp: World) -> None:
    """As where the connection's timezone is wrong: each change would wait for hours, unsaid."""
    database = erp.database
    database.many(INSERT, rows(database, 1, 1, START))
    erp.sync()
    change(database, erp.now + timedelta(hours=8), "id = 1")
    (line,) = erp.sync().warnings
    assert "lies 479 minutes ahead of our clock" in line
    assert erp.sync(wait=timedelta(hours=8)).updated == 1


def test_a_read_that_goes_on_with_nothing_left_is_no_restore(erp: World) -> None:
    database = erp.database
    database.many(INSERT, rows(database, 1, 4, START - timedelta(minutes=1)))
    config = erp.config | {"rows": 2}
    source = connector(config, now=lambda: erp.now, timezone="Asia/Shanghai")
    whole = pages(source)[-1].bookmark
    erp.now += timedelta(minutes=5)
    left = pages(source, whole)[-2].bookmark  # all rows were landed, the end was not
    change(database, erp.now + timedelta(minutes=4), "id > 0")
    erp.now += timedelta(minutes=5)
    rest = pages(source, left)
    assert (ids(rest), rest[-1].warnings, rest[-1].bookmark) == ([], (), whole)


def test_soft_deletes_of_nc_stand_as_deleted(database: Database, tmp_path: Path) -> None:
    """`dr` 1 is deleted, `ts` a text of 19 characters that moves with it."""
    database.execute(
        "create table ar_gatherbill (pk_bill char(20), money varchar(30), payer varchar(30),"
        " ts char(19), dr smallint)"
    )
    sql = "insert into ar_gatherbill values (?, ?, ?, ?, ?)"
    key = [f"0001A1{n:05d}" for n in range(4)]
    first = "2026-05-30 10:00:00"
    database.many(sql, [(k, "1.10", "甲公司", first, 0) for k in key])
    config = database.settings(table="ar_gatherbill", key="pk_bill", changes={"since": "ts"})
    mapping = (
        "entity: payment\nkey: pk_bill\nversion: ts\ndeleted: dr = '1'\n"
        "fields: {number: pk_bill, amount: money, payer_name: payer}\n"
    )
    with world(tmp_path / "world", database, config, mapping=mapping) as erp:
        assert erp.sync().inserted == 4
        database.execute(
            f"update ar_gatherbill set dr = 1, ts = '2026-05-31 10:00:00'"
            f" where pk_bill = '{key[1]}'"
        )
        done = erp.sync()
        assert (done.error, done.landed) == (None, 1)
        assert set(in_the_store(erp.published())) == {key[0], key[2], key[3]}
        assert done.bookmark_after == {"stamp": "2026-05-31T02:00:00+00:00"}


def test_a_growing_number_reads_what_was_appended(database: Database, tmp_path: Path) -> None:
    config = database.settings(changes={"number": "id", "behind": 10})
    database.many(INSERT, rows(database, 1, 500, START))
    with world(tmp_path / "world", database, config) as erp:
        first = erp.sync()
        assert (first.error, first.read, first.bookmark_after) == (None, 500, {"number": 500})
        database.many(INSERT, rows(database, 502, 520, START))
        assert (erp.sync().inserted, erp.sync().read) == (19, 11), "the last one and ten behind it"
        database.many(INSERT, rows(database, 501, 501, START))  # committed late, out of reach
        assert erp.sync().inserted == 0
        assert erp.sync(full=True).inserted == 1
        assert in_the_store(erp.published()) == at_the_source(database)
        database.execute("delete from payments where id > 400")
        told = erp.sync()
        assert any("(400) is behind the bookmark (520)" in line for line in told.warnings)


def test_a_query_is_a_stream_like_a_table(database: Database, tmp_path: Path) -> None:
    database.execute("create table payers (id integer, name varchar(20))")
    database.many(INSERT, rows(database, 1, 50, START))
    database.many("insert into payers values (?, ?)", [(n, f"公司:{n}%") for n in range(1, 51)])
    query = (
        "select p.id, p.amount, c.name as payer, p.updated_at -- '12:30'\n"
        "from payments p join payers c on c.id = p.id where c.name like '%:%' ; "
    )
    config = database.settings(query=query, changes={"since": "updated_at"})
    del config["streams"]["payments"]["table"]
    with world(tmp_path / "world", database, config) as erp:
        assert erp.sync().inserted == 50
        change(database, START + timedelta(seconds=1), "id = 7")
        done = erp.sync()
        assert (done.error, done.read, done.landed, done.updated) == (None, 50, 1, 1)
        assert erp.stored("select payer_name from source.payments where source_key = '7'") == [
            ("公司:7%",)
        ]


def test_without_changes_every_read_is_a_full_one(database: Database, tmp_path: Path) -> None:
    database.many(INSERT, rows(database, 1, 300, START))
    with world(tmp_path / "world", database, database.settings()) as erp:
        assert erp.sync().inserted == 300
        database.execute("delete from payments where id = 5")
        change(database, START, "id = 6")
        done = erp.sync()
        assert (done.read, done.landed, done.deleted, done.updated) == (299, 1, 1, 1)
        assert in_the_store(erp.published()) == at_the_source(database)


def test_the_later_of_no_two_stamps_but_the_first_that_is_there(
    database: Database, tmp_path: Path
) -> None:
    kind = {"sqlite": "text", "postgresql": "timestamptz", "mysql": "datetime(6)"}[database.name]
    database.execute(f"alter table payments add column created_at {kind}")
    old, new = (stamp(database, START - timedelta(days=n)) for n in (3, 1))
    sql = "insert into payments values (?, ?, ?, ?, ?)"
    database.many(sql, [(1, "1", "a", None, old), (2, "2", "b", new, old)])
    config = database.settings(changes={"since": ["updated_at", "created_at"]})
    with world(tmp_path / "world", database, config) as erp:
        assert erp.sync().inserted == 2
        database.many(sql, [(3, "3", "c", None, stamp(database, START))])
        assert erp.sync().inserted == 1
