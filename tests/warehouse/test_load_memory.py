"""A load keeps to its share of memory, and takes more for records that do not fit into it."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest
from hand_plan import order
from load_parts import Load, counts, rows

from warehouse import bounds
from warehouse.ddl import literal
from warehouse.store import Store

pytest_plugins = ["load_fixtures"]


def test_more_is_really_needed_there(store: Store, load: Load) -> None:
    store.con.execute("set memory_limit = '8MiB'")
    with pytest.raises(duckdb.OutOfMemoryException):
        load(*(order(n) for n in range(1, 51)))
    store.con.execute(f"set memory_limit = {literal(store.memory)}")


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


def test_what_writes_the_file_has_all_memory(store: Store) -> None:
    """Short of memory, a commit's checkpoint has committed and ends the connection."""
    said: dict[str, str] = {}

    class Watching:
        def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
            self.inner = con

        def execute(self, sql: str, *more: object) -> object:
            if not sql.startswith(("set", "select current_setting")):
                said[sql] = limit(real)
            return self.inner.execute(sql, *more)

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

    real = Store(store.path, store.con, memory=store.memory)
    store.con = Watching(store.con)  # type: ignore[assignment]
    before = limit(real)
    with bounds.sparing(store):
        with bounds.transaction(store) as con:
            con.execute("delete from ops.meta where false")
        bounds.checkpoint(store)
        assert limit(real) == "96.0 MiB"
    store.con = real.con
    assert said.pop("COMMIT") == said.pop("CHECKPOINT") == before == limit(store)
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
        assert limits == ["96.0 MiB", limit(store)]
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
