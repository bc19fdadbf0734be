"""The completeness proof over a real database: what is lost here or never came is found, healed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sql_world import START, World, sqlite_database, world

from pipelines.proof import StreamProof, Window
from pipelines.verify import verify_stream

INSERT = "insert into payments values (?, ?, ?, ?)"
FOUND = """
select window_from, source_count, store_count, status, source_sum, store_sum
from ops.completeness where stream = 'payments' order by window_from nulls first
"""


def stamp(at: datetime) -> str:
    """Return an instant as the table has it: naive, in Shanghai's time."""
    return (at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")


def rows(first: int, last: int, at: datetime, step: timedelta) -> list[Any]:
    return [
        (n, f"{n}.2500", f"payer {n}", stamp(at + (n - first) * step))
        for n in range(first, last + 1)
    ]


@pytest.fixture
def erp(tmp_path: Path) -> Iterator[World]:
    """100 payments of the ten days before START, ten a day, and two of a year before."""
    database = sqlite_database(tmp_path)
    database.execute(
        "create table payments (id integer primary key, amount text, payer text, updated_at text)"
    )
    config = database.settings(changes={"since": "updated_at"})
    with world(tmp_path / "world", database, config) as made:
        database.many(
            INSERT, rows(1, 100, START - timedelta(days=10), timedelta(hours=2, minutes=24))
        )
        database.many(INSERT, rows(101, 102, START - timedelta(days=365), timedelta(days=1)))
        assert made.sync().error is None
        yield made


def verify(world: World, **how: Any) -> StreamProof:
    world.now += timedelta(minutes=1)
    return verify_stream(world.space, "erp", world.stream, now=lambda: world.now, **how)


def off(proof: StreamProof) -> list[Window]:
    return [w for w in proof.windows if w.status != "equal"]


def in_store(world: World, sql: str) -> list[tuple[Any, ...]]:
    """Run SQL on the private store by hand, as nobody should."""
    with duckdb.connect(str(world.space.home.store)) as con:
        return con.execute(sql).fetchall()


def test_a_complete_stream_is_proved_day_by_day(erp: World) -> None:
    proof = verify(erp)
    assert (proof.error, proof.status, proof.is_proved) == (None, "equal", True)
    assert sum(w.source or 0 for w in proof.windows) == 102
    assert all(w.source == w.store and w.source_sum == w.store_sum for w in proof.windows)
    assert proof.summed == "amount"
    total = sum((w.source_sum or Decimal(0) for w in proof.windows), Decimal(0))
    assert total == sum(Decimal(n) + Decimal("0.25") for n in range(1, 103))
    days = [w for w in proof.windows if w.span.since and w.span.since >= START - timedelta(days=9)]
    assert [w.source for w in days] == [10] * 8 + [3]
    assert proof.put_back == proof.read_again == 0


def test_rows_removed_from_the_store_by_hand_come_back_as_they_were(erp: World) -> None:
    kept = "select * exclude (load_id) from source.payments order by source_key"
    before = erp.stored(kept)
    in_store(erp, "delete from source.payments where source_key in ('7', '55', '101')")
    said = verify(erp, heal=False)
    assert (said.status, said.is_proved) == ("missing", False)
    assert sum(w.lost for w in said.windows) == 3
    assert [(w.source or 0) - (w.store or 0) for w in off(said)] == [1, 1, 1]
    assert len(erp.stored()) == 99, "a check without healing changes nothing"
    proof = verify(erp)
    assert (proof.error, proof.status, proof.put_back) == (None, "healed", 3)
    assert proof.read_again == 0, "the landing has them: the source is not asked for records"
    assert erp.stored(kept) == before
    assert verify(erp).status == "equal"
    assert len(erp.published()) == 102
    found = erp.published(FOUND)
    assert {row[3] for row in found} == {"equal"}
    assert sum(row[1] for row in found) == sum(row[2] for row in found) == 102


def test_rows_added_behind_the_bookmark_are_found_by_their_window_and_read(erp: World) -> None:
    erp.database.many(INSERT, rows(201, 203, START - timedelta(days=4), timedelta(minutes=1)))
    erp.database.many(INSERT, rows(204, 204, START - timedelta(days=364), timedelta(minutes=1)))
    assert erp.sync().inserted == 0, "an ordinary read does not see them"
    said = verify(erp, heal=False)
    assert [((w.source or 0) - (w.store or 0), w.lost) for w in off(said)] == [(1, 0), (3, 0)]
    bookmark = erp.sync().bookmark_after
    proof = verify(erp)
    assert (proof.error, proof.status, proof.read_again) == (None, "healed", 4)
    healed = [w for w in proof.windows if w.status == "healed"]
    assert [w.span.until - w.span.since for w in healed if w.span.since and w.span.until] == [
        timedelta(days=1)
    ] * 2, "a month that differs is named by its days"
    assert len(erp.stored()) == 106
    assert erp.sync().bookmark_after == bookmark, "the bookmark stays where it was"
    assert verify(erp).status == "equal"


def test_what_changed_since_the_last_read_is_no_difference(erp: World) -> None:
    erp.database.execute(
        ("update payments set updated_at = ?, amount = '9.0000' where id < 20",
         (stamp(START + timedelta(minutes=1)),))
    )  # fmt: skip
    erp.now += timedelta(minutes=5)
    assert verify(erp, heal=False).status == "surplus", "without reading nobody can know"
    assert verify(erp).status == "equal"


def test_rows_gone_at_the_source_are_said_and_found_by_a_sweep(erp: World) -> None:
    erp.database.execute("delete from payments where id in (3, 4)")
    said = verify(erp, heal=False)
    assert (said.status, said.is_proved) == ("surplus", False)
    proof = verify(erp)
    assert (proof.status, proof.deleted) == ("healed", 2)
    assert len(erp.stored()) == 100


def test_what_is_in_quarantine_or_left_out_by_the_mapping_is_accounted_for(erp: World) -> None:
    erp.database.many(
        INSERT,
        [(301, "much", "payer", stamp(START)), (302, "1.5", "nobody", stamp(START))],
    )
    erp.write(
        "maps/erp/payments.yaml",
        erp.mapping.replace("fields:", "where: payer <> 'nobody'\nfields:"),
    )
    erp.space = erp.discover()
    assert erp.sync().quarantined == 1
    proof = verify(erp)
    assert (proof.error, proof.status) == (None, "equal")
    assert sum(w.aside for w in proof.windows) == 1
    assert sum(w.left_out for w in proof.windows) == 1
    assert len(erp.stored()) == 102


def test_a_row_that_no_landed_record_made_is_named(erp: World) -> None:
    renamed = "set source_key = '999', record_key = '999' where source_key = '7'"
    in_store(erp, f"update source.payments {renamed}")
    proof = verify(erp)
    assert (proof.error, proof.status, proof.put_back) == (None, "surplus", 1)
    assert "1 rows that no landed record made: 999: isthmus rebuild" in proof.windows[0].message


def test_since_leaves_older_days_out(erp: World) -> None:
    in_store(erp, "delete from source.payments where source_key = '101'")
    proof = verify(erp, since=date(2026, 5, 25))
    assert proof.status == "equal"
    assert min(w.span.since for w in proof.windows if w.span.since).date() == date(2026, 5, 25)
    assert all(w.span.since for w in proof.windows)


def test_a_stream_without_stamps_is_counted_as_a_whole(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path)
    database.execute(
        "create table payments (id integer primary key, amount text, payer text, updated_at text)"
    )
    database.many(INSERT, rows(1, 20, START, timedelta(hours=1)))
    with world(tmp_path / "world", database, database.settings()) as erp:
        first = verify(erp)
        assert [w.status for w in first.windows] == ["not_compared"]
        erp.sync()
        in_store(erp, "delete from source.payments where source_key = '7'")
        database.many(INSERT, rows(21, 22, START, timedelta(hours=1)))
        proof = verify(erp)
        assert (proof.error, proof.status, proof.put_back) == (None, "healed", 1)
        assert [(w.source, w.store) for w in proof.windows] == [(22, 22)]
        later = verify(erp, since=erp.now.date() + timedelta(days=40))
        assert later.status == "equal", "where nothing has a stamp there is no day to begin at"


def test_a_source_that_does_not_answer_is_an_error_and_no_difference(erp: World) -> None:
    (erp.root.parent / "erp.db").rename(erp.root.parent / "away.db")
    proof = verify(erp)
    assert proof.error is not None
    assert (proof.status, proof.is_proved, proof.windows) == ("failed", False, [])
