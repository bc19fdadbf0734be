"""A session that stays open on what is published: follows it, is locked and bounded."""

import threading
from pathlib import Path

import duckdb
import pytest

from warehouse.current import Current
from warehouse.errors import StoreError
from warehouse.home import Home
from warehouse.reader import QueryError, QueryTimeout

SLOW = "select sum(a.range * b.range % 7) from range(1000000) a, range(1000000) b"


def put(home: Home, says: str) -> None:
    """Publish a file that says something, as the publisher does: whole, by renaming."""
    new = home.published / f"new-{says}.duckdb"
    with duckdb.connect(str(new)) as con:
        con.execute("create schema ops")
        con.execute("create table ops.meta as select 'says' as name, ? as value", [says])
    new.rename(home.current)


def test_a_version_is_opened_by_its_own_name(current: Current) -> None:
    put(current.home, "one")
    own = current.home.published / "unified-20260101T000000000000Z.duckdb"
    own.hardlink_to(current.home.current)
    with current.asking() as old:
        put(current.home, "two")
        # A file is written with a connection of its own.
        assert next(old.stream("select value from ops.meta").rows) == ("one",)


@pytest.fixture
def current(home: Home) -> Current:
    home.published.mkdir(exist_ok=True)
    return Current(home)


def says(current: Current) -> str:
    with current.asking() as version:
        return version.facts["says"]


def test_the_newest_version_is_asked_and_who_began_with_another_keeps_it(current: Current) -> None:
    put(current.home, "one")
    with current.asking() as old:
        put(current.home, "two")
        with current.asking() as new:
            assert new.facts["says"] == "two"
        assert old.facts["says"] == "one"
        assert old.ask("select value from ops.meta where name = $n", {"n": "says"}).rows == (
            ("one",),
        )
    assert says(current) == "two"
    with pytest.raises(QueryError, match="closed"):  # nobody holds the old file any longer
        old.ask("select 1")


def test_the_same_version_stays_open(current: Current) -> None:
    put(current.home, "one")
    with current.asking() as first, current.asking() as second:
        assert first is second


def test_nothing_published_says_what_to_do(current: Current) -> None:
    with pytest.raises(StoreError, match="isthmus sync"), current.asking():
        pass
    with pytest.raises(StoreError):
        current.stamp()


def test_values_are_bound_and_never_text_of_the_question(current: Current) -> None:
    put(current.home, "one")
    with current.asking() as version:
        hostile = "x' or true; drop table ops.meta; --"
        asked = "select count(*) from ops.meta where value = $said"
        assert version.ask(asked, {"said": hostile, "unused": 1}).rows == ((0,),)
        assert version.ask(asked, {"said": "one"}).rows == ((1,),)


@pytest.mark.parametrize(
    "sql",
    [
        "copy ops.meta to '/tmp/isthmus-test-out.csv'", "attach '/tmp/x.duckdb'",
        "select * from read_text('/etc/hostname')", "delete from ops.meta", "set threads = 8",
        "install httpfs",
    ],
)  # fmt: skip
def test_the_session_is_locked(current: Current, sql: str) -> None:
    put(current.home, "one")
    with current.asking() as version, pytest.raises(QueryError):
        version.ask(sql)
    assert not Path("/tmp/isthmus-test-out.csv").exists()


def test_a_long_question_is_ended_and_the_next_is_answered(home: Home) -> None:
    home.published.mkdir(exist_ok=True)
    put(home, "one")
    current = Current(home, timeout=0.3)
    with current.asking() as version:
        with pytest.raises(QueryTimeout):
            version.ask(SLOW)
        assert version.facts["says"] == "one"


def test_an_answer_is_kept_for_its_version_alone(current: Current) -> None:
    put(current.home, "one")
    asked = "select random()"
    with current.asking() as version:
        assert version.ask(asked) is version.ask(asked)
        first = version.ask(asked)
    put(current.home, "two")
    with current.asking() as version:
        assert version.ask(asked) is not first


def test_many_ask_at_once(current: Current) -> None:
    put(current.home, "one")
    found: list[int] = []

    def ask(number: int) -> None:
        with current.asking() as version:
            rows = version.ask("select sum(range) + $n from range(10000)", {"n": number}).rows
            found.append(int(rows[0][0]))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == [49995000 + n for n in range(12)]


def test_a_stream_gives_all_rows_and_lets_go(current: Current) -> None:
    put(current.home, "one")
    with current.asking() as version:
        result = version.stream("select range as n from range($many)", {"many": 5000})
        assert result.columns == ["n"]
        assert sum(row[0] for row in result.rows) == 4999 * 5000 // 2
    current.close()
