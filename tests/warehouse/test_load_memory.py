"""A load keeps to its share of memory, and takes more for records that do not fit into it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from hand_plan import land, order, order_plan
from load_parts import NOW, Load, counts, rows

from warehouse import bounds
from warehouse.checks import check_store
from warehouse.ddl import literal
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.store import Store, open_store

pytest_plugins = ["load_fixtures"]


def test_more_is_really_needed_there(store: Store, load: Load) -> None:
    store.con.execute("set memory_limit = '8MiB'")
    with pytest.raises(duckdb.OutOfMemoryException):
        load(*(order(n) for n in range(1, 51)))
    store.con.execute(f"set memory_limit = {literal(store.memory)}")


class Passing:
    """A connection that hands on what is asked of it."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.inner = con

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


def limit(store: Store) -> str:
    (found,) = store.con.execute("select current_setting('memory_limit')").fetchone() or ("",)
    return str(found)


def watched(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the limit as it is while a load runs."""
    during: list[str] = []

    def moment(now: datetime) -> datetime:
        during.append(limit(store))
        return now

    monkeypatch.setattr("warehouse.load.moment", moment)
    return during


def test_a_load_has_its_share_and_gives_the_rest_back(
    store: Store, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = limit(store)
    during = watched(store, monkeypatch)
    load(order(1))
    assert set(during) == {"96.0 MiB"}
    assert limit(store) == before


@pytest.mark.parametrize(("memory", "given"), [("6GiB", "138.0 MiB"), ("100MiB", "100.0 MiB")])
def test_a_load_commits_with_more_by_the_size_of_the_file(
    store: Store, tmp_path: Path, memory: str, given: str
) -> None:
    """What else writes a file has all memory: it cannot be tried again."""
    said: dict[str, str] = {}

    class Watching(Passing):
        def execute(self, sql: str, *more: object) -> object:
            if not sql.startswith(("set", "select current_setting")):
                said[sql] = limit(store)
            return self.inner.execute(sql, *more)

    file = tmp_path / "file of 80 MiB"
    file.touch()
    os.truncate(file, 80 << 20)
    watched = Store(file, Watching(store.con), memory=memory)  # type: ignore[arg-type]
    with bounds.sparing(watched):
        with bounds.transaction(watched, bounds.for_commit(watched)) as con:
            con.execute("delete from ops.meta where false")
        assert said.pop("COMMIT") == given
        with bounds.transaction(watched):
            pass
        bounds.checkpoint(watched)
        assert limit(store) == "96.0 MiB"
    after = limit(store)
    store.con.execute(f"set memory_limit = {literal(store.memory)}")
    assert said.pop("COMMIT") == said.pop("CHECKPOINT") == after
    assert set(said.values()) == {"96.0 MiB"}


def test_a_limit_below_the_share_stays(
    store: Store, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = limit(store)
    during = watched(store, monkeypatch)
    store.con.execute("set memory_limit = '64MiB'")
    load(order(1))
    store.con.execute(f"set memory_limit = {literal(store.memory)}")
    assert limit(store) == before
    assert set(during) == {"64.0 MiB"}


def test_records_that_do_not_fit_into_the_share_are_loaded_with_more(
    store: Store, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = limit(store)
    monkeypatch.setattr(bounds, "MEMORY", 8 << 20)  # less than DuckDB's JSON reader takes
    assert counts(load(*(order(n) for n in range(1, 51)))) == {"inserted": 50}
    assert rows(store, "count(*), count(distinct source_key)", "source.orders") == [(50, 50)]
    assert limit(store) == before


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (duckdb.OutOfMemoryException("x"), True),
        (duckdb.TransactionException("Failed to commit: could not allocate block of size"), True),
        (duckdb.TransactionException("Failed to commit: failed to offload data block"), True),
        (duckdb.IOException("Checkpoint failed for database: failed to pin block of size"), True),
        (duckdb.IOException("No space left on device"), False),
    ],
)
def test_a_commit_says_in_other_words_that_memory_is_short(
    store: Store, error: duckdb.Error, short: bool
) -> None:
    limits: list[str] = []

    def work() -> str:
        limits.append(limit(store))
        if len(limits) == 1:
            raise error
        return "done"

    if short:
        assert bounds.sparingly(store, work) == "done"
        assert limits == ["128.0 MiB", "512.0 MiB"]
    else:
        with pytest.raises(type(error)):
            bounds.sparingly(store, work)


def test_without_room_for_scratch_a_load_takes_memory(
    store: Store, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MEMORY", 8 << 20)
    (before,) = store.con.execute("select current_setting('max_temp_directory_size')").fetchone()
    store.con.execute("set max_temp_directory_size = '1KB'")
    try:
        assert counts(load(*(order(n) for n in range(1, 51)))) == {"inserted": 50}
    finally:
        store.con.execute(f"set max_temp_directory_size = {literal(before)}")


def three_transactions(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Land three batches of 30 orders, each of which is loaded by itself."""
    monkeypatch.setattr("warehouse.load.MAX_RECORDS", 30)
    for first in (1, 31, 61):
        land(landing, *(order(n) for n in range(first, first + 30)))


SHORT = """FATAL Error: Failed: database has been invalidated because of a previous fatal error.
Original error: "Transaction COMMIT succeeded and is durable, but the autocheckpoint failed.
Reopen the database instance to recover."""


def test_a_commit_that_ends_the_connection_is_counted_and_the_load_goes_on(
    home: Home, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_transactions(landing, monkeypatch)

    class Ending(Passing):
        """Ends at its third commit, room for the columns made and one batch in, as DuckDB does."""

        left = 3

        def execute(self, sql: str, *more: object) -> object:
            found = self.inner.execute(sql, *more) if self.left else None
            self.left -= bool(self.left) and sql == "COMMIT"
            if not self.left:
                raise duckdb.FatalException(SHORT)
            return found

    with open_store(home) as store:
        store.con = Ending(store.con)  # type: ignore[assignment]
        report = load_pending(store, landing, order_plan(), now=NOW)
        assert not isinstance(store.con, Ending)
        assert not store.spares
        assert rows(store, "count(*), count(distinct source_key)", "source.orders") == [(90, 90)]
        assert check_store(store.con) == []
    assert (report.batches, report.read, report.inserted) == (3, 90, 90)
    with open_store(home) as store:  # the file that was closed last is the one that is there
        assert rows(store, "count(*)", "source.orders") == [(90,)]


def test_a_commit_that_was_undone_is_made_again_on_a_file_opened_anew(
    home: Home, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen on 1.5.5 with commits of 8 to 14 MB: the same connection says misaligned count then."""
    three_transactions(landing, monkeypatch)

    class Undoing(Passing):
        """Fails at its third commit, and whenever something is written after that."""

        left = 3

        def execute(self, sql: str, *more: object) -> object:
            self.left -= sql == "COMMIT"
            if not self.left and sql == "COMMIT":
                raise duckdb.TransactionException("Failed to commit: failed to pin block of size")
            if self.left <= 0 and sql == "BEGIN":
                raise duckdb.FatalException("Corrupted in-memory column")
            return self.inner.execute(sql, *more)

    with open_store(home) as store:
        store.con = Undoing(store.con)  # type: ignore[assignment]
        report = load_pending(store, landing, order_plan(), now=NOW)
        assert not store.spares
        assert rows(store, "count(*), count(distinct source_key)", "source.orders") == [(90, 90)]
        assert rows(store, "count(*)", "ops.batches") == [(3,)]
        assert check_store(store.con) == []
    assert (report.batches, report.read, report.inserted) == (3, 90, 90)
